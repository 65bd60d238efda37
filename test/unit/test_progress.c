/* test_progress.c: the line that `mailsweep status` draws. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <json-c/json.h>

#include "storage/progress.h"

static const char running[] =
    "{\"state\":\"sweeping\",\"sweep\":\"x\",\"total\":917504,"
    "\"done\":458752,\"percent\":50.0,\"syn_per_s\":20000,"
    "\"answers_per_s\":312,\"conversations_open\":12,\"waiting\":3,"
    "\"records\":1345,\"drops\":0,\"eta_s\":23,\"tx\":\"packet\"}";

static void
draws(const char *json, unsigned width, const char *want)
{
	struct json_object *o = json_tokener_parse(json);
	struct buf b = { 0 };

	assert_non_null(o);
	progress_line(o, width, &b);
	assert_string_equal(b.s, want);
	assert_true(width == 0 || b.len <= width);
	buf_free(&b);
	json_object_put(o);
}

static void
test_line(void **state)
{
	(void)state;
	draws(running, 0,
	    "458,752 of 917,504  50.0%  20,000 SYN/s  312 answers/s  12 open  "
	    "1,345 records  0 drops  23s left");
	draws(running, 120,
	    "458,752 of 917,504  50.0%  [##########..........] 20,000 SYN/s  "
	    "312 answers/s  12 open  1,345 records  0 drops  23s left");
	draws("{\"health_warning\":true,\"eta_s\":-1}", 0,
	    "0 of 0  0.0%  0 SYN/s  0 answers/s  0 open  0 records  0 drops  "
	    "MANY REFUSE US");
	draws(running, 30, "458,752 of 917,504  50.0%  20,");
}

static void
test_odd_answers(void **state)
{
	(void)state;
	draws("{}", 0,
	    "0 of 0  0.0%  0 SYN/s  0 answers/s  0 open  0 records  0 drops");
	draws("{\"state\":\"sealing\",\"done\":7,\"total\":5,\"eta_s\":-1}", 0,
	    "sealing: 7 of 5  100.0%  0 SYN/s  0 answers/s  0 open  0 records  "
	    "0 drops");
	draws("{\"state\":null,\"done\":\"x\",\"eta_s\":null}", 0,
	    "0 of 0  0.0%  0 SYN/s  0 answers/s  0 open  0 records  0 drops");
}

static void
test_idle(void **state)
{
	(void)state;
	draws("{\"state\":\"idle\"}", 80, "no sweep is running");
	draws("{\"state\":\"idle\",\"next_sweep\":1795312800}", 80,
	    "no sweep is running, the next begins 2026-11-22 02:00:00 UTC");
}

static void
test_ends(void **state)
{
	struct json_object *o = json_tokener_parse("{\"state\":\"idle\"}");

	(void)state;
	assert_false(progress_runs(o));
	json_object_put(o);
	o = json_tokener_parse(running);
	assert_true(progress_runs(o));
	json_object_put(o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_odd_answers),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
