/* test_transcript.c: every dialog of test/transcript, however it is cut. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test/unit/transcript.h"

enum { FILES_MAX = 512, SPLIT_MAX = 6000 };

static const char dir[] = "test/transcript";

static void
replay(const struct transcript *t, size_t first, size_t step, const char *how)
{
	struct replay *r = malloc(sizeof *r);

	assert_non_null(r);
	transcript_replay(t, r, first, step);
	transcript_check(t, r, how);
	replay_free(r);
	free(r);
}

static size_t
longest(const struct transcript *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->nstretches; i++)
		n += t->stretches[i].len;
	return n;
}

/* One byte at a time, all at once, and cut in two at every place. */
static void
transcript_test(void **state)
{
	struct transcript *t = transcript_read(*state);
	size_t len = longest(t);
	const char *base = strrchr(t->name, '/') + 1;

	replay(t, SIZE_MAX, SIZE_MAX, "all at once");
	replay(t, 1, 1, "byte by byte");
	for (size_t at = 1; at < len && at < SPLIT_MAX; at++) {
		char how[64];

		snprintf(how, sizeof how, "cut after %zu", at);
		replay(t, at, SIZE_MAX, how);
	}
	for (size_t step = 2; step <= 7; step++)
		replay(t, step, step, "in small pieces");
	if (strncmp(base, "oddity", 6) == 0)
		printf("oddity %lu ok %.*s\n", strtoul(base + 6, NULL, 10),
		    (int)strlen(base) - 4, base);
	transcript_free(t);
}

static int
by_name(const void *a, const void *b)
{
	const struct CMUnitTest *left = a, *right = b;

	return strcmp(left->name, right->name);
}

int
main(void)
{
	static struct CMUnitTest tests[FILES_MAX];
	size_t n = 0;
	DIR *d = opendir(dir);
	struct dirent *e;
	int failed;

	while (d && n < FILES_MAX && (e = readdir(d)) != NULL) {
		char path[300];
		size_t len = strlen(e->d_name);

		if (len < 5 || strcmp(e->d_name + len - 4, ".txt") != 0)
			continue;
		snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
		tests[n].name = strndup(e->d_name, len - 4);
		tests[n].test_func = transcript_test;
		tests[n++].initial_state = strdup(path);
	}
	if (n == 0) {
		fprintf(stderr, "%s: no transcripts here\n", dir);
		return 1;
	}
	closedir(d);
	qsort(tests, n, sizeof *tests, by_name);
	failed = _cmocka_run_group_tests("transcript", tests, n, NULL, NULL);
	for (size_t i = 0; i < n; i++) {
		free(tests[i].initial_state);
		free((void *)(uintptr_t)tests[i].name);
	}
	return failed;
}
