/* batch.c: what came in since the last commit. */
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include "engine/conf.h"
#include "engine/cookie.h"
#include "engine/hostname.h"
#include "engine/ranges.h"
#include "storage/batch.h"
#include "storage/order.h"
#include "storage/outcome.h"
#include "storage/second.h"

enum {
	BATCH_CAP = 16 << 20,
	/* The notes of one message, each with an entry's head before it. */
	MESSAGE_ROOM = 2 * WIRE_MESSAGE_MAX
};

#define DAY_US ((uint64_t)86400 * 1000000)

/* One thing to do. The kinds of notes are those of enum note_type. */
enum entry_type { ENTRY_ROW = 100, ENTRY_CERT, ENTRY_NAME };

struct entry {
	uint32_t type, len;
};

/* None is shorter than the note of a canary. */
enum {
	ENTRIES_MAX =
	    BATCH_CAP / (sizeof(struct entry) + sizeof(struct note_canary))
};

struct batch {
	size_t len;
	uint32_t n;
	uint8_t bytes[BATCH_CAP];
	struct place order[ENTRIES_MAX], spare[ENTRIES_MAX];
};

void
batch_add(struct batch_counts *to, const struct batch_counts *more)
{
	to->received += more->received;
	to->added += more->added;
	to->replaced += more->replaced;
	to->refused += more->refused;
	to->purged += more->purged;
}

struct batch *
batch_new(void)
{
	struct batch *b = malloc(sizeof *b);

	if (b != NULL)
		batch_clear(b);
	return b;
}

void
batch_free(struct batch *b)
{
	free(b);
}

void
batch_clear(struct batch *b)
{
	b->len = 0;
	b->n = 0;
}

bool
batch_is_empty(const struct batch *b)
{
	return b->len == 0;
}

bool
batch_has_room(const struct batch *b)
{
	return sizeof b->bytes - b->len >= MESSAGE_ROOM;
}

/* Whom it concerns, as its keys begin. Certificates concern nobody. */
static struct addr
address_of(uint32_t type, const uint8_t *bytes)
{
	struct addr a = { .b = { 0 } };

	_Static_assert(offsetof(struct note_pending, target.addr) == 0 &&
		offsetof(struct note_outcome, contact.target.addr) == 0 &&
		offsetof(struct followup, target.addr) == 0 &&
		offsetof(struct note_canary, addr) == 0 &&
		offsetof(struct resolved, addr) == 0,
	    "all begin with the address");
	if (type == ENTRY_ROW)
		bytes += offsetof(struct head, addr);
	if (type != ENTRY_CERT)
		memcpy(&a, bytes, sizeof a);
	return a;
}

static int
keep(struct batch *b, uint32_t type, const void *bytes, size_t len)
{
	struct entry e = { type, (uint32_t)len };
	struct addr a;

	if (len < sizeof a || len > WIRE_MESSAGE_MAX || b->n == ENTRIES_MAX ||
	    sizeof b->bytes - b->len < sizeof e + len)
		return -1;
	a = address_of(type, bytes);
	b->order[b->n++] = order_place(&a, (uint32_t)b->len);
	memcpy(b->bytes + b->len, &e, sizeof e);
	memcpy(b->bytes + b->len + sizeof e, bytes, len);
	b->len += sizeof e + len;
	return 0;
}

static bool
is_swept(const struct role_args *args, const struct target *t)
{
	return conf_port(args->conf, t->port) != NULL &&
	    ranges_has(args->targets, &t->addr) &&
	    !ranges_has(args->excluded, &t->addr);
}

static bool
followup_check(const struct role_args *args, const struct followup *f)
{
	return is_swept(args, &f->target) && f->kind < KIND_COUNT &&
	    f->attempt < ATTEMPTS && f->protocol < PROTOCOL_COUNT &&
	    f->why < OUTCOME_COUNT;
}

static int
take_row(struct batch *b, const struct role_args *args, const uint8_t *bytes,
    size_t len, uint64_t now_us)
{
	struct target target;
	struct head h;

	if (!record_check(bytes, len))
		return -1;
	memcpy(&h, bytes, sizeof h);
	target = head_target(&h);
	/* A time that cannot be would hide later answers. */
	if (!is_swept(args, &target) || h.outcome == OUTCOME_NONE ||
	    h.time_us > now_us + DAY_US)
		return -1;
	return keep(b, ENTRY_ROW, bytes, len);
}

/* The name before the bytes, as they are stored. */
static int
take_cert(
    struct batch *b, const struct record_header *header, const uint8_t *der)
{
	uint8_t named[WIRE_MESSAGE_MAX], sum[SHA256_DIGEST_LENGTH];

	if (header->len == 0 ||
	    header->len > sizeof named - sizeof header->sha256 ||
	    SHA256(der, header->len, sum) == NULL ||
	    memcmp(sum, header->sha256, sizeof sum) != 0)
		return -1;
	memcpy(named, header->sha256, sizeof header->sha256);
	memcpy(named + sizeof header->sha256, der, header->len);
	return keep(b, ENTRY_CERT, named, sizeof header->sha256 + header->len);
}

int
batch_take_record(struct batch *b, const struct role_args *args,
    const uint8_t *message, size_t len, uint64_t now_us)
{
	struct record_header header;
	const uint8_t *rest = message + sizeof header;

	if (len < sizeof header)
		return -1;
	memcpy(&header, message, sizeof header);
	if (header.len != len - sizeof header)
		return -1;
	switch (header.type) {
	case MSG_RECORD:
		return take_row(b, args, rest, header.len, now_us);
	case MSG_CERT:
		return take_cert(b, &header, rest);
	default:
		return -1;
	}
}

static bool
note_check(const struct role_args *args, uint32_t type, const uint8_t *bytes)
{
	struct note_pending p;
	struct note_outcome o;
	struct note_canary n;
	struct followup f;

	switch (type) {
	case NOTE_PENDING:
		memcpy(&p, bytes, sizeof p);
		return is_swept(args, &p.target) && p.kind < KIND_COUNT &&
		    p.attempt < ATTEMPTS && p.protocol < PROTOCOL_COUNT;
	case NOTE_OUTCOME:
		memcpy(&o, bytes, sizeof o);
		return is_swept(args, &o.contact.target) &&
		    o.outcome != OUTCOME_NONE && o.outcome < OUTCOME_COUNT &&
		    o.contact.protocol < PROTOCOL_COUNT &&
		    o.contact.kind <= KIND_INJECTION &&
		    o.contact.attempt < ATTEMPTS;
	case NOTE_CANARY:
		memcpy(&n, bytes, sizeof n);
		return ranges_has(args->targets, &n.addr) &&
		    !ranges_has(args->excluded, &n.addr);
	default:
		memcpy(&f, bytes, sizeof f);
		return followup_check(args, &f);
	}
}

int
batch_take_notes(struct batch *b, const struct role_args *args,
    const uint8_t *message, size_t len)
{
	static const size_t sizes[] = { [NOTE_PENDING] =
					    sizeof(struct note_pending),
		[NOTE_OUTCOME] = sizeof(struct note_outcome),
		[NOTE_FOLLOWUP] = sizeof(struct followup),
		[NOTE_CANARY] = sizeof(struct note_canary) };
	struct note_header header;
	size_t size;
	int rc = 0;

	if (len < sizeof header)
		return -1;
	memcpy(&header, message, sizeof header);
	if (header.type >= sizeof sizes / sizeof sizes[0] ||
	    (size = sizes[header.type]) == 0 ||
	    (len - sizeof header) / size != header.count ||
	    (len - sizeof header) % size != 0)
		return -1;
	message += sizeof header;
	for (uint32_t i = 0; i < header.count; i++, message += size)
		if (!note_check(args, header.type, message) ||
		    keep(b, header.type, message, size) != 0)
			rc = -1;
	return rc;
}

int
batch_take_name(struct batch *b, const uint8_t *message, size_t len)
{
	struct resolved r;
	char clean[HOSTNAME_CAP];

	if (len != sizeof r)
		return -1;
	memcpy(&r, message, sizeof r);
	if (memchr(r.name, '\0', sizeof r.name) == NULL || r.confirmed > 1 ||
	    (r.name[0] == '\0' && r.confirmed))
		return -1;
	if (r.name[0] != '\0' &&
	    (!hostname_clean(r.name, clean) || strcmp(r.name, clean) != 0))
		return -1;
	return keep(b, ENTRY_NAME, &r, sizeof r);
}

static void
apply_row(struct batch_context *c, const uint8_t *bytes, size_t len)
{
	uint8_t body[BODY_MAX];
	struct record r;

	record_init(&r, body, sizeof body);
	memcpy(&r.head, bytes, sizeof r.head);
	r.len = (uint32_t)(len - HEAD_SIZE - sizeof r.len);
	memcpy(body, bytes + HEAD_SIZE + sizeof r.len, r.len);
	outcome_record(c, &r);
}

static void
apply_outcome(struct batch_context *c, const uint8_t *bytes)
{
	struct note_outcome n;

	memcpy(&n, bytes, sizeof n);
	outcome_bare(c, &n.contact, (enum outcome)n.outcome, n.when_us);
}

/*
 * One that was given up, always over a limit of ours, and says so once more:
 * it repeats its SYN-ACK for ever, and would begin again at nothing.
 */
static bool
is_given_up(struct live *l, const struct followup *f)
{
	struct head h;

	return f->why == OUTCOME_LIMITED && live_head(l, &f->target, &h) &&
	    h.outcome == OUTCOME_LIMITED;
}

static void
apply_followup(struct batch_context *c, const uint8_t *bytes)
{
	struct pending p = { 0 };
	struct followup f;

	memcpy(&f, bytes, sizeof f);
	p.kind = f.kind;
	p.attempt = f.attempt;
	if (is_given_up(c->live, &f))
		live_pending_delete(c->live, &f.target);
	else if (!pending_again(c->live, &f))
		batch_give_up(c, &f.target, &p, OUTCOME_LIMITED);
}

static void
apply_entry(struct batch_context *c, const struct entry *e, const uint8_t *at)
{
	struct note_pending pending;
	struct note_canary canary;
	struct resolved name;

	switch (e->type) {
	case ENTRY_ROW:
		apply_row(c, at, e->len);
		break;
	case ENTRY_CERT:
		live_put_cert(
		    c->live, at, at + SHA256_LEN, e->len - SHA256_LEN);
		break;
	case ENTRY_NAME:
		memcpy(&name, at, sizeof name);
		(void)live_name_put(
		    c->live, &name.addr, name.name, name.confirmed);
		break;
	case NOTE_PENDING:
		memcpy(&pending, at, sizeof pending);
		pending_answered(c->live, &pending, c->now_us);
		second_canary(c, &pending.target.addr);
		break;
	case NOTE_CANARY:
		memcpy(&canary, at, sizeof canary);
		live_canary_answered(c->live, &canary.addr);
		break;
	case NOTE_OUTCOME:
		apply_outcome(c, at);
		break;
	case NOTE_FOLLOWUP:
		apply_followup(c, at);
		break;
	}
}

/* It was on its way when its owner asked to be left out. */
static bool
is_left_out(
    struct batch_context *c, const struct entry *e, const uint8_t *bytes)
{
	struct addr a;

	if (c->optouts == NULL || e->type == ENTRY_CERT)
		return false;
	a = address_of(e->type, bytes);
	if (!ranges_has(c->optouts, &a))
		return false;
	if (e->type == ENTRY_ROW || e->type == NOTE_OUTCOME) {
		c->counts.received++;
		c->counts.refused++;
	}
	return true;
}

/*
 * By address: of what is said of one, in the order in which it came.
 * Certificates first.
 */
void
batch_apply(struct batch *b, struct batch_context *c)
{
	const struct place *p = order_sort(b->order, b->spare, b->n);
	struct entry e;

	memset(&c->counts, 0, sizeof c->counts);
	for (const struct place *end = p + b->n; p < end; p++) {
		memcpy(&e, b->bytes + p->at, sizeof e);
		if (!is_left_out(c, &e, b->bytes + p->at + sizeof e))
			apply_entry(c, &e, b->bytes + p->at + sizeof e);
	}
}
