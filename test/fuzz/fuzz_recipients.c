/*
 * fuzz_recipients.c: sections of recipients in a configuration that is whole,
 * and which rows go to whom. The input stands behind the required options.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/conf_reader.h"
#include "engine/ranges.h"
#include "storage/feed_match.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum { NAMES = 3, BODY_CAP = 512 };

static void
must(bool holds)
{
	if (!holds)
		abort();
}

/* What the reader promises of each (engine/conf.h). */
static void
check_recipient(const struct recipient *r)
{
	bool filter = r->nasns > 0 || r->prefixes != NULL ||
	    r->ncountries > 0 || r->ndomains > 0;

	must(memchr(r->name, '\0', sizeof r->name) != NULL && r->name[0]);
	must(memchr(r->contact, '\0', sizeof r->contact) != NULL);
	for (const char *c = r->name; *c != '\0'; c++)
		must((*c >= '0' && *c <= '9') || *c == '_' ||
		    ((*c | 0x20) >= 'a' && (*c | 0x20) <= 'z'));
	must(filter != r->everything && r->min_severity <= 4);
	for (size_t i = 0; i < r->nasns; i++)
		must(r->asns[i] > 0);
	for (size_t i = 0; i < r->ncountries; i++)
		must(strlen(r->countries[i]) == 2);
	for (size_t i = 0; i < r->ndomains; i++)
		must(r->domains[i][0] != '\0' && r->domains[i][0] != '.');
}

static void
match_one(struct match *m, size_t n, const char *address, const char *name)
{
	uint8_t body[BODY_CAP];
	struct row row = { .target.port = 110 };
	const size_t *to;
	struct record r;
	size_t count;

	must(addr_parse(address, &row.target.addr) == 0);
	record_init(&r, body, sizeof body);
	memcpy(r.head.country, "DE", 2);
	r.head.asn = 64496;
	must(record_put(&r, TAG_PTR, name, strlen(name)) == 0);
	row.head = r.head;
	row.body = body;
	row.len = r.len;
	count = match_row(m, &row, NULL, &to);
	must(count <= n);
	for (size_t i = 0; i < count; i++) {
		must(to[i] < n);
		for (size_t k = 0; k < i; k++)
			must(to[k] != to[i]);
	}
}

static void
match_all(const struct recipients *all)
{
	static const char *const addresses[] = { "0.0.0.0", "192.0.2.1",
		"198.51.100.255", "255.255.255.255", "192.0.2.1", "2001:db8::1",
		"::" };
	static const char *const names[NAMES] = { "mail.example.net.",
		"example.net", "*.a" };
	struct match *m = match_new(all);

	for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++)
		match_one(m, all->n, addresses[i], names[i % NAMES]);
	match_free(m);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const char head[] = "helo = a.example.net\n"
				   "contact = a@example.net\n"
				   "targets = 192.0.2.0/24\n"
				   "exclude = 192.0.2.1\n";
	static FILE *quiet;
	struct recipients to;
	char *text;

	/* Mistakes go nowhere; what is written to descriptor 2 is seen. */
	if (quiet == NULL && (quiet = fopen("/dev/null", "w")) == NULL)
		return 0;
	stderr = quiet;
	text = malloc(sizeof head + len);
	must(text != NULL);
	memcpy(text, head, sizeof head - 1);
	memcpy(text + sizeof head - 1, bytes, len);
	text[sizeof head - 1 + len] = '\0';
	if (conf_read_text("fuzz", text, NULL, NULL, NULL, &to) == 0) {
		for (size_t i = 0; i < to.n; i++)
			check_recipient(&to.v[i]);
		match_all(&to);
		recipients_free(&to);
	}
	free(text);
	return 0;
}
