/* notes.h: packet's notes on their way to store: a queue of fixed size. */
#ifndef ENGINE_NOTES_H
#define ENGINE_NOTES_H

#include <stddef.h>
#include <stdint.h>

#include "engine/wire.h"

struct notes;

/* Room for cap items. NULL with ENOMEM. */
struct notes *notes_new(unsigned cap);
void notes_free(struct notes *);

unsigned notes_room(const struct notes *);

/*
 * Copy one item to the end; without room that is a broken promise of the
 * caller's and fatal().
 */
void notes_add(struct notes *, enum note_type, const void *, size_t len);

/*
 * Send what there is, in order, neighbours of one type in one message.
 * mono_us goes into the headers. 0 when all is sent, or -1 with EAGAIN (the
 * rest stays queued) or EPIPE.
 */
int notes_send(struct notes *, int fd, uint64_t mono_us);

#endif
