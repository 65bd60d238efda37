/*
 * run_roles.c: roles that do next to nothing, or what they must not, for
 * test_run.c: the sensor's name in the configuration says which.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/conf.h"
#include "engine/log.h"
#include "engine/optouts.h"
#include "engine/ranges.h"
#include "engine/role.h"
#include "engine/sandbox.h"
#include "engine/stats.h"
#include "engine/wire.h"

/* conf.sensor says what shall go wrong. */
static bool
should(const struct role_args *args, const char *what)
{
	return strcmp(args->conf->sensor, what) == 0;
}

/* As the real ones: store reads the list, the others put it in force. */
static void
deal_with_optouts(const struct control *c)
{
	static struct optouts coming;
	struct addr a = addr_from4(0x0a000001);
	struct ranges *set = NULL;

	if (c->type == CTL_OPTOUT_LIST) {
		set = optouts_take(&coming, c);
		if (set != NULL)
			(void)optouts_done(FD_CONTROL, coming.number);
	} else if (c->type == CTL_OPTOUT_READ) {
		set = ranges_new();
		if (set != NULL && ranges_add(set, &a, &a) == 0 &&
		    ranges_seal(set) == 0 &&
		    optouts_tell(FD_CONTROL, set, c->u.number) == 0)
			(void)optouts_done(FD_CONTROL, c->u.number);
	}
	ranges_free(set);
}

/* The next control message, or what the parent's end means. */
static uint32_t
await(struct control *c)
{
	struct pollfd p = { .fd = FD_CONTROL, .events = POLLIN };

	for (;;) {
		int n;

		poll(&p, 1, -1);
		n = control_recv(FD_CONTROL, c);
		if (n == 0)
			return CTL_STOP;
		if (n == 1) {
			deal_with_optouts(c);
			return c->type;
		}
	}
}

static void
await_stop(void)
{
	struct control c;

	while (await(&c) != CTL_STOP)
		;
}

int
send_main(const struct role_args *args)
{
	struct control c;

	sandbox_enter(ROLE_SEND, args->conf, 0);
	while (await(&c) != CTL_STOP)
		if (c.type == CTL_RATE && c.u.rate == args->conf->rate) {
			stats_set(args->stats, args->slot, STAT_SEND_PASSED,
			    args->sweep->n);
			control_send(FD_CONTROL, CTL_SENT, NULL, 0);
		}
	return 0;
}

int
packet_main(const struct role_args *args)
{
	sandbox_enter(ROLE_PACKET, args->conf, 0);
	await_stop();
	return 0;
}

int
dial_main(const struct role_args *args)
{
	sandbox_enter(ROLE_DIAL, args->conf, 0);
	if (should(args, "dial-dies"))
		return 5;
	await_stop();
	return 0;
}

static void
pause_for_good(void)
{
	for (;;)
		poll(NULL, 0, -1);
}

int
probe_main(const struct role_args *args)
{
	unsigned life =
	    (unsigned)stats_get(args->stats, args->slot, STAT_PROBE_HANDSHAKES);

	stats_add(args->stats, args->slot, STAT_PROBE_HANDSHAKES, 1);
	if (should(args, "probe-never-begins") ||
	    (should(args, "probe-begins-late") && life == 0))
		return 9; /* without a word */
	sandbox_enter(ROLE_PROBE, args->conf, args->instance);
	stats_set(args->stats, args->slot, STAT_PROBE_OPEN, life == 0);
	if (should(args, "probe-crashes"))
		return 9;
	if (should(args, "probe-socket") && life == 0)
		(void)!socket(AF_UNIX, SOCK_STREAM, 0);
	if (should(args, "probe-open") && life == 0)
		(void)!open("/", O_RDONLY);
	if (should(args, "probe-fork") && life == 0)
		(void)!fork();
	while (should(args, "probe-floods") && life == 0)
		(void)!control_send(FD_CONTROL, CTL_SWEPT, NULL, 0);
	if (should(args, "probe-is-deaf") && life == 0) {
		struct pollfd p = { .fd = FD_CONTROL, .events = POLLIN };
		struct control c;

		/* Unread messages would take our READY with them (RESET). */
		while (
		    poll(&p, 1, 300) == 1 && control_recv(FD_CONTROL, &c) == 1)
			;
		close(FD_CONTROL);
		pause_for_good();
	}
	if (!should(args, "nothing-ends"))
		wire_send(FD_RECORDS, "done", 4);
	await_stop();
	return 0;
}

int
resolve_main(const struct role_args *args)
{
	unsigned life;

	sandbox_enter(ROLE_RESOLVE, args->conf, 0);
	life =
	    (unsigned)stats_get(args->stats, args->slot, STAT_RESOLVE_QUERIES);
	stats_add(args->stats, args->slot, STAT_RESOLVE_QUERIES, 1);
	stats_set(args->stats, args->slot, STAT_RESOLVE_OPEN, life == 0);
	if (should(args, "resolves") && life == 0)
		(void)!socket(AF_INET, SOCK_DGRAM, 0);
	wire_send(FD_RESOLVE, "lives", 5);
	await_stop();
	return 0;
}

static void
seal(const struct role_args *args)
{
	struct control_sealed s = { .rows = 3,
		.balanced = !should(args, "unbalanced"),
		.path = "sealed/x.mdb" };

	control_send(FD_CONTROL, CTL_SEALED, &s, sizeof s);
}

int
store_main(const struct role_args *args)
{
	struct sweep sweep = {
		.id = "test", .n = 7, .shards = 1, .threads = 1
	};
	char bytes[16];
	struct control c;
	/* Who lives on the wire of names is waited for as well. */
	bool stop = false, lives = !should(args, "resolves"), done = false;
	unsigned ended = 0;

	if (chdir(args->conf->store) < 0)
		fatal("%s", args->conf->store);
	control_send(FD_CONTROL, CTL_SWEEP, &sweep, sizeof sweep);
	sandbox_enter(ROLE_STORE, args->conf, 0);
	if (should(args, "store-escapes") && open("/etc", O_RDONLY) >= 0)
		return 6;
	while (!stop) {
		struct pollfd p[] = { { FD_CONTROL, POLLIN, 0 },
			{ FD_RECORDS, POLLIN, 0 },
			{ lives ? -1 : FD_RESOLVE, POLLIN, 0 } };

		poll(p, 3, -1);
		if (p[1].revents && wire_recv(FD_RECORDS, bytes, 16) == 4)
			ended++;
		if (p[2].revents)
			lives = wire_recv(FD_RESOLVE, bytes, 16) == 5;
		if (ended == args->conf->probes && lives && !done)
			done =
			    control_send(FD_CONTROL, CTL_SWEPT, NULL, 0) == 0;
		if (p[0].revents == 0 || await(&c) == 0)
			continue;
		stop = c.type == CTL_STOP || c.type == CTL_SEAL;
		if (c.type == CTL_SEAL && !should(args, "seal-fails"))
			seal(args);
	}
	return 0;
}
