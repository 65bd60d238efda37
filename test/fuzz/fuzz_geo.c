/* fuzz_geo.c: lines of an operator's file of places. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "storage/geo_csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char line[GEO_LINE_MAX], folded[GEO_TEXT_MAX];
	char *fields[GEO_FIELDS_MAX];
	int n;

	if (len >= sizeof line)
		return 0;
	memcpy(line, bytes, len);
	line[len] = '\0';
	n = geo_csv_split(line, fields);
	if (n > GEO_FIELDS_MAX)
		abort();
	for (int i = 0; i < n; i++) {
		if (fields[i] < line ||
		    fields[i] + strlen(fields[i]) > line + len)
			abort();
		geo_fold_city(folded, fields[i], strlen(fields[i]));
		for (const char *c = folded; *c != '\0'; c++)
			if (*c < ' ' || *c > '~' || (*c >= 'a' && *c <= 'z'))
				abort();
	}
	return 0;
}
