/* cut.c: the values that statistics tell rows apart by. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/cut.h"
#include "storage/text.h"
#include "storage/tls_names.h"

/* Of a finding cut: a service without any. */
enum { NO_FINDING = FINDING_COUNT, FIRST_SLOTS = 1024 };

const char *const cut_names[CUT_COUNT] = { "none", "country", "asn", "port",
	"protocol", "finding", "tls", "starttls", "cipher", "key", "chain",
	"outcome", "family", "change", "product", "region" };

void
labels_free(struct labels *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->v[i]);
	free(w->v);
	free(w->slots);
	*w = (struct labels){ 0 };
}

/* FNV-1a */
static uint64_t
hash_text(const char *s, size_t len)
{
	uint64_t h = 0xcbf29ce484222325;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)s[i]) * 0x100000001b3;
	return h;
}

static uint32_t *
label_slot(const struct labels *w, const char *s, size_t len)
{
	size_t at = hash_text(s, len) & (w->nslots - 1);

	while (w->slots[at] != 0) {
		const char *have = w->v[w->slots[at] - 1];

		if (strlen(have) == len && memcmp(have, s, len) == 0)
			break;
		at = (at + 1) & (w->nslots - 1);
	}
	return &w->slots[at];
}

static void
labels_grow(struct labels *w)
{
	free(w->slots);
	w->nslots = w->nslots ? w->nslots * 2 : FIRST_SLOTS;
	w->slots = need_memory(w->nslots, sizeof *w->slots);
	for (size_t i = 0; i < w->n; i++)
		*label_slot(w, w->v[i], strlen(w->v[i])) = (uint32_t)i + 1;
}

uint64_t
labels_number(struct labels *w, const char *s, size_t len)
{
	uint32_t *slot;

	if (w->n * 2 >= w->nslots)
		labels_grow(w);
	slot = label_slot(w, s, len);
	if (*slot != 0)
		return *slot - 1;
	if (w->n == w->cap) {
		w->cap = w->cap ? w->cap * 2 : FIRST_SLOTS;
		w->v = need_more(w->v, w->cap, sizeof *w->v);
	}
	w->v[w->n] = need_copy(s, len);
	*slot = (uint32_t)++w->n;
	return w->n - 1;
}

bool
labels_find(const struct labels *w, const char *s, size_t len, uint64_t *number)
{
	uint32_t slot = w->nslots ? *label_slot(w, s, len) : 0;

	*number = slot - 1;
	return slot != 0;
}

bool
labels_same(const struct labels *w, const struct labels *others, bool words,
    uint64_t n, uint64_t *same)
{
	*same = n;
	if (!words)
		return true;
	return n < others->n &&
	    labels_find(w, others->v[n], strlen(others->v[n]), same);
}

bool
cut_has_labels(enum cut cut)
{
	return cut_reads_body(cut);
}

uint64_t
country_number(const char code[2])
{
	return (uint64_t)(uint8_t)code[0] << 8 | (uint8_t)code[1];
}

bool
cut_reads_body(enum cut cut)
{
	return cut == CUT_PRODUCT || cut == CUT_REGION;
}

/* The next finding from *more on; NO_FINDING when there is none at all. */
static uint64_t
next_finding(uint32_t findings, uint32_t *more)
{
	uint32_t left = findings >> *more << *more, next;
	unsigned at;

	if (left == 0) {
		*more = 0;
		return NO_FINDING;
	}
	at = (unsigned)__builtin_ctz(left);
	next = findings & ~((2u << at) - 1);
	*more = next ? at + 1 : 0;
	return at;
}

static uint64_t
text_value(enum cut cut, const struct row *r, struct labels *labels)
{
	struct buf text = { 0 };
	uint64_t value;

	if (cut == CUT_PRODUCT) {
		row_product(r, &text);
	} else {
		buf_add(&text, r->head.country, sizeof r->head.country);
		buf_putc(&text, ' ');
		row_text(r, TAG_REGION, &text);
	}
	value = labels_number(labels, buf_text(&text), text.len);
	buf_free(&text);
	return value;
}

uint64_t
cut_value(
    enum cut cut, const struct row *r, struct labels *labels, uint32_t *more)
{
	const struct head *h = &r->head;

	switch (cut) {
	case CUT_COUNTRY:
		return country_number(h->country);
	case CUT_ASN:
		return h->asn;
	case CUT_PORT:
		return r->target.port;
	case CUT_PROTOCOL:
		return h->protocol;
	case CUT_FINDING:
		return next_finding(h->findings, more);
	case CUT_TLS:
		return h->tls_version;
	case CUT_STARTTLS:
		return h->starttls;
	case CUT_CIPHER:
		return h->cipher;
	case CUT_KEY:
		return (uint64_t)h->key_type << 16 | h->key_bits;
	case CUT_CHAIN:
		return h->chain;
	case CUT_OUTCOME:
		return h->outcome;
	case CUT_FAMILY:
		return addr_is4(&r->target.addr) ? 4 : 6;
	case CUT_CHANGE:
		return h->change;
	case CUT_PRODUCT:
	case CUT_REGION:
		return text_value(cut, r, labels);
	case CUT_NONE:
	case CUT_COUNT:
		break;
	}
	return 0;
}

static const char *
name_of(enum cut cut, const struct labels *labels, uint64_t v)
{
	const char *name;

	switch (cut) {
	case CUT_PROTOCOL:
		return protocol_names[v];
	case CUT_FINDING:
		return v == NO_FINDING ? "(none)" : finding_names[v];
	case CUT_TLS:
		return v ? tls_version_name((uint16_t)v) : "(none)";
	case CUT_STARTTLS:
		return starttls_names[v];
	case CUT_CIPHER:
		name = cipher_name((uint16_t)v);
		return v == 0 ? "(none)" : name ? name : "(unknown)";
	case CUT_CHAIN:
		return chain_names[v];
	case CUT_OUTCOME:
		return outcome_names[v];
	case CUT_CHANGE:
		return change_names[v];
	case CUT_PRODUCT:
	case CUT_REGION:
		return labels->v[v][0] ? labels->v[v] : "(unknown)";
	case CUT_NONE:
		return "all";
	default:
		return "";
	}
}

const char *
cut_label(enum cut cut, const struct labels *labels, uint64_t v,
    char label[CUT_LABEL_MAX])
{
	switch (cut) {
	case CUT_COUNTRY:
		snprintf(label, CUT_LABEL_MAX, "%c%c", (char)(v >> 8),
		    (char)(v & 0xff));
		break;
	case CUT_ASN:
		if (v == 0)
			snprintf(label, CUT_LABEL_MAX, "(unknown)");
		else
			snprintf(label, CUT_LABEL_MAX, "%" PRIu64, v);
		break;
	case CUT_PORT:
	case CUT_FAMILY:
		snprintf(label, CUT_LABEL_MAX, "%" PRIu64, v);
		break;
	case CUT_KEY:
		snprintf(label, CUT_LABEL_MAX, v ? "%s %u" : "(none)",
		    key_names[v >> 16], (unsigned)(v & 0xffff));
		break;
	default:
		snprintf(label, CUT_LABEL_MAX, "%s", name_of(cut, labels, v));
	}
	return label;
}

bool
cut_is_unknown(enum cut cut, const struct labels *labels, uint64_t v)
{
	switch (cut) {
	case CUT_COUNTRY:
		return v == ('?' << 8 | '?');
	case CUT_ASN:
		return v == 0;
	case CUT_PRODUCT:
	case CUT_REGION:
		return labels->v[v][0] == '\0' ||
		    strcmp(labels->v[v], "?? ") == 0;
	default:
		return false;
	}
}
