/*
 * fuzz_wires.c: messages to store from processes in strangers' hands, applied
 * to a sweep that is running. Each message: what, two bytes of length, bytes.
 * What, modulo 8: 0 and 1 a record, 2 a certificate, 3 a name, 4 notes, 5 bytes
 * as they are, 6 and 7 time passes; 16 or more: with lengths and sums in order.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/sha.h>

#include "engine/conf.h"
#include "engine/cookie.h"
#include "engine/ranges.h"
#include "storage/batch.h"
#include "storage/layout.h"
#include "storage/naming.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum {
	HEAD = 3,
	ORDERLY = 16, /* this bit of what */
	MESSAGES_MAX = 64,
	DUE_MAX = 32,
	STEP_US = 1000000
};

#define NOW_US ((uint64_t)1795226460 * 1000000)

struct world {
	struct conf conf;
	struct role_args args;
	struct batch *batch;
	struct geo *geo;
	struct live *live;
	struct pending_rules rules;
	struct target expire_at;
	uint64_t now_us;
};

static void
must(bool holds)
{
	if (!holds)
		abort();
}

/* ---- the world ----------------------------------------------------------- */

static struct ranges *
set_of(const char *a, const char *b)
{
	struct ranges *r = ranges_new();
	const char *expected;

	must(r != NULL && ranges_add_text(r, a, &expected) == 0 &&
	    ranges_add_text(r, b, &expected) == 0 && ranges_seal(r) == 0);
	return r;
}

/* A data directory that nobody else sees: its names are gone at once. */
static struct live *
live_make(const struct conf *conf)
{
	static const char *const names[] = { LAYOUT_LIVE "/data.mdb",
		LAYOUT_LIVE "/lock.mdb", LAYOUT_LIVE, LAYOUT_CERTS,
		LAYOUT_CERTS "-lock", "" };
	char dir[] = "/tmp/mailsweep-fuzz-XXXXXX", path[128];
	char error[STORE_ERROR_MAX];
	struct live *l;

	must(mkdtemp(dir) != NULL);
	l = live_open(dir, conf->map_size, error);
	must(l != NULL);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, names[i]);
		must(remove(path) == 0);
	}
	return l;
}

static void
make(struct world *w)
{
	static const struct conf_port ports[] = { { 110, PROTOCOL_POP3, 0 },
		{ 143, PROTOCOL_IMAP, 0 }, { 993, PROTOCOL_IMAP, 1 },
		{ 25, PROTOCOL_SMTP, 0 } };
	struct conf *c = &w->conf;
	char error[STORE_ERROR_MAX];

	memcpy(c->ports, ports, sizeof ports);
	c->nports = sizeof ports / sizeof ports[0];
	c->shards = c->tx_threads = 1;
	c->map_size = 64 << 20;
	c->answer_window_ms = 1000;
	c->retries = 3;
	c->rate = 1000;
	c->hello_after_silence = c->confirm = c->injection = 1;
	c->canary = CANARY_EVERY;
	c->tls_versions = TLS_VERSIONS_ALL;
	c->resolver_port = 53;
	w->args = (struct role_args){ .conf = c,
		.targets = set_of("192.0.2.0/24", "2001:db8::/120"),
		.excluded = set_of("192.0.2.200", "10.0.0.0/8"),
		.now_us = NOW_US };
	w->geo = geo_open(c, error);
	w->batch = batch_new();
	w->rules = pending_rules_of(c);
	w->live = live_make(c);
	must(w->geo != NULL && w->batch != NULL);
}

/* ---- messages ------------------------------------------------------------ */

static uint8_t message[WIRE_MESSAGE_MAX];

static void
take_record(struct world *w, enum record_type type, const uint8_t *bytes,
    size_t len, bool orderly)
{
	struct record_header h = { .type = type, .len = (uint32_t)len };

	if (!orderly) {
		batch_take_record(w->batch, &w->args, bytes, len, w->now_us);
		return;
	}
	if (type == MSG_CERT)
		SHA256(bytes, len, h.sha256);
	memcpy(message, &h, sizeof h);
	memcpy(message + sizeof h, bytes, len);
	if (type == MSG_RECORD && len >= HEAD_SIZE + sizeof(uint32_t)) {
		uint32_t body = (uint32_t)(len - HEAD_SIZE - sizeof body);

		memcpy(message + sizeof h + HEAD_SIZE, &body, sizeof body);
	}
	batch_take_record(
	    w->batch, &w->args, message, sizeof h + len, w->now_us);
}

/* The first byte says which kind; as many as there are bytes for. */
static void
take_notes(struct world *w, const uint8_t *bytes, size_t len, bool orderly)
{
	static const size_t sizes[] = { sizeof(struct note_pending),
		sizeof(struct note_outcome), sizeof(struct followup),
		sizeof(struct note_canary) };
	struct note_header h = { .type = NOTE_PENDING };
	size_t which;

	if (!orderly || len < 1) {
		batch_take_notes(w->batch, &w->args, bytes, len);
		return;
	}
	which = bytes[0] % 4;
	h.type += (uint32_t)which;
	h.count = (uint32_t)((len - 1) / sizes[which]);
	len = h.count * sizes[which];
	memcpy(message, &h, sizeof h);
	memcpy(message + sizeof h, bytes + 1, len);
	batch_take_notes(w->batch, &w->args, message, sizeof h + len);
}

static void
take_name(struct world *w, const uint8_t *bytes, size_t len, bool orderly)
{
	struct resolved r = { .begun = 0 };

	if (orderly)
		memcpy(&r, bytes, len < sizeof r ? len : sizeof r);
	batch_take_name(w->batch, orderly ? (const uint8_t *)&r : bytes,
	    orderly ? sizeof r : len);
}

/* What is sent next is something that may be sent at all. */
static void
check_due(const struct world *w, const struct followup *f)
{
	must(f->kind < KIND_COUNT && f->attempt < ATTEMPTS);
	must(ranges_has(w->args.targets, &f->target.addr) &&
	    !ranges_has(w->args.excluded, &f->target.addr));
	must(f->kind == KIND_CANARY ||
	    conf_port(&w->conf, f->target.port) != NULL);
}

static void
check_rows(struct world *w)
{
	struct target at = { .port = 0 };
	struct pending p;
	struct head h;

	while (live_pending_next(w->live, &at, &p))
		must(live_pending_get(w->live, &at, &p));
	memset(&at, 0, sizeof at);
	must(addr_parse("192.0.2.1", &at.addr) == 0);
	for (uint32_t i = 0; i < w->conf.nports; i++) {
		at.port = w->conf.ports[i].port;
		if (live_row(w->live, &at, &h) == LIVE_HEAD)
			must(head_check(&h) && h.outcome != OUTCOME_NONE);
	}
}

static void
pass_time(struct world *w, uint64_t us)
{
	struct batch_context c = { .args = &w->args,
		.geo = w->geo,
		.live = w->live,
		.rules = &w->rules,
		.start_us = NOW_US,
		.canary_port = 20001,
		.now_us = w->now_us };
	static struct followup due[DUE_MAX];
	unsigned n;

	batch_apply(w->batch, &c);
	batch_clear(w->batch);
	must(c.counts.received ==
	    c.counts.added + c.counts.replaced + c.counts.refused);
	check_rows(w);
	w->now_us += us;
	c.now_us = w->now_us;
	pending_expire(w->live, &w->rules, w->now_us, &w->expire_at, 100,
	    batch_give_up, &c);
	n = pending_due(w->live, w->now_us, due, DUE_MAX);
	for (unsigned i = 0; i < n; i++)
		check_due(w, &due[i]);
}

static void
take(struct world *w, uint8_t what, const uint8_t *bytes, size_t len)
{
	bool orderly = what & ORDERLY;

	if (len > sizeof message - sizeof(struct record_header))
		return;
	switch (what % 8) {
	case 0:
	case 1:
		take_record(w, MSG_RECORD, bytes, len, orderly);
		break;
	case 2:
		take_record(w, MSG_CERT, bytes, len, orderly);
		break;
	case 3:
		take_name(w, bytes, len, orderly);
		break;
	case 4:
		take_notes(w, bytes, len, orderly);
		break;
	case 5:
		take_record(w, MSG_RECORD, bytes, len, false);
		break;
	default:
		pass_time(w, len > 0 ? (uint64_t)bytes[0] * STEP_US : 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct world w;

	if (w.batch == NULL)
		make(&w);
	w.now_us = NOW_US;
	memset(&w.expire_at, 0, sizeof w.expire_at);
	live_begin(w.live);
	for (int i = 0; i < MESSAGES_MAX && len >= HEAD; i++) {
		size_t n = (size_t)bytes[1] << 8 | bytes[2];

		n = n < len - HEAD ? n : len - HEAD;
		take(&w, bytes[0], bytes + HEAD, n);
		bytes += HEAD + n;
		len -= HEAD + n;
	}
	pass_time(&w, 255 * (uint64_t)STEP_US);
	must(strstr(live_error(w.live), "Successful") != NULL);
	live_abort(w.live);
	return 0;
}
