/*
 * test_adoption.c: packet and dial as they are, sandbox, rules and all, between
 * two network namespaces of this program's own. It plays send, store and probe
 * itself. Needs root, else it skips.
 */
#include <errno.h>
#include <linux/socket.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "engine/abort.h"
#include "engine/adopter.h"
#include "engine/mark.h"
#include "test/unit/adoption_lab.h"
#include "test/unit/adoption_world.h"

static const char greeting[] = GREETING;
static const char four[] = "198.18.1.1", six[] = "fd00:198:18::1";

static uint64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void
ask(int fd, const char *command, const char *reply)
{
	char got[64];

	assert_true(write_all(fd, command, strlen(command)));
	assert_true(read_all(fd, got, strlen(reply)));
	assert_memory_equal(got, reply, strlen(reply));
}

/* A megabyte each way; with windows misread it would take a minute. */
static void
talk(int fd)
{
	static uint8_t pattern[BIG], big[BIG];
	uint64_t begin = now_ms();

	fill(pattern);
	ask(fd, "CAPA\r\n", "+OK\r\nSTLS\r\n.\r\n");
	assert_true(write_all(fd, "GIVE\r\n", 6));
	assert_true(read_all(fd, big, BIG));
	assert_memory_equal(big, pattern, BIG);
	assert_true(write_all(fd, "TAKE\r\n", 6));
	assert_true(write_all(fd, pattern, BIG));
	ask(fd, "", "same\r\n");
	assert_in_range(now_ms() - begin, 0, 2000);
}

static void
take_leave(int fd)
{
	char end;

	ask(fd, "QUIT\r\n", "+OK\r\n");
	assert_int_equal(read(fd, &end, 1), 0);
	close(fd);
}

static void
check_session(void)
{
	assert_int_equal(hear_server(WAIT_MS), SAYS_ACCEPTED);
	assert_int_equal(hear_server(WAIT_MS), SAYS_CLEAN);
	assert_int_equal(hear_server(50), 0);
}

static void
check_balance(struct world *w)
{
	assert_int_equal(count(w, STAT_PKT_SYNACKS),
	    count(w, STAT_PKT_REPEATS) + count(w, STAT_PKT_ENTERED));
	assert_int_equal(count(w, STAT_PKT_ENTERED),
	    count(w, STAT_PKT_HANDED_ON) + count(w, STAT_PKT_SILENT) +
		count(w, STAT_PKT_RESET));
	assert_int_equal(count(w, STAT_PKT_HANDED_ON),
	    count(w, STAT_DIAL_ADOPTED) + count(w, STAT_DIAL_FAILED));
	assert_int_equal(count(w, STAT_DIAL_QUEUED), 0);
	assert_int_equal(count(w, STAT_PKT_BAD_COOKIE), 0);
	assert_int_equal(count(w, STAT_PKT_MALFORMED), 0);
	assert_int_equal(count(w, STAT_PKT_PCAP_DROP), 0);
}

/* ---- the tests ----------------------------------------------------------- */

static void
adopt_and_talk(const char *address, bool scaled)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	uint64_t begin = now_ms();
	struct cookie c = send_syn(w, address, POP3);
	char got[sizeof greeting];
	struct dialed d;
	int fd = receive_socket(w, &d), mark = 0;
	socklen_t len = sizeof mark;

	/* no frame lies in the kernel until a habitual timeout */
	assert_in_range(now_ms() - begin, 0, 500);
	assert_int_equal(d.contact.target.port, POP3);
	assert_int_equal(d.contact.sport, c.sport);
	assert_int_equal((d.contact.flags & HANDOFF_WSCALE) != 0, scaled);
	assert_true(d.contact.greeting_us >= d.contact.synack_us);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_MARK, &mark, &len), 0);
	assert_int_equal(mark, ADOPT_MARK);
	assert_true(read_all(fd, got, sizeof greeting - 1));
	assert_memory_equal(got, greeting, sizeof greeting - 1);
	talk(fd);
	take_leave(fd);
	check_session();
	send_done(w, &d);
	await_count(w, STAT_PKT_DONE, 1);
	assert_int_equal(w->npending, 1);
	assert_int_equal(w->noutcomes, 0);
	assert_int_equal(count(w, STAT_PKT_RSTS_SENT), 0);
	check_balance(w);
	world_free(w);
}

static void
adopts_ipv4(void **state)
{
	(void)state;
	adopt_and_talk(four, true);
}

static void
adopts_ipv6(void **state)
{
	(void)state;
	adopt_and_talk(six, true);
}

static void
adopts_without_window_scaling(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	set_there("net.ipv4.tcp_window_scaling=0");
	adopt_and_talk(four, false);
	set_there("net.ipv4.tcp_window_scaling=1");
}

static void
adopts_where_the_client_speaks_first(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct dialed d;
	int fd;

	(void)state;
	send_syn(w, four, IMAPS);
	fd = receive_socket(w, &d);
	/* our ACK has made it a connection, before any word of ours */
	assert_int_equal(hear_server(WAIT_MS), SAYS_ACCEPTED);
	assert_true(d.contact.flags & HANDOFF_TLS);
	assert_int_equal(d.contact.greeting_us, 0);
	talk(fd);
	/* ours was the last descriptor of it */
	close(fd);
	assert_int_equal(hear_server(WAIT_MS), SAYS_CLEAN);
	send_done(w, &d);
	await_count(w, STAT_PKT_DONE, 1);
	check_balance(w);
	world_free(w);
}

static void
silence_costs_no_socket(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);

	(void)state;
	send_syn(w, six, SILENT);
	assert_int_equal(hear_server(WAIT_MS), SAYS_ACCEPTED);
	assert_int_equal(hear_server(WAIT_MS), SAYS_RESET);
	await_outcome(w, OUTCOME_SILENT);
	assert_int_equal(w->npending, 1);
	assert_int_equal(count(w, STAT_DIAL_RECEIVED), 0);
	check_balance(w);
	world_free(w);
}

static void
a_closed_port_is_counted(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);

	(void)state;
	send_syn(w, four, CLOSED);
	await_count(w, STAT_PKT_RST_IN, 1);
	assert_int_equal(w->npending, 0);
	assert_int_equal(count(w, STAT_PKT_SYNACKS), 0);
	world_free(w);
}

/* Somebody holds the same four numbers: the peer must not wait for us. */
static void
what_cannot_be_adopted_is_reset(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	struct handoff h = { .contact = { .target = { .port = POP3 },
				 .source = w->conf.sources[0] },
		.isn = 1,
		.irs = 1,
		.snd_wl1 = 1 };
	enum dial_step step;
	int other;

	(void)state;
	assert_int_equal(addr_parse(four, &h.contact.target.addr), 0);
	h.contact.sport = cookie_make(w->sweep.key, &w->ports,
	    &h.contact.source, &h.contact.target, KIND_PLAIN, 0)
			      .sport;
	other = adopt(&h, &step);
	assert_true(other >= 0);
	assert_int_equal(step, STEP_COUNT);
	assert_int_equal(adopt(&h, &step), -1);
	assert_int_equal(step, STEP_CONNECT);
	assert_int_equal(errno, EADDRNOTAVAIL);
	send_syn(w, four, POP3);
	/* No outcome: it is asked again from other ports. */
	await_count(w, STAT_PKT_FOLLOWUPS, 1);
	assert_int_equal(w->noutcomes, 0);
	assert_int_equal(hear_server(WAIT_MS), SAYS_ACCEPTED);
	assert_int_equal(hear_server(WAIT_MS), SAYS_RESET);
	assert_int_equal(count(w, STAT_DIAL_FAILED), 1);
	check_balance(w);
	close(other);
	world_free(w);
}

/* What the calls are made by when the kernel takes them one by one only. */
static struct adopter *
adopter_without_ring(void)
{
	struct rlimit before, few;
	struct adopter *a;
	int free_fd = dup(0);

	close(free_fd);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = (rlim_t)free_fd;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	a = adopter_new();
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_non_null(a);
	assert_int_equal(adopter_error(a), EMFILE);
	return a;
}

/* From ports of their own; the third has the second's. */
static void
fill_batch(const struct world *w, struct handoff *h, unsigned n)
{
	memset(h, 0, n * sizeof *h);
	for (unsigned i = 0; i < n; i++) {
		h[i].contact.source = w->conf.sources[0];
		h[i].contact.sport =
		    (uint16_t)(w->conf.sport_first + (i == 2 ? 1 : i));
		h[i].contact.target.port = POP3;
		assert_int_equal(
		    addr_parse(four, &h[i].contact.target.addr), 0);
		h[i].contact.mss = 1460;
		h[i].isn = 1000 * i;
		h[i].irs = 77 + i;
		h[i].snd_wl1 = h[i].irs + 1;
		h[i].snd_wnd = 5000;
		h[i].len = 5;
		memcpy(h[i].data, "+OK\r\n", 5);
	}
}

static void
check_adopted(int fd)
{
	char got[8];
	int mark = 0, locked = 0;
	socklen_t len = sizeof mark;

	assert_int_equal(recv(fd, got, sizeof got, MSG_DONTWAIT), 5);
	assert_memory_equal(got, "+OK\r\n", 5);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_MARK, &mark, &len), 0);
	assert_int_equal(mark, ADOPT_MARK);
	assert_int_equal(
	    getsockopt(fd, SOL_SOCKET, SO_BUF_LOCK, &locked, &len), 0);
	assert_int_equal(locked, SOCK_RCVBUF_LOCK);
}

/* One that fails does so alone; the calls behind it do nothing. */
static void
adopts_many_at_once(void **state)
{
	static struct handoff h[HANDOFFS_MAX];
	const struct handoff *all[HANDOFFS_MAX];
	struct adopted out[HANDOFFS_MAX];

	(void)state;
	for (int ring = 0; ring < 2; ring++) {
		struct world *w = world_new(FOLLOW_ADOPT);
		struct adopter *a =
		    ring ? adopter_new() : adopter_without_ring();

		fill_batch(w, h, HANDOFFS_MAX);
		for (unsigned i = 0; i < HANDOFFS_MAX; i++)
			all[i] = &h[i];
		adopt_many(a, all, HANDOFFS_MAX, out);
		for (unsigned i = 0; i < HANDOFFS_MAX; i++) {
			if (i == 2) {
				assert_int_equal(out[i].fd, -1);
				assert_int_equal(out[i].step, STEP_CONNECT);
				assert_int_equal(out[i].error, EADDRNOTAVAIL);
				continue;
			}
			assert_int_equal(out[i].error, 0);
			assert_true(out[i].fd >= 0);
			check_adopted(out[i].fd);
			socket_abort(out[i].fd);
		}
		adopter_free(a);
		world_free(w);
	}
}

/*
 * Those on wire 2 are told, until a probe says that it has begun them; of one
 * that died with some in its hands nobody waits for ever.
 */
static void
who_waits_for_a_probe_is_told(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);
	unsigned probe = stats_slot(ROLE_PROBE, 0);
	char got[sizeof greeting];
	struct dialed d;

	(void)state;
	for (unsigned begun = 0; begun < 2; begun++) {
		int fd;

		send_syn(w, begun == 0 ? four : six, POP3);
		await_count(w, STAT_DIAL_AHEAD, 1);
		fd = receive_socket(w, &d);
		stats_set(w->stats, probe, STAT_PROBE_RECEIVED, begun);
		await_count(w, STAT_DIAL_AHEAD, 0);
		assert_true(read_all(fd, got, sizeof greeting - 1));
		talk(fd);
		take_leave(fd);
		check_session();
		send_done(w, &d);
	}
	world_free(w);
}

static void
connects_plainly(void **state)
{
	static const char *const both[] = { four, six };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct world *w = world_new(FOLLOW_CONNECT);
		char got[sizeof greeting];
		struct dialed d;
		int fd;

		send_syn(w, both[i], POP3);
		fd = receive_socket(w, &d);
		assert_true(d.contact.flags & HANDOFF_CONNECT);
		assert_in_range(d.rtt_us, 1, 1000000);
		assert_true(read_all(fd, got, sizeof greeting - 1));
		assert_memory_equal(got, greeting, sizeof greeting - 1);
		talk(fd);
		take_leave(fd);
		check_session();
		send_done(w, &d);
		await_count(w, STAT_PKT_DONE, 1);
		assert_int_equal(count(w, STAT_PKT_RSTS_SENT), 0);
		assert_int_equal(count(w, STAT_PKT_ACKS_SENT), 0);
		check_balance(w);
		world_free(w);
	}
}

static void
a_stop_leaves_nobody_half_open(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);

	(void)state;
	send_syn(w, four, SILENT);
	assert_int_equal(hear_server(WAIT_MS), SAYS_ACCEPTED);
	world_free(w);
	assert_int_equal(hear_server(100), SAYS_RESET);
}

static void
ticks_come_by_themselves(void **state)
{
	struct world *w = world_new(FOLLOW_ADOPT);

	(void)state;
	while (w->nticks < 2)
		assert_true(receive_notes(w, WAIT_MS));
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adopts_ipv4),
		cmocka_unit_test(adopts_ipv6),
		cmocka_unit_test(adopts_without_window_scaling),
		cmocka_unit_test(adopts_where_the_client_speaks_first),
		cmocka_unit_test(silence_costs_no_socket),
		cmocka_unit_test(a_closed_port_is_counted),
		cmocka_unit_test(what_cannot_be_adopted_is_reset),
		cmocka_unit_test(adopts_many_at_once),
		cmocka_unit_test(who_waits_for_a_probe_is_told),
		cmocka_unit_test(connects_plainly),
		cmocka_unit_test(a_stop_leaves_nobody_half_open),
		cmocka_unit_test(ticks_come_by_themselves),
	};

	return cmocka_run_group_tests(tests, lab_up, lab_down);
}
