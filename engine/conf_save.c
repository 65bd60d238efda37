/* conf_save.c: configuration and sets as bytes for the other processes. */
#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/conf.h"
#include "engine/ranges.h"

/* What stands first in the snapshot; then what the lengths are of. */
struct snapshot {
	uint64_t conf_len, targets_len, excluded_len, products_len;
};

static int
write_all(int fd, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* At an offset of its own: all children share the descriptor's position. */
static int
read_all(int fd, void *bytes, size_t len, off_t at)
{
	uint8_t *p = bytes;

	while (len > 0) {
		ssize_t n = pread(fd, p, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = n == 0 ? EINVAL : errno;
			return -1;
		}
		p += n;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

int
conf_save(int fd, const struct conf *conf, const struct ranges *targets,
    const struct ranges *excluded, const char *products)
{
	struct snapshot head = { sizeof *conf, 0, 0, strlen(products) };
	size_t nt = 0, ne = 0;
	uint8_t *t = ranges_save(targets, &nt);
	uint8_t *e = ranges_save(excluded, &ne);
	int result = -1;

	head.targets_len = nt;
	head.excluded_len = ne;
	if (t != NULL && e != NULL && write_all(fd, &head, sizeof head) == 0 &&
	    write_all(fd, conf, sizeof *conf) == 0 &&
	    write_all(fd, t, nt) == 0 && write_all(fd, e, ne) == 0 &&
	    write_all(fd, products, head.products_len) == 0)
		result = 0;
	free(t);
	free(e);
	return result;
}

static struct ranges *
load_set(int fd, uint64_t len, uint64_t at)
{
	struct ranges *set = NULL;
	uint8_t *bytes = malloc(len);

	if (bytes != NULL && read_all(fd, bytes, len, (off_t)at) == 0)
		set = ranges_load(bytes, len);
	free(bytes);
	return set;
}

static char *
load_text(int fd, uint64_t len, uint64_t at)
{
	char *text = malloc(len + 1);

	if (text == NULL || read_all(fd, text, len, (off_t)at) < 0) {
		free(text);
		return NULL;
	}
	text[len] = '\0';
	return text;
}

int
conf_load(int fd, struct conf *conf, struct ranges **targets,
    struct ranges **excluded, char **products)
{
	struct snapshot head;
	struct stat st;
	uint64_t at = sizeof head;

	if (fstat(fd, &st) < 0 || read_all(fd, &head, sizeof head, 0) < 0)
		return -1;
	if (head.conf_len != sizeof *conf ||
	    head.targets_len > (uint64_t)st.st_size ||
	    head.excluded_len > (uint64_t)st.st_size ||
	    head.products_len > CONF_PRODUCTS_MAX) {
		errno = EINVAL;
		return -1;
	}
	if (read_all(fd, conf, sizeof *conf, (off_t)at) < 0)
		return -1;
	at += sizeof *conf;
	*targets = load_set(fd, head.targets_len, at);
	at += head.targets_len;
	*excluded = load_set(fd, head.excluded_len, at);
	at += head.excluded_len;
	*products = load_text(fd, head.products_len, at);
	if (*targets != NULL && *excluded != NULL && *products != NULL)
		return 0;
	free(*products);
	ranges_free(*targets);
	ranges_free(*excluded);
	return -1;
}
