/* storegen_table.c: mail services after a table of counts. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/bench/storegen_table.h"

enum { LINES_MAX = 4096, LINE_CAP = 256, FIRST_HOST = 1 << 24 };

struct line {
	char country[3];
	uint16_t port;
	uint8_t protocol, starttls;
	uint64_t n;
};

struct gen_table {
	struct line lines[LINES_MAX]; /* by country as read, then port */
	size_t n;
	size_t first, last; /* lines of the country that is passing */
	size_t at; /* the next service of the host */
	uint64_t host; /* of the country */
	uint32_t addr;
};

static bool
line_parse(const char *text, struct line *l)
{
	char port[6], protocol[16], starttls[32], n[21];
	int p, s;

	/* Widths are those of the arrays. */
	if (sscanf(text, "%2s %5[0-9]/%15s %31s %20[0-9]", l->country, port,
		protocol, starttls, n) != 5)
		return false;
	l->port = (uint16_t)strtoul(port, NULL, 10);
	l->n = strtoull(n, NULL, 10);
	p = name_find(protocol_names, PROTOCOL_COUNT, protocol);
	s = name_find(starttls_names, STARTTLS_COUNT, starttls);
	l->protocol = (uint8_t)p;
	l->starttls = (uint8_t)s;
	return p > 0 && s > 0;
}

/* The lines of a country stay together, its ports in order. */
static void
line_insert(struct gen_table *g, const struct line *l)
{
	size_t at = g->n;

	for (size_t i = 0; i < g->n; i++)
		if (strcmp(g->lines[i].country, l->country) == 0) {
			at = i;
			break;
		}
	while (at < g->n && strcmp(g->lines[at].country, l->country) == 0 &&
	    g->lines[at].port < l->port)
		at++;
	memmove(
	    &g->lines[at + 1], &g->lines[at], (g->n - at) * sizeof *g->lines);
	g->lines[at] = *l;
	g->n++;
}

static void
country_begin(struct gen_table *g, size_t first)
{
	g->first = g->last = g->at = first;
	g->host = 0;
	while (g->last < g->n &&
	    strcmp(g->lines[g->last].country, g->lines[first].country) == 0)
		g->last++;
}

struct gen_table *
gen_table_read(const char *path, char error[STORE_ERROR_MAX])
{
	struct gen_table *g = calloc(1, sizeof *g);
	FILE *file = fopen(path, "r");
	char text[LINE_CAP];
	struct line l;
	bool good = g && file;

	if (!good)
		store_say(error, "%s: %s", path, strerror(errno));
	while (good && fgets(text, sizeof text, file)) {
		if (text[0] == '#' || text[0] == '\n')
			continue;
		good = g->n < LINES_MAX - 1 && line_parse(text, &l);
		if (good)
			line_insert(g, &l);
		else
			store_say(error,
			    "%s: expected COUNTRY PORT/PROTOCOL STARTTLS N: "
			    "%s",
			    path, text);
	}
	if (file)
		(void)fclose(file);
	if (good) {
		g->addr = FIRST_HOST;
		country_begin(g, 0);
		return g;
	}
	free(g);
	return NULL;
}

uint64_t
gen_table_rows(const struct gen_table *g)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < g->n; i++)
		sum += g->lines[i].n;
	return sum;
}

static void
fill(const struct gen_table *g, const struct line *l, uint64_t start_us,
    struct target *t, struct head *h)
{
	struct record r;

	record_init(&r, NULL, 0);
	t->addr = addr_from4(g->addr);
	t->port = l->port;
	*h = r.head;
	memcpy(h->addr, t->addr.b, sizeof h->addr);
	memcpy(h->country, l->country, sizeof h->country);
	h->port = l->port;
	h->protocol = h->port_protocol = l->protocol;
	h->starttls = l->starttls;
	h->outcome = OUTCOME_COMPLETED;
	h->time_us = start_us;
	h->asn = 64496;
	if (l->starttls == STARTTLS_NOT_OFFERED)
		h->findings =
		    1u << FINDING_NO_TLS | 1u << FINDING_CLEARTEXT_LOGIN;
	if (l->starttls == STARTTLS_COMPLETED ||
	    l->starttls == STARTTLS_IMPLICIT)
		h->tls_version = 0x0304;
}

bool
gen_table_next(
    struct gen_table *g, uint64_t start_us, struct target *t, struct head *h)
{
	bool any = false;

	while (g->first < g->n) {
		for (; g->at < g->last; g->at++)
			if (g->host < g->lines[g->at].n) {
				fill(g, &g->lines[g->at++], start_us, t, h);
				return true;
			}
		for (size_t i = g->first; i < g->last; i++)
			any |= g->host + 1 < g->lines[i].n;
		g->addr++;
		g->host++;
		g->at = g->first;
		if (!any)
			country_begin(g, g->last);
		any = false;
	}
	return false;
}

void
gen_table_free(struct gen_table *g)
{
	free(g);
}
