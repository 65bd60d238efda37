/* products.c: the ordered table of products, and who fits first. */
#include <stdlib.h>
#include <string.h>

#include "probes/products_table.h"

enum { BIT_WORD = 64 };

/* Which pairs of bytes occur in all that was said: see key_take(). */
struct pairs {
	uint64_t word[PAIRS / BIT_WORD];
};

const char *const said_names[SAID_COUNT] = {
	[SAID_GREETING] = "greeting",
	[SAID_HELLO] = "hello",
	[SAID_LIST] = "list",
	[SAID_IMPLEMENTATION] = "implementation",
	[SAID_STARTTLS] = "starttls",
};

/* Upper and lower case alike; that it takes [ for { as well does no harm. */
uint16_t
pair_of(uint8_t a, uint8_t b)
{
	return (uint16_t)(((a | 0x20) * 61 + (b | 0x20)) % PAIRS);
}

static void
pairs_take(struct pairs *p, const struct said *s)
{
	memset(p, 0, sizeof *p);
	for (int t = 0; t < SAID_COUNT; t++) {
		const uint8_t *bytes = s->text[t].bytes;

		for (size_t i = 1; i < s->text[t].len; i++) {
			unsigned at = pair_of(bytes[i - 1], bytes[i]);

			p->word[at / BIT_WORD] |= UINT64_C(1) << at % BIT_WORD;
		}
	}
}

/* May its key occur? Nearly every pattern is passed over here. */
static bool
has_key(const struct pairs *p, const struct product *product)
{
	for (unsigned i = 0; i < product->nkey; i++) {
		unsigned at = product->key[i];

		if (!(p->word[at / BIT_WORD] >> at % BIT_WORD & 1))
			return false;
	}
	return true;
}

/* All of its expressions fit. */
static enum matched
fits(const struct products *all, const struct product *p, const struct said *s,
    struct captured *found)
{
	memset(found, 0, sizeof *found);
	for (unsigned i = 0; i < p->nmatches; i++) {
		enum said_text where = p->matches[i].where;
		enum matched m;

		if (s->text[where].len == 0)
			return MATCHED_NO;
		m = pattern_match(p->matches[i].pattern, all->matcher,
		    s->text[where].bytes, s->text[where].len, found);
		if (m != MATCHED_YES)
			return m;
	}
	return MATCHED_YES;
}

/* Cut to what there is room for. */
static void
put_capture(char *to, size_t cap, const struct captured *found, enum capture c)
{
	size_t n = found->len[c] < cap ? found->len[c] : cap - 1;

	if (n > 0)
		memcpy(to, found->bytes[c], n);
	to[n] = '\0';
}

bool
products_match(const struct products *all, const struct said *s,
    struct product_found *found)
{
	struct captured captured;
	struct pairs pairs;

	pairs_take(&pairs, s);
	for (size_t i = 0; i < all->n; i++) {
		const struct product *p = &all->v[i];
		enum matched m = MATCHED_NO;

		if (p->protocol == s->protocol && has_key(&pairs, p))
			m = fits(all, p, s, &captured);
		if (m == MATCHED_TOO_LONG)
			return false;
		if (m == MATCHED_NO)
			continue;
		found->line = p->line;
		memcpy(found->name, p->name, sizeof found->name);
		if (p->name[0] == '\0')
			put_capture(found->name, sizeof found->name, &captured,
			    CAPTURE_PRODUCT);
		put_capture(found->version, sizeof found->version, &captured,
		    CAPTURE_VERSION);
		return found->name[0] != '\0';
	}
	return false;
}

size_t
products_count(const struct products *all)
{
	return all->n;
}

void
products_free(struct products *all)
{
	if (!all)
		return;
	for (size_t i = 0; i < all->n; i++)
		for (unsigned k = 0; k < all->v[i].nmatches; k++)
			pattern_free(all->v[i].matches[k].pattern);
	matcher_free(all->matcher);
	free(all->v);
	free(all);
}
