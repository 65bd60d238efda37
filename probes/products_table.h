/* products_table.h: what reading and matching the table of products share. */
#ifndef PROBES_PRODUCTS_TABLE_H
#define PROBES_PRODUCTS_TABLE_H

#include "probes/pattern.h"
#include "probes/products.h"

enum {
	MATCHES_MAX = 4, /* expressions a pattern */
	KEY_MAX = 16, /* pairs of a key that are looked for */
	PAIRS = 4096
};

/* One pattern of the file. */
struct product {
	char name[PRODUCT_NAME_MAX]; /* empty: captured */
	unsigned line;
	enum protocol protocol;
	uint8_t nmatches, nkey;
	bool marked; /* tried or untried */
	unsigned tests;
	uint16_t key[KEY_MAX];
	struct {
		enum said_text where;
		struct pattern *pattern;
	} matches[MATCHES_MAX];
};

struct products {
	struct product *v;
	size_t n;
	struct matcher *matcher;
};

/* Two bytes that stand side by side, as a number below PAIRS. */
uint16_t pair_of(uint8_t, uint8_t);

#endif
