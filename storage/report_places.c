/* report_places.c: the report's countries and networks. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "storage/html.h"
#include "storage/report_assets.h"
#include "storage/report_own.h"

enum { NETWORKS_MAX = 50, CODE_LEN = 2 };

static const char *const heads[HOST_COLUMNS] = { "Exposed", "POP3", "IMAP",
	"SMTP", "Mail hosts", "Exposed IPv6" };

void
country_name(struct buf *b, const char code[CODE_LEN])
{
	struct asset f[ASSET_FIELDS];
	size_t at = 0;

	if (memcmp(code, "??", CODE_LEN) == 0 ||
	    memcmp(code, "ZZ", CODE_LEN) == 0) {
		buf_puts(b, "Unknown");
		return;
	}
	while (asset_line(asset_get(ASSET_COUNTRIES), &at, f))
		if (f[0].len == CODE_LEN &&
		    memcmp(f[0].text, code, CODE_LEN) == 0) {
			html_text(b, f[2].text, f[2].len);
			return;
		}
	html_text(b, code, CODE_LEN);
}

static int
compare(const void *a, const void *b)
{
	const struct stat_row *x = *(const struct stat_row *const *)a;
	const struct stat_row *y = *(const struct stat_row *const *)b;
	uint64_t m = x->counts.exposed[0], n = y->counts.exposed[0];

	if (m == n) {
		m = x->counts.hosts[0];
		n = y->counts.hosts[0];
	}
	if (m != n)
		return m < n ? 1 : -1;
	return (x->key[0] > y->key[0]) - (x->key[0] < y->key[0]);
}

/* Most exposed first; to free. */
static const struct stat_row **
sorted(struct statistics *s, size_t *n)
{
	const struct stat_row *rows = statistics_rows(s, n);
	const struct stat_row **v = need_memory(*n + 1, sizeof(void *));

	for (size_t i = 0; i < *n; i++)
		v[i] = &rows[i];
	qsort(v, *n, sizeof(void *), compare);
	return v;
}

static void
totals(struct grid *g, struct statistics *s)
{
	struct mask_table one;

	mask_new(&one, 1, HOST_COLUMNS);
	host_counts(&one, 0, statistics_total(s));
	memcpy(g->m.total, one.v, HOST_COLUMNS * sizeof *one.v);
	mask_free(&one);
	hosts_are_shared(&g->m);
	g->phantoms = statistics_phantoms(s);
	g->label = "";
	g->heads = heads;
	g->bars = g->rates = g->is_long = true;
}

/* A key that the script may look up and the map may hold. */
static void
key_of(char key[4], const char code[CODE_LEN])
{
	for (unsigned i = 0; i < CODE_LEN; i++)
		key[i] = code[i] >= 'A' && code[i] <= 'Z' ? code[i] : '_';
	key[CODE_LEN] = '\0';
}

static void
countries_grid(const struct report *r, struct grid *g)
{
	struct statistics *s = r->tables[REPORT_COUNTRY];
	size_t n;
	const struct stat_row **v = sorted(s, &n);

	grid_new(g, n, HOST_COLUMNS);
	g->keys = need_memory(n + 1, sizeof *g->keys);
	totals(g, s);
	g->id = "countries";
	g->caption = "Hosts by country: IPv4 addresses, and those exposed by "
		     "IPv6. Per 1,000: exposed among mail hosts.";
	g->label = "Country";
	for (size_t i = 0; i < n; i++) {
		char label[CUT_LABEL_MAX];

		statistics_label(s, v[i], 0, label);
		key_of(g->keys[i], label);
		country_name(&g->labels[i], label);
		host_counts(&g->m, i, &v[i]->counts);
	}
	free(v);
	mask_apply(&g->m, r->mask_below);
	if (r->mask_below > 1)
		grid_order(g, HOST_EXPOSED, HOST_MAIL);
}

void
countries_write(const struct report *r, struct buf *b)
{
	struct grid g;

	countries_grid(r, &g);
	map_write(r, &g, b);
	grid_write(r, &g, b);
	grid_free(&g);
}

static void
network_label(struct statistics *s, const struct stat_row *row, struct buf *b)
{
	if (statistics_is_unknown(s, row)) {
		buf_puts(b, "Unknown");
		return;
	}
	buf_printf(b, "<span class=as>AS%" PRIu64 "</span> ", row->key[0]);
	html_string(b, statistics_as_name(s, row->key[0]));
}

/* Those that are left out go into the rest; what is not known never does. */
static void
leave_out(struct grid *g, const struct counts *c)
{
	struct mask_table one;

	mask_new(&one, 1, HOST_COLUMNS);
	host_counts(&one, 0, c);
	for (unsigned i = 0; i < HOST_COLUMNS; i++)
		g->m.rest[i] += one.v[i];
	mask_free(&one);
	g->left_out++;
}

void
networks_write(const struct report *r, struct buf *b)
{
	struct statistics *s = r->tables[REPORT_ASN];
	size_t n, rows = 0, known = 0;
	const struct stat_row **v = sorted(s, &n);
	struct grid g;

	grid_new(&g, n < NETWORKS_MAX + 1 ? n : NETWORKS_MAX + 1, HOST_COLUMNS);
	totals(&g, s);
	g.id = "networks";
	g.caption = "The autonomous systems with the most exposed hosts.";
	g.label = "Network";
	for (size_t i = 0; i < n; i++) {
		bool unknown = statistics_is_unknown(s, v[i]);

		known += !unknown;
		if (!unknown && known > NETWORKS_MAX) {
			leave_out(&g, &v[i]->counts);
			continue;
		}
		network_label(s, v[i], &g.labels[rows]);
		host_counts(&g.m, rows++, &v[i]->counts);
	}
	g.m.rows = rows;
	free(v);
	mask_apply(&g.m, r->mask_below);
	if (r->mask_below > 1)
		grid_order(&g, HOST_EXPOSED, HOST_MAIL);
	grid_write(r, &g, b);
	grid_free(&g);
}
