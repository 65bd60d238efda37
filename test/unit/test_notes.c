/* test_notes.c: notes arrive whole and in order, if need be later. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "engine/notes.h"

enum { CAP = 3000 };

static struct {
	int wire[2];
	struct notes *notes;
	uint8_t message[WIRE_MESSAGE_MAX];
	struct note_header h;
} t;

static int
set_up(void **state)
{
	(void)state;
	assert_int_equal(wire_pair(t.wire, 1 << 18), 0);
	t.notes = notes_new(CAP);
	assert_non_null(t.notes);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	notes_free(t.notes);
	close(t.wire[0]);
	close(t.wire[1]);
	return 0;
}

static void
add_pending(uint16_t port)
{
	struct note_pending n = { .target = { .port = port } };

	notes_add(t.notes, NOTE_PENDING, &n, sizeof n);
}

static void
add_outcome(uint16_t port)
{
	struct note_outcome n = { .contact = { .target = { .port = port } } };

	notes_add(t.notes, NOTE_OUTCOME, &n, sizeof n);
}

/* The next message: so many of that type; or -1. */
static int
receive(void)
{
	ssize_t n = wire_recv(t.wire[1], t.message, sizeof t.message);

	if (n < 0)
		return -1;
	assert_true(n > (ssize_t)sizeof t.h);
	memcpy(&t.h, t.message, sizeof t.h);
	return (int)t.h.count;
}

static uint16_t
port_at(unsigned i)
{
	struct note_pending p;
	struct note_outcome o;

	if (t.h.type == NOTE_PENDING) {
		memcpy(&p, t.message + sizeof t.h + i * sizeof p, sizeof p);
		return p.target.port;
	}
	memcpy(&o, t.message + sizeof t.h + i * sizeof o, sizeof o);
	return o.contact.target.port;
}

static void
neighbours_of_a_type_travel_together(void **state)
{
	(void)state;
	assert_int_equal(notes_send(t.notes, t.wire[0], 1), 0);
	assert_int_equal(receive(), -1);
	add_pending(1);
	add_pending(2);
	add_outcome(3);
	add_pending(4);
	assert_int_equal(notes_room(t.notes), CAP - 4);
	assert_int_equal(notes_send(t.notes, t.wire[0], 77), 0);
	assert_int_equal(notes_room(t.notes), CAP);
	assert_int_equal(receive(), 2);
	assert_int_equal(t.h.type, NOTE_PENDING);
	assert_int_equal(t.h.mono_us, 77);
	assert_int_equal(port_at(0), 1);
	assert_int_equal(port_at(1), 2);
	assert_int_equal(receive(), 1);
	assert_int_equal(t.h.type, NOTE_OUTCOME);
	assert_int_equal(port_at(0), 3);
	assert_int_equal(receive(), 1);
	assert_int_equal(port_at(0), 4);
	assert_int_equal(receive(), -1);
}

/* More than a wire holds: each comes once, in order, over the ring's end. */
static void
a_full_wire_loses_nothing(void **state)
{
	unsigned added = 0, seen = 0;
	bool was_full = false;

	(void)state;
	while (seen < 4 * CAP) {
		while (added < 4 * CAP && notes_room(t.notes) > 0)
			add_outcome((uint16_t)added++);
		if (notes_send(t.notes, t.wire[0], 1) < 0) {
			assert_int_equal(errno, EAGAIN);
			was_full = true;
		}
		for (int i = 0; i < 2; i++) {
			int n = receive();

			for (int k = 0; k < n; k++)
				assert_int_equal(
				    port_at((unsigned)k), (uint16_t)seen++);
		}
	}
	assert_true(was_full);
	assert_int_equal(seen, added);
}

static void
nobody_reads_any_more(void **state)
{
	(void)state;
	close(t.wire[1]);
	t.wire[1] = -1;
	add_pending(1);
	assert_int_equal(notes_send(t.notes, t.wire[0], 1), -1);
	assert_int_equal(errno, EPIPE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    neighbours_of_a_type_travel_together, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    a_full_wire_loses_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    nobody_reads_any_more, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
