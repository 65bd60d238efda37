/* announced.c: how many IPv4 addresses are announced, by country and by AS. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/announced.h"
#include "storage/cut.h"

enum { LINE_CAP = 256 };

struct announced {
	struct labels keys;
	uint64_t *n; /* of each key */
	size_t cap;
};

struct announced *
announced_new(void)
{
	return need_memory(1, sizeof(struct announced));
}

void
announced_free(struct announced *a)
{
	if (!a)
		return;
	labels_free(&a->keys);
	free(a->n);
	free(a);
}

void
announced_add(struct announced *a, const char *key, uint64_t n)
{
	uint64_t at = labels_number(&a->keys, key, strlen(key));

	if (at >= a->cap) {
		size_t cap = a->cap ? 2 * a->cap : 256;

		a->n = need_more(a->n, cap, sizeof *a->n);
		memset(a->n + a->cap, 0, (cap - a->cap) * sizeof *a->n);
		a->cap = cap;
	}
	a->n[at] += n;
}

uint64_t
announced_of(const struct announced *a, const char *key)
{
	uint64_t at;

	return labels_find(&a->keys, key, strlen(key), &at) ? a->n[at] : 0;
}

void
announced_write(const struct announced *a, struct buf *b)
{
	for (size_t i = 0; i < a->keys.n; i++)
		buf_printf(b, "%s,%" PRIu64 "\n", a->keys.v[i], a->n[i]);
}

static bool
is_key(const char *s)
{
	static const char capitals[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char digits[] = "0123456789";
	size_t len = strlen(s);

	if (len >= ANNOUNCED_KEY_MAX)
		return false;
	return strcmp(s, "total") == 0 || strcmp(s, "??") == 0 ||
	    (len == 2 && strspn(s, capitals) == 2) ||
	    (len > 2 && memcmp(s, "AS", 2) == 0 &&
		strspn(s + 2, digits) == len - 2);
}

/* False: it is no such line. */
static bool
take_line(struct announced *a, char *line)
{
	char *number, *end;
	uint64_t n;

	line[strcspn(line, "\r\n")] = '\0';
	if (line[0] == '#' || line[0] == '\0')
		return true;
	number = strchr(line, ',');
	if (!number)
		return false;
	*number++ = '\0';
	errno = 0;
	n = strtoull(number, &end, 10);
	if (!is_key(line) || number[0] < '0' || number[0] > '9' || *end ||
	    errno != 0)
		return false;
	announced_add(a, line, n);
	return true;
}

struct announced *
announced_read(const char *path, char error[STORE_ERROR_MAX])
{
	struct announced *a = announced_new();
	FILE *f = fopen(path, "r");
	char line[LINE_CAP];
	unsigned number = 0;
	bool good = f != NULL;

	if (!good)
		store_say(error, "%s: %s", path, strerror(errno));
	while (good && fgets(line, sizeof line, f)) {
		number++;
		good = take_line(a, line);
	}
	if (f && !good)
		store_say(error,
		    "%s:%u: expected a country, AS and number or total, a "
		    "comma and a number of addresses",
		    path, number);
	if (good && ferror(f)) {
		store_say(error, "%s: %s", path, strerror(EIO));
		good = false;
	}
	if (f)
		fclose(f);
	if (good)
		return a;
	announced_free(a);
	return NULL;
}
