/* cert_match.c: is a certificate good for the name of a host? */
#include <ctype.h>
#include <string.h>

#include "storage/cert_match.h"

enum {
	HOST_MAX = 253,
	LENGTH_BYTES_MAX = 4,
	LONG_FORM = 0x80,
	TAG_NUMBER = 0x1f /* all set: the number is in more bytes */
};

/* X.690: universal tags, then those of a certificate (RFC 5280, 4.1). */
enum der_tag {
	DER_OCTETS = 0x04,
	DER_OID = 0x06,
	DER_UTF8 = 0x0c,
	DER_PRINTABLE = 0x13,
	DER_T61 = 0x14,
	DER_IA5 = 0x16,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_VERSION = 0xa0,
	DER_EXTENSIONS = 0xa3,
	DER_DNS_NAME = 0x82
};

/* Bytes that are not read yet, or the value of an element. */
struct span {
	const uint8_t *at, *end;
};

static size_t
span_len(const struct span *s)
{
	return (size_t)(s->end - s->at);
}

/* The next element, with a definite length that fits. False: none. */
static bool
der_next(struct span *from, uint8_t *tag, struct span *value)
{
	struct span s = *from;
	size_t len, more;

	if (span_len(&s) < 2 || (s.at[0] & TAG_NUMBER) == TAG_NUMBER)
		return false;
	*tag = *s.at++;
	len = *s.at++;
	if (len & LONG_FORM) {
		more = len & (LONG_FORM - 1);
		if (more == 0 || more > LENGTH_BYTES_MAX || more > span_len(&s))
			return false;
		for (len = 0; more > 0; more--)
			len = len << 8 | *s.at++;
	}
	if (len > span_len(&s))
		return false;
	value->at = s.at;
	value->end = s.at + len;
	from->at = value->end;
	return true;
}

static bool
der_take(struct span *from, enum der_tag want, struct span *value)
{
	uint8_t tag;

	return der_next(from, &tag, value) && tag == want;
}

static bool
is_oid(const struct span *s, const uint8_t *oid, size_t len)
{
	return span_len(s) == len && memcmp(s->at, oid, len) == 0;
}

/* What of a certificate has names. */
struct names {
	struct span subject, alternative;
	bool has_alternative;
};

/* False: a second subjectAltName, or no extension at all. */
static bool
take_extension(struct span *one, struct names *n)
{
	static const uint8_t subject_alt_name[] = { 0x55, 0x1d, 0x11 };
	struct span oid, value;
	uint8_t tag;

	if (!der_take(one, DER_OID, &oid))
		return false;
	if (!is_oid(&oid, subject_alt_name, sizeof subject_alt_name))
		return true;
	/* `critical` may stand between. */
	do {
		if (!der_next(one, &tag, &value))
			return false;
	} while (tag != DER_OCTETS);
	if (n->has_alternative ||
	    !der_take(&value, DER_SEQUENCE, &n->alternative))
		return false;
	n->has_alternative = true;
	return true;
}

static bool
take_extensions(struct span *explicit, struct names *n)
{
	struct span all, one;

	if (!der_take(explicit, DER_SEQUENCE, &all))
		return false;
	while (all.at < all.end)
		if (!der_take(&all, DER_SEQUENCE, &one) ||
		    !take_extension(&one, n))
			return false;
	return true;
}

/* RFC 5280, 4.1: to the subject, and on to the extensions. */
static bool
find_names(struct span der, struct names *n)
{
	enum { BEFORE_SUBJECT = 4 }; /* serial, algorithm, issuer, validity */
	struct span certificate, tbs, skipped;
	uint8_t tag;

	memset(n, 0, sizeof *n);
	if (!der_take(&der, DER_SEQUENCE, &certificate) ||
	    !der_take(&certificate, DER_SEQUENCE, &tbs))
		return false;
	if (tbs.at < tbs.end && *tbs.at == DER_VERSION &&
	    !der_next(&tbs, &tag, &skipped))
		return false;
	for (int i = 0; i < BEFORE_SUBJECT; i++)
		if (!der_next(&tbs, &tag, &skipped))
			return false;
	if (!der_take(&tbs, DER_SEQUENCE, &n->subject))
		return false;
	while (tbs.at < tbs.end) {
		if (!der_next(&tbs, &tag, &skipped))
			return false;
		if (tag == DER_EXTENSIONS && !take_extensions(&skipped, n))
			return false;
	}
	return true;
}

static int
lower(int c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static bool
same(const uint8_t *a, const uint8_t *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (lower(a[i]) != lower(b[i]))
			return false;
	return true;
}

/* The name of a certificate, star and all, and a host's. */
static bool
fits(const struct span *name, const struct span *host)
{
	size_t len = span_len(name), host_len = span_len(host);
	const uint8_t *dot = memchr(host->at, '.', host_len);
	size_t rest;

	if (len == host_len && same(name->at, host->at, len))
		return true;
	if (len < 2 || name->at[0] != '*' || name->at[1] != '.' || !dot)
		return false;
	/* "_" is in names of services, for which nobody has a star. */
	if (memchr(host->at, '_', host_len))
		return false;
	rest = (size_t)(host->end - dot);
	return rest == len - 1 && same(name->at + 1, dot, rest) &&
	    memchr(dot + 1, '.', rest - 1) != NULL;
}

/* Does one fit? *any: there is a DNS name at all. */
static bool
alternative_fits(const struct names *n, const struct span *host, bool *any)
{
	struct span all = n->alternative, name;
	bool found = false;
	uint8_t tag;

	*any = false;
	while (n->has_alternative && all.at < all.end) {
		if (!der_next(&all, &tag, &name)) {
			*any = true; /* broken: the subject is no way out */
			return false;
		}
		if (tag != DER_DNS_NAME)
			continue;
		*any = true;
		found = found || fits(&name, host);
	}
	return found;
}

static bool
common_name_fits(struct span attribute, const struct span *host)
{
	static const uint8_t common_name[] = { 0x55, 0x04, 0x03 };
	struct span oid, value;
	uint8_t tag;

	return der_take(&attribute, DER_OID, &oid) &&
	    is_oid(&oid, common_name, sizeof common_name) &&
	    der_next(&attribute, &tag, &value) &&
	    (tag == DER_UTF8 || tag == DER_PRINTABLE || tag == DER_IA5 ||
		tag == DER_T61) &&
	    fits(&value, host);
}

static bool
subject_fits(const struct names *n, const struct span *host)
{
	struct span all = n->subject, set, attribute;

	while (der_take(&all, DER_SET, &set))
		while (der_take(&set, DER_SEQUENCE, &attribute))
			if (common_name_fits(attribute, host))
				return true;
	return false;
}

/* Labels of letters, digits, '-' and '_', the last not a number: no address. */
static bool
is_host(const struct span *host)
{
	bool number = true, label = false;

	if (span_len(host) > HOST_MAX)
		return false;
	for (const uint8_t *p = host->at; p < host->end; p++) {
		if (*p == '.') {
			if (!label)
				return false;
			label = false;
			number = true;
			continue;
		}
		if (*p >= 0x80 || (!isalnum(*p) && *p != '-' && *p != '_'))
			return false;
		label = true;
		number = number && isdigit(*p);
	}
	return label && !number;
}

bool
cert_match(const uint8_t *der, size_t len, const void *name, size_t name_len)
{
	const uint8_t *bytes = name;
	struct span host = { bytes, bytes + name_len };
	struct span all = { der, der + len };
	struct names n;
	bool any, fit;

	if (len == 0 || name_len == 0 || !is_host(&host) ||
	    !find_names(all, &n))
		return false;
	fit = alternative_fits(&n, &host, &any);
	return any ? fit : subject_fits(&n, &host);
}
