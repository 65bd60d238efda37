/* fuzz_conf.c: the reader of the configuration file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/conf_reader.h"
#include "engine/ranges.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static FILE *quiet;
	struct ranges *targets, *excluded;
	struct recipients to;
	struct conf conf;
	char *text;

	/* Mistakes go nowhere; what is written to descriptor 2 is seen. */
	if (quiet == NULL && (quiet = fopen("/dev/null", "w")) == NULL)
		return 0;
	stderr = quiet;
	text = malloc(len + 1);
	if (text == NULL)
		return 0;
	memcpy(text, data, len);
	text[len] = '\0';
	if (conf_read_text("fuzz", text, &conf, &targets, &excluded, &to) ==
	    0) {
		ranges_free(targets);
		ranges_free(excluded);
		recipients_free(&to);
	}
	free(text);
	return 0;
}
