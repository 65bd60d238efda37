/* test_link.c: links and next hops, in a network namespace of its own. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/if_ether.h>

#include "engine/link.h"
#include "test/unit/link_help.h"

static const uint8_t peer_mac[MAC_LEN] = VB_MAC;
static const uint8_t own[MAC_LEN] = VA_MAC;

static int
look_up(const char *source, const char *towards, const char *mac,
    struct frame_link *link)
{
	struct addr s = link_help_address(source);
	struct addr t = link_help_address(towards);

	memset(link, 0, sizeof *link);
	return link_neighbour("va", &s, &t, mac, 500, link);
}

/* Answer one ARP request for 10.99.0.2, as a gateway would. */
static void *
answer_arp(void *arg)
{
	struct pollfd p = { .events = POLLIN };
	uint8_t f[64] = { 0 };

	memcpy(&p.fd, arg, sizeof p.fd);
	while (poll(&p, 1, 2000) == 1) {
		ssize_t n = recv(p.fd, f, sizeof f, 0);
		uint8_t asked[4];

		if (n < 42 || f[21] != 1)
			continue;
		memcpy(asked, f + 38, 4);
		if (asked[3] != 2)
			continue;
		memcpy(f, f + 6, MAC_LEN);
		memcpy(f + 6, peer_mac, MAC_LEN);
		f[21] = 2;
		memmove(f + 32, f + 22, 10);
		memcpy(f + 22, peer_mac, MAC_LEN);
		memcpy(f + 28, asked, 4);
		return send(p.fd, f, 42, 0) == 42 ? arg : NULL;
	}
	return NULL;
}

static void
next_hop_by_arp(void **state)
{
	struct frame_link link;
	pthread_t gateway;
	void *answered;
	int fd;

	(void)state;
	link_help_needed();
	fd = link_help_listen("vb", ETH_P_ARP);
	assert_int_equal(pthread_create(&gateway, NULL, answer_arp, &fd), 0);
	assert_int_equal(look_up("10.99.0.1", "198.18.0.1", "", &link), 0);
	pthread_join(gateway, &answered);
	assert_non_null(answered);
	close(fd);
	assert_memory_equal(link.ours, own, MAC_LEN);
	assert_memory_equal(link.gateway, peer_mac, MAC_LEN);
	/* and now from the kernel's table, with nobody to answer */
	assert_int_equal(look_up("10.99.0.1", "198.19.7.7", "", &link), 0);
	assert_memory_equal(link.gateway, peer_mac, MAC_LEN);
}

static void
next_hop_of_ip6(void **state)
{
	struct frame_link link;

	(void)state;
	link_help_needed();
	assert_int_equal(look_up("fd99::1", "fd00:198:18::25", "", &link), 0);
	assert_memory_equal(link.ours, own, MAC_LEN);
	assert_int_equal(link.gateway[5], 0x0c);
}

static void
what_goes_wrong_is_told(void **state)
{
	struct addr a = link_help_address("10.99.0.1"),
		    b = link_help_address("198.18.0.1");
	struct frame_link link;

	(void)state;
	link_help_needed();
	assert_int_equal(look_up("10.99.0.1", "203.0.113.1", "", &link), -1);
	assert_int_equal(errno, ENETUNREACH);
	assert_int_equal(look_up("fd99::1", "2001:db8::1", "", &link), -1);
	assert_int_equal(errno, ENETUNREACH);
	assert_int_equal(look_up("10.99.0.1", "10.99.0.77", "", &link), -1);
	assert_int_equal(errno, EHOSTUNREACH);
	assert_int_equal(look_up("10.99.0.1", "fd99::2", "", &link), -1);
	assert_int_equal(errno, EAFNOSUPPORT);
	assert_int_equal(link_neighbour("none", &a, &b, "", 100, &link), -1);
	assert_int_equal(errno, ENODEV);
	assert_int_equal(link_neighbour("lo", &a, &b, "", 100, &link), -1);
	assert_int_equal(errno, EPROTONOSUPPORT);
}

static void
mac_as_text(void **state)
{
	static const char *const bad[] = { "2:0:0:0:0:c", "02-00-00-00-00-0c",
		"02:00:00:00:00:0g", "02:00:00:00:00:0c ", "02:00:00:00:00",
		"\x12:00:00:00:00:0c" };
	static const uint8_t want[MAC_LEN] = { 2, 0xab, 0xcd, 0xef, 0x10, 12 };
	struct frame_link link;

	(void)state;
	link_help_needed();
	assert_int_equal(
	    look_up("10.99.0.1", "203.0.113.1", "02:ab:CD:eF:10:0c", &link), 0);
	assert_memory_equal(link.gateway, want, MAC_LEN);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(
		    look_up("10.99.0.1", "203.0.113.1", bad[i], &link), -1);
		assert_int_equal(errno, EINVAL);
	}
}

/* All frames of a batch arrive as they were; trouble is told, and passes. */
static void
assert_link(enum tx_path tx, const char *name)
{
	static const struct link_want want = { 0, 0 };
	static uint8_t frames[LINK_BATCH][FRAME_MAX];
	uint32_t lens[LINK_BATCH];
	struct link *l = link_open(tx, "va", &want);
	int fd = link_help_listen("vb", 0x88b5); /* for experiments, IEEE 802 */

	assert_non_null(l);
	assert_string_equal(link_name(l), name);
	for (unsigned i = 0; i < LINK_BATCH; i++) {
		memcpy(frames[i], peer_mac, MAC_LEN);
		memcpy(frames[i] + 6, own, MAC_LEN);
		frames[i][12] = 0x88;
		frames[i][13] = 0xb5;
		frames[i][14] = (uint8_t)i;
		lens[i] = 60 + i % 27;
	}
	assert_int_equal(link_send(l, frames, lens, LINK_BATCH), LINK_BATCH);
	for (unsigned i = 0; i < LINK_BATCH; i++) {
		uint8_t got[128];

		assert_int_equal(
		    recv(fd, got, sizeof got, MSG_DONTWAIT), lens[i]);
		assert_memory_equal(got, frames[i], lens[i]);
	}
	link_help_set("va", "down");
	/* a socket may report the change itself first */
	assert_int_equal(link_send(l, frames, lens, 3), -1);
	assert_int_equal(errno, ENETDOWN);
	assert_int_equal(link_send(l, frames, lens, 3), -1);
	link_help_set("va", "up");
	assert_int_equal(link_send(l, frames, lens, 3), 3);
	close(fd);
	link_close(l);
}

/* No carrier is busy, and nothing is lost. */
static void
assert_busy(enum tx_path tx)
{
	static uint8_t frames[1][FRAME_MAX];
	const uint32_t len = 60;
	struct link *l = link_open_answers(tx, "va");

	assert_non_null(l);
	link_help_set("vb", "down");
	assert_int_equal(link_send(l, frames, &len, 1), 0);
	link_help_set("vb", "up");
	assert_int_equal(link_send(l, frames, &len, 1), 1);
	link_close(l);
}

static void
no_carrier_is_busy(void **state)
{
	(void)state;
	link_help_needed();
	assert_busy(TX_PACKET);
	assert_busy(TX_LIBNET);
}

/* As a sender does: until the kernel has them all. */
static void
push_all(struct link *l, uint8_t kind, unsigned n)
{
	struct link_slot *slots[LINK_BATCH];
	unsigned done = 0;

	assert_int_equal(link_take(l, slots, n), n);
	for (unsigned i = 0; i < n; i++) {
		uint8_t *f = slots[i]->frame;

		memcpy(f, peer_mac, MAC_LEN);
		memcpy(f + 6, own, MAC_LEN);
		f[12] = 0x88;
		f[13] = 0xb5;
		f[14] = kind;
		f[15] = (uint8_t)i;
		slots[i]->len = 60 + i % 27;
		slots[i]->holds = own;
	}
	while (done < n) {
		int sent = link_push(l, slots + done, n - done);

		assert_in_range(sent, 1, n - done);
		done += (unsigned)sent;
	}
}

static void
expect_all(int fd, uint8_t kind, unsigned n)
{
	uint8_t got[128];

	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(
		    recv(fd, got, sizeof got, MSG_DONTWAIT), 60 + i % 27);
		assert_int_equal(got[14], kind);
		assert_int_equal(got[15], i);
	}
	assert_int_equal(recv(fd, got, sizeof got, MSG_DONTWAIT), -1);
}

/*
 * More frames than the ring has, in batches of every length; in trouble none
 * is lost and none doubled.
 */
static void
by_xdp(void **state)
{
	static const struct link_want want = { 0, 0 };
	struct link_slot *slots[LINK_BATCH];
	struct link *l;
	int fd;

	(void)state;
	link_help_needed();
	l = link_open(TX_XDP, "va", &want);
	if (l == NULL && (errno == EPERM || errno == ENOBUFS)) {
		print_message("no AF_XDP here: %s\n", strerror(errno));
		skip();
	}
	assert_non_null(l);
	assert_string_equal(link_name(l), "xdp");
	assert_int_equal(link_path(l), TX_XDP);
	assert_null(link_open(TX_XDP, "none", &want));
	fd = link_help_listen("vb", 0x88b5);
	for (unsigned i = 0; i < 100; i++) {
		push_all(l, (uint8_t)i, 1 + i % LINK_BATCH);
		expect_all(fd, (uint8_t)i, 1 + i % LINK_BATCH);
	}
	/* Slots come back with what they held. */
	assert_int_equal(link_take(l, slots, 1), 1);
	assert_ptr_equal(slots[0]->holds, own);
	slots[0]->frame[14] = 200;
	slots[0]->frame[15] = 0;
	slots[0]->len = 60;
	link_help_set("vb", "down");
	assert_int_equal(link_push(l, slots, 1), 0);
	link_help_set("va", "down");
	assert_int_equal(link_push(l, slots, 1), -1);
	assert_int_equal(errno, ENETDOWN);
	link_help_set("va", "up");
	link_help_set("vb", "up");
	/* the socket reports the change itself first */
	assert_int_equal(recv(fd, slots, sizeof slots, MSG_DONTWAIT), -1);
	assert_int_equal(link_push(l, slots, 1), 1);
	expect_all(fd, 200, 1);
	close(fd);
	link_close(l);
	/* The queue is free again, at once or within a second. */
	l = link_open(TX_XDP, "va", &want);
	assert_non_null(l);
	link_close(l);
}

/* A low rate leaves the card's queue alone. */
static void
auto_goes_by_the_rate(void **state)
{
	struct link_want want = { 0, 10000 };
	struct link *l;

	(void)state;
	link_help_needed();
	l = link_open(TX_AUTO, "va", &want);
	assert_non_null(l);
	assert_int_equal(link_path(l), TX_PACKET);
	link_close(l);
	want.rate = 3000000;
	want.queue = 99; /* there is no such queue: the next best */
	l = link_open(TX_AUTO, "va", &want);
	assert_non_null(l);
	assert_int_equal(link_path(l), TX_PACKET);
	link_close(l);
}

static void
by_packet(void **state)
{
	(void)state;
	link_help_needed();
	assert_link(TX_PACKET, "packet");
}

static void
by_libnet(void **state)
{
	(void)state;
	link_help_needed();
	assert_link(TX_LIBNET, "libnet");
}

static void
auto_takes_the_first(void **state)
{
	struct link *l;

	(void)state;
	link_help_needed();
	l = link_open_answers(TX_AUTO, "va");
	assert_non_null(l);
	assert_string_equal(link_name(l), "packet");
	link_close(l);
	assert_null(link_open_answers(TX_AUTO, "none"));
	assert_null(link_open_answers(TX_PACKET, "none"));
	assert_int_equal(errno, ENODEV);
	link_close(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(next_hop_by_arp),
		cmocka_unit_test(next_hop_of_ip6),
		cmocka_unit_test(what_goes_wrong_is_told),
		cmocka_unit_test(mac_as_text),
		cmocka_unit_test(by_packet),
		cmocka_unit_test(by_libnet),
		cmocka_unit_test(by_xdp),
		cmocka_unit_test(auto_goes_by_the_rate),
		cmocka_unit_test(no_carrier_is_busy),
		cmocka_unit_test(auto_takes_the_first),
	};

	return cmocka_run_group_tests_name(
	    "link", tests, link_help_isolate, NULL);
}
