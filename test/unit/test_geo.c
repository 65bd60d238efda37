/* test_geo.c: places from an operator's file, databases and AS numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "storage/geo.h"
#include "storage/geo_csv.h"

static char error[STORE_ERROR_MAX], paths[4][64];
static struct conf conf;

/* A file of its own for each number. */
static const char *
file(unsigned n, const void *bytes, size_t len)
{
	int fd;

	snprintf(paths[n], sizeof paths[n], "/tmp/mailsweep-geo-XXXXXX");
	fd = mkstemp(paths[n]);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
	return paths[n];
}

static int
set_up(void **state)
{
	(void)state;
	memset(&conf, 0, sizeof conf);
	memset(paths, 0, sizeof paths);
	snprintf(conf.geo_country_path, CONF_NAME_MAX, "country_code");
	snprintf(conf.geo_region_path, CONF_NAME_MAX, "subdivisions.0.name");
	snprintf(conf.geo_city_path, CONF_NAME_MAX, "city");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++)
		if (paths[i][0] != '\0')
			unlink(paths[i]);
	return 0;
}

static void
use(char option[CONF_PATH_MAX], unsigned n, const void *bytes, size_t len)
{
	snprintf(option, CONF_PATH_MAX, "%s", file(n, bytes, len));
}

static struct geo *
open_geo(void)
{
	struct geo *g = geo_open(&conf, error);

	if (g == NULL)
		fail_msg("%s", error);
	return g;
}

static struct geo_place
find(const struct geo *g, const char *text)
{
	struct geo_place p;
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	geo_find(g, &a, &p);
	return p;
}

static void
test_nothing(void **state)
{
	struct geo *g = open_geo();
	struct geo_place p = find(g, "192.0.2.1");

	(void)state;
	assert_string_equal(p.country, "??");
	assert_string_equal(p.city, "");
	assert_int_equal(p.asn, 0);
	assert_int_equal(geo_build_us(g), 0);
	geo_close(g);
}

static const char own[] =
    "cidr,cc,region,city,asn,as_name,naics,sector\n"
    "# a comment\n"
    "\n"
    "198.18.0.0/15,US,Virginia,Ashburn,64496,Wide,518210,Information\r\n"
    "198.18.37.0/24,DE,Hessen,Frankfurt (Main),64497,Inner,,\n"
    "198.18.37.128/25,,,,,,,\"Edu, \"\"public\"\"\"\n"
    "198.18.37.200,JP,,,,,,\n"
    "2001:db8::/32,SE,Stockholms l\303\244n,,,,,\n";

static void
test_own_file(void **state)
{
	struct geo *g;
	struct geo_place p;

	(void)state;
	use(conf.geo_csv, 0, own, strlen(own));
	g = open_geo();
	p = find(g, "198.18.0.0");
	assert_string_equal(p.country, "US");
	assert_string_equal(p.region, "VIRGINIA");
	assert_int_equal(p.asn, 64496);
	assert_string_equal(p.naics, "518210");
	p = find(g, "198.18.37.127");
	assert_string_equal(p.country, "DE");
	assert_string_equal(p.city, "FRANKFURT");
	assert_string_equal(p.as_name, "Inner");
	p = find(g, "198.18.37.128");
	assert_string_equal(p.country, "??");
	assert_string_equal(p.sector, "Edu, \"public\"");
	assert_string_equal(find(g, "198.18.37.199").country, "??");
	assert_string_equal(find(g, "198.18.37.200").country, "JP");
	assert_string_equal(find(g, "198.18.37.201").country, "??");
	assert_string_equal(find(g, "198.18.37.255").country, "??");
	assert_string_equal(find(g, "198.18.38.0").country, "US");
	assert_string_equal(find(g, "198.19.255.255").country, "US");
	assert_string_equal(find(g, "198.20.0.0").country, "??");
	assert_string_equal(find(g, "198.17.255.255").country, "??");
	p = find(g, "2001:db8:ffff::1");
	assert_string_equal(p.country, "SE");
	assert_string_equal(p.region, "STOCKHOLMS LAN");
	geo_close(g);
}

/* Each with the line it is on, the word that is wrong, what was expected. */
static void
test_bad_lines(void **state)
{
	static const char *const bad[][2] = {
		{ "198.18.0.0/15,US\n", ":1: \"198.18.0.0/15\"" },
		{ "\n\n198.18.0.0/33,US,,,,,,\n", ":3: \"198.18.0.0" },
		{ "198.18.0/24,US,,,,,,\n", "expected a prefix" },
		{ "198.18.0.0/24,usa,,,,,,\n", ":1: \"usa\": expected two" },
		{ "198.18.0.0/24,US,,,AS1,,,\n", "\"AS1\": expected an AS" },
		{ "198.18.0.0/24,US,,,4294967296,,,\n", "expected an AS" },
		{ "198.18.0.0/24,US,,,,\"x,,\n", "commas between" },
		{ "198.18.0.0/24,US,,,,a\"x,,\n", "commas between" },
		{ "198.18.0.0/24,US,,,,,,,,\n", "commas between" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		use(conf.geo_csv, 0, bad[i][0], strlen(bad[i][0]));
		assert_null(geo_open(&conf, error));
		if (strstr(error, bad[i][1]) == NULL ||
		    strstr(error, conf.geo_csv) == NULL)
			fail_msg("%s: %s", bad[i][1], error);
		unlink(conf.geo_csv);
	}
	snprintf(conf.geo_csv, CONF_PATH_MAX, "/nonexistent/geo.csv");
	assert_null(geo_open(&conf, error));
	assert_non_null(strstr(error, "/nonexistent/geo.csv: No such file"));
}

static const char asns[] = "1.0.0.0,1.0.0.255,13335,\"Cloud, Inc.\"\n"
			   "1.0.4.0,1.0.7.255,38803,Second\n"
			   "2001:db8::,2001:db8:ffff:ffff:ffff:ffff:ffff:ffff,"
			   "64500,Six\n"
			   "1.0.8.0,1.0.8.255,38803,Second\n"
			   "2002::,2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff,"
			   "64501,Relay\n";

static void
test_asns(void **state)
{
	struct geo *g;
	struct geo_place p;

	(void)state;
	use(conf.asn_csv, 0, asns, strlen(asns));
	g = open_geo();
	p = find(g, "1.0.0.255");
	assert_int_equal(p.asn, 13335);
	assert_string_equal(p.as_name, "Cloud, Inc.");
	assert_string_equal(p.country, "??");
	assert_int_equal(find(g, "1.0.1.0").asn, 0);
	assert_int_equal(find(g, "1.0.4.0").asn, 38803);
	assert_string_equal(find(g, "1.0.8.9").as_name, "Second");
	assert_int_equal(find(g, "2001:db8::1").asn, 64500);
	/* 6to4: where the relay is says nothing. */
	assert_int_equal(find(g, "2002:100::1").asn, 0);
	geo_close(g);
}

static void
test_bad_asns(void **state)
{
	static const char *const bad[][2] = {
		{ "1.0.0.0,1.0.0.255,13335\n", "expected 4 fields" },
		{ "x,1.0.0.255,13335,a\n", "\"x\": expected an address" },
		{ "1.0.0.0,0.0.0.255,13335,a\n", "not before the first" },
		{ "1.0.0.0,1.0.0.255,-1,a\n", "\"-1\": expected an AS" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		use(conf.asn_csv, 0, bad[i][0], strlen(bad[i][0]));
		assert_null(geo_open(&conf, error));
		assert_non_null(strstr(error, bad[i][1]));
		assert_non_null(strstr(error, ":1: "));
		unlink(conf.asn_csv);
	}
}

/* ---- a small MMDB (MaxMind DB file format 2.0), made here --------------- */

enum { NODES = 256, MMDB_CAP = 8192, EMPTY = 0xffffff, DATA = 0x800000 };

struct mmdb {
	uint32_t tree[NODES][2], n;
	uint8_t data[2048], out[MMDB_CAP];
	size_t len, out_len;
};

static void
add(uint8_t *to, size_t *len, const void *bytes, size_t n)
{
	memcpy(to + *len, bytes, n);
	*len += n;
}

static void
add_text(uint8_t *to, size_t *len, const char *text)
{
	uint8_t control = (uint8_t)(2 << 5 | strlen(text));

	add(to, len, &control, 1);
	add(to, len, text, strlen(text));
}

static void
add_number(uint8_t *to, size_t *len, const char *name, unsigned type,
    unsigned bytes, uint64_t value)
{
	uint8_t control[2] = { (uint8_t)(type << 5 | bytes), 0 };
	uint8_t n[8];

	add_text(to, len, name);
	if (type > 7) { /* an extended type says itself in a second byte */
		control[0] = (uint8_t)bytes;
		control[1] = (uint8_t)(type - 7);
	}
	add(to, len, control, type > 7 ? 2 : 1);
	for (unsigned i = 0; i < bytes; i++)
		n[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
	add(to, len, n, bytes);
}

/* { country_code, city, subdivisions: [ { name } ] } under a prefix. */
static void
mmdb_add(struct mmdb *m, const uint8_t *bits, unsigned length,
    const char *country, const char *city, const char *region)
{
	uint32_t node = 0, place = (uint32_t)m->len;

	add(m->data, &m->len, "\xe3", 1);
	add_text(m->data, &m->len, "country_code");
	add_text(m->data, &m->len, country);
	add_text(m->data, &m->len, "city");
	add_text(m->data, &m->len, city);
	add_text(m->data, &m->len, "subdivisions");
	add(m->data, &m->len, "\x01\x04\xe1", 3);
	add_text(m->data, &m->len, "name");
	add_text(m->data, &m->len, region);
	for (unsigned i = 0; i < length; i++) {
		uint32_t *next = &m->tree[node][bits[i / 8] >> (7 - i % 8) & 1];

		if (i + 1 == length) {
			*next = DATA + place;
		} else {
			if (*next == EMPTY)
				*next = ++m->n;
			node = *next;
		}
	}
}

static void
mmdb_begin(struct mmdb *m)
{
	memset(m, 0, sizeof *m);
	memset(m->tree, 0xff, sizeof m->tree);
	for (unsigned i = 0; i < NODES; i++)
		m->tree[i][0] = m->tree[i][1] = EMPTY;
}

static void
mmdb_end(struct mmdb *m, unsigned ip_version, uint64_t epoch)
{
	uint32_t count = m->n + 1;

	for (uint32_t i = 0; i < count; i++) {
		for (unsigned side = 0; side < 2; side++) {
			uint32_t v = m->tree[i][side];
			uint8_t three[3];

			if (v == EMPTY)
				v = count;
			else if (v >= DATA)
				v = v - DATA + count + 16;
			three[0] = (uint8_t)(v >> 16);
			three[1] = (uint8_t)(v >> 8);
			three[2] = (uint8_t)v;
			add(m->out, &m->out_len, three, 3);
		}
	}
	m->out_len += 16;
	add(m->out, &m->out_len, m->data, m->len);
	add(m->out, &m->out_len, "\xab\xcd\xefMaxMind.com\xe9", 15);
	add_number(m->out, &m->out_len, "node_count", 6, 4, count);
	add_number(m->out, &m->out_len, "record_size", 5, 2, 24);
	add_number(m->out, &m->out_len, "ip_version", 5, 2, ip_version);
	add_number(m->out, &m->out_len, "build_epoch", 9, 8, epoch);
	add_number(m->out, &m->out_len, "binary_format_major_version", 5, 2, 2);
	add_number(m->out, &m->out_len, "binary_format_minor_version", 5, 2, 0);
	add_text(m->out, &m->out_len, "database_type");
	add_text(m->out, &m->out_len, "test");
	add_text(m->out, &m->out_len, "languages");
	add(m->out, &m->out_len, "\x00\x04", 2);
	add_text(m->out, &m->out_len, "description");
	add(m->out, &m->out_len, "\xe0", 1);
}

static void
test_mmdb(void **state)
{
	static struct mmdb four, six;
	struct geo *g;
	struct geo_place p;

	(void)state;
	mmdb_begin(&four);
	mmdb_add(&four, (const uint8_t *)"\xcb\x00", 16, "DE",
	    "M\303\274nchen (Schwabing)", "Bayern");
	mmdb_add(&four, (const uint8_t *)"\xcb\x01", 16, "FR", "Paris", "");
	mmdb_end(&four, 4, 1700000000);
	mmdb_begin(&six);
	mmdb_add(&six, (const uint8_t *)"\x20\x01\x0d\xb8", 32, "SE",
	    "Malm\303\266", "Sk\303\245ne");
	mmdb_add(&six, (const uint8_t *)"\x20\x02", 16, "XX", "Relay", "");
	mmdb_add(&six, (const uint8_t *)"\x20\x01\x00\x00", 32, "YY", "T", "");
	mmdb_end(&six, 6, 1600000000);
	use(conf.geo_mmdb4, 0, four.out, four.out_len);
	use(conf.geo_mmdb6, 1, six.out, six.out_len);
	use(conf.geo_csv, 2, "203.1.5.0/24,,Own,,,,,\n203.0.9.0/24,CH,,,,,,\n",
	    45);
	g = open_geo();
	p = find(g, "203.0.113.5");
	assert_string_equal(p.country, "DE");
	assert_string_equal(p.city, "MUNCHEN");
	assert_string_equal(p.region, "BAYERN");
	assert_string_equal(find(g, "203.1.0.1").city, "PARIS");
	assert_string_equal(find(g, "203.2.0.1").country, "??");
	p = find(g, "2001:db8::1");
	assert_string_equal(p.country, "SE");
	assert_string_equal(p.city, "MALMO");
	assert_string_equal(p.region, "SKANE");
	assert_string_equal(find(g, "2002::1").country, "??");
	assert_string_equal(find(g, "2001::1").country, "??");
	/* Field by field; another country takes its own city with it. */
	p = find(g, "203.1.5.1");
	assert_string_equal(p.country, "FR");
	assert_string_equal(p.region, "OWN");
	assert_string_equal(p.city, "PARIS");
	p = find(g, "203.0.9.1");
	assert_string_equal(p.country, "CH");
	assert_string_equal(p.city, "");
	assert_true(geo_build_us(g) == (uint64_t)1600000000 * 1000000);
	geo_close(g);
}

/* Found by fuzz_geo: corpus/geo/found-country. */
static void
test_mmdb_country(void **state)
{
	static const char *const bad[] = { "d\n", "de", "D,", "\"\"", "\1\2" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		static struct mmdb m;
		struct geo *g;

		mmdb_begin(&m);
		mmdb_add(&m, (const uint8_t *)"\xcb", 8, bad[i], "Ulm", "");
		mmdb_end(&m, 4, 1700000000);
		use(conf.geo_mmdb4, 0, m.out, m.out_len);
		g = open_geo();
		assert_string_equal(find(g, "203.0.113.5").country, "??");
		assert_string_equal(find(g, "203.0.113.5").city, "ULM");
		geo_close(g);
	}
}

/* Found by fuzz_geo: corpus/geo/found-nodes-past-the-file. */
static void
test_mmdb_nodes(void **state)
{
	static struct mmdb m;
	uint8_t *nodes;

	(void)state;
	mmdb_begin(&m);
	mmdb_add(&m, (const uint8_t *)"\xcb", 8, "DE", "Ulm", "");
	mmdb_end(&m, 4, 1700000000);
	nodes = memmem(m.out, m.out_len, "node_count", 10);
	assert_non_null(nodes);
	/* Six bytes each: 2 bytes, in 32 bits. */
	memcpy(nodes + 11, "\x2a\xaa\xaa\xab", 4);
	use(conf.geo_mmdb4, 0, m.out, m.out_len);
	assert_null(geo_open(&conf, error));
	assert_non_null(strstr(error, conf.geo_mmdb4));
}

static void
test_mmdb_bad(void **state)
{
	(void)state;
	use(conf.geo_mmdb4, 0, "not a database", 14);
	assert_null(geo_open(&conf, error));
	assert_non_null(strstr(error, conf.geo_mmdb4));
}

static void
test_split(void **state)
{
	char line[] = "a,,\"b \"\"c\"\", d\",\"\"";
	char *f[GEO_FIELDS_MAX];

	(void)state;
	assert_int_equal(geo_csv_split(line, f), 4);
	assert_string_equal(f[0], "a");
	assert_string_equal(f[1], "");
	assert_string_equal(f[2], "b \"c\", d");
	assert_string_equal(f[3], "");
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(test_nothing),
		EACH(test_own_file),
		EACH(test_bad_lines),
		EACH(test_asns),
		EACH(test_bad_asns),
		EACH(test_mmdb),
		EACH(test_mmdb_country),
		EACH(test_mmdb_nodes),
		EACH(test_mmdb_bad),
		EACH(test_split),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
