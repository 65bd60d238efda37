/* feed_help.c: feeds of a data directory, made and looked at. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "test/unit/feed_help.h"
#include "test/unit/tool_help.h"

uint64_t
help_feeds(const char *datadir, char dir[64], const struct recipients *all,
    enum feed_kind kind, bool notices)
{
	char error[STORE_ERROR_MAX], mistake[HOLES_ERROR_MAX];
	struct store *s = store_open(datadir, NULL, error);
	struct holes *holes = holes_read("conf/smtp-vulnerable", mistake);
	struct feed_order order = {
		.recipients = all, .holes = holes, .kind = kind, .gone_after = 3
	};
	struct advices *advices = advice_read("conf/advice", mistake);
	uint64_t rows;

	assert_non_null(s);
	assert_non_null(holes);
	assert_non_null(advices);
	snprintf(dir, 64, "/tmp/mailsweep-feeds-XXXXXX");
	assert_non_null(mkdtemp(dir));
	order.files =
	    feed_files_new(dir, store_info(s)->sweep.start_us, kind, all);
	if (notices)
		feed_files_notify(
		    order.files, store_info(s), advices, "abuse@lab.test");
	assert_int_equal(feed_make(s, &order, &rows), 0);
	assert_int_equal(feed_files_finish(order.files), 0);
	feed_files_free(order.files);
	holes_free(holes);
	advice_free(advices);
	store_close(s);
	return rows;
}

unsigned
help_rows(const char *dir, const char *name)
{
	char path[256], *text;
	unsigned n = 0;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	if (access(path, F_OK) < 0)
		return 0;
	text = file_text(path, NULL);
	for (const char *c = text; *c; c++)
		n += *c == '\n';
	free(text);
	return n - 1;
}

unsigned
help_files(const char *dir)
{
	DIR *d = opendir(dir);
	unsigned n = 0;

	assert_non_null(d);
	for (const struct dirent *e; (e = readdir(d));)
		n +=
		    strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	closedir(d);
	return n;
}
