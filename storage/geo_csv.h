/* geo_csv.h: files of rows with commas between: places and AS numbers. */
#ifndef STORAGE_GEO_CSV_H
#define STORAGE_GEO_CSV_H

#include "storage/geo.h"
#include "storage/geo_table.h"

enum { GEO_FIELDS_MAX = 8, GEO_LINE_MAX = 4096 };

/*
 * Cut a line into fields (RFC 4180: quotes around, two of them for one), in
 * place. How many, or -1: more than GEO_FIELDS_MAX, or a quote that does not
 * close, or one in the middle.
 */
int geo_csv_split(char *line, char *fields[GEO_FIELDS_MAX]);

/* Places: CIDR,cc,region,city,asn,as_name,naics,sector. */
struct geo_places {
	struct geo_table table;
	struct geo_place *rows;
	size_t n, cap;
};

/* AS numbers: first,last,asn,name; the names lie one after the other. */
struct geo_asns {
	struct geo_table table; /* row: of numbers and names */
	uint32_t *numbers, *names;
	size_t n, cap;
	char *text;
	size_t len, text_cap;
};

/* 0, or -1 and why in error: FILE:LINE: the word, what was expected. */
int geo_places_read(
    struct geo_places *, const char *path, char error[STORE_ERROR_MAX]);
int geo_asns_read(
    struct geo_asns *, const char *path, char error[STORE_ERROR_MAX]);
void geo_places_free(struct geo_places *);
void geo_asns_free(struct geo_asns *);

/* The form of region and city: upper-case ASCII; city without " (...)". */
void geo_fold(char out[GEO_TEXT_MAX], const char *, size_t len);
void geo_fold_city(char out[GEO_TEXT_MAX], const char *, size_t len);

#endif
