/* test_uplink.c: the way out is lost, and comes back, or does not. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/capability.h>
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
static atomic_bool over, deaf; /* to what it alone is asked */
static atomic_bool loud; /* what it says, it says to all */
static atomic_bool asking; /* it does not hear us, and asks for us */
static pthread_t thread;
static struct conf conf;
static struct ranges *targets;
static char why[UPLINK_WHY_MAX];

/* Who is at 10.99.0.1, that of the question? */
static void
ask(int fd, uint8_t f[64])
{
	uint8_t mac[MAC_LEN] = { 2, 0, 0, 0, 0, GATEWAY }, us[4], it[4];

	memcpy(us, f + 28, 4);
	memcpy(it, f + 38, 4);
	memset(f, 0xff, MAC_LEN);
	memcpy(f + 6, mac, MAC_LEN);
	memcpy(f + 22, mac, MAC_LEN);
	memcpy(f + 28, it, 4);
	memset(f + 32, 0, MAC_LEN);
	memcpy(f + 38, us, 4);
	(void)!send(fd, f, ARP_LEN, 0);
}

static void
answer(int fd, uint8_t f[64])
{
	uint8_t mac[MAC_LEN] = { 2, 0, 0, 0, 0, (uint8_t)gateway }, asked[4];

	if (asking && f[21] == 1 && f[41] == 2) {
		ask(fd, f);
		return;
	}
	memcpy(asked, f + 38, 4);
	if (f[21] != 1 || asked[3] != 2 || gateway == GATEWAY_SILENT)
		return;
	/* Asked by its address, it is that one or nobody. */
	if (f[0] != 0xff && (deaf || memcmp(f, mac, MAC_LEN) != 0))
		return;
	memcpy(f, f + 6, MAC_LEN);
	if (loud)
		memset(f, 0xff, MAC_LEN);
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
	over = deaf = asking = loud = false;
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
assert_lost_for(struct uplink *u, uint64_t ms)
{
	for (uint64_t from = now_ms(); now_ms() - from < ms;) {
		assert_int_equal(uplink_turn(u, now_ms(), why), UPLINK_LOST);
		poll(NULL, 0, TURN_MS);
	}
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

/* Seconds of ours, in each of which the kernel has time to answer. */
static void
assert_fine_for_turns(struct uplink *u, unsigned turns)
{
	uint64_t now = now_ms();

	for (unsigned i = 0; i < turns; i++) {
		now += 1000;
		for (unsigned k = 0; k < 2; k++) {
			if (uplink_turn(u, now + (uint64_t)k * TURN_MS, why) !=
			    UPLINK_FINE)
				fail_msg("turn %u: %s", i, why);
			poll(NULL, 0, TURN_MS);
		}
	}
}

static struct uplink *
watch(void)
{
	struct uplink *u;

	assert_int_equal(uplink_try(&conf, targets, 3000, why), 0);
	u = uplink_open(&conf, targets);
	assert_non_null(u);
	return u;
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
	assert_int_equal(errno, EADDRNOTAVAIL);
	/* Time does not help: the parent ends. */
	conf.sources[0] = link_help_address("10.99.0.1");
	snprintf(conf.interface, sizeof conf.interface, "lo");
	assert_int_equal(uplink_try(&conf, targets, 200, why), -1);
	assert_int_equal(errno, EPROTONOSUPPORT);
}

static void
next_hop_goes_and_returns(void **state)
{
	struct uplink *u;

	(void)state;
	link_help_needed();
	u = watch();
	assert_fine_for(u, 5000);
	gateway = GATEWAY_SILENT;
	/*
	 * Asked every second, three times with a second between, and then for
	 * a second all on the link.
	 */
	assert_in_range(turn_until(u, UPLINK_LOST), 3000, 5700);
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

/* Its entry is deleted as well: what is gone stays gone. */
static void
next_hop_without_an_entry_stays_gone(void **state)
{
	struct uplink *u;

	(void)state;
	link_help_needed();
	u = watch();
	assert_fine_for(u, 1500);
	gateway = GATEWAY_SILENT;
	forget_neighbours();
	turn_until(u, UPLINK_LOST);
	assert_lost_for(u, 6000);
	gateway = GATEWAY;
	assert_in_range(turn_until(u, UPLINK_FINE), 0, 4000);
	uplink_free(u);
}

/* Its own questions make an entry, and are no answer. */
static void
next_hop_that_only_asks_is_gone(void **state)
{
	struct uplink *u;

	(void)state;
	link_help_needed();
	u = watch();
	assert_fine_for(u, 2000);
	asking = true;
	for (int i = 0; i < 2; i++) {
		assert_in_range(turn_until(u, UPLINK_LOST), 0, 5700);
		assert_lost_for(u, 3000);
	}
	asking = false;
	assert_in_range(turn_until(u, UPLINK_FINE), 0, 4000);
	uplink_free(u);
}

/* RFC 3927 2.5: the kernel takes that for news, and not for an answer. */
static void
next_hop_that_answers_all_is_there(void **state)
{
	struct uplink *u;

	(void)state;
	link_help_needed();
	forget_neighbours();
	loud = true;
	/* as TCP makes it that has heard of it */
	assert_true(link_help_run((const char *const[WORDS_MAX]){ "ip", "neigh",
	    "replace", "10.99.0.2", "lladdr", "02:00:00:00:00:0b", "dev", "va",
	    "nud", "reachable" }));
	u = watch();
	assert_fine_for(u, 11000);
	gateway = GATEWAY_SILENT;
	assert_in_range(turn_until(u, UPLINK_LOST), 0, 9000);
	gateway = GATEWAY;
	assert_in_range(turn_until(u, UPLINK_FINE), 0, 4000);
	uplink_free(u);
	forget_neighbours();
}

/* RFC 1122 2.3.2.1 is not everybody's: it is asked as one that is new. */
static void
next_hop_that_hears_broadcasts_only(void **state)
{
	struct uplink *u;

	(void)state;
	link_help_needed();
	deaf = true;
	u = watch();
	assert_fine_for(u, 10000);
	gateway = GATEWAY_SILENT;
	turn_until(u, UPLINK_LOST);
	gateway = GATEWAY;
	turn_until(u, UPLINK_FINE);
	uplink_free(u);
}

static void
set_link_of_gateway(const char *to)
{
	assert_true(link_help_run(
	    (const char *const[WORDS_MAX]){ "ip", "link", "set", "vb", to }));
}

/* By a person, by a cable, by a table that is full. */
static void
next_hop_that_is_forgotten_is_asked_anew(void **state)
{
	struct uplink *u;

	(void)state;
	link_help_needed();
	u = watch();
	assert_fine_for_turns(u, 3);
	forget_neighbours();
	assert_fine_for_turns(u, 12);
	set_link_of_gateway("down");
	set_link_of_gateway("up");
	assert_fine_for_turns(u, 12);
	uplink_free(u);
}

/* More happens than the socket holds, in each second. */
static void
next_hop_among_many_neighbours(void **state)
{
	static const char flood[] =
	    "for i in $(seq 3 254); do for m in 1 2 3 4 5 6; do echo "
	    "neigh replace 10.99.0.$i lladdr 02:00:00:00:01:0$m dev va; done; "
	    "done | ip -batch -";
	struct uplink *u;

	(void)state;
	link_help_needed();
	u = watch();
	for (unsigned i = 0; i < 12; i++) {
		assert_true(link_help_run(
		    (const char *const[WORDS_MAX]){ "sh", "-c", flood }));
		assert_int_equal(
		    uplink_turn(u, now_ms() + i * (uint64_t)5000, why),
		    UPLINK_FINE);
	}
	uplink_free(u);
	forget_neighbours();
}

/* At the start of a sweep; afterwards it is watched like any other. */
static void
next_hop_that_was_not_there_is_watched_when_it_is(void **state)
{
	struct uplink *u;

	(void)state;
	link_help_needed();
	gateway = GATEWAY_SILENT;
	u = uplink_open(&conf, targets);
	assert_non_null(u);
	assert_fine_for_turns(u, 2);
	gateway = GATEWAY;
	assert_int_equal(uplink_try(&conf, targets, 5000, why), 0);
	assert_fine_for_turns(u, 4);
	gateway = GATEWAY_SILENT;
	turn_until(u, UPLINK_LOST);
	uplink_free(u);
	forget_neighbours();
}

static void
parent_that_was_held_up_misses_nothing(void **state)
{
	struct uplink *u;

	(void)state;
	link_help_needed();
	u = watch();
	assert_fine_for_turns(u, 2);
	assert_int_equal(uplink_turn(u, now_ms() + 60000, why), UPLINK_FINE);
	poll(NULL, 0, TURN_MS);
	assert_int_equal(uplink_turn(u, now_ms() + 120000, why), UPLINK_FINE);
	uplink_free(u);
}

static void
may_administer(bool may)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3,
		0 };
	struct __user_cap_data_struct data[2];

	assert_int_equal(syscall(SYS_capget, &head, data), 0);
	if (may)
		data[0].effective |= 1u << CAP_NET_ADMIN;
	else
		data[0].effective &= ~(1u << CAP_NET_ADMIN);
	assert_int_equal(syscall(SYS_capset, &head, data), 0);
}

static void
who_may_not_ask_hears_of_nothing(void **state)
{
	struct uplink *u;

	(void)state;
	link_help_needed();
	u = watch();
	may_administer(false);
	assert_fine_for_turns(u, 15);
	may_administer(true);
	uplink_free(u);
}

/* There is nothing to be sent from it. */
static void
source_without_targets_may_be_missing(void **state)
{
	struct uplink *u;

	(void)state;
	link_help_needed();
	conf.sources[1] = link_help_address("fd99::77");
	conf.nsources = 2;
	u = watch();
	assert_fine_for_turns(u, 15);
	uplink_free(u);
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
		EACH(next_hop_without_an_entry_stays_gone),
		EACH(next_hop_that_only_asks_is_gone),
		EACH(next_hop_that_answers_all_is_there),
		EACH(next_hop_that_hears_broadcasts_only),
		EACH(next_hop_that_is_forgotten_is_asked_anew),
		EACH(next_hop_among_many_neighbours),
		EACH(next_hop_that_was_not_there_is_watched_when_it_is),
		EACH(parent_that_was_held_up_misses_nothing),
		EACH(who_may_not_ask_hears_of_nothing),
		EACH(source_without_targets_may_be_missing),
		EACH(next_hop_that_is_set_is_left_alone),
		EACH(source_goes_for_a_moment_and_for_good),
	};

	return cmocka_run_group_tests(tests, link_help_isolate, NULL);
}
