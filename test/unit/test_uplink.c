/* test_uplink.c: the way out is lost, and comes back, or does not. */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/if_ether.h>

#include "engine/conf.h"
#include "engine/link.h"
#include "engine/ranges.h"
#include "engine/uplink.h"
#include "test/unit/link_help.h"

enum { TURN_MS = 50, SOON_MS = 12000, ARP_LEN = 42 };

/* The gateway, 10.99.0.2, at the other end: the last byte of its MAC. */
enum gateway { GATEWAY_SILENT = 0, GATEWAY = 0xb, ANOTHER = 0xd };

static _Atomic int gateway = GATEWAY_SILENT;
static atomic_bool over;
static pthread_t thread;
static struct conf conf;
static struct ranges *targets;
static char why[UPLINK_WHY_MAX];

static void
answer(int fd, uint8_t f[64])
{
	uint8_t mac[MAC_LEN] = { 2, 0, 0, 0, 0, (uint8_t)gateway }, asked[4];

	memcpy(asked, f + 38, 4);
	if (f[21] != 1 || asked[3] != 2 || gateway == GATEWAY_SILENT)
		return;
	/* Asked by its address, it is that one or nobody. */
	if (f[0] != 0xff && memcmp(f, mac, MAC_LEN) != 0)
		return;
	memcpy(f, f + 6, MAC_LEN);
	memcpy(f + 6, mac, MAC_LEN);
	f[21] = 2;
	memmove(f + 32, f + 22, 10);
	memcpy(f + 22, mac, MAC_LEN);
	memcpy(f + 28, asked, 4);
	(void)!send(fd, f, ARP_LEN, 0);
}

static void *
serve(void *arg)
{
	struct pollfd p = { .fd = link_help_listen("vb", ETH_P_ARP),
		.events = POLLIN };
	uint8_t f[64];

	while (!over)
		if (poll(&p, 1, 20) == 1 &&
		    recv(p.fd, f, sizeof f, 0) >= ARP_LEN)
			answer(p.fd, f);
	close(p.fd);
	return arg;
}

static int
set_up(void **state)
{
	const char *expected;

	(void)state;
	memset(&conf, 0, sizeof conf);
	snprintf(conf.interface, sizeof conf.interface, "va");
	conf.sources[0] = link_help_address("10.99.0.1");
	conf.nsources = 1;
	targets = ranges_new();
	assert_int_equal(
	    ranges_add_text(targets, "198.18.0.0/24", &expected), 0);
	assert_int_equal(ranges_seal(targets), 0);
	over = false;
	gateway = GATEWAY;
	return pthread_create(&thread, NULL, serve, NULL);
}

static int
tear_down(void **state)
{
	(void)state;
	over = true;
	pthread_join(thread, NULL);
	ranges_free(targets);
	return 0;
}

static uint64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Turn until it is in that state; how long that took. */
static uint64_t
turn_until(struct uplink *u, enum uplink_state state)
{
	uint64_t from = now_ms();

	while (uplink_turn(u, now_ms(), why) != state) {
		if (now_ms() - from > SOON_MS)
			fail_msg("not in state %d: %s", state, why);
		poll(NULL, 0, TURN_MS);
	}
	return now_ms() - from;
}

static void
assert_fine_for(struct uplink *u, uint64_t ms)
{
	uint64_t from = now_ms();

	while (now_ms() - from < ms) {
		if (uplink_turn(u, now_ms(), why) != UPLINK_FINE)
			fail_msg("%s", why);
		poll(NULL, 0, TURN_MS);
	}
}

static void
forget_neighbours(void)
{
	assert_true(link_help_run((const char *const[WORDS_MAX]){
	    "ip", "-4", "neigh", "flush", "dev", "va" }));
}

static void
says_why_nothing_can_begin(void **state)
{
	(void)state;
	link_help_needed();
	assert_int_equal(uplink_try(&conf, targets, 3000, why), 0);
	forget_neighbours();
	gateway = GATEWAY_SILENT;
	assert_int_equal(uplink_try(&conf, targets, 200, why), -1);
	assert_non_null(strstr(why, "va: next hop towards 198.18.0.0"));
	gateway = GATEWAY;
	conf.sources[0] = link_help_address("10.99.0.7");
	assert_int_equal(uplink_try(&conf, targets, 200, why), -1);
	assert_non_null(strstr(why, "10.99.0.7"));
}

static void
next_hop_goes_and_returns(void **state)
{
	struct uplink *u;

	(void)state;
	link_help_needed();
	assert_int_equal(uplink_try(&conf, targets, 3000, why), 0);
	u = uplink_open(&conf, targets);
	assert_non_null(u);
	assert_fine_for(u, 5000);
	gateway = GATEWAY_SILENT;
	/* Asked every two seconds, three times with a second between. */
	assert_in_range(turn_until(u, UPLINK_LOST), 1000, 6500);
	assert_non_null(strstr(why, "10.99.0.2 does not answer"));
	gateway = GATEWAY;
	assert_in_range(turn_until(u, UPLINK_FINE), 0, 4000);
	assert_fine_for(u, 3000);
	gateway = ANOTHER;
	turn_until(u, UPLINK_MOVED);
	assert_non_null(strstr(why, "another MAC address"));
	uplink_free(u);
	gateway = GATEWAY;
	forget_neighbours();
}

/* One that a person has set is nobody's to ask about. */
static void
next_hop_that_is_set_is_left_alone(void **state)
{
	struct uplink *u;

	(void)state;
	link_help_needed();
	gateway = GATEWAY_SILENT;
	assert_true(link_help_run(
	    (const char *const[WORDS_MAX]){ "ip", "neigh", "replace",
		"10.99.0.2", "lladdr", "02:00:00:00:00:0b", "dev", "va" }));
	u = uplink_open(&conf, targets);
	assert_non_null(u);
	assert_fine_for(u, 10000);
	uplink_free(u);
	assert_true(link_help_run((const char *const[WORDS_MAX]){
	    "ip", "neigh", "del", "10.99.0.2", "dev", "va" }));
}

static void
source_goes_for_a_moment_and_for_good(void **state)
{
	struct uplink *u;

	(void)state;
	link_help_needed();
	conf.sources[0] = link_help_address("10.99.0.9");
	snprintf(
	    conf.gateway_mac, sizeof conf.gateway_mac, "02:00:00:00:00:0b");
	assert_true(link_help_run((const char *const[WORDS_MAX]){
	    "ip", "addr", "add", "10.99.0.9/32", "dev", "va" }));
	u = uplink_open(&conf, targets);
	assert_non_null(u);
	assert_int_equal(uplink_turn(u, 5000, why), UPLINK_FINE);
	assert_true(link_help_run((const char *const[WORDS_MAX]){
	    "ip", "addr", "del", "10.99.0.9/32", "dev", "va" }));
	assert_int_equal(uplink_turn(u, 6100, why), UPLINK_LOST);
	assert_non_null(strstr(why, "10.99.0.9"));
	assert_true(link_help_run((const char *const[WORDS_MAX]){
	    "ip", "addr", "add", "10.99.0.9/32", "dev", "va" }));
	assert_int_equal(uplink_turn(u, 15000, why), UPLINK_FINE);
	assert_true(link_help_run((const char *const[WORDS_MAX]){
	    "ip", "addr", "del", "10.99.0.9/32", "dev", "va" }));
	assert_int_equal(uplink_turn(u, 17000, why), UPLINK_LOST);
	assert_int_equal(uplink_turn(u, 26900, why), UPLINK_LOST);
	assert_int_equal(uplink_turn(u, 27000, why), UPLINK_MOVED);
	uplink_free(u);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(says_why_nothing_can_begin),
		EACH(next_hop_goes_and_returns),
		EACH(next_hop_that_is_set_is_left_alone),
		EACH(source_goes_for_a_moment_and_for_good),
	};

	return cmocka_run_group_tests(tests, link_help_isolate, NULL);
}
