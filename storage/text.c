/* text.c: how bytes, times and names look wherever text leaves us. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "storage/text.h"

enum { LABEL_MAX = 63, HOSTNAME_MAX = 253, MAPPED_MAX = 16 };

/*
 * Length of the valid UTF-8 character at p (RFC 3629: shortest form, no
 * surrogates, at most U+10FFFF) and its number; 0: none starts here.
 */
static size_t
utf8_length(const uint8_t *p, size_t len, uint32_t *number)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = p[0] < 0x80            ? 1
	    : p[0] >= 0xf0 && p[0] < 0xf5 ? 4
	    : p[0] >= 0xe0 && p[0] < 0xf0 ? 3
	    : p[0] >= 0xc2 && p[0] < 0xe0 ? 2
					  : 0;
	uint32_t c;

	if (n == 0 || n > len)
		return 0;
	c = n == 1 ? p[0] : p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3fu);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*number = c;
	return n;
}

/*
 * Format characters that would end a line for some readers (U+2028, U+2029),
 * or turn the order of what follows around: marks, embeddings, overrides and
 * isolates (Unicode Standard Annex 9, 2.1 to 2.6).
 */
static bool
is_reordering(uint32_t c)
{
	return c == 0x61c || c == 0x200e || c == 0x200f ||
	    (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

/* Map what stands at p; how many bytes of it were used, *out filled. */
static size_t
map_one(const uint8_t *p, size_t len, char out[MAPPED_MAX], size_t *outlen)
{
	uint32_t c = 0;
	size_t n = utf8_length(p, len, &c);

	if (p[0] == '\r' || p[0] == '\n') {
		out[0] = '|';
		*outlen = 1;
		return p[0] == '\r' && len > 1 && p[1] == '\n' ? 2 : 1;
	}
	if (n > 0 && c >= 0x20 && (c < 0x7f || c > 0x9f) && !is_reordering(c)) {
		memcpy(out, p, n);
		*outlen = n;
		return n;
	}
	*outlen = 0;
	n = n == 0 ? 1 : n;
	for (size_t i = 0; i < n; i++)
		*outlen += (size_t)snprintf(
		    out + *outlen, MAPPED_MAX - *outlen, "\\x%02X", p[i]);
	return n;
}

/* How many bytes from p on are printing ASCII, which stays as it is. */
static size_t
plain_length(const uint8_t *p, size_t len)
{
	size_t n = 0;

	while (n < len && p[n] >= 0x20 && p[n] < 0x7f)
		n++;
	return n;
}

void
text_map(struct buf *b, const void *bytes, size_t len, size_t max)
{
	const uint8_t *p = bytes;
	char out[MAPPED_MAX];
	size_t outlen, used;

	for (; len > 0; p += used, len -= used, max -= outlen) {
		used = outlen = plain_length(p, len < max ? len : max);
		if (used > 0) {
			buf_add(b, p, used);
			continue;
		}
		used = map_one(p, len, out, &outlen);
		if (outlen > max)
			return;
		buf_add(b, out, outlen);
	}
}

void
text_add(struct buf *b, const void *bytes, size_t len)
{
	text_map(b, bytes, len, SIZE_MAX);
}

void
text_cut(struct buf *b, size_t max)
{
	if (b->len <= max)
		return;
	while (max > 0 && ((uint8_t)b->s[max] & 0xc0) == 0x80)
		max--;
	for (size_t back = 1; back < 4 && back <= max; back++)
		if (memcmp(b->s + max - back, "\\x", 2) == 0)
			max -= back;
	b->s[b->len = max] = '\0';
}

static const char *
format_time(const char *format, int64_t seconds, char buf[TIME_TEXT_MAX])
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (!gmtime_r(&t, &tm) ||
	    strftime(buf, TIME_TEXT_MAX, format, &tm) == 0)
		buf[0] = '\0';
	return buf;
}

const char *
text_seconds(int64_t s, char buf[TIME_TEXT_MAX])
{
	return format_time("%Y-%m-%d %H:%M:%S", s, buf);
}

const char *
text_time(uint64_t us, char buf[TIME_TEXT_MAX])
{
	buf[0] = '\0';
	return us == 0 ? buf : text_seconds((int64_t)(us / 1000000), buf);
}

const char *
text_time_iso(uint64_t us, char buf[TIME_TEXT_MAX])
{
	size_t n;

	format_time("%Y-%m-%dT%H:%M:%S", (int64_t)(us / 1000000), buf);
	n = strlen(buf);
	snprintf(
	    buf + n, TIME_TEXT_MAX - n, ".%03" PRIu64 "Z", us / 1000 % 1000);
	return buf;
}

const char *
text_day(uint64_t us, char buf[TIME_TEXT_MAX])
{
	return format_time("%Y-%m-%d", (int64_t)(us / 1000000), buf);
}

const char *
text_duration(uint64_t s, char buf[TIME_TEXT_MAX])
{
	if (s >= 3600)
		snprintf(buf, TIME_TEXT_MAX, "%" PRIu64 "h%02" PRIu64 "m",
		    s / 3600, s / 60 % 60);
	else if (s >= 60)
		snprintf(buf, TIME_TEXT_MAX, "%" PRIu64 "m%02" PRIu64 "s",
		    s / 60, s % 60);
	else
		snprintf(buf, TIME_TEXT_MAX, "%" PRIu64 "s", s);
	return buf;
}

void
text_hex(struct buf *b, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		buf_printf(b, "%02x", bytes[i]);
}

void
text_hex_colons(struct buf *b, const uint8_t *bytes, size_t len)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < len; i++) {
		const char three[] = { ':', digits[bytes[i] >> 4],
			digits[bytes[i] & 15] };

		buf_add(b, i ? three : three + 1, i ? 3 : 2);
	}
}

void
text_base64(struct buf *b, const uint8_t *p, size_t len)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < len; i += 3) {
		uint32_t v = (uint32_t)p[i] << 16;
		char four[4];

		if (i + 1 < len)
			v |= (uint32_t)p[i + 1] << 8;
		if (i + 2 < len)
			v |= p[i + 2];
		for (unsigned k = 0; k < 4; k++)
			four[k] =
			    i + k > len ? '=' : digits[v >> (18 - 6 * k) & 63];
		buf_add(b, four, sizeof four);
	}
}

/* U+00C0 to U+017F without their marks; '\0' where there is no letter. */
/* clang-format off */
static const char folded[] =
    "AAAAAAACEEEEIIIIDNOOOOO\0OUUUUYTS"
    "AAAAAAACEEEEIIIIDNOOOOO\0OUUUUYTY"
    "AAAAAACCCCCCCCDDDDEEEEEEEEEEGGGG"
    "GGGGHHHHIIIIIIIIIIIIJJKKKLLLLLLL"
    "LLLNNNNNNNNNOOOOOOOORRRRRRSSSSSS"
    "SSTTTTTTUUUUUUUUUUUUWWYYYZZZZZZS";
/* clang-format on */
_Static_assert(sizeof folded == 0x180 - 0xc0 + 1, "one letter each");

void
text_upper(struct buf *b, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	uint32_t c;
	size_t n;

	for (size_t i = 0; i < len; i += n ? n : 1) {
		char out = '\0';

		n = utf8_length(p + i, len - i, &c);
		if (n == 1 && c >= 0x20 && c < 0x7f)
			out = (char)toupper((int)c);
		else if (n == 2 && c >= 0xc0 && c < 0x180)
			out = folded[c - 0xc0];
		if (out)
			buf_putc(b, out);
	}
}

bool
text_is_hostname(const char *s, size_t *len)
{
	size_t n = *len, label = 0;
	unsigned dots = 0;
	bool number = true;

	if (n > 0 && s[n - 1] == '.')
		n--;
	if (n == 0 || n > HOSTNAME_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '.' && label > 0) {
			label = 0;
			dots++;
			number = true;
			continue;
		}
		if (c > 0x7f || (!isalnum(c) && c != '-' && c != '_') ||
		    ++label > LABEL_MAX)
			return false;
		number = number && isdigit(c);
	}
	*len = n;
	return dots > 0 && label > 0 && !number;
}
