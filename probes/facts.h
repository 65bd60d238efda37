/*
 * facts.h: what a conversation has taught us so far, and how it gets into the
 * record. No sockets, no clock, no malloc.
 */
#ifndef PROBES_FACTS_H
#define PROBES_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probes/line.h"
#include "storage/record.h"

/* What the greeting was. */
enum greeted {
	GREETED_NOT,
	GREETED_YES,
	GREETED_REFUSED, /* 421, 554, -ERR, BYE */
	GREETED_PREAUTH,
	GREETED_ODD, /* the protocol, but neither yes nor no: 200, 250 */
	GREETED_OTHER /* another protocol */
};

/* What became of a question. */
enum answer {
	ANSWER_NONE, /* not asked, or nothing heard */
	ANSWER_YES,
	ANSWER_NO,
	ANSWER_LATER, /* a no for the moment, or for us: says nothing */
	ANSWER_ODD, /* heard, but neither yes nor no */
	ANSWER_GONE /* the server took its leave instead */
};

/* What became of TLS, once it was to start. */
enum secured {
	SECURED_NOT, /* was not to start */
	SECURED_BEGUN,
	SECURED_DONE,
	SECURED_CLOSED, /* closed before a byte of TLS came */
	SECURED_CLEAR, /* went on in clear */
	SECURED_FAILED, /* an alert, or bytes that make no sense */
	SECURED_TIMED_OUT
};

/* Who ended the connection, when it was not the dialog itself. */
enum ending {
	ENDING_NONE,
	ENDING_CLOSED,
	ENDING_RESET,
	ENDING_TIME,
	ENDING_SLOW, /* under the minimum rate */
	ENDING_MUCH, /* over the caps on bytes or lines */
	ENDING_LATE /* our time was over before we had said a word */
};

/* How it was said that we are not wanted; the greater says more. */
enum refusal {
	REFUSAL_NONE,
	REFUSAL_LATER, /* 4xx, too many connections ... */
	REFUSAL_554,
	REFUSAL_LISTED, /* our address is on a DNS blocklist */
	REFUSAL_COUNT
};

struct facts {
	struct record *record;
	const char *said; /* the command that is being answered */
	uint32_t greeting_at; /* where its field begins */
	uint32_t stray_at; /* the same of bytes in clear before TLS */
	uint32_t middle; /* where the body's second half begins, if known */
	uint32_t listed; /* bytes of capabilities kept, this side of TLS */
	uint16_t code; /* of the reply heard last (SMTP) */
	uint8_t greeted; /* enum greeted */
	uint8_t listing; /* enum answer: the capabilities before TLS */
	uint8_t upgrade; /* enum answer: STARTTLS */
	uint8_t secured; /* enum secured */
	uint8_t ending; /* enum ending */
	uint8_t refusal; /* enum refusal, at the end */
	uint8_t answers; /* inside TLS, to an injected command and goodbye */
	bool implicit; /* began with TLS */
	bool tls_port; /* the port is set to TLS */
	bool heard; /* a byte came */
	bool tls; /* lines travel inside TLS */
	bool secure_heard; /* bytes came inside it: it is no more revoked */
	bool asked; /* STARTTLS was said */
	bool leaving; /* QUIT or LOGOUT was said, or it ended by itself */
	bool gone; /* the server took its leave inside the dialog */
	bool lost; /* a reply that is not the protocol */
	bool proof; /* a refusal of STARTTLS proves that there is none */
	bool id_offered, id_asked; /* IMAP */
	bool login_disabled; /* IMAP, before TLS */
	bool sasl_empty; /* POP3, before TLS: SASL without a mechanism */
	bool list_begun; /* a capability line of this reply was seen */
};

void facts_init(struct facts *, struct record *);

/*
 * Append to the body. A body that is full gives up entries from the middle of
 * its transcript first, which it then says.
 */
void facts_put(struct facts *, enum tag, const void *, size_t len);
void facts_transcript(
    struct facts *, enum speaker, uint32_t ms, const void *, size_t len);
void facts_note(struct facts *, enum speaker, uint32_t ms, const char *text);

/* A line of the greeting, raw, line end and all. */
void facts_greeting(struct facts *, const struct line *);
/* What never became a line of it. */
void facts_greeting_rest(struct facts *, const uint8_t *, size_t len);

/* Bytes in clear where TLS was to start. */
void facts_stray(struct facts *, const uint8_t *, size_t len);
bool facts_strayed(const struct facts *);

/* A capability as sent, before or after TLS; bounded in all. */
void facts_capability(struct facts *, const void *, size_t len);

/*
 * Login mechanisms, one space between: kept once on either side of TLS.
 * Says whether one of them takes a password: PLAIN or LOGIN.
 */
bool facts_sasl(struct facts *, const uint8_t *, size_t len);

/* A password login is on offer; counts before TLS only. */
void facts_login(struct facts *);

/* STARTTLS is on offer. */
void facts_offer(struct facts *);

/* Has the body a field with this tag? Then the first one. */
bool facts_find(const struct facts *, enum tag, struct field *);

/* The first word of bytes that looks like a host's full name; none: false. */
bool host_find(const uint8_t *, size_t len, struct word *);

#endif
