/* run_help.c: commands of mailsweep(1) run in a test, and what they print. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "test/unit/run_help.h"
#include "test/unit/store_help.h"
#include "test/unit/tool_help.h"

enum { ARGS_MAX = 24, WORDS_MAX = 512, SHOWN_MAX = 4000 };

char sample_datadir[64];

struct call {
	const struct command *command;
	char *argv[ARGS_MAX];
	int argc;
};

static int
run_call(void *arg)
{
	struct call *c = arg;
	struct tool tool = { .command = c->command };
	int status;

	optind = 0; /* glibc: start anew */
	status = c->command->run(&tool, c->argc, c->argv);
	tool_clear(&tool);
	return status;
}

char *
run_command(const struct command *command, const char *datadir,
    const char *arguments, enum tool_exit expected)
{
	char words[WORDS_MAX], *text, *save;
	struct call c = { .command = command };
	int status;

	assert_in_range(snprintf(words, sizeof words, "mailsweep -d %s %s",
			    datadir, arguments),
	    1, sizeof words - 1);
	for (char *w = strtok_r(words, " ", &save); w != NULL;
	     w = strtok_r(NULL, " ", &save)) {
		assert_true(c.argc < ARGS_MAX - 1);
		c.argv[c.argc++] = w;
	}
	text = output_of(run_call, &c, &status);
	if (status != (int)expected)
		fail_msg("%s %s: status %d, not %d", command->name, arguments,
		    status, (int)expected);
	return text;
}

char *
run_sample(const struct command *command, const char *arguments,
    enum tool_exit expected)
{
	return run_command(command, sample_datadir, arguments, expected);
}

int
sample_setup(void **state)
{
	(void)state;
	sample_make(sample_datadir);
	return 0;
}

int
sample_teardown(void **state)
{
	(void)state;
	help_remove(sample_datadir);
	return 0;
}

void
has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in:\n%.*s", part, SHOWN_MAX, text);
}

void
has_not(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("\"%s\" is in:\n%.*s", part, SHOWN_MAX, text);
}

unsigned
lines_of(const char *text)
{
	unsigned n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

void
is_printable(const char *text)
{
	for (const char *c = text; *c; c++)
		assert_true((unsigned char)*c >= 0x20 || *c == '\n');
	assert_null(strchr(text, 0x7f));
}
