/* fuzz_dns.c: any bytes as a resolver's replies to the queries of a lookup. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/lookups.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* What comes out is a host name, or nothing. */
static void
check(const struct lookups *l)
{
	struct resolved r;
	char clean[HOSTNAME_CAP];

	if (!lookups_result(l, &r) || r.name[0] == '\0')
		return;
	if (!hostname_clean(r.name, clean) || strcmp(r.name, clean) != 0)
		abort();
}

/* The bytes behind a header that fits the query: what a resolver may choose. */
static void
reply(struct lookups *l, const uint8_t *query, const uint8_t *data, size_t len,
    size_t question)
{
	uint8_t *message = malloc(question + len + 1);

	if (message == NULL)
		return;
	memcpy(message, query, question);
	message[2] = 0x81;
	message[3] = 0x80;
	memset(message + 10, 0, 2); /* no OPT */
	memcpy(message + question, data, len);
	/* The counts of records are the resolver's too. */
	if (len >= 2)
		message[7] = data[len - 1] & 15;
	(void)lookups_reply(l, message, question + len);
	(void)lookups_reply(l, data, len);
	free(message);
}

static size_t
question_end(const uint8_t *query, size_t len)
{
	size_t at = 12;

	while (at < len && query[at] != 0)
		at += 1 + (size_t)query[at];
	return at + 5;
}

/* The first byte chooses the family; then a length, and so much for PTR. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct lookups *l;
	uint8_t query[DNS_QUERY_MAX];
	struct addr a = addr_from4(0xc0000207);
	size_t n, first;

	if (len < 3 || len > 4096)
		return 0;
	if (l == NULL && (l = lookups_new()) == NULL)
		return 0;
	if (data[0] & 1)
		memset(a.b, 0x20, sizeof a.b);
	first = (size_t)(data[1] << 8 | data[2]) % (len - 2);
	data += 3;
	len -= 3;
	lookups_add(l, &a);
	for (unsigned i = 0; i < 16 && lookups_count(l) > 0; i++) {
		n = lookups_query(l, i, query);
		if (n > 0 && i == 0)
			reply(l, query, data, first, question_end(query, n));
		else if (n > 0)
			reply(l, query, data + first, len - first,
			    question_end(query, n));
		lookups_expire(l, UINT64_MAX);
		check(l);
		lookups_drop(l);
	}
	if (lookups_count(l) > 0)
		abort();
	return 0;
}
