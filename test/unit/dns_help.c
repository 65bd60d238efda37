/* dns_help.c: a resolver's side: replies put together record by record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "test/unit/dns_help.h"

enum { HEADER = 12, PTR = 12, A = 1, AAAA = 28, TO_QUESTION = 0xc00c };

size_t
wire_name(const char *name, uint8_t out[256])
{
	size_t n = 0, label;

	while (*name != '\0') {
		label = strcspn(name, ".");
		assert_true(label < 64 && n + label + 2 <= 256);
		out[n] = (uint8_t)label;
		memcpy(out + n + 1, name, label);
		n += 1 + label;
		name += label + (name[label] == '.');
	}
	out[n++] = 0;
	return n;
}

static size_t
question_end(const uint8_t *query)
{
	size_t at = HEADER;

	while (query[at] != 0)
		at += 1 + (size_t)query[at];
	return at + 1;
}

void
query_asks(const uint8_t *query, char name[256], uint16_t *type)
{
	size_t end = question_end(query), n = 0;

	for (size_t at = HEADER; query[at] != 0; at += 1 + (size_t)query[at]) {
		memcpy(name + n, query + at + 1, query[at]);
		n += query[at];
		name[n++] = '.';
	}
	name[n - 1] = '\0';
	*type = (uint16_t)(query[end] << 8 | query[end + 1]);
}

void
reply_to(struct reply *r, const uint8_t *query, unsigned rcode)
{
	memset(r, 0, sizeof *r);
	r->len = question_end(query) + 4;
	memcpy(r->b, query, r->len);
	r->b[2] = 0x81;
	r->b[3] = (uint8_t)(0x80 | rcode);
	r->b[6] = r->b[7] = 0;
	memset(r->b + 8, 0, 4); /* its OPT is left out */
}

static void
put16(struct reply *r, unsigned n)
{
	assert_true(r->len + 2 <= sizeof r->b);
	r->b[r->len++] = (uint8_t)(n >> 8);
	r->b[r->len++] = (uint8_t)n;
}

static void
put_rest(struct reply *r, uint16_t type, const void *data, size_t len)
{
	put16(r, type);
	put16(r, 1);
	put16(r, 0);
	put16(r, 300);
	put16(r, (unsigned)len);
	assert_true(r->len + len <= sizeof r->b);
	memcpy(r->b + r->len, data, len);
	r->len += len;
	if (++r->b[7] == 0)
		r->b[6]++;
}

void
reply_add(struct reply *r, uint16_t type, const void *data, size_t len)
{
	put16(r, TO_QUESTION);
	put_rest(r, type, data, len);
}

void
reply_named(struct reply *r, const char *name, uint16_t type, const void *data,
    size_t len)
{
	uint8_t wire[256];
	size_t n = wire_name(name, wire);

	memcpy(r->b + r->len, wire, n);
	r->len += n;
	put_rest(r, type, data, len);
}

void
reply_ptr(struct reply *r, const char *name)
{
	uint8_t wire[256];

	reply_add(r, PTR, wire, wire_name(name, wire));
}

void
reply_address(struct reply *r, const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	if (addr_is4(&a))
		reply_add(r, A, a.b + 12, 4);
	else
		reply_add(r, AAAA, a.b, 16);
}
