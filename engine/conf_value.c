/* conf_value.c: single values of the configuration file. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/conf_reader.h"

enum { FQDN_MAX = 253, LABEL_MAX = 63, SPORTS_MIN = 1024, DNS_PORT = 53 };

struct unit {
	const char *name;
	uint64_t factor;
};

/* Digits only: strtoull would take blanks and signs as well. */
static bool
take_digits(const char **at, uint64_t *value)
{
	char *end;

	if (!isdigit((unsigned char)**at))
		return false;
	errno = 0;
	*value = strtoull(*at, &end, 10);
	*at = end;
	return errno == 0;
}

/* A whole number with one of the units behind it; factor 0 ends the list. */
static bool
take_unit(const char *s, const struct unit *units, uint64_t *value)
{
	if (!take_digits(&s, value))
		return false;
	for (; units->factor != 0; units++)
		if (strcmp(s, units->name) == 0)
			return !__builtin_mul_overflow(
			    *value, units->factor, value);
	return false;
}

bool
value_number(const char *s, uint64_t min, uint64_t max, uint64_t *value,
    char expected[EXPECTED_MAX])
{
	snprintf(expected, EXPECTED_MAX, "a whole number from %llu to %llu",
	    (unsigned long long)min, (unsigned long long)max);
	return take_digits(&s, value) && *s == '\0' && *value >= min &&
	    *value <= max;
}

static const struct unit times[] = {
	{ "ms", 1 },
	{ "s", 1000 },
	{ "m", 60000 },
	{ "h", 3600000 },
	{ "d", 86400000 },
	{ NULL, 0 },
};

static const struct unit sizes[] = {
	{ "", 1 },
	{ "K", 1 << 10 },
	{ "M", 1 << 20 },
	{ "G", 1 << 30 },
	{ "T", (uint64_t)1 << 40 },
	{ NULL, 0 },
};

/* In the largest unit that leaves no rest; the first one stands for 1. */
static void
print_unit(char *to, size_t cap, uint64_t value, const struct unit *units)
{
	const char *name = units->name;
	uint64_t factor = 1;

	for (; units->factor != 0; units++)
		if (value != 0 && value % units->factor == 0) {
			factor = units->factor;
			name = units->name;
		}
	snprintf(to, cap, "%llu%s", (unsigned long long)(value / factor), name);
}

static bool
value_unit(const char *s, const struct unit *units, const char *what,
    uint64_t min, uint64_t max, uint64_t *value, char expected[EXPECTED_MAX])
{
	char low[32], high[32];

	print_unit(low, sizeof low, min, units);
	print_unit(high, sizeof high, max, units);
	snprintf(expected, EXPECTED_MAX, "%s, from %s to %s", what, low, high);
	return take_unit(s, units, value) && *value >= min && *value <= max;
}

bool
value_duration(const char *s, uint64_t min_ms, uint64_t max_ms, uint64_t *ms,
    char expected[EXPECTED_MAX])
{
	return value_unit(s, times, "a time with its unit (ms, s, m, h, d)",
	    min_ms, max_ms, ms, expected);
}

bool
value_size(const char *s, uint64_t min, uint64_t max, uint64_t *bytes,
    char expected[EXPECTED_MAX])
{
	return value_unit(
	    s, sizes, "bytes, or with K, M, G or T", min, max, bytes, expected);
}

/* Printable ASCII: these words travel in dialogs, logs and file names. */
static bool
is_printable(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < ' ' || (unsigned char)*s > '~')
			return false;
	return true;
}

static bool
store_text(const char *s, char *to, size_t cap)
{
	size_t len = strlen(s);

	if (len == 0 || len >= cap)
		return false;
	memcpy(to, s, len + 1);
	return true;
}

bool
value_text(const char *s, char *to, size_t cap, char expected[EXPECTED_MAX])
{
	snprintf(
	    expected, EXPECTED_MAX, "1 to %zu printable characters", cap - 1);
	return is_printable(s) && store_text(s, to, cap);
}

/* The part of s before end is labels with dots between (RFC 1123, 2.1). */
static bool
is_fqdn(const char *s)
{
	size_t label = 0, len = strlen(s);
	unsigned dots = 0;
	bool letters = false; /* in the last label */

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '.') {
			if (label == 0 || s[i - 1] == '-')
				return false;
			dots++;
			label = 0;
			letters = false;
			continue;
		}
		if (!isascii(c) || (!isalnum(c) && c != '-'))
			return false;
		if ((c == '-' && label == 0) || ++label > LABEL_MAX)
			return false;
		letters = letters || isalpha(c);
	}
	return dots > 0 && label > 0 && letters && len <= FQDN_MAX &&
	    s[len - 1] != '-';
}

bool
value_fqdn(const char *s, char *to, size_t cap, char expected[EXPECTED_MAX])
{
	snprintf(expected, EXPECTED_MAX,
	    "this host's full name, such as scan.example.net");
	return is_fqdn(s) && store_text(s, to, cap);
}

/* No quote and no backslash: it goes into a quoted string of IMAP ID. */
bool
value_contact(const char *s, char *to, size_t cap, char expected[EXPECTED_MAX])
{
	const char *at = strchr(s, '@');
	bool url =
	    strncmp(s, "https://", 8) == 0 || strncmp(s, "http://", 7) == 0;
	size_t scheme = strncmp(s, "https", 5) == 0 ? 8 : 7;

	snprintf(expected, EXPECTED_MAX,
	    "a mail address or a URL where people reach you");
	if (!is_printable(s) || strpbrk(s, "\"\\ <>") != NULL)
		return false;
	if (url ? s[scheme] == '\0' : at == NULL || at == s || !is_fqdn(at + 1))
		return false;
	return store_text(s, to, cap);
}

bool
value_mac(const char *s, char *to, size_t cap, char expected[EXPECTED_MAX])
{
	bool good = strlen(s) == 17;

	snprintf(expected, EXPECTED_MAX,
	    "an Ethernet address, such as 02:00:5e:10:00:01");
	for (size_t i = 0; good && i < 17; i++)
		good = i % 3 == 2 ? s[i] == ':'
				  : isxdigit((unsigned char)s[i]) != 0;
	return good && store_text(s, to, cap);
}

bool
value_name(const char *s, char *to, size_t cap, char expected[EXPECTED_MAX])
{
	snprintf(expected, EXPECTED_MAX, "1 to %zu letters, digits, _ or -",
	    cap - 1);
	for (const char *c = s; *c != '\0'; c++)
		if (!isascii((unsigned char)*c) ||
		    (!isalnum((unsigned char)*c) && *c != '_' && *c != '-'))
			return false;
	return store_text(s, to, cap);
}

bool
value_time(const char *s, char *to, size_t cap, char expected[EXPECTED_MAX])
{
	static const char form[] = "dd:dd";
	bool good = strlen(s) == sizeof form - 1;

	snprintf(expected, EXPECTED_MAX,
	    "a time of day in UTC, HH:MM from 00:00 to 23:59");
	for (size_t i = 0; good && form[i] != '\0'; i++)
		good = form[i] == ':' ? s[i] == ':'
				      : isdigit((unsigned char)s[i]) != 0;
	good =
	    good && (s[0] < '2' || (s[0] == '2' && s[1] < '4')) && s[3] < '6';
	return good && store_text(s, to, cap);
}

static const struct {
	const char *name;
	uint8_t protocol, implicit_tls;
} spoken[] = {
	{ "pop3", PROTOCOL_POP3, 0 },
	{ "pop3s", PROTOCOL_POP3, 1 },
	{ "imap", PROTOCOL_IMAP, 0 },
	{ "imaps", PROTOCOL_IMAP, 1 },
	{ "smtp", PROTOCOL_SMTP, 0 },
	{ "smtps", PROTOCOL_SMTP, 1 },
};

bool
value_port(const char *s, struct conf_port *port, char expected[EXPECTED_MAX])
{
	uint64_t n;

	snprintf(expected, EXPECTED_MAX,
	    "PORT/PROTOCOL with pop3, pop3s, imap, imaps, smtp or smtps, "
	    "such as 995/pop3s");
	if (!take_digits(&s, &n) || n < 1 || n > UINT16_MAX || *s++ != '/')
		return false;
	for (size_t i = 0; i < sizeof spoken / sizeof *spoken; i++) {
		if (strcmp(s, spoken[i].name) != 0)
			continue;
		memset(port, 0, sizeof *port);
		port->port = (uint16_t)n;
		port->protocol = spoken[i].protocol;
		port->implicit_tls = spoken[i].implicit_tls;
		return true;
	}
	return false;
}

bool
value_port_range(
    const char *s, uint16_t *first, uint16_t *last, char expected[EXPECTED_MAX])
{
	uint64_t a, b;

	snprintf(expected, EXPECTED_MAX,
	    "FIRST-LAST, at least %d ports from 1024 to 65535", SPORTS_MIN);
	if (!take_digits(&s, &a) || *s++ != '-' || !take_digits(&s, &b) ||
	    *s != '\0' || a < 1024 || b > UINT16_MAX || b < a ||
	    b - a + 1 < SPORTS_MIN)
		return false;
	*first = (uint16_t)a;
	*last = (uint16_t)b;
	return true;
}

bool
value_shard(const char *s, uint32_t *shard, uint32_t *shards,
    char expected[EXPECTED_MAX])
{
	uint64_t k, n;

	snprintf(expected, EXPECTED_MAX,
	    "K/N with K from 0 to N-1 and N up to 65535, such as 0/4");
	if (!take_digits(&s, &k) || *s++ != '/' || !take_digits(&s, &n) ||
	    *s != '\0' || n > UINT16_MAX || k >= n)
		return false;
	*shard = (uint32_t)k;
	*shards = (uint32_t)n;
	return true;
}

bool
value_server(
    const char *s, struct addr *a, uint16_t *port, char expected[EXPECTED_MAX])
{
	char text[ADDR_TEXT_MAX];
	const char *first = s, *rest = strchr(s, ':'), *end = s + strlen(s);
	uint64_t n = DNS_PORT;

	snprintf(expected, EXPECTED_MAX,
	    "an address, such as 192.0.2.53, 192.0.2.53:5353 or "
	    "[2001:db8::53]:5353");
	if (*s == '[' && (end = strchr(s, ']')) != NULL) {
		first = s + 1;
		rest = end + 1;
	} else if (rest != NULL && strchr(rest + 1, ':') == NULL) {
		end = rest; /* one colon: it is not of the address */
	} else {
		rest = end;
	}
	if (end == NULL || (size_t)(end - first) >= sizeof text)
		return false;
	if (*rest == ':') {
		rest++;
		if (!take_digits(&rest, &n))
			return false;
	}
	memcpy(text, first, (size_t)(end - first));
	text[end - first] = '\0';
	if (*rest != '\0' || n < 1 || n > UINT16_MAX || addr_parse(text, a) < 0)
		return false;
	*port = (uint16_t)n;
	return true;
}

int
value_choice(
    const char *s, const char *const *names, char expected[EXPECTED_MAX])
{
	int at = -1, n = 0;

	for (int i = 0; names[i] != NULL; i++) {
		if (strcmp(s, names[i]) == 0)
			at = i;
		if (n < EXPECTED_MAX)
			n += snprintf(expected + n, (size_t)(EXPECTED_MAX - n),
			    "%s%s",
			    i == 0             ? ""
				: names[i + 1] ? ", "
					       : " or ",
			    names[i]);
	}
	return at;
}
