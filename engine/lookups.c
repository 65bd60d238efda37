/* lookups.c: addresses whose names are being asked for. */
#include <sys/queue.h>
#include <sys/random.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/log.h"
#include "engine/lookups.h"

enum { IDS = 65536 };

struct lookup {
	TAILQ_ENTRY(lookup) link;
	struct addr addr;
	char names[DNS_NAMES_MAX][HOSTNAME_CAP];
	size_t nnames, at; /* which of them is being confirmed */
	unsigned tries;
	bool named; /* the names are known, however many */
	bool confirmed, failed;
	uint64_t due_ms;
	uint16_t id;
	uint8_t query[DNS_QUERY_MAX];
	size_t len;
};

TAILQ_HEAD(list, lookup);

/*
 * Each lookup is in one of these lists. All wait equally long for a reply, so
 * that those asked are in the order in which they are due.
 */
struct lookups {
	struct list unused, fresh, begun, asked, done;
	unsigned count; /* all but the unused */
	struct lookup *by_id[IDS]; /* those asked */
	struct lookup all[LOOKUPS_MAX];
};

struct lookups *
lookups_new(void)
{
	struct lookups *l = calloc(1, sizeof *l);

	if (l == NULL)
		return NULL;
	TAILQ_INIT(&l->unused);
	TAILQ_INIT(&l->fresh);
	TAILQ_INIT(&l->begun);
	TAILQ_INIT(&l->asked);
	TAILQ_INIT(&l->done);
	for (unsigned i = 0; i < LOOKUPS_MAX; i++)
		TAILQ_INSERT_TAIL(&l->unused, &l->all[i], link);
	return l;
}

void
lookups_free(struct lookups *l)
{
	free(l);
}

unsigned
lookups_count(const struct lookups *l)
{
	return l->count;
}

bool
lookups_has_room(const struct lookups *l)
{
	return !TAILQ_EMPTY(&l->unused);
}

void
lookups_add(struct lookups *l, const struct addr *a)
{
	struct lookup *e = TAILQ_FIRST(&l->unused);

	if (e == NULL)
		return;
	TAILQ_REMOVE(&l->unused, e, link);
	memset(e, 0, sizeof *e);
	e->addr = *a;
	TAILQ_INSERT_TAIL(&l->fresh, e, link);
	l->count++;
}

/* Not to be guessed (RFC 5452, 9.2), and nobody else's now. */
static uint16_t
draw_id(const struct lookups *l)
{
	uint16_t id;

	do {
		if (getrandom(&id, sizeof id, 0) != (ssize_t)sizeof id)
			fatal("getrandom: %s", strerror(errno));
	} while (l->by_id[id] != NULL);
	return id;
}

static void
finish(struct lookups *l, struct lookup *e)
{
	TAILQ_INSERT_TAIL(&l->done, e, link);
}

/* Out of the list of those asked. */
static void
recall(struct lookups *l, struct lookup *e)
{
	TAILQ_REMOVE(&l->asked, e, link);
	l->by_id[e->id] = NULL;
}

bool
lookups_has_query(const struct lookups *l)
{
	return !TAILQ_EMPTY(&l->begun) || !TAILQ_EMPTY(&l->fresh);
}

static struct lookup *
take_next(struct lookups *l)
{
	struct list *from = TAILQ_EMPTY(&l->begun) ? &l->fresh : &l->begun;
	struct lookup *e = TAILQ_FIRST(from);

	if (e != NULL)
		TAILQ_REMOVE(from, e, link);
	return e;
}

size_t
lookups_query(struct lookups *l, uint64_t now_ms, uint8_t query[DNS_QUERY_MAX])
{
	struct lookup *e;

	while ((e = take_next(l)) != NULL) {
		e->id = draw_id(l);
		e->len = e->named ? dns_ask_addresses(e->names[e->at], &e->addr,
					e->id, e->query)
				  : dns_ask_names(&e->addr, e->id, e->query);
		if (e->len > 0)
			break;
		e->failed = !e->named;
		finish(l, e);
	}
	if (e == NULL)
		return 0;
	e->tries++;
	e->due_ms = now_ms + LOOKUP_WAIT_MS;
	l->by_id[e->id] = e;
	TAILQ_INSERT_TAIL(&l->asked, e, link);
	memcpy(query, e->query, e->len);
	return e->len;
}

/* Another query of the same lookup: before any that is fresh. */
static void
go_on(struct lookups *l, struct lookup *e)
{
	TAILQ_INSERT_TAIL(&l->begun, e, link);
}

/* The name at hand is not confirmed: the next one, or that was it. */
static void
next_name(struct lookups *l, struct lookup *e)
{
	if (++e->at < e->nnames) {
		e->tries = 0;
		go_on(l, e);
		return;
	}
	e->at = 0;
	finish(l, e);
}

static void
take_names(struct lookups *l, struct lookup *e, const uint8_t *reply,
    size_t len, bool answer)
{
	e->nnames = answer ? dns_names(reply, len, e->names) : 0;
	e->named = true;
	e->tries = 0;
	if (e->nnames > 0)
		go_on(l, e);
	else
		finish(l, e);
}

static void
take_addresses(struct lookups *l, struct lookup *e, const uint8_t *reply,
    size_t len, bool answer)
{
	if (!answer || !dns_has_address(reply, len, &e->addr)) {
		next_name(l, e);
		return;
	}
	e->confirmed = true;
	finish(l, e);
}

enum dns_reply
lookups_reply(struct lookups *l, const uint8_t *message, size_t len)
{
	enum dns_reply what = DNS_STRANGE;
	struct lookup *e = NULL;
	uint16_t id;

	if (dns_id(message, len, &id))
		e = l->by_id[id];
	if (e != NULL)
		what = dns_reply(e->query, e->len, message, len);
	/* One that failed is asked again when its time is up. */
	if (what == DNS_STRANGE || what == DNS_FAILED)
		return what;
	recall(l, e);
	if (e->named)
		take_addresses(l, e, message, len, what == DNS_ANSWER);
	else
		take_names(l, e, message, len, what == DNS_ANSWER);
	return what;
}

unsigned
lookups_expire(struct lookups *l, uint64_t now_ms)
{
	struct lookup *e;
	unsigned n = 0;

	while ((e = TAILQ_FIRST(&l->asked)) != NULL && e->due_ms <= now_ms) {
		recall(l, e);
		n++;
		if (e->tries < LOOKUP_TRIES) {
			go_on(l, e);
		} else if (e->named) {
			next_name(l, e);
		} else {
			e->failed = true;
			finish(l, e);
		}
	}
	return n;
}

uint64_t
lookups_due_ms(const struct lookups *l)
{
	const struct lookup *e = TAILQ_FIRST(&l->asked);

	return e == NULL ? UINT64_MAX : e->due_ms;
}

bool
lookups_result(const struct lookups *l, struct resolved *r)
{
	const struct lookup *e = TAILQ_FIRST(&l->done);

	if (e == NULL)
		return false;
	memset(r, 0, sizeof *r);
	r->addr = e->addr;
	r->confirmed = e->confirmed;
	r->failed = e->failed;
	if (e->nnames > 0)
		memcpy(r->name, e->names[e->at], sizeof r->name);
	return true;
}

void
lookups_drop(struct lookups *l)
{
	struct lookup *e = TAILQ_FIRST(&l->done);

	if (e == NULL)
		return;
	TAILQ_REMOVE(&l->done, e, link);
	TAILQ_INSERT_TAIL(&l->unused, e, link);
	l->count--;
}

_Static_assert((int)HOSTNAME_CAP == (int)NAME_MAX_BYTES, "names on the wire");
