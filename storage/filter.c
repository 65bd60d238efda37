/* filter.c: which rows a command is asked for. */
#include <ctype.h>
#include <string.h>

#include "storage/filter.h"

void
filter_init(struct filter *f)
{
	memset(f, 0, sizeof *f);
	f->port = f->protocol = f->outcome = f->starttls = f->finding = -1;
	f->asn = -1;
	f->tls = -1;
	f->any_row = true;
}

/* The value with a name; says which names there are when it is none. */
static bool
take_name(const struct tool *t, const char *option, const char *const *names,
    int count, const char *text, int *value)
{
	struct buf all = { 0 };

	*value = name_find(names, count, text);
	if (*value >= 0)
		return true;
	for (int i = 0; i < count; i++)
		buf_printf(&all, i ? ", %s" : "%s", names[i]);
	tool_usage(t, "--%s %s: expected one of %s", option, text, all.s);
	buf_free(&all);
	return false;
}

static bool
take_number(const struct tool *t, const char *option, const char *text,
    uint64_t max, int64_t *value)
{
	uint64_t n;

	if (!tool_number(t, option, text, max, &n))
		return false;
	*value = (int64_t)n;
	return true;
}

/* "TLSv1.3", or "none": it was not spoken. */
static bool
take_tls(struct filter *f, const struct tool *t, const char *text)
{
	static const uint16_t versions[] = { 0x0300, 0x0301, 0x0302, 0x0303,
		0x0304 };

	f->tls = strcmp(text, "none") == 0 ? 0 : -1;
	for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++)
		if (strcasecmp(text, tls_version_name(versions[i])) == 0)
			f->tls = versions[i];
	if (f->tls < 0)
		tool_usage(t,
		    "--tls %s: expected SSLv3, TLSv1.0, TLSv1.1, TLSv1.2, "
		    "TLSv1.3 or none",
		    text);
	return f->tls >= 0;
}

static bool
take_prefix(struct filter *f, const struct tool *t, const char *text)
{
	const char *expected = "more memory";

	if (!f->prefixes)
		f->prefixes = ranges_new();
	if (f->prefixes && ranges_add_text(f->prefixes, text, &expected) == 0)
		return true;
	tool_usage(t, "--prefix %s: expected %s", text, expected);
	return false;
}

static bool
take_country(struct filter *f, const struct tool *t, const char *text)
{
	if (strlen(text) != 2) {
		tool_usage(
		    t, "--country %s: expected two letters, or ??", text);
		return false;
	}
	for (int i = 0; i < 2; i++)
		f->country[i] = (char)toupper((unsigned char)text[i]);
	return true;
}

bool
filter_take(struct filter *f, const struct tool *t, int c, const char *text)
{
	int64_t n;

	f->any = true;
	/* The others are known of a silent target too. */
	if (c != FILTER_PORT && c != FILTER_FAMILY && c != FILTER_PREFIX &&
	    c != FILTER_OUTCOME)
		f->any_row = false;
	switch (c) {
	case FILTER_PORT:
		if (!take_number(t, "port", text, UINT16_MAX, &n))
			return false;
		f->port = (int)n;
		return true;
	case FILTER_PROTOCOL:
		return take_name(t, "protocol", protocol_names, PROTOCOL_COUNT,
		    text, &f->protocol);
	case FILTER_OUTCOME:
		return take_name(t, "outcome", outcome_names, OUTCOME_COUNT,
		    text, &f->outcome);
	case FILTER_STARTTLS:
		return take_name(t, "starttls", starttls_names, STARTTLS_COUNT,
		    text, &f->starttls);
	case FILTER_FINDING:
		return take_name(t, "finding", finding_names, FINDING_COUNT,
		    text, &f->finding);
	case FILTER_FAMILY:
		f->family = text[0] == '4' ? 4 : text[0] == '6' ? 6 : 0;
		if (f->family == 0 || text[1] != '\0')
			tool_usage(t, "--family %s: expected 4 or 6", text);
		return f->family != 0 && text[1] == '\0';
	case FILTER_ASN:
		return take_number(t, "asn", text, UINT32_MAX, &f->asn);
	case FILTER_COUNTRY:
		return take_country(f, t, text);
	case FILTER_PREFIX:
		return take_prefix(f, t, text);
	case FILTER_TLS:
		return take_tls(f, t, text);
	case FILTER_PRODUCT:
		f->product = text;
		return true;
	case FILTER_REGION:
		f->region = text;
		return true;
	default:
		tool_usage(t, "%s: no such option here", t->command->name);
		return false;
	}
}

bool
filter_ready(struct filter *f)
{
	if (!f->prefixes || ranges_seal(f->prefixes) == 0)
		return true;
	tool_error("out of memory");
	return false;
}

void
filter_free(struct filter *f)
{
	ranges_free(f->prefixes);
	f->prefixes = NULL;
}

static bool
passes_target(const struct filter *f, const struct target *t)
{
	return (f->port < 0 || f->port == t->port) &&
	    (f->family == 0 || (f->family == 4) == addr_is4(&t->addr)) &&
	    (!f->prefixes || ranges_has(f->prefixes, &t->addr));
}

bool
filter_passes(
    const struct filter *f, const struct target *t, const struct head *h)
{
	return passes_target(f, t) &&
	    (f->protocol < 0 || f->protocol == h->protocol) &&
	    (f->outcome < 0 || f->outcome == h->outcome) &&
	    (f->starttls < 0 || f->starttls == h->starttls) &&
	    (f->finding < 0 || head_has(h, (enum finding)f->finding)) &&
	    (f->asn < 0 || f->asn == h->asn) &&
	    (f->tls < 0 || f->tls == h->tls_version) &&
	    (f->country[0] == '\0' ||
		memcmp(f->country, h->country, sizeof h->country) == 0);
}

bool
filter_wants_body(const struct filter *f)
{
	return f->product || f->region;
}

static bool
is_text(struct buf *text, const char *wanted)
{
	bool same = strcasecmp(buf_text(text), wanted) == 0;

	buf_clear(text);
	return same;
}

bool
filter_passes_body(const struct filter *f, const struct row *r)
{
	struct buf text = { 0 };
	bool passes = true;

	if (f->product) {
		row_product(r, &text);
		passes = is_text(&text, f->product);
	}
	if (f->region) {
		row_text(r, TAG_REGION, &text);
		passes = is_text(&text, f->region) && passes;
	}
	buf_free(&text);
	return passes;
}

bool
filter_passes_silent(const struct filter *f, const struct target *t)
{
	return f->any_row && passes_target(f, t) &&
	    (f->outcome < 0 || f->outcome == OUTCOME_SILENT);
}
