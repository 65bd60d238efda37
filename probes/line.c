/* line.c: bytes in whatever segments they come, lines out. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "probes/line.h"

void
line_init(struct line_reader *r, uint8_t *buf, uint32_t cap)
{
	*r = (struct line_reader){ .buf = buf, .cap = cap };
}

void
line_move(struct line_reader *r, uint8_t *buf, uint32_t cap)
{
	uint32_t n = r->end - r->start;

	if (n > 0)
		memcpy(buf, r->buf + r->start, n);
	*r = (struct line_reader){
		.buf = buf, .cap = cap, .end = n, .seen = r->seen
	};
}

uint8_t *
line_space(struct line_reader *r, uint32_t *room)
{
	uint32_t n = r->end - r->start;

	if (r->start > 0) {
		memmove(r->buf, r->buf + r->start, n);
		r->start = 0;
		r->end = n;
	}
	*room = r->cap - r->end;
	return r->buf + r->end;
}

void
line_fed(struct line_reader *r, uint32_t n)
{
	r->end += n;
}

enum line_state
line_next(struct line_reader *r, struct line *line)
{
	uint8_t *from = r->buf + r->start, *lf;
	uint32_t n = r->end - r->start;

	lf = r->seen < n ? memchr(from + r->seen, '\n', n - r->seen) : NULL;
	if (!lf) {
		r->seen = n;
		return n == r->cap ? LINE_FULL : LINE_NEED;
	}
	line->bytes = from;
	line->len = (size_t)(lf - from);
	line->number = 0;
	line->lf_only = line->len == 0 || lf[-1] != '\r';
	/* CR CR LF: text mode of somebody's runtime (Windows). */
	while (line->len > 0 && from[line->len - 1] == '\r')
		line->len--;
	r->start += (uint32_t)(lf - from) + 1;
	r->seen = 0;
	return LINE_GOT;
}

const uint8_t *
line_left(const struct line_reader *r, uint32_t *n)
{
	*n = r->end - r->start;
	return r->buf + r->start;
}

void
line_drop(struct line_reader *r)
{
	r->start = r->end = r->seen = 0;
}

const uint8_t *
bytes_find(const uint8_t *bytes, size_t len, const char *word)
{
	size_t n = strlen(word);
	int lower = tolower((unsigned char)word[0]);
	int upper = toupper((unsigned char)word[0]);

	/* Most places differ in the first letter: no call for those. */
	for (size_t i = 0; i + n <= len; i++)
		if ((bytes[i] == lower || bytes[i] == upper) &&
		    strncasecmp((const char *)bytes + i, word, n) == 0)
			return bytes + i;
	return NULL;
}

bool
word_next(const uint8_t *bytes, size_t len, size_t *at, struct word *word)
{
	size_t i = *at;

	while (i < len && (bytes[i] == ' ' || bytes[i] == '\t'))
		i++;
	word->bytes = bytes + i;
	while (i < len && bytes[i] != ' ' && bytes[i] != '\t')
		i++;
	word->len = (size_t)(bytes + i - word->bytes);
	*at = i;
	return word->len > 0;
}
