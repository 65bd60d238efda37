/* test_link_live.c: live frames, in a network namespace of its own. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/link.h"
#include "test/unit/link_help.h"

/* A batch of SYNs, some of each family, each one another. */
static void
fill_syns(struct link_slot *slots[], unsigned n, unsigned batch)
{
	static const struct frame_link ends = { VA_MAC, VB_MAC };
	static struct frame_template t[2];
	const struct addr sources[] = { link_help_address("10.99.0.1"),
		link_help_address("fd99::1") };

	for (int i = 0; i < 2; i++)
		assert_int_equal(
		    frame_template_init(&t[i], &ends, &sources[i]), 0);
	for (unsigned i = 0; i < n; i++) {
		bool four = (i + batch) % 3 != 0;
		struct target to = { .port = (uint16_t)(25 + i) };

		to.addr =
		    link_help_address(four ? "198.18.0.0" : "fd00:198:18::");
		to.addr.b[14] = (uint8_t)batch;
		to.addr.b[15] = (uint8_t)i;
		slots[i]->len = (uint32_t)frame_syn(&t[four ? 0 : 1],
		    slots[i]->frame, &to, (uint16_t)(40000 + i), batch * i);
	}
}

/* The next TCP frame: the kernel has some of its own to say about IPv6. */
static ssize_t
next_tcp(int fd, uint8_t got[256], bool four, int wait_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n;

	do {
		if (poll(&p, 1, wait_ms) != 1)
			return -1;
		n = recv(fd, got, 256, MSG_DONTWAIT);
	} while (n > 0 && got[four ? 23 : 20] != 6);
	return n;
}

/* Those of one family arrive in their order, byte for byte. */
static void
expect_syns(int fd, struct link_slot *slots[], unsigned n, bool four)
{
	uint8_t got[256];

	for (unsigned i = 0; i < n; i++) {
		if ((slots[i]->frame[12] == 8) != four)
			continue;
		assert_int_equal(next_tcp(fd, got, four, 2000), slots[i]->len);
		assert_memory_equal(got, slots[i]->frame, slots[i]->len);
	}
	assert_int_equal(next_tcp(fd, got, four, 0), -1);
}

/*
 * A veth takes such frames when its other end polls (NAPI: with GRO). Where it
 * does not they would vanish without a word: so it is refused.
 */
static void
by_live(void **state)
{
	static const struct link_want want = { 0, 100000000 };
	struct link_slot *slots[LINK_BATCH];
	int fd4, fd6;
	struct link *l;

	(void)state;
	link_help_needed();
	if (geteuid() != 0)
		skip();
	link_help_run((const char *const[WORDS_MAX]){
	    "ethtool", "-K", "vb", "gro", "off" });
	assert_null(link_open(TX_LIVE, "va", &want));
	assert_int_equal(errno, EOPNOTSUPP);
	l = link_open(TX_AUTO, "va", &want);
	assert_non_null(l);
	assert_int_equal(link_path(l), TX_XDP);
	link_close(l);
	assert_true(link_help_run((const char *const[WORDS_MAX]){
	    "ethtool", "-K", "vb", "gro", "on" }));
	l = link_open(TX_AUTO, "va", &want);
	assert_non_null(l);
	assert_string_equal(link_name(l), "live");
	assert_true(link_burst(l) > (unsigned)LINK_BATCH);
	fd4 = link_help_listen("vb", 0x0800);
	fd6 = link_help_listen("vb", 0x86dd);
	for (unsigned batch = 0; batch < 5; batch++) {
		assert_int_equal(link_take(l, slots, LINK_BATCH), LINK_BATCH);
		fill_syns(slots, LINK_BATCH, batch);
		assert_int_equal(link_push(l, slots, LINK_BATCH), LINK_BATCH);
		assert_int_equal(link_flush(l), 0);
		expect_syns(fd4, slots, LINK_BATCH, true);
		expect_syns(fd6, slots, LINK_BATCH, false);
	}
	/* Nobody takes them any more: none of it counts. */
	assert_int_equal(link_push(l, slots, LINK_BATCH), LINK_BATCH);
	link_help_set("vb", "down");
	assert_int_equal(link_flush(l), -1);
	link_help_set("vb", "up");
	close(fd4);
	close(fd6);
	link_close(l);
}

enum { MANY = 8192, ROOM = 256 << 20 };

/* Frames that va's transmitter dropped: the fourth of eight numbers there. */
static unsigned long
dropped_by_va(void)
{
	FILE *f = fopen("/proc/thread-self/net/dev", "r");
	char line[512], *at = NULL;
	unsigned long n = 0;

	assert_non_null(f);
	while (at == NULL && fgets(line, sizeof line, f) != NULL)
		at = strstr(line, "va:");
	fclose(f);
	assert_non_null(at);
	if (at != NULL)
		at += strlen("va:");
	for (int i = 0; i < 12 && at != NULL; i++)
		n = strtoul(at, &at, 10);
	return n;
}

/* MANY SYNs to ports of their own, from batches of one family. */
static void
push_many(struct link *l, bool four)
{
	static const struct frame_link ends = { VA_MAC, VB_MAC };
	const struct addr source =
	    link_help_address(four ? "10.99.0.1" : "fd99::1");
	struct target to = { .addr = link_help_address(
				 four ? "198.18.0.9" : "fd00:198:18::9") };
	struct frame_template t;

	assert_int_equal(frame_template_init(&t, &ends, &source), 0);
	for (unsigned i = 0; i < MANY; i += LINK_BATCH) {
		struct link_slot *slots[LINK_BATCH];

		assert_int_equal(link_take(l, slots, LINK_BATCH), LINK_BATCH);
		for (unsigned k = 0; k < LINK_BATCH; k++) {
			to.port = (uint16_t)(1 + i + k);
			slots[k]->len = (uint32_t)frame_syn(
			    &t, slots[k]->frame, &to, 40000, i + k);
		}
		assert_int_equal(link_push(l, slots, LINK_BATCH), LINK_BATCH);
	}
}

/* Each of them once, in whatever order. */
static void
expect_each_once(int fd, bool four)
{
	static bool seen[MANY];
	size_t port_at = four ? 36 : 56;
	uint8_t got[256] = { 0 };

	memset(seen, 0, sizeof seen);
	for (unsigned i = 0; i < MANY; i++) {
		unsigned port;

		assert_true(next_tcp(fd, got, four, 2000) > 0);
		port = (unsigned)got[port_at] << 8 | got[port_at + 1];
		assert_in_range(port, 1, MANY);
		assert_false(seen[port - 1]);
		seen[port - 1] = true;
	}
	assert_int_equal(next_tcp(fd, got, four, 0), -1);
}

/*
 * The other end polls in a thread of its own, and its ring of 256 frames runs
 * over: what the device has refused leaves once more, and only that.
 */
static void
live_frames_that_are_refused(void **state)
{
	static const struct link_want want = { 0, 100000000 };
	const int room = ROOM;
	unsigned long dropped;
	struct link *l;

	(void)state;
	link_help_needed();
	if (geteuid() != 0)
		skip();
	assert_true(link_help_run((const char *const[WORDS_MAX]){
	    "ethtool", "-K", "vb", "gro", "on" }));
	assert_true(link_help_run((const char *const[WORDS_MAX]){ "unshare",
	    "--mount", "sh", "-ec",
	    "mount -t sysfs sysfs /sys; echo 1 >/sys/class/net/vb/threaded" }));
	l = link_open(TX_LIVE, "va", &want);
	assert_non_null(l);
	dropped = dropped_by_va();
	for (int family = 0; family < 2; family++) {
		int fd = link_help_listen("vb", family == 0 ? 0x0800 : 0x86dd);

		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE,
				     &room, sizeof room),
		    0);
		push_many(l, family == 0);
		assert_int_equal(link_flush(l), 0);
		expect_each_once(fd, family == 0);
		close(fd);
	}
	assert_true(dropped_by_va() > dropped);
	link_close(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_live),
		cmocka_unit_test(live_frames_that_are_refused),
	};

	return cmocka_run_group_tests_name(
	    "link_live", tests, link_help_isolate, NULL);
}
