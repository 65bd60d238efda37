/* bench_tx.c: what a SYN costs before the kernel has it, step by step. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "engine/sender.h"

enum { TARGET_PIECES = 2000, EXCLUDED_PIECES = 40, PORTS = 7 };

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
add(struct ranges *r, uint32_t first, uint32_t n)
{
	struct addr a = addr_from4(first), b = addr_from4(first + n - 1);

	if (ranges_add(r, &a, &b) == -1)
		abort();
}

/* About a country: 2,000 blocks of /20 to /16; 40 exclusions. */
static void
make_ranges(struct ranges *targets, struct ranges *excluded)
{
	for (uint32_t i = 0; i < TARGET_PIECES; i++)
		add(targets, 0x02000000 + i * 0x180000,
		    (uint32_t)4096 << i % 5);
	for (uint32_t i = 0; i < EXCLUDED_PIECES; i++)
		add(excluded, 0x02000400 + i * 0x5000000, 512);
	if (ranges_seal(targets) == -1 || ranges_seal(excluded) == -1)
		abort();
}

typedef void step(const struct sender_plan *, uint64_t);

static void
step_permute(const struct sender_plan *p, uint64_t i)
{
	kept += permute_at(&p->order, i);
}

static void
step_target(const struct sender_plan *p, uint64_t i)
{
	struct target t = sender_target(p, permute_at(&p->order, i));

	kept += t.addr.b[15];
}

static void
step_excluded(const struct sender_plan *p, uint64_t i)
{
	struct target t = sender_target(p, permute_at(&p->order, i));

	kept += ranges_has(p->excluded, &t.addr);
}

static void
step_cookie(const struct sender_plan *p, uint64_t i)
{
	struct target t = { addr_from4((uint32_t)i), 25 };

	kept += cookie_make(p->sweep->key, &p->ports,
	    &p->templates[0][0].source, &t, KIND_PLAIN, 0)
		    .isn;
}

static void
step_cookie6(const struct sender_plan *p, uint64_t i)
{
	struct target t = { .port = 25 };

	t.addr.b[0] = 0xfd;
	t.addr.b[15] = (uint8_t)i;
	kept += cookie_make(p->sweep->key, &p->ports,
	    &p->templates[1][0].source, &t, KIND_PLAIN, 0)
		    .isn;
}

static void
step_frame(const struct sender_plan *p, uint64_t i)
{
	struct target t = { addr_from4((uint32_t)i), 25 };
	uint8_t out[FRAME_MAX];

	kept += frame_syn(&p->templates[0][0], out, &t, 40000, (uint32_t)i);
	kept += out[50];
}

static void
step_all(const struct sender_plan *p, uint64_t i)
{
	struct target t = sender_target(p, permute_at(&p->order, i));
	const struct frame_template *from;
	uint8_t out[FRAME_MAX];
	struct cookie c;

	if (ranges_has(p->excluded, &t.addr))
		return;
	from = sender_template(p, &t);
	c = cookie_make(
	    p->sweep->key, &p->ports, &from->source, &t, KIND_PLAIN, 0);
	kept += frame_syn(from, out, &t, c.sport, c.isn);
	kept += out[50];
}

static void
measure(const char *name, step *run, const struct sender_plan *p)
{
	enum { TIMES = 3000000 };
	double from = now_s();

	for (uint64_t i = 0; i < TIMES; i++)
		run(p, i);
	printf("bench: tx_%s %.1f ns\n", name, (now_s() - from) * 1e9 / TIMES);
}

int
main(void)
{
	static struct sender_plan plan;
	static struct conf conf = { .sport_first = 40000,
		.sport_last = 56383,
		.nports = PORTS,
		.nsources = 2 };
	static const struct frame_link links[2];
	struct ranges *targets = ranges_new(), *excluded = ranges_new();
	struct sweep sweep = { .seed = 1, .shards = 1, .threads = 1 };

	if (targets == NULL || excluded == NULL)
		return 1;
	make_ranges(targets, excluded);
	for (int i = 0; i < PORTS; i++)
		conf.ports[i].port = (uint16_t)(25 + i);
	conf.sources[0] = addr_from4(0xc0000201);
	conf.sources[1].b[0] = 0xfd;
	sweep.n = ranges_count(targets) * PORTS;
	if (sender_plan_init(&plan, &conf, targets, excluded, &sweep, links) ==
	    -1)
		return 1;
	measure("permute", step_permute, &plan);
	measure("permute_ranges", step_target, &plan);
	measure("permute_ranges_excluded", step_excluded, &plan);
	measure("cookie_ip4", step_cookie, &plan);
	measure("cookie_ip6", step_cookie6, &plan);
	measure("frame", step_frame, &plan);
	measure("all", step_all, &plan);
	ranges_free(targets);
	ranges_free(excluded);
	return kept == 0;
}
