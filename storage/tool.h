/* tool.h: what the commands share: options, exits, the store. */
#ifndef STORAGE_TOOL_H
#define STORAGE_TOOL_H

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

#include "engine/conf.h"
#include "storage/advice.h"
#include "storage/holes.h"
#include "storage/row.h"
#include "storage/store.h"

/* Exit statuses; documented in mailsweep.1. */
enum tool_exit {
	TOOL_OK,
	TOOL_ERROR,
	TOOL_USAGE,
	TOOL_UNBALANCED, /* the account of a sweep does not balance */
	TOOL_NOTHING, /* nothing found */
	TOOL_GO_ON = -1 /* not an exit: the command may run */
};

struct tool;

struct command {
	const char *name, *arguments, *summary;
	const char *help; /* lines of its own options */
	int (*run)(struct tool *, int argc, char **argv);
};

struct tool {
	const struct command *command;
	const char *conf_file; /* -f */
	const char *datadir; /* -d, or from the configuration */
	const char *sweep; /* --sweep; NULL: newest sealed */
	bool json;
	bool configured; /* conf and recipients were read */
	struct conf conf;
	struct recipients recipients;
};

extern const struct command command_status, command_sweeps, command_show,
    command_dump, command_stats, command_feed, command_check, command_merge,
    command_diff, command_optout, command_report, command_fixes,
    command_announced;

/* Print "mailsweep: ..." to standard error; returns TOOL_ERROR. */
int tool_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The same with a line that names --help; returns TOOL_USAGE. */
int tool_usage(const struct tool *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * getopt_long over the command's own long options (an array ended by a name of
 * NULL, values above OPTION_OWN) and those all commands share, which it deals
 * with itself: -f, -d, --sweep, --json, --help. Returns an own option's value,
 * -1 at the end; *exit is then TOOL_GO_ON, or the status to exit with.
 */
enum { OPTION_OWN = 256, OPTIONS_MAX = 32 };
int tool_option(
    struct tool *, int argc, char **argv, const struct option *own, int *exit);

/* Of a command that looks at no single sweep: the status so far. */
int tool_no_sweep(const struct tool *, int status);

/* After the last option, of a command without arguments: the status so far. */
int tool_options_over(const struct tool *, int status, int argc, char **argv);

/*
 * Read the configuration (unless -d alone was given) and find the data
 * directory. TOOL_GO_ON, or the status to exit with, after a message.
 */
int tool_setup(struct tool *);
void tool_clear(struct tool *);

/* The sweep chosen; NULL after a message. */
struct store *tool_store(const struct tool *);

/*
 * Close it. Status, or after a message TOOL_ERROR where damaged rows were
 * passed over: what was printed is then not all there is.
 */
int tool_store_close(struct store *, int status);
/* The same of rows that were counted already. */
int tool_damaged(const char *sweep, uint64_t rows, int status);

/* Tables of ours, of a file or (NULL) of where they lie. NULL after a message. */
struct advices *tool_advices(void);
struct holes *tool_holes(const char *file);

/* A file of ours: beside a build in its tree, else installed. Allocated. */
char *tool_data_file(const char *name);

/* A whole number of at most max. False after a message. */
bool tool_number(const struct tool *, const char *option, const char *text,
    uint64_t max, uint64_t *number);

/* Flush standard output; TOOL_ERROR if that fails, else status. */
int tool_finish(int status);

#endif
