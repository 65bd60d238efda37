/* bench_start.c: what large lists of addresses cost at the start, and later. */
#include <sys/mman.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/aim.h"
#include "engine/conf.h"
#include "engine/permute.h"
#include "engine/ranges.h"

enum {
	PREFIXES = 10000,
	EXCLUSIONS = 100000,
	HITLIST = 1000000,
	LOOKUPS = 4000000,
	PATH_CAP = 256,
	RUNS = 3
};

/* Kept, so that no look-up can be left out by the compiler. */
static uint64_t kept;

/* Where all files go; the last word of each path is in its place. */
static char dir[] = "/tmp/bench_start.XXXXXX";

/* Processor time: nothing here waits, and others work beside us. */
static double
now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t
draw(void)
{
	static uint64_t x = 1;

	x = x * 6364136223846793005u + 1442695040888963407u;
	return x >> 32;
}

static FILE *
create(const char *name)
{
	char path[PATH_CAP];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	f = fopen(path, "w");
	if (f == NULL)
		abort();
	return f;
}

/* Random prefixes below 240.0.0.0, so many bits long or longer. */
static void
make_prefixes(const char *name, unsigned n, unsigned least, unsigned most)
{
	FILE *f = create(name);

	for (unsigned i = 0; i < n; i++) {
		unsigned bits = least + (unsigned)(draw() % (most - least + 1));
		uint32_t a = (uint32_t)draw() & ~(UINT32_MAX >> bits);

		fprintf(f, "%u.%u.%u.%u/%u\n", (a >> 24) % 240, a >> 16 & 0xff,
		    a >> 8 & 0xff, a & 0xff, bits);
	}
	fclose(f);
}

static void
make_hitlist(const char *name, bool four)
{
	FILE *f = create(name);

	for (unsigned i = 0; i < HITLIST; i++) {
		unsigned a = (unsigned)draw(), b = (unsigned)draw();

		if (four)
			fprintf(f, "%u.%u.%u.%u\n", (a >> 24) % 240,
			    a >> 16 & 0xff, a >> 8 & 0xff, a & 0xff);
		else
			fprintf(f, "2001:%x:%x::%x:%x\n", a >> 16, a & 0xffff,
			    b >> 16, b & 0xffff);
	}
	fclose(f);
}

static void
make_conf(const char *name, const char *targets, const char *excluded)
{
	FILE *f = create(name);

	fprintf(f,
	    "helo = \"scan.example.net\"\ncontact = \"a@example.net\"\n"
	    "interface = \"lo\"\nsource = { \"127.0.0.1\", \"::1\" }\n"
	    "targets = { \"@%s/%s\" }\nexclude = { \"@%s/%s\" }\n",
	    dir, targets, dir, excluded);
	fclose(f);
}

struct loaded {
	struct ranges *targets, *excluded;
};

/* As at a start: the parent reads, one child gets it over a memfd. */
static double
load(const char *name, struct loaded *l)
{
	static struct conf conf, copy;
	struct ranges *targets, *excluded;
	char path[PATH_CAP];
	double begin;
	char *products;
	int fd = memfd_create(name, MFD_CLOEXEC);

	snprintf(path, sizeof path, "%s/%s", dir, name);
	begin = now_s();
	if (fd < 0 || conf_read(path, &conf, &targets, &excluded, NULL) != 0 ||
	    conf_save(fd, &conf, targets, excluded, "") != 0 ||
	    conf_load(fd, &copy, &l->targets, &l->excluded, &products) != 0)
		abort();
	begin = now_s() - begin;
	free(products);
	ranges_free(targets);
	ranges_free(excluded);
	close(fd);
	return begin;
}

static void
unload(struct loaded *l)
{
	ranges_free(l->targets);
	ranges_free(l->excluded);
}

/* The least of a few: what others do on the machine only adds. */
static void
bench_load(const char *figure, const char *name, struct loaded *l)
{
	double least = 0;

	for (int i = 0; i < RUNS; i++) {
		double s;

		if (i > 0)
			unload(l);
		s = load(name, l);
		if (i == 0 || s < least)
			least = s;
	}
	printf("bench: %s %.1f ms\n", figure, least * 1e3);
}

/* Batches of targets in the order of a sweep, as send looks them up. */
static double
lookup(const struct aims *aims, const struct permute *order, uint64_t n)
{
	struct aim found[AIMS_MAX];
	uint64_t indices[AIMS_MAX];
	double begin = now_s();

	for (uint64_t i = 0; i < LOOKUPS; i += AIMS_MAX) {
		permute_many(order, i % (n - AIMS_MAX), 1, AIMS_MAX, indices);
		aims_find(aims, indices, AIMS_MAX, found);
		kept += found[0].lo + found[AIMS_MAX - 1].excluded;
	}
	return (now_s() - begin) * 1e9 / LOOKUPS;
}

/* And what send makes of it first. */
static void
bench_lookup(
    const char *made_figure, const char *figure, const struct loaded *l)
{
	static const uint16_t port = 110;
	uint64_t n = ranges_count(l->targets);
	double made = now_s(), least = 0;
	struct permute order;
	struct aims *aims = aims_new(l->targets, l->excluded, NULL, &port, 1);

	made = now_s() - made;
	if (aims == NULL)
		abort();
	permute_init(&order, n, 1);
	for (int i = 0; i < RUNS; i++) {
		double ns = lookup(aims, &order, n);

		if (i == 0 || ns < least)
			least = ns;
	}
	printf("bench: %s %.1f ms\n", made_figure, made * 1e3);
	printf("bench: %s %.1f ns\n", figure, least);
	aims_free(aims);
}

static void
bench_all(const char *name, const char *load_figure, const char *made_figure,
    const char *lookup_figure)
{
	struct loaded l;

	bench_load(load_figure, name, &l);
	bench_lookup(made_figure, lookup_figure, &l);
	unload(&l);
}

static void
remove_all(void)
{
	static const char *const names[] = { "one", "few", "prefixes",
		"excluded", "four", "six", "plain", "large", "hitlist4",
		"hitlist6" };
	char path[PATH_CAP];

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, names[i]);
		unlink(path);
	}
	rmdir(dir);
}

int
main(void)
{
	FILE *f;

	if (mkdtemp(dir) == NULL)
		return 1;
	f = create("one");
	fputs("10.0.0.0/8\n", f);
	fclose(f);
	make_prefixes("few", 40, 16, 24);
	make_prefixes("prefixes", PREFIXES, 12, 24);
	make_prefixes("excluded", EXCLUSIONS, 20, 32);
	make_hitlist("four", true);
	make_hitlist("six", false);
	make_conf("plain", "one", "few");
	make_conf("large", "prefixes", "excluded");
	make_conf("hitlist4", "four", "few");
	make_conf("hitlist6", "six", "few");
	bench_all(
	    "plain", "start_plain_ms", "aims_plain_ms", "target_plain_ns");
	bench_all("large", "start_prefixes_ms", "aims_prefixes_ms",
	    "target_prefixes_ns");
	bench_all("hitlist4", "start_hitlist4_ms", "aims_hitlist4_ms",
	    "target_hitlist4_ns");
	bench_all("hitlist6", "start_hitlist6_ms", "aims_hitlist6_ms",
	    "target_hitlist6_ns");
	remove_all();
	return kept == 0;
}
