/* test_handoffs.c: what packet hands on together, and messages that lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "engine/handoffs.h"

enum { BUFFER = 1 << 20, SPORT = 40000 };

static struct handoff out[HANDOFFS_MAX + 1], in;
static const struct handoff *pointers[HANDOFFS_MAX + 1];
static struct handoffs message;

/* All with so many bytes of their own. */
static void
fill(uint32_t len)
{
	memset(out, 0, sizeof out);
	for (unsigned i = 0; i <= HANDOFFS_MAX; i++) {
		out[i].contact.sport = (uint16_t)(SPORT + i);
		out[i].len = len;
		memset(out[i].data, (int)i + 1, len);
		pointers[i] = &out[i];
	}
}

static void
assert_next(unsigned i)
{
	assert_int_equal(handoffs_next(&message, &in), HANDOFFS_GOT);
	assert_int_equal(in.contact.sport, SPORT + i);
	assert_memory_equal(&in, &out[i], HANDOFF_HEAD + out[i].len);
}

static void
assert_next_message(int fd, unsigned first, unsigned n)
{
	assert_true(handoffs_recv(fd, &message) > 0);
	for (unsigned i = first; i < first + n; i++)
		assert_next(i);
	assert_int_equal(handoffs_next(&message, &in), HANDOFFS_NO_MORE);
}

static void
as_many_travel_as_a_message_holds(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(wire_pair(fds, BUFFER), 0);
	fill(37);
	assert_int_equal(handoffs_send(fds[0], pointers, 1), 1);
	assert_int_equal(
	    handoffs_send(fds[0], pointers, HANDOFFS_MAX + 1), HANDOFFS_MAX);
	assert_next_message(fds[1], 0, 1);
	assert_next_message(fds[1], 0, HANDOFFS_MAX);
	/* Three of the largest fit, and the fourth goes in the next. */
	fill(HANDOFF_DATA_MAX);
	assert_int_equal(handoffs_send(fds[0], pointers, 4), 3);
	assert_int_equal(handoffs_send(fds[0], pointers + 3, 1), 1);
	assert_next_message(fds[1], 0, 3);
	assert_next_message(fds[1], 3, 1);
	assert_int_equal(handoffs_recv(fds[1], &message), -1);
	assert_int_equal(errno, EAGAIN);
	close(fds[0]);
	assert_int_equal(handoffs_recv(fds[1], &message), 0);
	close(fds[1]);
}

static void
a_full_wire_takes_none(void **state)
{
	int fds[2], sent = 0, took;

	(void)state;
	assert_int_equal(wire_pair(fds, BUFFER), 0);
	fill(HANDOFF_DATA_MAX);
	while ((took = handoffs_send(fds[0], pointers, 3)) == 3)
		sent++;
	assert_int_equal(took, -1);
	assert_int_equal(errno, EAGAIN);
	while (sent-- > 0)
		assert_next_message(fds[1], 0, 3);
	assert_int_equal(handoffs_recv(fds[1], &message), -1);
	close(fds[1]);
	assert_int_equal(handoffs_send(fds[0], pointers, 3), -1);
	assert_int_equal(errno, EPIPE);
	close(fds[0]);
}

/* A message of two, of which so many bytes came. */
static void
set_message(size_t len)
{
	memcpy(message.bytes, &out[0], HANDOFF_HEAD + out[0].len);
	memcpy(message.bytes + HANDOFF_HEAD + out[0].len, &out[1],
	    HANDOFF_HEAD + out[1].len);
	message.len = len;
	message.at = message.taken = 0;
}

static void
what_lies_about_its_length_ends_the_message(void **state)
{
	size_t one = HANDOFF_HEAD + 37;

	(void)state;
	fill(37);
	for (size_t len = one + 1; len < 2 * one; len++) {
		set_message(len);
		assert_next(0);
		assert_int_equal(handoffs_next(&message, &in), HANDOFFS_BROKEN);
		assert_int_equal(
		    handoffs_next(&message, &in), HANDOFFS_NO_MORE);
		assert_int_equal(message.taken, 2);
	}
	out[1].len = HANDOFF_DATA_MAX + 1;
	memcpy(message.bytes, &out[1], HANDOFF_HEAD);
	message.len = sizeof message.bytes;
	message.at = message.taken = 0;
	assert_int_equal(handoffs_next(&message, &in), HANDOFFS_BROKEN);
	assert_int_equal(handoffs_next(&message, &in), HANDOFFS_NO_MORE);
}

static void
more_than_the_reader_has_room_for_ends_it(void **state)
{
	uint8_t *to = message.bytes;

	(void)state;
	fill(0);
	for (unsigned i = 0; i <= HANDOFFS_MAX; i++) {
		memcpy(to, &out[i], HANDOFF_HEAD);
		to += HANDOFF_HEAD;
	}
	message.len = (size_t)(to - message.bytes);
	message.at = message.taken = 0;
	for (unsigned i = 0; i < HANDOFFS_MAX; i++)
		assert_next(i);
	assert_int_equal(handoffs_next(&message, &in), HANDOFFS_BROKEN);
	assert_int_equal(handoffs_next(&message, &in), HANDOFFS_NO_MORE);
}

/* Whoever sends nothing else must not keep the reader from all others. */
static void
what_holds_none_counts_as_one(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(wire_pair(fds, BUFFER), 0);
	assert_int_equal(wire_send(fds[0], "x", 1), 0);
	assert_int_equal(handoffs_recv(fds[1], &message), 1);
	assert_int_equal(handoffs_next(&message, &in), HANDOFFS_BROKEN);
	assert_int_equal(handoffs_next(&message, &in), HANDOFFS_NO_MORE);
	assert_int_equal(message.taken, 1);
	close(fds[0]);
	close(fds[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_many_travel_as_a_message_holds),
		cmocka_unit_test(a_full_wire_takes_none),
		cmocka_unit_test(what_lies_about_its_length_ends_the_message),
		cmocka_unit_test(more_than_the_reader_has_room_for_ends_it),
		cmocka_unit_test(what_holds_none_counts_as_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
