/* sports.c: the source-port range, kept free of this machine's own sockets. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/sports.h"

#define RESERVED_FILE "/proc/sys/net/ipv4/ip_local_reserved_ports"

/* Every second port reserved by hand would be the longest. */
enum {
	TEXT_MAX = 1 << 19,
	LINE_MAX_TCP = 512,
	FIELD_LOCAL = 1,
	FIELD_INODE = 9
};

static bool
has(const struct sports *s, unsigned port)
{
	return s->bit[port / 64] >> port % 64 & 1;
}

static void
put(struct sports *s, unsigned port, bool in)
{
	uint64_t bit = (uint64_t)1 << port % 64;

	if (in)
		s->bit[port / 64] |= bit;
	else
		s->bit[port / 64] &= ~bit;
}

static bool
take_port(const char **at, unsigned *port)
{
	char *end;
	unsigned long n;

	if (!isdigit((unsigned char)**at))
		return false;
	n = strtoul(*at, &end, 10);
	*at = end;
	*port = (unsigned)n;
	return n <= UINT16_MAX;
}

bool
sports_parse(const char *text, struct sports *s)
{
	memset(s, 0, sizeof *s);
	text += strspn(text, " \t\n");
	while (*text != '\0') {
		unsigned first, last;

		if (!take_port(&text, &first))
			return false;
		last = first;
		if (*text == '-' && (text++, !take_port(&text, &last)))
			return false;
		for (unsigned p = first; p <= last; p++)
			put(s, p, true);
		if (*text != '\0' && strchr(",\n", *text) == NULL)
			return false;
		text += strspn(text, ",\n");
	}
	return true;
}

void
sports_print(const struct sports *s, char *to, uint32_t cap)
{
	size_t at = 0;

	to[0] = '\0';
	for (unsigned p = 0; p <= UINT16_MAX; p++) {
		unsigned last = p;

		if (!has(s, p))
			continue;
		while (last < UINT16_MAX && has(s, last + 1))
			last++;
		at += (size_t)snprintf(to + at, cap - at,
		    last == p ? "%s%u" : "%s%u-%u", at ? "," : "", p, last);
		if (at >= cap)
			return;
		p = last;
	}
}

/*
 * A line of /proc/net/tcp: an owned socket's local port, else 0. Its fields
 * stand apart by blanks: number, ADDRESS:PORT in hex, ... inode.
 */
static uint16_t
owned_port(char *line)
{
	unsigned long port = 0, inode = 0;
	unsigned n = 0;
	char *field;

	while ((field = strsep(&line, " ")) != NULL) {
		const char *colon = strchr(field, ':');

		if (*field == '\0')
			continue;
		if (n == FIELD_LOCAL && colon != NULL)
			port = strtoul(colon + 1, NULL, 16);
		if (n == FIELD_INODE)
			inode = strtoul(field, NULL, 10);
		n++;
	}
	return inode == 0 ? 0 : (uint16_t)port;
}

static uint16_t
in_use(const char *path, uint16_t first, uint16_t last)
{
	char line[LINE_MAX_TCP];
	uint16_t found = 0;
	FILE *f = fopen(path, "re");

	if (f == NULL)
		return 0;
	while (found == 0 && fgets(line, sizeof line, f) != NULL) {
		uint16_t port = owned_port(line);

		if (port >= first && port <= last)
			found = port;
	}
	fclose(f);
	return found;
}

uint16_t
sports_in_use(uint16_t first, uint16_t last)
{
	uint16_t found = in_use("/proc/net/tcp", first, last);

	return found ? found : in_use("/proc/net/tcp6", first, last);
}

/*
 * The kernel takes a write in pieces, but each from the file's start; so the
 * whole text goes in one.
 */
static int
write_reserved(const struct sports *s)
{
	char *text = malloc(TEXT_MAX);
	int fd = open(RESERVED_FILE, O_WRONLY | O_CLOEXEC), result = -1;
	size_t len;

	if (text != NULL && fd >= 0) {
		sports_print(s, text, TEXT_MAX - 1);
		len = strlen(text);
		text[len++] = '\n'; /* an empty set is a bare line */
		if (write(fd, text, len) == (ssize_t)len)
			result = 0;
	}
	if (fd >= 0)
		close(fd);
	free(text);
	return result;
}

static int
read_reserved(struct sports *s)
{
	char *text = malloc(TEXT_MAX);
	int fd = open(RESERVED_FILE, O_RDONLY | O_CLOEXEC), result = -1;
	ssize_t n = -1;

	if (text != NULL && fd >= 0)
		n = read(fd, text, TEXT_MAX - 1);
	if (n >= 0) {
		text[n] = '\0';
		errno = EINVAL;
		result = sports_parse(text, s) ? 0 : -1;
	}
	if (fd >= 0)
		close(fd);
	free(text);
	return result;
}

int
sports_reserve(uint16_t first, uint16_t last, struct sports *before)
{
	struct sports now;

	if (read_reserved(before) < 0)
		return -1;
	now = *before;
	for (unsigned p = first; p <= last; p++)
		put(&now, p, true);
	return write_reserved(&now);
}

int
sports_release(uint16_t first, uint16_t last, const struct sports *before)
{
	struct sports now;

	if (read_reserved(&now) < 0)
		return -1;
	for (unsigned p = first; p <= last; p++)
		if (!has(before, p))
			put(&now, p, false);
	return write_reserved(&now);
}
