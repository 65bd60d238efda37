/* test_segment.c: frames as they come, and frames as they should not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "engine/frame.h"
#include "engine/segment.h"

enum { ETH = 14, IP4 = 20, IP6 = 40, TCP = 20, ROOM = 256 };

/* A SYN-ACK of 192.0.2.1:110 to 198.51.100.7:40001. */
static const uint8_t eth4[] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0 };
static const uint8_t ip4[] = { 0x45, 0, 0, 52, 1, 2, 0x40, 0, 57, 6, 0, 0, 192,
	0, 2, 1, 198, 51, 100, 7 };
static const uint8_t tcp[] = { 0, 110, 0x9c, 0x41, 0x11, 0x22, 0x33, 0x44, 0x55,
	0x66, 0x77, 0x88, 0x80, 0x12, 0xfa, 0xf0, 0, 0, 0, 0 };
static const uint8_t opts[] = { 2, 4, 5, 0xb4, 1, 1, 4, 2, 1, 3, 3, 9 };

static const uint8_t no_extension[1];

struct frame {
	uint8_t b[ROOM];
	size_t len;
};

static void
add(struct frame *f, const void *p, size_t n)
{
	assert_true(f->len + n <= sizeof f->b);
	memcpy(f->b + f->len, p, n);
	f->len += n;
}

static struct frame
synack4(void)
{
	struct frame f = { .len = 0 };

	add(&f, eth4, sizeof eth4);
	add(&f, ip4, sizeof ip4);
	add(&f, tcp, sizeof tcp);
	add(&f, opts, sizeof opts);
	return f;
}

/* The bytes on the heap, so that a sanitizer sees a step over their end. */
static enum segment_result
parse(const struct frame *f, struct segment *s)
{
	static uint8_t *copy;

	free(copy);
	copy = malloc(f->len > 0 ? f->len : 1);
	assert_non_null(copy);
	memcpy(copy, f->b, f->len);
	return segment_parse(copy, f->len, s);
}

static void
set16(struct frame *f, size_t at, unsigned v)
{
	f->b[at] = (uint8_t)(v >> 8);
	f->b[at + 1] = (uint8_t)v;
}

static void
a_synack_is_read(void **state)
{
	struct frame f = synack4();
	char text[ADDR_TEXT_MAX];
	struct segment s;

	(void)state;
	assert_int_equal(parse(&f, &s), SEGMENT_TCP);
	assert_string_equal(addr_text(&s.src, text), "192.0.2.1");
	assert_string_equal(addr_text(&s.dst, text), "198.51.100.7");
	assert_int_equal(s.sport, 110);
	assert_int_equal(s.dport, 40001);
	assert_int_equal(s.seq, 0x11223344);
	assert_int_equal(s.ack, 0x55667788);
	assert_int_equal(s.flags, TCP_SYN | TCP_ACK);
	assert_int_equal(s.window, 0xfaf0);
	assert_int_equal(s.ttl, 57);
	assert_int_equal(s.mss, 1460);
	assert_int_equal(s.wscale, 9);
	assert_int_equal(
	    s.options, OPTION_MSS | OPTION_WSCALE | OPTION_SACK_OK | 1 << 1);
	assert_int_equal(s.len, 0);
}

static void
padding_is_not_data(void **state)
{
	struct frame f = synack4();
	struct segment s;

	(void)state;
	set16(&f, ETH + 2, IP4 + TCP + 12 + 3);
	add(&f, "+OKpadpad", 9);
	assert_int_equal(parse(&f, &s), SEGMENT_TCP);
	assert_int_equal(s.len, 3);
	assert_memory_equal(s.data, "+OK", 3);
}

static void
ip_options_are_skipped(void **state)
{
	static const uint8_t router_alert[] = { 148, 4, 0, 0 };
	struct frame f = { .len = 0 };
	struct segment s;

	(void)state;
	add(&f, eth4, sizeof eth4);
	add(&f, ip4, sizeof ip4);
	add(&f, router_alert, sizeof router_alert);
	add(&f, tcp, sizeof tcp);
	add(&f, opts, sizeof opts);
	f.b[ETH] = 0x46;
	set16(&f, ETH + 2, 56);
	assert_int_equal(parse(&f, &s), SEGMENT_TCP);
	assert_int_equal(s.sport, 110);
	assert_int_equal(s.mss, 1460);
}

/* extension: bytes between IPv6 header and TCP; first names its kind. */
static struct frame
synack6(unsigned first, const uint8_t *extension, size_t len)
{
	struct frame f = { .len = 0 };
	uint8_t ip6[IP6] = { 0x60 };

	ip6[6] = (uint8_t)first;
	ip6[7] = 61;
	memcpy(ip6 + 8, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	memcpy(ip6 + 24, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2", 16);
	add(&f, eth4, sizeof eth4);
	set16(&f, 12, 0x86dd);
	add(&f, ip6, sizeof ip6);
	add(&f, extension, len);
	add(&f, tcp, sizeof tcp);
	add(&f, opts, sizeof opts);
	set16(&f, ETH + 4, (unsigned)(f.len - ETH - IP6));
	return f;
}

static void
ipv6_is_read(void **state)
{
	static const uint8_t both[] = { 60, 0, 1, 4, 0, 0, 0, 0, 6, 1, 1, 12, 0,
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
	struct frame f = synack6(6, no_extension, 0);
	char text[ADDR_TEXT_MAX];
	struct segment s;

	(void)state;
	assert_int_equal(parse(&f, &s), SEGMENT_TCP);
	assert_string_equal(addr_text(&s.src, text), "2001:db8::1");
	assert_string_equal(addr_text(&s.dst, text), "2001:db8::2");
	assert_int_equal(s.sport, 110);
	assert_int_equal(s.ttl, 61);
	/* hop-by-hop, then destination options of 16 bytes */
	f = synack6(0, both, sizeof both);
	assert_int_equal(parse(&f, &s), SEGMENT_TCP);
	assert_int_equal(s.sport, 110);
	assert_int_equal(s.mss, 1460);
}

static void
ipv6_that_cannot_be_skipped(void **state)
{
	static const uint8_t eight[] = { 6, 0, 0, 0, 0, 0, 0, 0 };
	static const uint8_t endless[] = { 60, 0, 0, 0, 0, 0, 0, 0, 60, 0, 0, 0,
		0, 0, 0, 0, 60, 0, 0, 0, 0, 0, 0, 0, 60, 0, 0, 0, 0, 0, 0, 0, 6,
		0, 0, 0, 0, 0, 0, 0 };
	struct segment s;
	struct frame f = synack6(44, eight, sizeof eight);

	(void)state;
	assert_int_equal(parse(&f, &s), SEGMENT_FRAGMENT);
	f = synack6(43, eight, sizeof eight);
	assert_int_equal(parse(&f, &s), SEGMENT_EXTENSION);
	f = synack6(60, endless, sizeof endless);
	assert_int_equal(parse(&f, &s), SEGMENT_EXTENSION);
	f = synack6(60, eight, 4);
	f.len = ETH + IP6 + 4;
	set16(&f, ETH + 4, 4);
	assert_int_equal(parse(&f, &s), SEGMENT_TRUNCATED);
	f = synack6(6, no_extension, 0);
	memcpy(f.b + ETH + 8, "\0\0\0\0\0\0\0\0\0\0\xff\xff\300\0\2\1", 16);
	assert_int_equal(parse(&f, &s), SEGMENT_BAD_IP);
}

static void
what_is_not_ours(void **state)
{
	struct frame f = synack4();
	struct segment s;

	(void)state;
	f.b[ETH + 9] = 1;
	assert_int_equal(parse(&f, &s), SEGMENT_ICMP);
	f.b[ETH + 9] = 17;
	assert_int_equal(parse(&f, &s), SEGMENT_OTHER);
	f = synack4();
	set16(&f, 12, 0x0806);
	assert_int_equal(parse(&f, &s), SEGMENT_OTHER);
	f = synack4();
	set16(&f, ETH + 6, 0x2000);
	assert_int_equal(parse(&f, &s), SEGMENT_FRAGMENT);
	set16(&f, ETH + 6, 0x0010);
	assert_int_equal(parse(&f, &s), SEGMENT_FRAGMENT);
}

static void
lengths_that_contradict(void **state)
{
	struct frame f = synack4();
	struct segment s;

	(void)state;
	f.b[ETH] = 0x44;
	assert_int_equal(parse(&f, &s), SEGMENT_BAD_IP);
	f.b[ETH] = 0x65;
	assert_int_equal(parse(&f, &s), SEGMENT_BAD_IP);
	f = synack4();
	set16(&f, ETH + 2, 19);
	assert_int_equal(parse(&f, &s), SEGMENT_BAD_IP);
	set16(&f, ETH + 2, 53);
	assert_int_equal(parse(&f, &s), SEGMENT_TRUNCATED);
	set16(&f, ETH + 2, 39);
	assert_int_equal(parse(&f, &s), SEGMENT_TRUNCATED);
	f = synack4();
	f.b[ETH + IP4 + 12] = 0x40;
	assert_int_equal(parse(&f, &s), SEGMENT_BAD_TCP);
	f.b[ETH + IP4 + 12] = 0xf0;
	assert_int_equal(parse(&f, &s), SEGMENT_TRUNCATED);
	f = synack4();
	f.b[ETH + IP4 + 13] = TCP_SYN | TCP_FIN;
	assert_int_equal(parse(&f, &s), SEGMENT_BAD_TCP);
	f.b[ETH + IP4 + 13] = TCP_SYN | TCP_RST;
	assert_int_equal(parse(&f, &s), SEGMENT_BAD_TCP);
}

static enum segment_result
with_options(const char *bytes, struct segment *s)
{
	struct frame f = synack4();

	memcpy(f.b + ETH + IP4 + TCP, bytes, sizeof opts);
	return parse(&f, s);
}

static void
options_that_lie(void **state)
{
	struct segment s;

	(void)state;
	/* a scale of 15, and one behind an MSS of the wrong size */
	assert_int_equal(with_options("\2\4\5\264\3\3\17\1\1\1\1\1", &s), 0);
	assert_int_equal(s.wscale, 14);
	assert_int_equal(with_options("\2\3\5\3\3\7\1\1\1\1\1\1", &s), 0);
	assert_int_equal(s.mss, 0);
	assert_int_equal(s.wscale, 7);
	assert_int_equal(s.options, OPTION_WSCALE | 1 << 1);
	assert_int_equal(with_options("\2\5\5\1\1\4\3\1\1\1\1\1", &s), 0);
	assert_int_equal(s.options, 1 << 1);
	/* no length, and too long: the list ends, what stood before counts */
	assert_int_equal(with_options("\3\3\7\2\0\4\2\1\1\1\1\1", &s), 0);
	assert_int_equal(s.options, OPTION_WSCALE);
	assert_int_equal(with_options("\3\3\7\1\1\1\1\1\1\10\12\1", &s), 0);
	assert_int_equal(s.wscale, 7);
	assert_int_equal(with_options("\1\1\1\1\1\1\1\1\1\1\1\2", &s), 0);
	assert_int_equal(s.options, 1 << 1);
	/* the end of the list: what follows does not count */
	assert_int_equal(with_options("\0\2\0\0\0\0\0\0\0\0\0\0", &s), 0);
	assert_int_equal(s.mss, 0);
	assert_int_equal(s.wscale, WSCALE_NONE);
}

static void
every_cut_is_truncated(void **state)
{
	struct frame f = synack4(), six = synack6(6, no_extension, 0);
	struct segment s;

	(void)state;
	for (size_t n = f.len; n-- > 0;) {
		f.len = n;
		assert_int_equal(parse(&f, &s), SEGMENT_TRUNCATED);
	}
	for (size_t n = six.len; n-- > 0;) {
		six.len = n;
		assert_int_equal(parse(&six, &s), SEGMENT_TRUNCATED);
	}
}

/* What frame.c makes, segment.c reads. */
static void
our_own_frames_are_read(void **state)
{
	static const char *const ends[][2] = { { "192.0.2.9", "198.18.3.4" },
		{ "2001:db8::9", "2001:db8:1::4" } };
	struct frame_link l = { { 2, 0, 0, 0, 0, 1 }, { 2, 0, 0, 0, 0, 2 } };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct target t = { .port = 143 };
		struct addr source;
		struct segment s;
		uint8_t out[FRAME_MAX];
		size_t n;

		assert_int_equal(addr_parse(ends[i][0], &source), 0);
		assert_int_equal(addr_parse(ends[i][1], &t.addr), 0);
		n = frame_bare(&l, out, &source, 40007, &t, 0xfffffffe, 77,
		    TCP_RST | TCP_ACK, 501);
		assert_int_equal(segment_parse(out, n, &s), SEGMENT_TCP);
		assert_int_equal(addr_cmp(&s.src, &source), 0);
		assert_int_equal(addr_cmp(&s.dst, &t.addr), 0);
		assert_int_equal(s.sport, 40007);
		assert_int_equal(s.dport, 143);
		assert_int_equal(s.seq, 0xfffffffe);
		assert_int_equal(s.ack, 77);
		assert_int_equal(s.flags, TCP_RST | TCP_ACK);
		assert_int_equal(s.window, 501);
		assert_int_equal(s.len, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_synack_is_read),
		cmocka_unit_test(padding_is_not_data),
		cmocka_unit_test(ip_options_are_skipped),
		cmocka_unit_test(ipv6_is_read),
		cmocka_unit_test(ipv6_that_cannot_be_skipped),
		cmocka_unit_test(what_is_not_ours),
		cmocka_unit_test(lengths_that_contradict),
		cmocka_unit_test(options_that_lie),
		cmocka_unit_test(every_cut_is_truncated),
		cmocka_unit_test(our_own_frames_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
