/*
 * fuzz_geo.c: an operator's files of places and networks, read whole and
 * asked. First byte, modulo 3: places, AS numbers, a database (MMDB).
 */
#include <sys/mman.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "storage/geo_csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/*
 * libmaxminddb 1.7.1 keeps the list that it was reading when a database's
 * languages or descriptions break off: once, of a file that is then refused.
 */
const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
	return "leak:libmaxminddb\n";
}

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static void
check_split(const uint8_t *bytes, size_t len)
{
	char line[GEO_LINE_MAX], *fields[GEO_FIELDS_MAX];
	int n;

	if (len >= sizeof line)
		return;
	memcpy(line, bytes, len);
	line[len] = '\0';
	n = geo_csv_split(line, fields);
	must(n <= GEO_FIELDS_MAX);
	for (int i = 0; i < n; i++)
		must(fields[i] >= line &&
		    fields[i] + strlen(fields[i]) <= line + len);
}

/* Text that was folded is upper-case ASCII. */
static void
check_folded(const char *text)
{
	must(strnlen(text, GEO_TEXT_MAX) < GEO_TEXT_MAX);
	for (; *text != '\0'; text++)
		must(*text >= ' ' && *text <= '~' &&
		    !(*text >= 'a' && *text <= 'z'));
}

static void
check_place(const struct geo *g, const char *where)
{
	struct geo_place p;
	struct addr a;

	must(addr_parse(where, &a) == 0);
	geo_find(g, &a, &p);
	must(strlen(p.country) == 2);
	must(strcmp(p.country, "??") == 0 ||
	    (p.country[0] >= 'A' && p.country[0] <= 'Z' &&
		p.country[1] >= 'A' && p.country[1] <= 'Z'));
	check_folded(p.region);
	check_folded(p.city);
	must(strnlen(p.as_name, GEO_TEXT_MAX) < GEO_TEXT_MAX &&
	    strnlen(p.naics, GEO_TEXT_MAX) < GEO_TEXT_MAX &&
	    strnlen(p.sector, GEO_TEXT_MAX) < GEO_TEXT_MAX);
}

/* The file that the configuration names, with these bytes in it. */
static int
file_write(char path[CONF_PATH_MAX], const uint8_t *bytes, size_t len)
{
	int fd = memfd_create("geo", MFD_CLOEXEC);

	must(fd >= 0 && write(fd, bytes, len) == (ssize_t)len);
	snprintf(path, CONF_PATH_MAX, "/proc/self/fd/%d", fd);
	return fd;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const char *const asked[] = { "0.0.0.0", "192.0.2.1",
		"198.18.0.1", "203.0.113.5", "255.255.255.255",
		"::", "2001:db8::1", "2001:db8:ffff::", "ffff::1" };
	static struct conf conf;
	char error[STORE_ERROR_MAX];
	char *paths[] = { conf.geo_csv, conf.asn_csv, conf.geo_mmdb4 };
	struct geo *g;
	int fd;

	if (len < 1)
		return 0;
	memset(&conf, 0, sizeof conf);
	snprintf(conf.geo_country_path, sizeof conf.geo_country_path,
	    "country_code");
	snprintf(conf.geo_region_path, sizeof conf.geo_region_path,
	    "subdivisions.0.name");
	snprintf(conf.geo_city_path, sizeof conf.geo_city_path, "city");
	check_split(bytes + 1, len - 1);
	fd = file_write(paths[bytes[0] % 3], bytes + 1, len - 1);
	error[0] = '\0';
	g = geo_open(&conf, error);
	must(g != NULL || strlen(error) > 0);
	for (size_t i = 0; g != NULL && i < sizeof asked / sizeof *asked; i++)
		check_place(g, asked[i]);
	geo_close(g);
	close(fd);
	return 0;
}
