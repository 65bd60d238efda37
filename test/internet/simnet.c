/* simnet.c: loads the simulated internet, sets it, reads what it counted. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <net/if.h>

#include "simnet.h"

enum { PATH_CAP = 512, LINE_CAP = 128, OBJECT_FAILED = 1, USAGE = 2 };

static const char usage[] =
    "usage: simnet attach DIR OBJECT INTERFACE [OPTION=VALUE...]\n"
    "       simnet set DIR OPTION=VALUE...\n"
    "       simnet counters [-z] DIR\n"
    "       simnet list DIR PREFIX     the IPv4 addresses that are open\n"
    "       simnet filter DIR          ... those of standard input\n"
    "options: seed=N open= closed= greet= reset= every= lost= lost_there=\n"
    "         lost_back=SHARE (0 to 1) port=N[,N...] slice=FIRST:SIZE:N\n"
    "         pass=PREFIX\n";

static int
fail(const char *what, int error)
{
	fprintf(stderr, "simnet: %s: %s\n", what, strerror(error));
	return OBJECT_FAILED;
}

/* ---- options ------------------------------------------------------------- */

static int
set_share(__u64 *to, const char *text)
{
	char *end;
	double share = strtod(text, &end);

	if (end == text || *end != '\0' || !(share >= 0 && share <= 1))
		return -1;
	*to = (__u64)(share * (double)SIM_ALL);
	return 0;
}

static int
set_seed(struct sim_conf *c, const char *text)
{
	char *end;

	c->seed = strtoull(text, &end, 10);
	return end == text || *end != '\0' ? -1 : 0;
}

static int
set_lost(struct sim_conf *c, const char *text)
{
	if (set_share(&c->lost_there, text) != 0)
		return -1;
	c->lost_back = c->lost_there;
	return 0;
}

/* The next number of a list; false: there is none. */
static bool
next_port(const char **at, __u16 *port)
{
	char *end;
	unsigned long n = strtoul(*at, &end, 10);

	if (end == *at || n > UINT16_MAX)
		return false;
	*port = (__u16)n;
	*at = *end == '\0' ? end : end + 1;
	return true;
}

static int
set_ports(struct sim_conf *c, const char *text)
{
	memset(c->port, 0, sizeof c->port);
	for (c->nports = 0; *text != '\0'; c->nports++)
		if (c->nports == SIM_PORTS_MAX ||
		    !next_port(&text, &c->port[c->nports]))
			return -1;
	return 0;
}

static int
set_slice(struct sim_conf *c, const char *text)
{
	return next_port(&text, &c->slice_first) &&
		next_port(&text, &c->slice_size) &&
		next_port(&text, &c->slices) && *text == '\0'
	    ? 0
	    : -1;
}

/* An IPv4 prefix as first address and mask, host order. */
static int
read_prefix(const char *text, __u32 *net, __u32 *mask)
{
	char part[INET_ADDRSTRLEN + 4], *slash;
	struct in_addr a;
	unsigned long bits;

	if (snprintf(part, sizeof part, "%s", text) >= (int)sizeof part ||
	    (slash = strchr(part, '/')) == NULL)
		return -1;
	*slash = '\0';
	bits = strtoul(slash + 1, NULL, 10);
	if (inet_pton(AF_INET, part, &a) != 1 || bits < 1 || bits > 32)
		return -1;
	*mask = UINT32_MAX << (32 - bits);
	*net = ntohl(a.s_addr) & *mask;
	return 0;
}

static int
set_pass(struct sim_conf *c, const char *text)
{
	return read_prefix(text, &c->pass_net, &c->pass_mask);
}

#define SHARE(name)                                                 \
	static int set_##name(struct sim_conf *c, const char *text) \
	{                                                           \
		return set_share(&c->name, text);                   \
	}
SHARE(open)
SHARE(closed)
SHARE(greet)
SHARE(reset)
SHARE(every)
SHARE(lost_there)
SHARE(lost_back)

static const struct {
	const char *name;
	int (*set)(struct sim_conf *, const char *);
} options[] = { { "seed", set_seed }, { "open", set_open },
	{ "closed", set_closed }, { "greet", set_greet },
	{ "reset", set_reset }, { "every", set_every }, { "lost", set_lost },
	{ "lost_there", set_lost_there }, { "lost_back", set_lost_back },
	{ "port", set_ports }, { "slice", set_slice }, { "pass", set_pass } };

static int
set_one(struct sim_conf *c, const char *text)
{
	const char *value = strchr(text, '=');

	for (size_t i = 0; value && i < sizeof options / sizeof *options; i++)
		if (strlen(options[i].name) == (size_t)(value - text) &&
		    strncmp(options[i].name, text, (size_t)(value - text)) == 0)
			return options[i].set(c, value + 1);
	return -1;
}

static int
set_all(struct sim_conf *c, char **text)
{
	for (; *text != NULL; text++)
		if (set_one(c, *text) != 0) {
			fprintf(stderr, "simnet: %s: no such option\n%s", *text,
			    usage);
			return -1;
		}
	return 0;
}

/* ---- maps, pinned below a directory of this run -------------------------- */

static int
open_map(const char *dir, const char *name)
{
	char path[PATH_CAP];
	int fd;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	fd = bpf_obj_get(path);
	if (fd < 0)
		fail(path, errno);
	return fd;
}

static int
read_conf(const char *dir, struct sim_conf *c)
{
	__u32 zero = 0;
	int fd = open_map(dir, "sim_conf");

	if (fd < 0)
		return -1;
	return bpf_map_lookup_elem(fd, &zero, c) == 0 ? fd : -1;
}

static int
set(const char *dir, char **text)
{
	struct sim_conf c;
	__u32 zero = 0;
	int fd = read_conf(dir, &c);

	if (fd < 0)
		return OBJECT_FAILED;
	if (set_all(&c, text) != 0)
		return USAGE;
	if (bpf_map_update_elem(fd, &zero, &c, BPF_ANY) != 0)
		return fail("sim_conf", errno);
	return 0;
}

static int
counters(const char *dir, bool to_zero)
{
	static const char *const names[] = {
#define X(id, name) name,
		SIM_COUNTERS(X)
#undef X
	};
	int fd = open_map(dir, "sim_counts"),
	    ncpus = libbpf_num_possible_cpus();
	struct sim_counts *each = calloc((size_t)ncpus, sizeof *each);
	__u32 zero = 0;
	int rc = 0;

	if (fd < 0 || each == NULL ||
	    bpf_map_lookup_elem(fd, &zero, each) != 0) {
		free(each);
		return fail("sim_counts", errno);
	}
	for (int k = 0; k < SIM_COUNT; k++) {
		uint64_t sum = 0;

		for (int i = 0; i < ncpus; i++)
			sum += each[i].n[k];
		printf("%s %" PRIu64 "\n", names[k], sum);
	}
	memset(each, 0, (size_t)ncpus * sizeof *each);
	if (to_zero && bpf_map_update_elem(fd, &zero, each, BPF_ANY) != 0)
		rc = fail("sim_counts", errno);
	free(each);
	return rc;
}

/* ---- start --------------------------------------------------------------- */

static int
attach_program(struct bpf_object *o, unsigned ifindex)
{
	struct bpf_program *p = bpf_object__find_program_by_name(o, "simnet");
	struct bpf_tc_hook hook = { .sz = sizeof hook,
		.ifindex = (int)ifindex,
		.attach_point = BPF_TC_INGRESS };
	struct bpf_tc_opts program = { .sz = sizeof program };
	int rc = bpf_tc_hook_create(&hook);

	if (rc != 0 && rc != -EEXIST)
		return rc;
	program.prog_fd = bpf_program__fd(p);
	return bpf_tc_attach(&hook, &program);
}

static int
attach(const char *dir, const char *object, const char *interface, char **text)
{
	struct sim_conf c = { .ifindex = if_nametoindex(interface),
		.text = { "-ERR not today\r\n" } };
	struct bpf_object *o;
	__u32 zero = 0;
	int rc, fd;

	if (c.ifindex == 0)
		return fail(interface, errno);
	if (set_all(&c, text) != 0)
		return USAGE;
	o = bpf_object__open_file(object, NULL);
	if (o == NULL || bpf_object__load(o) != 0)
		return fail(object, errno);
	fd = bpf_object__find_map_fd_by_name(o, "sim_conf");
	if (bpf_map_update_elem(fd, &zero, &c, BPF_ANY) != 0 ||
	    bpf_object__pin_maps(o, dir) != 0)
		return fail(dir, errno);
	rc = attach_program(o, c.ifindex);
	bpf_object__close(o);
	return rc == 0 ? 0 : fail(interface, -rc);
}

/* ---- who should be found ------------------------------------------------- */

static int
list(const char *dir, const char *prefix)
{
	struct sim_conf c;
	__u32 net, mask;

	if (read_prefix(prefix, &net, &mask) != 0) {
		fprintf(stderr, "simnet: %s: a prefix was expected\n", prefix);
		return USAGE;
	}
	if (read_conf(dir, &c) < 0)
		return OBJECT_FAILED;
	for (uint64_t a = net; a <= (net | ~mask); a++)
		if (sim_is_open(&c, sim_host(&c, 0, a)))
			printf("%u.%u.%u.%u\n", (unsigned)(a >> 24),
			    (unsigned)(a >> 16 & 0xff),
			    (unsigned)(a >> 8 & 0xff), (unsigned)(a & 0xff));
	return 0;
}

static uint64_t
word64(const uint8_t *b)
{
	uint64_t w = 0;

	for (int i = 0; i < 8; i++)
		w = w << 8 | b[i];
	return w;
}

static int
filter(const char *dir)
{
	char line[LINE_CAP];
	struct sim_conf c;

	if (read_conf(dir, &c) < 0)
		return OBJECT_FAILED;
	while (fgets(line, sizeof line, stdin) != NULL) {
		uint8_t b[16];
		uint64_t host;

		line[strcspn(line, "\n")] = '\0';
		if (inet_pton(AF_INET6, line, b) == 1)
			host = sim_host(&c, word64(b), word64(b + 8));
		else if (inet_pton(AF_INET, line, b) == 1)
			host = sim_host(&c, 0, word64(b) >> 32);
		else
			continue;
		if (sim_is_open(&c, host))
			puts(line);
	}
	return 0;
}

int
main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";

	if (strcmp(what, "attach") == 0 && argc > 4)
		return attach(argv[2], argv[3], argv[4], argv + 5);
	if (strcmp(what, "set") == 0)
		return set(argv[2], argv + 3);
	if (strcmp(what, "counters") == 0 && argc == 3)
		return counters(argv[2], false);
	if (strcmp(what, "counters") == 0 && strcmp(argv[2], "-z") == 0 &&
	    argc == 4)
		return counters(argv[3], true);
	if (strcmp(what, "list") == 0 && argc == 4)
		return list(argv[2], argv[3]);
	if (strcmp(what, "filter") == 0)
		return filter(argv[2]);
	fputs(usage, stderr);
	return USAGE;
}
