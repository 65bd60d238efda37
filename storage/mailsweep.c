/* mailsweep.c: the tool that people type; it reads what mailsweepd keeps. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "storage/tool.h"

static const struct command *const commands[] = { &command_status,
	&command_sweeps, &command_show, &command_dump, &command_stats,
	&command_feed, &command_check, &command_merge, &command_diff,
	&command_fixes, &command_announced, &command_report, &command_optout };
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static void
print_commands(FILE *to)
{
	fputs(
	    "usage: mailsweep [-f FILE | -d DIR] COMMAND [option ...]\n\n", to);
	for (int i = 0; i < COMMANDS; i++)
		fprintf(
		    to, "  %-8s %s\n", commands[i]->name, commands[i]->summary);
	fputs("\nmailsweep COMMAND --help lists a command's options; "
	      "mailsweep(1) explains them.\n",
	    to);
}

static const struct command *
find_command(const char *name)
{
	for (int i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

/* -f and -d may also stand before the command. How many words they are. */
static int
take_leading(struct tool *t, int argc, char **argv)
{
	int at = 1;

	while (at + 1 < argc) {
		if (strcmp(argv[at], "-f") == 0)
			t->conf_file = argv[at + 1];
		else if (strcmp(argv[at], "-d") == 0)
			t->datadir = argv[at + 1];
		else
			break;
		at += 2;
	}
	return at;
}

/*
 * LMDB trusts the numbers in its pages: a file that is cut while it is read, or
 * one of before there were sums, may lead it to where there is no file.
 */
static void
on_bad_memory(int signo)
{
	static const char text[] =
	    "mailsweep: the store is damaged: try mailsweep check\n";

	(void)signo;
	_exit(write(STDERR_FILENO, text, sizeof text - 1) < 0 ? TOOL_USAGE
							      : TOOL_ERROR);
}

static void
catch_bad_memory(void)
{
	struct sigaction sa = { .sa_handler = on_bad_memory };

	sigemptyset(&sa.sa_mask);
	sigaction(SIGBUS, &sa, NULL);
}

int
main(int argc, char **argv)
{
	struct tool tool = { 0 };
	int at = take_leading(&tool, argc, argv), status;
	const char *word = at < argc ? argv[at] : NULL;

	catch_bad_memory();
	if (!word) {
		print_commands(stderr);
		return TOOL_USAGE;
	}
	if (strcmp(word, "--help") == 0 || strcmp(word, "help") == 0) {
		print_commands(stdout);
		return tool_finish(TOOL_OK);
	}
	if (strcmp(word, "--version") == 0) {
		puts("mailsweep " VERSION);
		return tool_finish(TOOL_OK);
	}
	tool.command = find_command(word);
	if (!tool.command) {
		fprintf(stderr, "mailsweep: %s: no such command\n", word);
		print_commands(stderr);
		return TOOL_USAGE;
	}
	argv[at] = argv[0]; /* getopt's own messages begin with it */
	status = tool.command->run(&tool, argc - at, argv + at);
	tool_clear(&tool);
	return tool_finish(status);
}
