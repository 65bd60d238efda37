/* notes.c: packet's notes on their way to store: a queue of fixed size. */
#include <stdlib.h>
#include <string.h>

#include "engine/log.h"
#include "engine/notes.h"

struct item {
	uint32_t type, len;
	union {
		struct note_tick tick;
		struct note_pending pending;
		struct note_outcome outcome;
		struct followup followup;
		struct note_canary canary;
	} u;
};

struct notes {
	struct item *items;
	unsigned cap, first, count;
	struct note_header header; /* directly before the bytes */
	uint8_t bytes[WIRE_MESSAGE_MAX - sizeof(struct note_header)];
};

_Static_assert(offsetof(struct notes, bytes) ==
	offsetof(struct notes, header) + sizeof(struct note_header),
    "a message is header and bytes in one");

struct notes *
notes_new(unsigned cap)
{
	struct notes *n = calloc(1, sizeof *n);

	if (n == NULL)
		return NULL;
	n->cap = cap;
	n->items = calloc(cap, sizeof *n->items);
	if (n->items == NULL) {
		free(n);
		return NULL;
	}
	return n;
}

void
notes_free(struct notes *n)
{
	if (n == NULL)
		return;
	free(n->items);
	free(n);
}

unsigned
notes_room(const struct notes *n)
{
	return n->cap - n->count;
}

void
notes_add(struct notes *n, enum note_type type, const void *what, size_t len)
{
	struct item *i = &n->items[(n->first + n->count) % n->cap];

	if (n->count == n->cap || len > sizeof i->u)
		fatal("notes: no room for a note of type %d", (int)type);
	i->type = type;
	i->len = (uint32_t)len;
	memcpy(&i->u, what, len);
	n->count++;
}

/* Gather the next message; returns the bytes behind the header. */
static size_t
gather(struct notes *n)
{
	const struct item *i = &n->items[n->first];
	size_t len = 0;

	n->header.type = i->type;
	n->header.count = 0;
	while (n->header.count < n->count) {
		i = &n->items[(n->first + n->header.count) % n->cap];
		if (i->type != n->header.type || len + i->len > sizeof n->bytes)
			break;
		memcpy(n->bytes + len, &i->u, i->len);
		len += i->len;
		n->header.count++;
	}
	return len;
}

int
notes_send(struct notes *n, int fd, uint64_t mono_us)
{
	while (n->count > 0) {
		size_t len = gather(n);

		n->header.mono_us = mono_us;
		if (wire_send(fd, &n->header, sizeof n->header + len) < 0)
			return -1;
		n->first = (n->first + n->header.count) % n->cap;
		n->count -= n->header.count;
	}
	return 0;
}
