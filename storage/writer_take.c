/* writer_take.c: what the store process takes from its wires. */
#include <errno.h>
#include <string.h>

#include "engine/log.h"
#include "engine/wire.h"
#include "storage/writer_state.h"

enum { BURST = 1024 }; /* messages of one wire in a turn */

static uint8_t message[WIRE_MESSAGE_MAX];

uint64_t
writer_clock_us(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * SECOND_US + (uint64_t)t.tv_nsec / 1000;
}

/* What is refused never reaches a transaction, so it is counted at once. */
static void
refuse(struct writer *w, const char *wire)
{
	w->total.received++;
	w->total.refused++;
	if (w->total.refused == 1)
		log_warn("a message from %s was refused (and every later one "
			 "is counted only)",
		    wire);
}

static void
take_record(struct writer *w, size_t len)
{
	if (batch_take_record(w->batch, w->args, message, len,
		writer_clock_us(CLOCK_REALTIME)) != 0)
		refuse(w, "a probe");
}

static void
take_name(struct writer *w, size_t len)
{
	struct resolved r = { .begun = 0 };

	if (len == sizeof r)
		memcpy(&r, message, sizeof r);
	if (r.begun) {
		naming_begun(&w->naming);
		return;
	}
	naming_heard(&w->naming);
	if (batch_take_name(w->batch, message, len) != 0)
		refuse(w, "resolve");
}

static void
take_positions(struct writer *w, size_t len)
{
	struct note_header header;
	struct note_position note;
	size_t at = sizeof header;

	if (len < sizeof header)
		return;
	memcpy(&header, message, sizeof header);
	if (header.type != NOTE_POSITION)
		return;
	for (; len - at >= sizeof note; at += sizeof note) {
		memcpy(&note, message + at, sizeof note);
		if (checkpoint_position(
			&w->checkpoint, header.mono_us, &note) != 0)
			log_error("send: a position that cannot be: thread %u, "
				  "step %llu",
			    note.thread, (unsigned long long)note.position);
	}
}

static void
take_note(struct writer *w, size_t len)
{
	struct note_header header;
	struct note_tick tick;

	if (len < sizeof header)
		return;
	memcpy(&header, message, sizeof header);
	if (header.type == NOTE_FOLLOWUP)
		steady_followups(&w->steady, message, len);
	if (header.type != NOTE_TICK) {
		if (batch_take_notes(w->batch, w->args, message, len) != 0)
			refuse(w, "packet");
		return;
	}
	if (len < sizeof header + sizeof tick)
		return;
	memcpy(&tick, message + sizeof header, sizeof tick);
	checkpoint_tick(&w->checkpoint, header.mono_us, &tick);
}

/*
 * Up to a burst from one wire, as long as there is room: what is left waits
 * on the wire, and who writes it waits with it. True: nothing is left.
 */
static bool
drain(struct writer *w, unsigned wire, void (*take)(struct writer *, size_t))
{
	struct pollfd *p = &w->wires[wire];
	ssize_t n;

	for (unsigned i = 0; i < BURST && p->fd >= 0; i++) {
		if (!batch_has_room(w->batch))
			return false;
		n = wire_recv(p->fd, message, sizeof message);
		if (n == 0)
			p->fd = -1;
		else if (n > 0)
			take(w, (size_t)n);
		else if (errno == EAGAIN)
			return true;
		else if (errno == EMSGSIZE)
			refuse(w, "a wire");
		else
			fatal("wire %u: %s", wire, strerror(errno));
	}
	return p->fd < 0;
}

/* Notes before records: a target is noted before its record can come. */
bool
writer_take(struct writer *w)
{
	bool positions = drain(w, NOTES_SEND, take_positions);
	bool notes = drain(w, NOTES_PACKET, take_note);

	w->records_drained = drain(w, RECORDS, take_record);
	return drain(w, NAMES, take_name) && positions && notes &&
	    w->records_drained;
}
