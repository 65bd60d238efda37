/* conversation_parts.h: between conversation.c, talking.c and securing.c. */
#ifndef PROBES_CONVERSATION_PARTS_H
#define PROBES_CONVERSATION_PARTS_H

#include "probes/conversation.h"

/* Where a conversation stands, beside its dialog. */
enum place {
	PLACE_TALK,
	PLACE_TURN, /* TLS is to start, and others are before us */
	PLACE_PEEK, /* our ClientHello is out: what do they answer in? */
	PLACE_SHAKE,
	PLACE_FAREWELL, /* the server closes first: TIME_WAIT is theirs */
	PLACE_OVER
};

/* Milliseconds since the SYN-ACK. */
uint32_t conversation_since(const struct conversation *);

/* The deadline is so far from now; that of the next reply. */
void conversation_within(struct conversation *, uint32_t ms);
void conversation_expect(struct conversation *);

/* Bytes came: clocks and the rate go on. */
void conversation_heard(struct conversation *, size_t n);

/*
 * A tarpit, which sends a byte a second, is not worth being woken for each:
 * what came is read now and then, and always before it is judged.
 */
void conversation_sip(struct conversation *, bool on);

/* It ends from outside. */
void conversation_cut(struct conversation *, enum ending, const char *text);
void conversation_cut_by_peer(struct conversation *, bool reset);
void conversation_too_much(struct conversation *);

/*
 * A turn to be in a handshake: has it one? Else it waits, and is called when
 * it has (conversations_turns). It is given back once, or as often as one
 * likes.
 */
bool turn_take(struct conversation *);
void turn_give(struct conversation *);
void turns_init(struct turns *);

/*
 * Each of these does one thing the dialog wants: true, or must wait for an
 * event: false.
 */
bool conversation_speak(struct conversation *);
bool conversation_flush(struct conversation *);
bool conversation_listen(struct conversation *);
bool conversation_secure(struct conversation *);

#endif
