/* test_frame.c: every field of what we send, and the checksums again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "engine/frame.h"

static const struct frame_link link = {
	.ours = { 2, 0, 0, 0, 0, 1 },
	.gateway = { 2, 0, 0, 0, 0, 2 },
};

/* From the text of RFC 1071: pad, add the words, fold until no carry. */
static uint16_t
checksum(const uint8_t *p, size_t n)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (i & 1) == 0 ? p[i] * 256u : p[i];
	while (sum > 0xffff)
		sum = sum / 65536 + sum % 65536;
	return (uint16_t)(sum ^ 0xffff);
}

static unsigned
be16(const uint8_t *p)
{
	return p[0] * 256u + p[1];
}

static uint32_t
be32(const uint8_t *p)
{
	return be16(p) * 65536u + be16(p + 2);
}

/* Pseudo-header and segment in one buffer: the sum over all of it is 0. */
static void
assert_tcp_sum(
    const uint8_t *addrs, size_t addrs_len, const uint8_t *tcp, size_t tcp_len)
{
	uint8_t all[256] = { 0 };

	memcpy(all, addrs, addrs_len);
	all[addrs_len + 1] = 6;
	all[addrs_len + 3] = (uint8_t)tcp_len;
	memcpy(all + addrs_len + 4, tcp, tcp_len);
	assert_int_equal(checksum(all, addrs_len + 4 + tcp_len), 0);
}

static void
assert_ip4(const uint8_t *f, size_t len, uint32_t src, uint32_t dst)
{
	assert_int_equal(be16(f + 12), 0x0800);
	assert_int_equal(f[14], 0x45);
	assert_int_equal(be16(f + 16), len - 14);
	assert_int_equal(be16(f + 20), 0x4000); /* DF, no offset */
	assert_int_equal(f[22], 64);
	assert_int_equal(f[23], 6);
	assert_int_equal(be32(f + 26), src);
	assert_int_equal(be32(f + 30), dst);
	assert_int_equal(checksum(f + 14, 20), 0);
	assert_tcp_sum(f + 26, 8, f + 34, len - 34);
}

static void
assert_ip6(const uint8_t *f, size_t len, const struct addr *src,
    const struct addr *dst)
{
	assert_int_equal(be16(f + 12), 0x86dd);
	assert_int_equal(be32(f + 14), 0x60000000);
	assert_int_equal(be16(f + 18), len - 54);
	assert_int_equal(f[20], 6);
	assert_int_equal(f[21], 64);
	assert_memory_equal(f + 22, src->b, 16);
	assert_memory_equal(f + 38, dst->b, 16);
	assert_tcp_sum(f + 22, 32, f + 54, len - 54);
}

/* MSS, SACK-permitted, window scale in 12 bytes; no timestamps. */
static void
assert_syn_options(const uint8_t *p, unsigned mss)
{
	const uint8_t want[12] = { 2, 4, (uint8_t)(mss / 256),
		(uint8_t)(mss % 256), 1, 1, 4, 2, 1, 3, 3, SYN_WSCALE };

	assert_memory_equal(p, want, sizeof want);
}

static void
syn_ip4(void **state)
{
	struct addr src = addr_from4(0xc0000201);
	struct frame_template t;
	uint64_t x = 7;

	(void)state;
	assert_int_equal(frame_template_init(&t, &link, &src), 0);
	for (int i = 0; i < 20000; i++) {
		uint8_t f[FRAME_MAX];
		struct target to;
		uint16_t sport;
		uint32_t isn;

		x = x * 6364136223846793005u + 1442695040888963407u;
		to.addr = addr_from4((uint32_t)(x >> 32));
		to.port = (uint16_t)(x >> 20);
		sport = (uint16_t)(x >> 28);
		isn = (uint32_t)(x >> 16);
		assert_int_equal(frame_syn(&t, f, &to, sport, isn), 66);
		assert_memory_equal(f, link.gateway, MAC_LEN);
		assert_memory_equal(f + 6, link.ours, MAC_LEN);
		assert_ip4(f, 66, 0xc0000201, addr_to4(&to.addr));
		assert_int_equal(be16(f + 34), sport);
		assert_int_equal(be16(f + 36), to.port);
		assert_int_equal(be32(f + 38), isn);
		assert_int_equal(be32(f + 42), 0);
		assert_int_equal(f[46], 8 << 4);
		assert_int_equal(f[47], TCP_SYN);
		assert_int_equal(be16(f + 48), SYN_WINDOW);
		assert_int_equal(be16(f + 52), 0);
		assert_syn_options(f + 54, SYN_MSS4);
	}
}

static void
syn_ip6(void **state)
{
	struct addr src;
	struct frame_template t;
	uint64_t x = 9;

	(void)state;
	assert_int_equal(addr_parse("fd00:198:18::ffff", &src), 0);
	assert_int_equal(frame_template_init(&t, &link, &src), 0);
	for (int i = 0; i < 20000; i++) {
		uint8_t f[FRAME_MAX];
		struct target to = { .port = 993 };
		uint16_t sport;

		for (int b = 0; b < 16; b++) {
			x = x * 6364136223846793005u + 1442695040888963407u;
			to.addr.b[b] = (uint8_t)(x >> 56);
		}
		sport = (uint16_t)(x >> 28);
		assert_int_equal(
		    frame_syn(&t, f, &to, sport, (uint32_t)(x >> 16)), 86);
		assert_ip6(f, 86, &src, &to.addr);
		assert_int_equal(be16(f + 54), sport);
		assert_int_equal(be16(f + 56), 993);
		assert_int_equal(be32(f + 58), (uint32_t)(x >> 16));
		assert_int_equal(f[67], TCP_SYN);
		assert_syn_options(f + 74, SYN_MSS6);
	}
}

/* A checksum of which the sum is a multiple of 0xffff must still verify. */
static void
every_low_sequence_number(void **state)
{
	struct addr src = addr_from4(0xffffffff);
	struct target to = { addr_from4(0xffffffff), 65535 };
	struct frame_template t;

	(void)state;
	assert_int_equal(frame_template_init(&t, &link, &src), 0);
	for (uint32_t isn = 0xffff0000; isn != 0; isn++) {
		uint8_t f[FRAME_MAX], all[64] = { 0 };

		assert_int_equal(frame_syn(&t, f, &to, 65535, isn), 66);
		assert_int_equal(checksum(f + 14, 20), 0);
		memcpy(all, f + 26, 8);
		all[9] = 6;
		all[11] = 32;
		memcpy(all + 12, f + 34, 32);
		assert_int_equal(checksum(all, 44), 0);
	}
}

static void
bare_segments(void **state)
{
	static const uint8_t flags[] = { TCP_ACK, TCP_RST, TCP_RST | TCP_ACK };
	struct addr src4 = addr_from4(0xc0000201), src6;
	struct target to4 = { addr_from4(0xc6120001), 25 },
		      to6 = { .port = 25 };

	(void)state;
	assert_int_equal(addr_parse("fd00::1", &src6), 0);
	assert_int_equal(addr_parse("fd00::25", &to6.addr), 0);
	for (size_t i = 0; i < sizeof flags; i++) {
		uint8_t f[FRAME_MAX];

		memset(f, 0xee, sizeof f);
		assert_int_equal(frame_bare(&link, f, &src4, 40001, &to4,
				     0xdeadbeef, 0xfeedc0de, flags[i], 502),
		    54);
		assert_memory_equal(f, link.gateway, MAC_LEN);
		assert_memory_equal(f + 6, link.ours, MAC_LEN);
		assert_ip4(f, 54, 0xc0000201, 0xc6120001);
		assert_int_equal(be16(f + 34), 40001);
		assert_int_equal(be16(f + 36), 25);
		assert_int_equal(be32(f + 38), 0xdeadbeef);
		assert_int_equal(be32(f + 42), 0xfeedc0de);
		assert_int_equal(f[46], 5 << 4);
		assert_int_equal(f[47], flags[i]);
		assert_int_equal(be16(f + 48), 502);
		memset(f, 0xee, sizeof f);
		assert_int_equal(frame_bare(&link, f, &src6, 40001, &to6,
				     0xdeadbeef, 0xfeedc0de, flags[i], 502),
		    74);
		assert_ip6(f, 74, &src6, &to6.addr);
		assert_int_equal(be32(f + 62), 0xfeedc0de);
		assert_int_equal(f[67], flags[i]);
		assert_int_equal(be16(f + 68), 502);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(syn_ip4),
		cmocka_unit_test(syn_ip6),
		cmocka_unit_test(every_low_sequence_number),
		cmocka_unit_test(bare_segments),
	};

	return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
