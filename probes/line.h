/* line.h: bytes in whatever segments they come, lines out. */
#ifndef PROBES_LINE_H
#define PROBES_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

/* One line, its end (CR LF or LF) taken off; dies at the next call. */
struct line {
	const uint8_t *bytes;
	size_t len;
	unsigned number; /* of this reply, from 0 */
	bool lf_only;
};

/*
 * The buffer is the owner's; its cap bounds the line, its end included.
 * Bytes behind a line stay until they are asked for.
 */
struct line_reader {
	uint8_t *buf;
	uint32_t cap, start, end;
	uint32_t seen; /* from start: no line end in these */
};

enum line_state { LINE_GOT, LINE_NEED, LINE_FULL };

void line_init(struct line_reader *, uint8_t *buf, uint32_t cap);

/* Go on in a larger buffer of the owner's, bytes and all. */
void line_move(struct line_reader *, uint8_t *buf, uint32_t cap);

/* Where to put the next bytes, and how many; then how many there were. */
uint8_t *line_space(struct line_reader *, uint32_t *room);
void line_fed(struct line_reader *, uint32_t n);

/* The next line; LINE_FULL: the buffer is full and holds no line end. */
enum line_state line_next(struct line_reader *, struct line *);

/* What is there and was not asked for yet; line_drop forgets it. */
const uint8_t *line_left(const struct line_reader *, uint32_t *n);
void line_drop(struct line_reader *);

/*
 * Bytes compared without case, as protocol words are; here, since a word's
 * length is a constant where it is compared, for every line that is heard.
 */
static inline bool
bytes_start(const uint8_t *bytes, size_t len, const char *prefix)
{
	size_t n = strlen(prefix);

	return len >= n && strncasecmp((const char *)bytes, prefix, n) == 0;
}

static inline bool
bytes_equal(const uint8_t *bytes, size_t len, const char *word)
{
	return len == strlen(word) && bytes_start(bytes, len, word);
}

/* Where in bytes the word begins, or NULL. */
const uint8_t *bytes_find(const uint8_t *, size_t len, const char *word);

/* The next word between spaces, moving *at; false at the end. */
struct word {
	const uint8_t *bytes;
	size_t len;
};
bool word_next(const uint8_t *, size_t len, size_t *at, struct word *);

#endif
