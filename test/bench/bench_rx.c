/* bench_rx.c: what an answer costs once the kernel has given it to us. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/flow.h"
#include "engine/frame.h"
#include "engine/notes.h"
#include "engine/ranges.h"
#include "engine/segment.h"
#include "engine/stats.h"

/*
 * Answers of hosts spread over 10.0.0.0/8, read in the order of a sweep: each
 * meets memory that nobody has touched lately.
 */
enum {
	ANSWERS = 1 << 20,
	WAITING = 2000000,
	BATCH = FLOW_BATCH,
	NOTES = 8 * FLOW_BATCH,
	SPREAD = 0x9e3779b1 /* odd: a bijection of 32 bits */
};

struct answer {
	uint8_t frame[FRAME_MAX];
	uint32_t len;
};

struct bench {
	struct conf conf;
	struct sweep sweep;
	struct stats stats;
	struct role_args args;
	struct source_ports ports;
	struct frame_link ends;
	struct notes *notes;
	struct flow *flow;
	struct answer *answers;
	uint8_t out[FRAME_MAX];
	uint64_t sent;
};

/* Kept, so that no step can be left out by the compiler. */
static uint64_t kept;

static double
now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
answer(void *context, unsigned source, uint16_t sport, const struct target *t,
    uint32_t seq, uint32_t ack, uint8_t flags, uint16_t window)
{
	struct bench *b = context;

	kept += frame_bare(&b->ends, b->out, &b->conf.sources[source], sport, t,
	    seq, ack, flags, window);
	kept += b->out[40];
	b->sent++;
}

static int
hand_on(void *context, const struct handoff *const *h, unsigned n)
{
	(void)context;
	for (unsigned i = 0; i < n; i++)
		kept += h[i]->len;
	return (int)n;
}

static void
note(void *context, enum note_type type, const void *item, size_t len)
{
	struct bench *b = context;

	notes_add(b->notes, type, item, len);
}

static bool
noted(void *context)
{
	(void)context;
	return true;
}

static const struct flow_actions actions = { answer, hand_on, note, noted };

static struct target
target_of(uint32_t i)
{
	return (struct target){
		addr_from4(0x0a000000 | (i * SPREAD >> 8 & 0xffffff)), 110
	};
}

/* A SYN-ACK as Linux sends it, or the RST of a closed port. */
static void
make_answer(const struct bench *b, struct answer *a, struct target t,
    uint32_t i, bool open)
{
	static const uint8_t options[] = { 2, 4, 5, 0xb4, 1, 1, 4, 2, 1, 3, 3,
		7 };
	struct target us = { b->conf.sources[0], 0 };
	struct cookie c = cookie_make(
	    b->sweep.key, &b->ports, &b->conf.sources[0], &t, KIND_PLAIN, 0);

	us.port = c.sport;
	a->len = (uint32_t)frame_bare(&b->ends, a->frame, &t.addr, t.port, &us,
	    open ? i : 0, c.isn + 1,
	    open ? TCP_SYN | TCP_ACK : TCP_RST | TCP_ACK, 64240);
	if (!open)
		return;
	memcpy(a->frame + a->len, options, sizeof options);
	a->len += (uint32_t)sizeof options;
	a->frame[17] = (uint8_t)(a->len - 14);
	a->frame[46] = (20 + (int)sizeof options) / 4 << 4;
}

static struct ranges *
set_of(const char *text)
{
	struct ranges *r = ranges_new();
	const char *expected;

	if (r == NULL || ranges_add_text(r, text, &expected) == -1 ||
	    ranges_seal(r) == -1)
		abort();
	return r;
}

static void
start(struct bench *b, uint32_t per_network, uint32_t waiting_max)
{
	struct conf *c = &b->conf;

	c->sources[0] = addr_from4(0xc0000201);
	c->nsources = 1;
	c->sport_first = 40000;
	c->sport_last = 56383;
	c->ports[0].port = 110;
	c->nports = 1;
	c->greeting_ms = c->greeting_smtp_ms = 30000;
	c->conversation_ms = 120000;
	c->answer_window_ms = 10000;
	c->per_host = 2;
	c->per_network = per_network;
	c->waiting_max = waiting_max;
	b->args.conf = c;
	b->args.sweep = &b->sweep;
	b->args.stats = &b->stats;
	b->args.slot = ROLE_PACKET;
	flow_free(b->flow);
	memset(&b->stats, 0, sizeof b->stats);
	b->flow = flow_new(&b->args, &actions, b,
	    (struct flow_time){ 1700000000000000u, 5000000 });
	if (b->flow == NULL)
		abort();
}

static void
make_room(struct bench *b)
{
	if (notes_room(b->notes) >= BATCH)
		return;
	notes_free(b->notes);
	b->notes = notes_new(NOTES);
}

static void
hear(struct bench *b, uint32_t from)
{
	flow_begin(b->flow, (struct flow_time){ 1700000000000000u, 5000000 });
	for (uint32_t i = from; i < from + BATCH; i++) {
		struct segment s;

		if (segment_parse(b->answers[i].frame, b->answers[i].len, &s) ==
		    SEGMENT_TCP)
			flow_segment(b->flow, &s, 1700000000000000u);
	}
	flow_end(b->flow);
	make_room(b);
}

static void
measure(struct bench *b, const char *name, enum stat_id what)
{
	uint64_t before = stats_get(&b->stats, ROLE_PACKET, what);
	double from = now_s();

	for (uint32_t i = 0; i < ANSWERS; i += BATCH)
		hear(b, i);
	printf(
	    "bench: rx_%s %.1f ns\n", name, (now_s() - from) * 1e9 / ANSWERS);
	if (stats_get(&b->stats, ROLE_PACKET, what) - before != ANSWERS) {
		fprintf(stderr, "rx_%s: not all were\n", name);
		exit(1);
	}
}

static void
measure_parse(const struct bench *b)
{
	double from = now_s();

	for (uint32_t i = 0; i < ANSWERS; i++) {
		struct segment s;

		kept +=
		    segment_parse(b->answers[i].frame, b->answers[i].len, &s);
		kept += s.mss;
	}
	printf("bench: rx_parse %.1f ns\n", (now_s() - from) * 1e9 / ANSWERS);
}

static void
measure_cookie(struct bench *b)
{
	double from = now_s();

	for (uint32_t i = 0; i < ANSWERS; i++) {
		struct target t = target_of(i);

		kept += cookie_check(
		    b->sweep.key, &b->ports, &b->conf.sources[0], &t, 40000, i);
	}
	printf("bench: rx_cookie %.1f ns\n", (now_s() - from) * 1e9 / ANSWERS);
}

/* Resident memory of this process, in bytes. */
static double
resident(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	char text[128] = "";
	double pages = 0;

	if (f == NULL)
		return 0;
	if (fgets(text, sizeof text, f) != NULL && strchr(text, ' ') != NULL)
		pages = strtod(strchr(text, ' '), NULL);
	fclose(f);
	return pages * (double)sysconf(_SC_PAGESIZE);
}

/* From all over, most of them alone in their network. */
static void
hear_one(struct bench *b, uint32_t i)
{
	struct target t = { addr_from4(i * SPREAD), 110 };
	struct answer a;
	struct segment s;

	make_answer(b, &a, t, i, true);
	if (segment_parse(a.frame, a.len, &s) == SEGMENT_TCP)
		flow_segment(b->flow, &s, 1700000000000000u);
}

static void
hear_all_over(struct bench *b, uint32_t *i)
{
	flow_begin(b->flow, (struct flow_time){ 1700000000000000u, 5000000 });
	for (unsigned k = 0; k < BATCH; k++)
		hear_one(b, (*i)++);
	flow_end(b->flow);
	make_room(b);
}

/*
 * Two million waiting at once, in a table of just that size. A small one
 * before it touches the pages of the program itself.
 */
static void
measure_memory(struct bench *b)
{
	double before, took;
	uint32_t i = 0;

	start(b, 16, BATCH);
	hear_all_over(b, &i);
	before = resident();
	start(b, 16, WAITING);
	while (flow_waiting(b->flow) < WAITING && i < 2 * WAITING)
		hear_all_over(b, &i);
	took = resident() - before;
	printf("bench: waiting_hosts %u of-%u\n", flow_waiting(b->flow), i);
	printf(
	    "bench: waiting_bytes %.1f bytes\n", took / flow_waiting(b->flow));
	printf("bench: waiting_mb %.1f MB\n", took / 1e6);
	if (flow_waiting(b->flow) < WAITING)
		exit(1);
}

static void
fill(struct bench *b, bool open)
{
	for (uint32_t i = 0; i < ANSWERS; i++)
		make_answer(b, &b->answers[i], target_of(i), i, open);
}

int
main(void)
{
	static struct bench b;

	memcpy(b.sweep.key, "sixteen bytes..", sizeof b.sweep.key);
	b.args.targets = set_of("10.0.0.0/8");
	b.args.excluded = set_of("198.18.0.0/15");
	b.answers = calloc(ANSWERS, sizeof *b.answers);
	b.notes = notes_new(NOTES);
	if (b.answers == NULL || b.notes == NULL ||
	    source_ports_init(&b.ports, 40000, 56383, 0) == -1)
		return 1;
	measure_memory(&b); /* before others leave memory to be used again */
	start(&b, 65535, 2 * ANSWERS);
	fill(&b, true);
	measure_parse(&b);
	measure_cookie(&b);
	measure(&b, "entered", STAT_PKT_ENTERED);
	measure(&b, "repeated", STAT_PKT_REPEATS);
	start(&b, 65535, 2 * ANSWERS);
	fill(&b, false);
	measure(&b, "closed", STAT_PKT_RST_IN);
	start(&b, 1, 2 * ANSWERS);
	fill(&b, true);
	measure(&b, "network_full", STAT_PKT_SYNACKS);
	flow_free(b.flow);
	notes_free(b.notes);
	free(b.answers);
	return kept == 0;
}
