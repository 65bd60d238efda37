/* geo.c: where an address is; the only user of libmaxminddb. */
#include <netinet/in.h>
#include <sys/socket.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <maxminddb.h>

#include "storage/geo.h"
#include "storage/geo_csv.h"

enum { PATH_STEPS = 8 };

/* "subdivisions.0.iso_code", cut at the dots for the library. */
struct field_path {
	char text[CONF_NAME_MAX];
	const char *steps[PATH_STEPS + 1];
};

struct geo {
	struct geo_places places;
	struct geo_asns asns;
	MMDB_s mmdb4, mmdb6;
	bool has4, has6;
	struct field_path country, region, city;
};

static int
path_init(struct field_path *p, const char *text, const char *option,
    char error[STORE_ERROR_MAX])
{
	unsigned n = 0;
	char *rest;

	snprintf(p->text, sizeof p->text, "%s", text);
	for (char *step = strtok_r(p->text, ".", &rest); step != NULL;
	     step = strtok_r(NULL, ".", &rest)) {
		if (n == PATH_STEPS) {
			store_say(error,
			    "%s: \"%s\": expected at most %d steps", option,
			    text, PATH_STEPS);
			return -1;
		}
		p->steps[n++] = step;
	}
	p->steps[n] = NULL;
	return 0;
}

/* The library multiplies in 32 bits (1.7.1), and would look past the file. */
static bool
is_cut(const MMDB_s *m)
{
	uint64_t nodes = m->metadata.node_count;

	return nodes * m->metadata.record_size / 4 > (uint64_t)m->file_size;
}

static int
mmdb_open(MMDB_s *m, bool *has, const char *path, char error[STORE_ERROR_MAX])
{
	int rc;

	if (path[0] == '\0')
		return 0;
	rc = MMDB_open(path, MMDB_MODE_MMAP, m);
	*has = rc == MMDB_SUCCESS;
	if (*has && !is_cut(m))
		return 0;
	if (*has)
		rc = MMDB_CORRUPT_SEARCH_TREE_ERROR;
	store_say(error, "%s: %s", path, MMDB_strerror(rc));
	return -1;
}

struct geo *
geo_open(const struct conf *c, char error[STORE_ERROR_MAX])
{
	struct geo *g = calloc(1, sizeof *g);

	if (g == NULL) {
		store_say(error, "no memory");
		return NULL;
	}
	if (path_init(&g->country, c->geo_country_path, "geo_country_path",
		error) == 0 &&
	    path_init(&g->region, c->geo_region_path, "geo_region_path",
		error) == 0 &&
	    path_init(&g->city, c->geo_city_path, "geo_city_path", error) ==
		0 &&
	    (c->geo_csv[0] == '\0' ||
		geo_places_read(&g->places, c->geo_csv, error) == 0) &&
	    (c->asn_csv[0] == '\0' ||
		geo_asns_read(&g->asns, c->asn_csv, error) == 0) &&
	    mmdb_open(&g->mmdb4, &g->has4, c->geo_mmdb4, error) == 0 &&
	    mmdb_open(&g->mmdb6, &g->has6, c->geo_mmdb6, error) == 0)
		return g;
	geo_close(g);
	return NULL;
}

void
geo_close(struct geo *g)
{
	if (g == NULL)
		return;
	geo_places_free(&g->places);
	geo_asns_free(&g->asns);
	if (g->has4)
		MMDB_close(&g->mmdb4);
	if (g->has6)
		MMDB_close(&g->mmdb6);
	free(g);
}

/* The database that knows an address's family; NULL: none. */
static const MMDB_s *
database(const struct geo *g, bool is4)
{
	if (is4 && g->has4)
		return &g->mmdb4;
	if (!is4 && g->has4 && !g->has6 && g->mmdb4.metadata.ip_version == 6)
		return &g->mmdb4;
	return g->has6 ? &g->mmdb6 : NULL;
}

static bool
lookup(const struct geo *g, const struct addr *a, MMDB_entry_s *entry)
{
	bool is4 = addr_is4(a);
	const MMDB_s *m = database(g, is4);
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in in4 = { .sin_family = AF_INET };
	MMDB_lookup_result_s found;
	int error;

	if (m == NULL)
		return false;
	memcpy(&in6.sin6_addr, a->b, sizeof in6.sin6_addr);
	memcpy(&in4.sin_addr, a->b + 12, sizeof in4.sin_addr);
	found = MMDB_lookup_sockaddr(m,
	    is4 ? (const struct sockaddr *)&in4 : (const struct sockaddr *)&in6,
	    &error);
	*entry = found.entry;
	return error == MMDB_SUCCESS && found.found_entry;
}

/* Text at a path of the entry; false: nothing there, or no text. */
static bool
entry_text(
    MMDB_entry_s *entry, const struct field_path *path, MMDB_entry_data_s *data)
{
	return path->steps[0] != NULL &&
	    MMDB_aget_value(entry, data, path->steps) == MMDB_SUCCESS &&
	    data->has_data && data->type == MMDB_DATA_TYPE_UTF8_STRING;
}

/* Anything else in a database's field would travel into every row and feed. */
static bool
is_country(const MMDB_entry_data_s *data)
{
	const char *text = data->utf8_string;

	return data->data_size == 2 && text[0] >= 'A' && text[0] <= 'Z' &&
	    text[1] >= 'A' && text[1] <= 'Z';
}

static void
find_mmdb(const struct geo *g, const struct addr *a, struct geo_place *p)
{
	MMDB_entry_s entry;
	MMDB_entry_data_s data;

	if (!lookup(g, a, &entry))
		return;
	if (entry_text(&entry, &g->country, &data) && is_country(&data))
		memcpy(p->country, data.utf8_string, 2);
	if (entry_text(&entry, &g->region, &data))
		geo_fold(p->region, data.utf8_string, data.data_size);
	if (entry_text(&entry, &g->city, &data))
		geo_fold_city(p->city, data.utf8_string, data.data_size);
}

static void
find_asn(const struct geo *g, const struct addr *a, struct geo_place *p)
{
	uint32_t row = geo_table_find(&g->asns.table, a);

	if (row == GEO_NO_ROW)
		return;
	p->asn = g->asns.numbers[row];
	snprintf(p->as_name, sizeof p->as_name, "%s",
	    g->asns.text + g->asns.names[row]);
}

/* 6to4 (RFC 3056) and Teredo (RFC 4380) say where the relay is, if that. */
static bool
is_tunnel(const struct addr *a)
{
	static const uint8_t sixtofour[2] = { 0x20, 0x02 };
	static const uint8_t teredo[4] = { 0x20, 0x01, 0, 0 };

	return memcmp(a->b, sixtofour, sizeof sixtofour) == 0 ||
	    memcmp(a->b, teredo, sizeof teredo) == 0;
}

static void
overlay(char *text, size_t cap, const char *own)
{
	if (own[0] != '\0')
		snprintf(text, cap, "%s", own);
}

/* Region and city belong to their country, the name to its AS number. */
static void
find_own(const struct geo *g, const struct addr *a, struct geo_place *p)
{
	uint32_t row = geo_table_find(&g->places.table, a);
	const struct geo_place *own;

	if (row == GEO_NO_ROW)
		return;
	own = &g->places.rows[row];
	if (own->country[0] != '\0') {
		memcpy(p->country, own->country, sizeof p->country);
		p->region[0] = p->city[0] = '\0';
	}
	if (own->asn != 0) {
		p->asn = own->asn;
		p->as_name[0] = '\0';
	}
	overlay(p->region, sizeof p->region, own->region);
	overlay(p->city, sizeof p->city, own->city);
	overlay(p->as_name, sizeof p->as_name, own->as_name);
	overlay(p->naics, sizeof p->naics, own->naics);
	overlay(p->sector, sizeof p->sector, own->sector);
}

void
geo_find(const struct geo *g, const struct addr *a, struct geo_place *p)
{
	memset(p, 0, sizeof *p);
	memcpy(p->country, "??", sizeof p->country);
	if (!is_tunnel(a)) {
		find_mmdb(g, a, p);
		find_asn(g, a, p);
	}
	find_own(g, a, p);
}

void
geo_each_announced(const struct geo *g,
    void (*each)(const struct geo_place *, uint64_t n, void *), void *arg)
{
	struct geo_place place;

	for (size_t i = 0; i < g->asns.table.n; i++) {
		const struct geo_range *r = &g->asns.table.v[i];
		uint64_t at, last, end;

		if (r->row == GEO_NO_ROW || !addr_is4(&r->first) ||
		    !addr_is4(&r->last))
			continue;
		last = addr_to4(&r->last);
		for (at = addr_to4(&r->first); at <= last; at = end + 1) {
			struct addr a = addr_from4((uint32_t)at);

			end = at | 0xff;
			if (end > last)
				end = last;
			geo_find(g, &a, &place);
			each(&place, end + 1 - at, arg);
		}
	}
}

uint64_t
geo_build_us(const struct geo *g)
{
	uint64_t four = g->has4 ? g->mmdb4.metadata.build_epoch : UINT64_MAX;
	uint64_t six = g->has6 ? g->mmdb6.metadata.build_epoch : UINT64_MAX;
	uint64_t oldest = four < six ? four : six;

	return oldest == UINT64_MAX ? 0 : oldest * 1000000;
}
