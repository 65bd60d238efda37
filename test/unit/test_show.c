/* test_show.c: what `mailsweep show` prints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test/unit/run_help.h"
#include "test/unit/tool_help.h"

static void
test_show(void **state)
{
	char *text = run_sample(&command_show, "192.0.2.1", TOOL_OK);

	(void)state;
	is_printable(text);
	has(text, "192.0.2.1:110  pop3  completed\n");
	has(text, "192.0.2.1:143  imap  completed\n");
	has(text, "STLS|-ERR Unknown command.\n");
	has(text, "no_tls: TLS was not offered");
	has(text, "DE, \xc3\x8ele-de-France, Gda\xc5\x84sk; AS64500 Example");
	has(text, "   0.020 C STLS\n");
	free(text);
	text = run_sample(&command_show, "192.0.2.2:110", TOOL_OK);
	has(text, "TLSv1.3, TLS_AES_256_GCM_SHA384");
	has(text, "certificate 1 (leaf)");
	has(text, "CN=mail.example.net");
	has(text, "2026-09-21");
	free(text);
}

/* A banner's version is a hint: who owns the host must look at the package. */
static void
test_show_holes(void **state)
{
	char *text = run_sample(&command_show, "192.0.2.8", TOOL_OK);

	(void)state;
	has(text,
	    "banner-version: cve-2019-10149, by the version in the "
	    "banner");
	has(text, "distributions mend without changing it");
	has(text, "do: Check the package, which only the owner");
	free(text);
	text = run_sample(&command_show, "192.0.2.8 --json", TOOL_OK);
	has(text, "\"cve-2019-10149\"");
	free(text);
	text = run_sample(&command_show, "192.0.2.9", TOOL_OK);
	has_not(text, "banner-version");
	free(text);
	text = run_sample(&command_show, "192.0.2.9 --json", TOOL_OK);
	has(text, "\"banner_version\"");
	has_not(text, "cve-");
	free(text);
}

static void
test_show_silent(void **state)
{
	char *text = run_sample(&command_show, "198.51.100.0", TOOL_OK);

	(void)state;
	has(text, "198.51.100.0:25  silent");
	has_not(text, "phantom");
	free(text);
	text = run_sample(&command_show, "198.51.100.2", TOOL_OK);
	has(text, "198.51.100.2:25  silent");
	has(text, "phantom: The address, or one of its network, answers");
	free(text);
	text = run_sample(&command_show, "198.51.100.2 --json", TOOL_OK);
	has(text, "\"phantom\"");
	free(text);
	text = run_sample(&command_show, "198.51.100.1 --json", TOOL_OK);
	has_not(text, "\"phantom\"");
	free(text);
}

static void
test_show_targets(void **state)
{
	char *text = run_sample(&command_show, "[2001:db8::1]:110", TOOL_OK);

	(void)state;
	has(text, "[2001:db8::1]:110  pop3");
	has_not(text, ":143  imap");
	free(text);
	text = run_sample(&command_show, "2001:db8::1 --json", TOOL_OK);
	has(text, "\"port\": 143");
	free(text);
	text = run_sample(&command_show, "198.51.100.0", TOOL_OK);
	has(text, "198.51.100.0:25  silent");
	free(text);
	free(run_sample(&command_show, "203.0.113.9", TOOL_NOTHING));
	free(run_sample(&command_show, "192.0.2.1:0", TOOL_USAGE));
	free(run_sample(&command_show, "mail.example.net", TOOL_USAGE));
	free(run_sample(&command_show, "", TOOL_USAGE));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_show),
		cmocka_unit_test(test_show_holes),
		cmocka_unit_test(test_show_silent),
		cmocka_unit_test(test_show_targets),
	};

	return cmocka_run_group_tests_name(
	    "show", tests, sample_setup, sample_teardown);
}
