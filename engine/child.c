/* child.c: how a role starts: what it was given, then its own main. */
#include <sys/prctl.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/conf.h"
#include "engine/log.h"
#include "engine/proc.h"
#include "engine/wire.h"

enum { PROCESS_NAME_MAX = 16 }; /* of the kernel's, prctl(2) */

static int (*const entries[ROLE_COUNT])(const struct role_args *) = {
	[ROLE_SEND] = send_main,
	[ROLE_PACKET] = packet_main,
	[ROLE_DIAL] = dial_main,
	[ROLE_STORE] = store_main,
	[ROLE_PROBE] = probe_main,
	[ROLE_RESOLVE] = resolve_main,
};

static uint64_t
utc_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Wait for the sweep. False: the parent wants us to end, or has ended. */
static bool
await_sweep(struct sweep *sweep)
{
	struct pollfd p = { .fd = FD_CONTROL, .events = POLLIN };
	struct control c;

	for (;;) {
		int n;

		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			fatal("poll: %s", strerror(errno));
		n = control_recv(FD_CONTROL, &c);
		if (n == 0 || (n == 1 && c.type == CTL_STOP))
			return false;
		if (n == 1 && c.type == CTL_SWEEP && c.len == sizeof *sweep) {
			*sweep = c.u.sweep;
			return true;
		}
		if (n < 0 && errno != EAGAIN)
			fatal("control wire: %s", strerror(errno));
	}
}

/* "probe 2"; the others are alone. */
static const char *
own_name(enum role role, unsigned instance)
{
	static char name[32];

	if (role == ROLE_PROBE)
		snprintf(
		    name, sizeof name, "%s %u", role_names[role], instance);
	else
		snprintf(name, sizeof name, "%s", role_names[role]);
	return name;
}

/* What ps and top show, "exe" else: "ms-probe-2". */
static void
show_name(enum role role, unsigned instance)
{
	char name[PROCESS_NAME_MAX];

	if (role == ROLE_PROBE)
		snprintf(
		    name, sizeof name, "ms-%s-%u", role_names[role], instance);
	else
		snprintf(name, sizeof name, "ms-%s", role_names[role]);
	if (prctl(PR_SET_NAME, name, 0, 0, 0) < 0)
		fatal("prctl: %s", strerror(errno));
}

int
child_main(enum role role, unsigned instance)
{
	static struct conf conf;
	static struct sweep sweep;
	struct ranges *targets, *excluded;
	char *products;
	struct role_args args = { .conf = &conf, .instance = instance };

	log_open(own_name(role, instance), LOG_LEVEL_INFO);
	show_name(role, instance);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		fatal("prctl: %s", strerror(errno));
	if (conf_load(FD_SNAPSHOT, &conf, &targets, &excluded, &products) < 0)
		fatal("this is a part of mailsweepd that it starts itself");
	log_open(own_name(role, instance), conf.log_level);
	args.slot = stats_slot(role, instance);
	args.stats = stats_map(FD_STATS, args.slot);
	if (args.stats == NULL)
		fatal("statistics page: %s", strerror(errno));
	close(FD_SNAPSHOT);
	close(FD_STATS);
	args.targets = targets;
	args.excluded = excluded;
	args.products = products;
	args.now_us = utc_us();
	if (role != ROLE_STORE) {
		if (!await_sweep(&sweep))
			return 0;
		args.sweep = &sweep;
		args.now_us = sweep.start_us;
	}
	return entries[role](&args);
}
