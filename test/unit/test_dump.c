/* test_dump.c: what `mailsweep dump` prints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <json-c/json.h>

#include "test/unit/run_help.h"
#include "test/unit/tool_help.h"

static void
test_dump(void **state)
{
	char *text = run_sample(&command_dump, "", TOOL_OK);
	struct json_object *o, *v;
	char *end = strchr(text, '\n');

	(void)state;
	assert_int_equal(lines_of(text), SAMPLE_ROWS);
	is_printable(text);
	*end = '\0';
	o = json_tokener_parse(text);
	assert_non_null(o);
	assert_true(json_object_object_get_ex(o, "ip", &v));
	assert_string_equal(json_object_get_string(v), "192.0.2.1");
	assert_true(json_object_object_get_ex(o, "starttls", &v));
	assert_string_equal(json_object_get_string(v), "not_offered");
	assert_true(json_object_object_get_ex(o, "findings", &v));
	assert_int_equal(json_object_array_length(v), 2);
	assert_true(json_object_object_get_ex(o, "greeting", &v));
	assert_string_equal(json_object_get_string(v),
	    "+OK \"quoted\", comma|second|third|x\\x00y\\x1B[31m\\xFF\xc3\xa9"
	    "\\xC2\\x9B'=1+1;|");
	assert_false(json_object_object_get_ex(o, "transcript", &v));
	json_object_put(o);
	free(text);
}

static void
test_dump_filters(void **state)
{
	static const struct {
		const char *arguments;
		unsigned rows;
	} cases[] = {
		{ "--port 110", 8 },
		{ "--country pl", 3 },
		{ "--country ??", 2 },
		{ "--finding no_tls", 5 },
		{ "--protocol smtp", 4 },
		{ "--outcome refused_us", 1 },
		{ "--outcome silent", SAMPLE_SILENT },
		{ "--starttls closed", 2 },
		{ "--family 6", 2 },
		{ "--asn 64500", 3 },
		{ "--prefix 192.0.2.0/30", 4 },
		{ "--prefix 2001:db8::/32", 2 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char *text =
		    run_sample(&command_dump, cases[i].arguments, TOOL_OK);

		if (lines_of(text) != cases[i].rows)
			fail_msg(
			    "%s: %u rows", cases[i].arguments, lines_of(text));
		free(text);
	}
}

static void
test_dump_exits(void **state)
{
	(void)state;
	free(run_sample(&command_dump, "--port 111", TOOL_NOTHING));
	free(run_sample(&command_dump, "--port x", TOOL_USAGE));
	free(run_sample(&command_dump, "--finding none_such", TOOL_USAGE));
	free(run_sample(&command_dump, "--prefix 192.0.2.0/33", TOOL_USAGE));
	free(run_sample(&command_dump, "--no-such-option", TOOL_USAGE));
	free(run_sample(&command_dump, "--sweep none-such", TOOL_ERROR));
	free(run_sample(&command_dump, "--help", TOOL_OK));
}

static void
test_dump_silent(void **state)
{
	char *text =
	    run_sample(&command_dump, "--silent --transcript", TOOL_OK);

	(void)state;
	assert_int_equal(lines_of(text), SAMPLE_ROWS + SAMPLE_SILENT);
	has(text, "\"transcript\"");
	has(text, "{\"ms\":20,\"who\":\"C\",\"line\":\"STLS\"}");
	free(text);
	text = run_sample(&command_dump, "--silent --protocol pop3", TOOL_OK);
	has_not(text, "silent");
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dump),
		cmocka_unit_test(test_dump_filters),
		cmocka_unit_test(test_dump_exits),
		cmocka_unit_test(test_dump_silent),
	};

	return cmocka_run_group_tests_name(
	    "dump", tests, sample_setup, sample_teardown);
}
