/* info.c: what is known of a sweep, as the lines of text that are stored. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/info.h"

enum { GROUP_CAP = 16, NAME_CAP = 80, VALUE_CAP = 128 };

enum kind { KIND_U32, KIND_U64, KIND_STRING, KIND_HEX };

struct item {
	const char *name;
	size_t at, len;
	enum kind kind;
};

/* clang-format off */
#define FIELD(field, kind) \
	{ #field, offsetof(struct sweep_info, field), \
	  sizeof(((struct sweep_info *)0)->field), kind }
#define U32(field)    FIELD(field, KIND_U32)
#define U64(field)    FIELD(field, KIND_U64)
#define STRING(field) FIELD(field, KIND_STRING)

static const struct item items[] = {
	U32(version),
	STRING(sweep.id), STRING(sensor), STRING(previous),
	U64(sweep.start_us), U64(end_us), U64(sweep.seed), U64(sweep.n),
	U64(sweep.targets_hash), U32(sweep.incarnation), U32(sweep.order),
	U32(sweep.shard), U32(sweep.shards), U32(sweep.threads),
	U32(sweep.resumed), U32(sweep.first_slice),
	U32(balanced), U32(removed), U64(rate), U64(geo_build_us), U64(gone),
	U64(silent_phantoms),
	U64(account.index_total), U64(account.index_excluded),
	U64(account.rows), U64(account.purged), U64(account.rows_new),
	U64(account.without_answer), U32(account.incarnations),
	U32(account.excluded_exact),
};
/* clang-format on */

static const char *const count_names[SEND_COUNTS] = {
	[SEND_EXCLUDED] = "excluded",
	[SEND_OPTED_OUT] = "opted_out",
	[SEND_SENT] = "sent",
	[SEND_NOT_SENT] = "not_sent",
};

/* Text that is written, or read: visit() names every item in turn. */
struct visit {
	char *out; /* writing */
	const char *in; /* reading */
	size_t len;
	bool bad;
};

static void
put_value(char value[VALUE_CAP], const void *at, size_t len, enum kind kind)
{
	const uint8_t *bytes = at;
	uint64_t n64 = 0;
	uint32_t n32;

	if (kind == KIND_STRING) {
		snprintf(value, VALUE_CAP, "%.*s", (int)strnlen(at, len),
		    (const char *)at);
		return;
	}
	if (kind == KIND_HEX) {
		for (size_t i = 0; i < len; i++)
			snprintf(value + 2 * i, 3, "%02x", bytes[i]);
		return;
	}
	if (kind == KIND_U64) {
		memcpy(&n64, at, sizeof n64);
	} else {
		memcpy(&n32, at, sizeof n32);
		n64 = n32;
	}
	/* Zero is what a missing line means. */
	if (n64 != 0)
		snprintf(value, VALUE_CAP, "%" PRIu64, n64);
}

static void
item_write(
    struct visit *v, const char *name, const void *at, size_t len, enum kind k)
{
	char value[VALUE_CAP] = "";
	int n;

	put_value(value, at, len, k);
	if (value[0] == '\0')
		return;
	n = snprintf(
	    v->out + v->len, INFO_TEXT_MAX - v->len, "%s %s\n", name, value);
	if (n < 0 || (size_t)n >= INFO_TEXT_MAX - v->len)
		v->bad = true;
	else
		v->len += (size_t)n;
}

/* The value of the line that begins with a name; false: there is none. */
static bool
line_find(const struct visit *v, const char *name, char value[VALUE_CAP])
{
	const char *at = v->in, *end = v->in + v->len, *nl;
	size_t n = strlen(name);

	for (; at < end; at = nl + 1) {
		nl = memchr(at, '\n', (size_t)(end - at));
		if (nl == NULL)
			return false;
		if ((size_t)(nl - at) <= n || at[n] != ' ' ||
		    memcmp(at, name, n) != 0)
			continue;
		at += n + 1;
		n = (size_t)(nl - at);
		if (n >= VALUE_CAP)
			return false;
		memcpy(value, at, n);
		value[n] = '\0';
		return true;
	}
	return false;
}

static bool
hex_read(const char *value, uint8_t *at, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	if (strlen(value) != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++) {
		const char *high = strchr(digits, value[2 * i]);
		const char *low = strchr(digits, value[2 * i + 1]);

		if (high == NULL || low == NULL)
			return false;
		at[i] = (uint8_t)((high - digits) << 4 | (low - digits));
	}
	return true;
}

/*
 * Names of sweeps and sensors: they are printed, and become names of files.
 * A file that says them may come from another machine.
 */
static bool
is_name(const char *s)
{
	if (*s == '.')
		return false;
	for (; *s != '\0'; s++)
		if (*s < ' ' || *s > '~' || *s == '/')
			return false;
	return true;
}

static void
item_read(struct visit *v, const char *name, void *at, size_t len, enum kind k)
{
	char value[VALUE_CAP], *end;
	uint64_t n64;
	uint32_t n32;

	if (!line_find(v, name, value))
		return;
	if (k == KIND_STRING) {
		if (strlen(value) >= len || !is_name(value))
			v->bad = true;
		else
			memcpy(at, value, strlen(value) + 1);
		return;
	}
	if (k == KIND_HEX) {
		v->bad |= !hex_read(value, at, len);
		return;
	}
	n64 = strtoull(value, &end, 10);
	n32 = (uint32_t)n64;
	if (end == value || *end != '\0' || (k == KIND_U32 && n32 != n64))
		v->bad = true;
	else if (k == KIND_U64)
		memcpy(at, &n64, sizeof n64);
	else
		memcpy(at, &n32, sizeof n32);
}

static void
item_visit(struct visit *v, const char *name, void *at, size_t len, enum kind k)
{
	if (v->out != NULL)
		item_write(v, name, at, len, k);
	else
		item_read(v, name, at, len, k);
}

/* An array of numbers whose names are in a table. */
static void
array_visit(struct visit *v, const char *group, const char *const *names,
    uint64_t *at, unsigned count)
{
	char name[NAME_CAP];

	for (unsigned i = 0; i < count; i++) {
		if (names != NULL)
			snprintf(name, sizeof name, "%s.%s", group, names[i]);
		else
			snprintf(name, sizeof name, "%s.%u", group, i);
		item_visit(v, name, &at[i], sizeof at[i], KIND_U64);
	}
}

static void
events_visit(struct visit *v, uint64_t events[STAT_COUNT])
{
	char name[NAME_CAP];

	for (unsigned i = 0; i < STAT_COUNT; i++) {
		snprintf(
		    name, sizeof name, "event.%s", stats_name((enum stat_id)i));
		item_visit(v, name, &events[i], sizeof events[i], KIND_U64);
	}
}

static void
info_visit(struct visit *v, struct sweep_info *info)
{
	char group[GROUP_CAP];

	for (size_t i = 0; i < sizeof items / sizeof items[0]; i++)
		item_visit(v, items[i].name, (char *)info + items[i].at,
		    items[i].len, items[i].kind);
	array_visit(
	    v, "position", NULL, info->sweep.position, SWEEP_THREADS_MAX);
	for (unsigned t = 0; t < SWEEP_THREADS_MAX; t++) {
		snprintf(group, sizeof group, "thread.%u", t);
		array_visit(
		    v, group, count_names, info->sweep.counted[t], SEND_COUNTS);
	}
	array_visit(
	    v, "counted", count_names, info->account.counted, SEND_COUNTS);
	array_visit(
	    v, "outcome", outcome_names, info->account.outcomes, OUTCOME_COUNT);
	array_visit(v, "change", change_names, info->changes, CHANGE_COUNT);
	array_visit(v, "cut_off", account_line_names, info->account.cut_off,
	    ACCOUNT_LINES);
	events_visit(v, info->account.events);
}

size_t
info_write(
    const struct sweep_info *info, bool with_key, char text[INFO_TEXT_MAX])
{
	struct visit v = { .out = text };
	struct sweep_info copy = *info;

	info_visit(&v, &copy);
	if (with_key)
		item_visit(&v, "sweep.key", copy.sweep.key,
		    sizeof copy.sweep.key, KIND_HEX);
	return v.bad ? 0 : v.len;
}

int
info_read(const char *text, size_t len, struct sweep_info *info)
{
	struct visit v = { .in = text, .len = len };

	memset(info, 0, sizeof *info);
	info_visit(&v, info);
	item_visit(
	    &v, "sweep.key", info->sweep.key, sizeof info->sweep.key, KIND_HEX);
	return v.bad || info->version == 0 || info->sweep.id[0] == '\0' ? -1
									: 0;
}

static void
ledger_visit(struct visit *v, struct ledger *l)
{
	item_visit(v, "begin", &l->begin, sizeof l->begin, KIND_U64);
	item_visit(v, "settled", &l->settled, sizeof l->settled, KIND_U64);
	events_visit(v, l->events);
}

size_t
ledger_write(const struct ledger *l, char text[INFO_TEXT_MAX])
{
	struct visit v = { .out = text };
	struct ledger copy = *l;

	ledger_visit(&v, &copy);
	return v.bad ? 0 : v.len;
}

int
ledger_parse(const char *text, size_t len, struct ledger *l)
{
	struct visit v = { .in = text, .len = len };

	memset(l, 0, sizeof *l);
	ledger_visit(&v, l);
	return v.bad ? -1 : 0;
}
