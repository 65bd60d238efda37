/* product.c: gathers what was said for the table of products. */
#include <string.h>

#include "probes/pattern.h"
#include "probes/product.h"

enum { ENTRY_HEAD = 8 }; /* of a transcript entry, see record.h */

struct gathered {
	struct said said;
	uint8_t greeting[PATTERN_SUBJECT_MAX];
	uint8_t before[PATTERN_SUBJECT_MAX], after[PATTERN_SUBJECT_MAX];
	size_t nbefore, nafter;
	bool ehlo; /* was the line before */
};

/* Lines with \n between, whatever they ended with. */
static void
take_greeting(struct gathered *g, const struct field *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->len && n < sizeof g->greeting; i++)
		if (f->bytes[i] != '\r')
			g->greeting[n++] = f->bytes[i];
	while (n > 0 && g->greeting[n - 1] == '\n')
		n--;
	g->said.text[SAID_GREETING].bytes = g->greeting;
	g->said.text[SAID_GREETING].len = n;
}

static void
take_item(
    const struct gathered *g, uint8_t *list, size_t *n, const struct field *f)
{
	size_t room = PATTERN_SUBJECT_MAX - *n;

	if (f->len + 1 > room)
		return;
	if (*n > 0)
		list[(*n)++] = g->said.protocol == PROTOCOL_IMAP ? ' ' : '\n';
	memcpy(list + *n, f->bytes, f->len);
	*n += f->len;
}

/* The server's line behind our EHLO, without its code; the first counts. */
static void
take_entry(struct gathered *g, const struct field *f)
{
	static const char ehlo[] = "EHLO ";
	const uint8_t *text = f->bytes + ENTRY_HEAD;
	size_t len = f->len - ENTRY_HEAD, code = 4;

	if (f->len < ENTRY_HEAD || g->said.text[SAID_HELLO].len > 0)
		return;
	if (f->bytes[0] == SPEAKER_CLIENT) {
		g->ehlo = len >= sizeof ehlo &&
		    memcmp(text, ehlo, sizeof ehlo - 1) == 0;
	} else if (f->bytes[0] == SPEAKER_SERVER && g->ehlo && len > code) {
		g->said.text[SAID_HELLO].bytes = text + code;
		g->said.text[SAID_HELLO].len = len - code;
	}
}

static void
take_field(struct gathered *g, const struct field *f)
{
	enum said_text whole = SAID_COUNT;

	switch (f->tag) {
	case TAG_GREETING:
		take_greeting(g, f);
		break;
	case TAG_CAPABILITY_BEFORE:
		take_item(g, g->before, &g->nbefore, f);
		break;
	case TAG_CAPABILITY_AFTER:
		take_item(g, g->after, &g->nafter, f);
		break;
	case TAG_TRANSCRIPT:
		take_entry(g, f);
		break;
	case TAG_IMPLEMENTATION:
		whole = SAID_IMPLEMENTATION;
		break;
	case TAG_STARTTLS_REPLY:
		whole = SAID_STARTTLS;
		break;
	default:
		break;
	}
	if (whole != SAID_COUNT && g->said.text[whole].len == 0) {
		g->said.text[whole].bytes = f->bytes;
		g->said.text[whole].len = f->len;
	}
}

void
product_find(struct facts *f, const struct products *table)
{
	const struct record *r = f->record;
	struct product_found found;
	struct gathered g;
	struct field field;
	uint32_t at = 0;

	if (!table || f->greeted == GREETED_NOT || f->greeted == GREETED_OTHER)
		return;
	memset(&g.said, 0, sizeof g.said);
	g.said.protocol = (enum protocol)r->head.protocol;
	g.nbefore = g.nafter = 0;
	g.ehlo = false;
	while (body_next(r->body, r->len, &at, &field))
		take_field(&g, &field);
	/* What is offered in clear is what it was set up to say. */
	g.said.text[SAID_LIST].bytes = g.nbefore > 0 ? g.before : g.after;
	g.said.text[SAID_LIST].len = g.nbefore > 0 ? g.nbefore : g.nafter;
	if (!products_match(table, &g.said, &found))
		return;
	facts_put(f, TAG_PRODUCT, found.name, strlen(found.name));
	if (found.version[0] != '\0')
		facts_put(f, TAG_VERSION, found.version, strlen(found.version));
}
