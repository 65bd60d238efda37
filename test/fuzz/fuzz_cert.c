/* fuzz_cert.c: a stranger's certificate as texts. */
#include <stdlib.h>
#include <string.h>

#include "storage/cert_fields.h"
#include "storage/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_mapped(const char *text)
{
	struct buf again = { 0 };

	if (!text)
		return;
	text_add(&again, text, strlen(text));
	if (strcmp(buf_text(&again), text) != 0)
		abort();
	buf_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct cert_fields f;
	const char *name;
	size_t n;

	cert_fields_read(&f, bytes, len);
	for (int i = 0; i < NAME_PARTS; i++) {
		check_mapped(f.issuer[i]);
		check_mapped(f.subject[i]);
	}
	for (size_t i = 0; i < f.nnames; i++)
		check_mapped(f.names[i]);
	check_mapped(f.issuer_line);
	check_mapped(f.subject_line);
	check_mapped(f.serial);
	if (cert_fields_hostname(&f, &name, &n) && n == 0)
		abort();
	cert_fields_free(&f);
	return 0;
}
