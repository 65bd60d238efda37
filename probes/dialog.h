/*
 * dialog.h: walks the steps of a protocol. No sockets, no clock, no malloc:
 * it says what it wants, the conversation gives it that. Times are ms since
 * the SYN-ACK and only go into the transcript.
 */
#ifndef PROBES_DIALOG_H
#define PROBES_DIALOG_H

#include "probes/probe.h"
#include "probes/products.h"

enum want {
	WANT_LINE, /* a line: dialog_hear */
	WANT_SAY, /* dialog_say, then send that */
	WANT_TLS, /* a handshake: dialog_clear, dialog_secured, ... */
	WANT_QUIET, /* lines until there are none: dialog_hear, _quiet */
	WANT_NOTHING /* it is over: dialog_conclude */
};

enum {
	DIALOG_SAY_MAX = 700, /* longest command, line end included */
	REPLY_MAX = 65536, /* bytes and lines a reply, by default */
	REPLY_LINES_MAX = 512
};

/* Who we say we are, what a reply may cost, whom we know. All stay alive. */
struct manners {
	const char *helo, *contact;
	uint32_t reply_max, reply_lines_max;
	const struct products *products; /* NULL: no table */
};

struct dialog {
	const struct manners *manners;
	const struct probe *probe;
	struct facts facts;
	int step;
	int next; /* where to go on when it is quiet */
	uint8_t want; /* enum want */
	bool inject; /* PORT_INJECTION */
	bool garbled; /* our ClientHello went to a server in clear */
	uint32_t bytes, lines; /* of this reply */
	unsigned number; /* of the next line, empty ones before it apart */
};

enum port_kind { PORT_CLEAR, PORT_TLS, PORT_HELLO, PORT_INJECTION };

/*
 * Begin: on a cleartext port with the greeting; on a TLS port, or with a
 * ClientHello on a cleartext port (PORT_HELLO), with TLS. PORT_INJECTION: a
 * cleartext port, and a command behind STARTTLS in the same write.
 */
void dialog_start(struct dialog *, const struct manners *, struct record *,
    const struct probe *, enum port_kind);

static inline enum want
dialog_want(const struct dialog *d)
{
	return (enum want)d->want;
}

/* What to send, with its line end: the length. */
size_t dialog_say(struct dialog *, uint32_t ms, char out[DIALOG_SAY_MAX]);

void dialog_hear(struct dialog *, uint32_t ms, const struct line *);
void dialog_quiet(struct dialog *);

/*
 * While TLS is wanted: bytes came in clear. After STARTTLS they are kept as
 * stray, and TLS is still wanted: true. Where TLS came first they are not
 * taken, the dialog goes on in clear with them as its first line: false.
 */
bool dialog_clear(struct dialog *, const void *, size_t len);

/* The first byte of TLS came; the handshake is done (text: transcript). */
void dialog_begun(struct dialog *);
void dialog_secured(struct dialog *, uint32_t ms, const char *text);

/*
 * The handshake failed. Also after dialog_secured: in TLS 1.3 the server's
 * alert about a client certificate comes after our side of it is done.
 */
void dialog_failed(struct dialog *, uint32_t ms, const char *text);

/*
 * It ended from outside; left are bytes that never became a line. Afterwards
 * nothing is wanted any more.
 */
void dialog_end(struct dialog *, uint32_t ms, enum ending, const void *left,
    size_t len, const char *text);

/* Is it the greeting that it waits for? Did it leave by its own steps? */
bool dialog_greeting(const struct dialog *);
bool dialog_left(const struct dialog *);

/* Where it is: "greeting", "CAPA" ... for notes in the transcript. */
const char *dialog_place(const struct dialog *);

/*
 * Outcome, STARTTLS outcome and findings (MAIL.md 3), all from what was seen.
 * The times and the TLS part of the head are there already.
 */
void dialog_conclude(struct dialog *);

#endif
