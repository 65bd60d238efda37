/* advice.h: what an operator is told about a finding (conf/advice). */
#ifndef STORAGE_ADVICE_H
#define STORAGE_ADVICE_H

#include <stddef.h>

enum { ADVICE_ERROR_MAX = 256, ADVICE_DO_MAX = 8 };

/* Texts are NULL where the file has none. */
struct advice {
	char *subject; /* "finding no_tls", "port 110" */
	char *risk, *ask, *source;
	char *todo[ADVICE_DO_MAX];
	size_t ntodo;
};

struct advices;

/* NULL, and why, with file and line where a line is wrong. */
struct advices *advice_read(const char *path, char error[ADVICE_ERROR_MAX]);
void advice_free(struct advices *);

/* NULL: nothing is said about it (or the table is NULL). */
const struct advice *advice_find(const struct advices *, const char *subject);

#endif
