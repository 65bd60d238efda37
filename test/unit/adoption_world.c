/* adoption_world.c: packet and dial in their sandboxes, and their wires. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/frame.h"
#include "engine/log.h"
#include "engine/ranges.h"
#include "engine/sports.h"
#include "test/unit/adoption_lab.h"
#include "test/unit/adoption_world.h"

enum { WIRE_BYTES = 1 << 20 };

static struct ranges *
ranges_of(const char *a, const char *b)
{
	const char *expected;
	struct ranges *r = ranges_new();

	assert_int_equal(ranges_add_text(r, a, &expected), 0);
	if (b != NULL)
		assert_int_equal(ranges_add_text(r, b, &expected), 0);
	assert_int_equal(ranges_seal(r), 0);
	return r;
}

static void
configure(struct world *w, enum follow_mode follow)
{
	enum { FIRST_PORT = 20000, RANGE = 2048, RANGES = 18 };
	static unsigned worlds;
	struct conf *c = &w->conf;

	snprintf(c->interface, sizeof c->interface, "scan0");
	assert_int_equal(addr_parse("203.0.113.2", &c->sources[0]), 0);
	assert_int_equal(addr_parse("fd00:198:20::2", &c->sources[1]), 0);
	c->nsources = 2;
	/* The server may still hold the last world's connections. */
	c->sport_first = (uint16_t)(FIRST_PORT + worlds++ % RANGES * RANGE);
	c->sport_last = (uint16_t)(c->sport_first + RANGE - 1);
	c->follow = (uint8_t)follow;
	c->ports[0] = (struct conf_port){ POP3, PROTOCOL_POP3, 0 };
	c->ports[1] = (struct conf_port){ IMAPS, PROTOCOL_IMAP, 1 };
	c->ports[2] = (struct conf_port){ SILENT, PROTOCOL_SMTP, 0 };
	c->ports[3] = (struct conf_port){ CLOSED, PROTOCOL_IMAP, 0 };
	c->nports = 4;
	c->greeting_ms = 3000;
	c->greeting_smtp_ms = 300;
	c->conversation_ms = 20000;
	c->answer_window_ms = 1000;
	c->reply_ms = 3000;
	c->per_host = 9;
	c->per_network = 99;
	c->waiting_max = 1000;
	c->capture_buffer = 4 << 20;
	c->uid_base = 64500;
	c->log_level = LOG_LEVEL_WARN;
	w->sweep.incarnation = 2;
	assert_int_equal(getrandom(w->sweep.key, sizeof w->sweep.key, 0),
	    sizeof w->sweep.key);
	assert_int_equal(source_ports_init(&w->ports, c->sport_first,
			     c->sport_last, w->sweep.incarnation),
	    0);
}

static void
place(int from, int to)
{
	must(dup2(from, to) == to && fcntl(to, F_SETFD, 0) == 0, "dup2");
}

/* High numbers, so that none is where a role expects another. */
static void
pair(int fds[2])
{
	assert_int_equal(wire_pair(fds, WIRE_BYTES), 0);
	for (int i = 0; i < 2; i++) {
		int low = fds[i];

		fds[i] = fcntl(low, F_DUPFD_CLOEXEC, 100);
		assert_true(fds[i] >= 100);
		close(low);
	}
}

static pid_t
start(struct world *w, enum role role, int control, const int (*fds)[2],
    unsigned n)
{
	struct role_args args = w->args;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid != 0)
		return pid;
	place(control, FD_CONTROL);
	for (unsigned i = 0; i < n; i++)
		place(fds[i][0], fds[i][1]);
	close_range(FD_FIRST_FREE, ~0u, 0);
	log_open(role_names[role], LOG_LEVEL_WARN);
	args.slot = stats_slot(role, 0);
	_exit(role == ROLE_PACKET ? packet_main(&args) : dial_main(&args));
}

static void
await_ready(int control)
{
	struct pollfd p = { control, POLLIN, 0 };
	struct control c;

	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	assert_int_equal(control_recv(control, &c), 1);
	assert_int_equal(c.type, CTL_READY);
}

static void
start_roles(struct world *w)
{
	int c[2][2], handoff[2], dialed[2], done[2], notes[2];

	pair(c[0]);
	pair(c[1]);
	pair(handoff);
	pair(dialed);
	pair(done);
	pair(notes);
	w->pids[0] = start(w, ROLE_PACKET, c[0][1],
	    (const int[][2]){ { handoff[0], FD_HANDOFF }, { done[1], FD_DONE },
		{ notes[0], FD_NOTES_PACKET } },
	    3);
	w->pids[1] = start(w, ROLE_DIAL, c[1][1],
	    (const int[][2]){
		{ handoff[1], FD_HANDOFF }, { dialed[0], FD_DIALED } },
	    2);
	w->control[0] = c[0][0];
	w->control[1] = c[1][0];
	w->dialed = dialed[1];
	w->done = done[0];
	w->notes = notes[1];
	for (int i = 0; i < 2; i++) {
		close(c[i][1]);
		close(handoff[i]);
	}
	close(dialed[0]);
	close(done[1]);
	close(notes[0]);
	await_ready(w->control[0]);
	await_ready(w->control[1]);
}

struct world *
world_new(enum follow_mode follow)
{
	char error[NFT_ERROR_MAX];
	struct sports before;
	struct world *w;
	int fd;

	if (geteuid() != 0)
		skip();
	w = calloc(1, sizeof *w);
	assert_non_null(w);
	configure(w, follow);
	w->stats = stats_create(&fd);
	assert_non_null(w->stats);
	close(fd);
	w->args = (struct role_args){ .conf = &w->conf,
		.targets = ranges_of("198.18.0.0/15", "fd00:198:18::/112"),
		.excluded = ranges_of("198.19.255.0/24", NULL),
		.sweep = &w->sweep,
		.stats = w->stats };
	/* The parent keeps the range from connect(2); namespaces have their
	 * own setting, which ends with them. */
	assert_int_equal(
	    sports_reserve(w->conf.sport_first, w->conf.sport_last, &before),
	    0);
	start_roles(w);
	if (follow == FOLLOW_ADOPT) {
		w->nft = nft_start(&w->conf, error);
		if (w->nft == NULL)
			fail_msg("nft: %s", error);
	}
	w->link = link_open_answers(TX_PACKET, "scan0");
	assert_non_null(w->link);
	return w;
}

static void
stop_roles(struct world *w)
{
	for (int i = 0; i < 2; i++) {
		int status;

		assert_int_equal(
		    control_send(w->control[i], CTL_STOP, NULL, 0), 0);
		assert_int_equal(waitpid(w->pids[i], &status, 0), w->pids[i]);
		assert_int_equal(status, 0);
		close(w->control[i]);
	}
}

void
world_free(struct world *w)
{
	stop_roles(w);
	if (w->nft != NULL)
		nft_end(w->nft);
	link_close(w->link);
	close(w->dialed);
	close(w->done);
	close(w->notes);
	ranges_free((struct ranges *)(uintptr_t)w->args.targets);
	ranges_free((struct ranges *)(uintptr_t)w->args.excluded);
	free(w);
}

struct cookie
send_syn(struct world *w, const char *address, uint16_t port)
{
	struct target t = { .port = port };
	const struct addr *source;
	struct frame_template template;
	uint8_t frame[1][FRAME_MAX];
	struct cookie c;
	uint32_t len;

	assert_int_equal(addr_parse(address, &t.addr), 0);
	source = &w->conf.sources[addr_is4(&t.addr) ? 0 : 1];
	assert_int_equal(
	    link_neighbour("scan0", source, &t.addr, "", WAIT_MS, &w->ends), 0);
	assert_int_equal(frame_template_init(&template, &w->ends, source), 0);
	c = cookie_make(w->sweep.key, &w->ports, source, &t, KIND_PLAIN, 0);
	len = (uint32_t)frame_syn(&template, frame[0], &t, c.sport, c.isn);
	assert_int_equal(link_send(w->link, frame, &len, 1), 1);
	return c;
}

int
receive_socket(struct world *w, struct dialed *d)
{
	struct pollfd p = { w->dialed, POLLIN, 0 };
	struct timeval limit = { .tv_sec = WAIT_MS / 1000 };
	size_t n;
	int fd;

	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	assert_int_equal(
	    wire_recv_fds(w->dialed, d, sizeof *d, &fd, 1, &n), sizeof *d);
	assert_int_equal(n, 1);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	return fd;
}

void
send_done(struct world *w, const struct dialed *d)
{
	struct done_note n = { .target = d->contact.target,
		.sport = d->contact.sport,
		.outcome = OUTCOME_COMPLETED };

	assert_int_equal(wire_send(w->done, &n, sizeof n), 0);
}

bool
receive_notes(struct world *w, int wait_ms)
{
	static uint8_t m[WIRE_MESSAGE_MAX];
	struct pollfd p = { w->notes, POLLIN, 0 };
	struct note_header h;

	if (poll(&p, 1, wait_ms) != 1)
		return false;
	assert_true(wire_recv(w->notes, m, sizeof m) > (ssize_t)sizeof h);
	memcpy(&h, m, sizeof h);
	if (h.type == NOTE_PENDING)
		w->npending += h.count;
	if (h.type == NOTE_TICK)
		w->nticks += h.count;
	for (uint32_t i = 0; h.type == NOTE_OUTCOME && i < h.count; i++)
		memcpy(&w->outcomes[w->noutcomes++],
		    m + sizeof h + i * sizeof w->outcomes[0],
		    sizeof w->outcomes[0]);
	return true;
}

void
await_outcome(struct world *w, enum outcome outcome)
{
	while (w->noutcomes == 0)
		assert_true(receive_notes(w, WAIT_MS));
	assert_int_equal(w->noutcomes, 1);
	assert_int_equal(w->outcomes[0].outcome, outcome);
}

uint64_t
count(const struct world *w, enum stat_id what)
{
	return stats_sum(w->stats, what);
}

void
await_count(struct world *w, enum stat_id what, uint64_t n)
{
	for (int i = 0; i < 5 && count(w, what) != n; i++)
		receive_notes(w, WAIT_MS);
	assert_int_equal(count(w, what), n);
	/* The counter may have been there before a look at the notes. */
	while (receive_notes(w, 0))
		;
}
