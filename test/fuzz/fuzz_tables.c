/*
 * fuzz_tables.c: the tables that an operator may write himself: the advice
 * texts (first byte even), the versions with a known hole (odd), which are then
 * held against a row, and the announced addresses (a tilde).
 */
#include <sys/mman.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "storage/advice.h"
#include "storage/announced.h"
#include "storage/holes.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum { PATH_CAP = 64, BODY_CAP = 256, ANNOUNCED = '~' };

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static void
try_advice(const char *path)
{
	char error[ADVICE_ERROR_MAX] = "";
	struct advices *all = advice_read(path, error);
	const struct advice *a = advice_find(all, "finding no_tls");

	must((all == NULL) == (error[0] != '\0'));
	must(memchr(error, '\0', sizeof error) != NULL);
	must(a == NULL || a->ntodo <= ADVICE_DO_MAX);
	for (size_t i = 0; a != NULL && i < a->ntodo; i++)
		must(a->todo[i] != NULL);
	advice_free(all);
}

static void
match(const struct holes *h)
{
	static const char *const versions[] = { "4.80", "4.94.2", "1", "99" };
	const struct hole *matched[HOLES_MATCHED_MAX];
	uint8_t body[BODY_CAP];
	struct row row = { 0 };
	struct record r;
	size_t n;

	for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
		record_init(&r, body, sizeof body);
		record_put(&r, TAG_PRODUCT, "Exim", 4);
		record_put(&r, TAG_VERSION, versions[i], strlen(versions[i]));
		record_put(&r, TAG_GREETING, "220 Exim+deb9u1\r\n", 17);
		row.head = r.head;
		row.body = body;
		row.len = r.len;
		n = holes_match(h, &row, matched);
		must(n <= HOLES_MATCHED_MAX);
		for (size_t k = 0; k < n; k++)
			must(strncmp(matched[k]->cve, "cve-", 4) == 0);
	}
}

static void
try_holes(const char *path)
{
	char error[HOLES_ERROR_MAX] = "";
	struct holes *h = holes_read(path, error);

	must((h == NULL) == (error[0] != '\0'));
	must(memchr(error, '\0', sizeof error) != NULL);
	if (h != NULL)
		match(h);
	holes_free(h);
}

static void
try_announced(const char *path)
{
	char error[STORE_ERROR_MAX] = "";
	struct announced *a = announced_read(path, error);
	struct buf text = { 0 };

	must((a == NULL) == (error[0] != '\0'));
	if (a != NULL)
		announced_write(a, &text);
	for (size_t i = 0; i < text.len; i++)
		must(
		    text.s[i] == '\n' || (text.s[i] > ' ' && text.s[i] <= '~'));
	buf_free(&text);
	announced_free(a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char path[PATH_CAP];
	int fd;

	if (len < 1)
		return 0;
	fd = memfd_create("table", MFD_CLOEXEC);
	must(fd >= 0 && write(fd, bytes + 1, len - 1) == (ssize_t)len - 1);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (bytes[0] == ANNOUNCED)
		try_announced(path);
	else if (bytes[0] % 2 == 0)
		try_advice(path);
	else
		try_holes(path);
	close(fd);
	return 0;
}
