/* run_help.h: commands of mailsweep(1) run in a test, and what they print. */
#ifndef TEST_UNIT_RUN_HELP_H
#define TEST_UNIT_RUN_HELP_H

#include "storage/tool.h"

/*
 * What `mailsweep NAME -d DATADIR ARGUMENTS` prints, to free; arguments are
 * cut at spaces. It must end with the status expected.
 */
char *run_command(const struct command *, const char *datadir,
    const char *arguments, enum tool_exit expected);

/* The data directory of sample_make, for a group of tests. */
extern char sample_datadir[64];
char *run_sample(const struct command *, const char *arguments, enum tool_exit);
int sample_setup(void **state);
int sample_teardown(void **state);

/* Fail, with the text, unless it has the part, or if it has. */
void has(const char *text, const char *part);
void has_not(const char *text, const char *part);

/* No control byte but the line ends, whatever servers said. */
void is_printable(const char *text);

unsigned lines_of(const char *text);

#endif
