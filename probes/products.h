/* products.h: the ordered table of products (conf/products), and matching. */
#ifndef PROBES_PRODUCTS_H
#define PROBES_PRODUCTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/conf.h"

enum {
	PRODUCTS_ERROR_MAX = 512,
	PRODUCT_NAME_MAX = 64,
	PRODUCT_VERSION_MAX = 64
};

/* What is looked at. Lines of one text have \n between them. */
enum said_text {
	SAID_GREETING, /* all its lines */
	SAID_HELLO, /* SMTP: the first line that answers EHLO, without code */
	SAID_LIST, /* capabilities in their order; IMAP: a blank between */
	SAID_IMPLEMENTATION, /* POP3's IMPLEMENTATION, IMAP's ID */
	SAID_STARTTLS, /* the line that answered STARTTLS */
	SAID_COUNT
};

extern const char *const said_names[SAID_COUNT];

struct said {
	enum protocol protocol;
	struct {
		const uint8_t *bytes;
		size_t len; /* 0: nothing was said, no pattern fits */
	} text[SAID_COUNT];
};

struct product_found {
	char name[PRODUCT_NAME_MAX], version[PRODUCT_VERSION_MAX];
	unsigned line; /* of the file, where its pattern begins */
};

/* A test line of the file: what such a server says, and what comes of it. */
struct product_case {
	unsigned line;
	bool must_not; /* it must not be this product */
	char name[PRODUCT_NAME_MAX], version[PRODUCT_VERSION_MAX];
	unsigned pattern; /* line of the pattern it stands in */
	struct said said; /* the texts are the case's */
};

struct product_cases {
	struct product_case *v;
	size_t n;
};

struct products;

/*
 * Read the table; how it is written stands in its head (conf/products). file
 * is for messages: FILE:LINE: "word", expected what. NULL after one of those.
 * cases: NULL, or filled with the test lines, which the caller frees.
 */
struct products *products_read(const char *file, const char *text,
    struct product_cases *cases, char error[PRODUCTS_ERROR_MAX]);
void products_free(struct products *);
void product_cases_free(struct product_cases *);
size_t products_count(const struct products *);

/*
 * The first pattern that fits. A text that is over a limit of pattern.h ends
 * the search: no product. No allocation but pattern_match()'s.
 */
bool products_match(
    const struct products *, const struct said *, struct product_found *);

#endif
