/*
 * probe.h: what a protocol is: a table of steps, and how its replies end.
 * Adding one is a file with such a table; probes/README.md says how.
 */
#ifndef PROBES_PROBE_H
#define PROBES_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/conf.h"
#include "probes/facts.h"
#include "probes/line.h"

/* What one line of a reply means. */
enum verdict {
	MORE, /* the reply goes on */
	OK, /* it ended: yes */
	NO, /* it ended: no */
	GONE, /* it ended, and the server takes its leave: 421, BYE */
	BAD /* this is not the protocol */
};

/* What a step is for; the evidence hangs on it. */
enum phase {
	PHASE_GREETING,
	PHASE_ASK, /* a question: capabilities, name */
	PHASE_UPGRADE, /* STARTTLS: the answer counts, whatever it is */
	PHASE_TLS, /* the handshake */
	PHASE_LAST, /* a question when all is known: a close is no loss */
	PHASE_LEAVE /* QUIT, LOGOUT: a close is an answer, too */
};

/*
 * One exchange: say a line, hear the reply, go on. No say: only listen. No
 * hear: start TLS. A step whose `when` is false is passed over to `no`. Step
 * 0 is the end.
 */
struct step {
	enum phase phase;
	const char *say; /* without line end; %h helo, %c contact */
	enum verdict (*hear)(struct facts *, const struct line *);
	int yes, no;
	bool (*when)(const struct facts *);
};

struct probe {
	const char *name;
	enum protocol protocol;
	const struct step *steps;
	unsigned nsteps;
	int first; /* step on a cleartext port */
	int first_tls; /* step on an implicit-TLS port */
	/*
	 * A harmless command, said in one write behind STARTTLS, and whether
	 * a line inside TLS, after goodbye was said there, shows that it was
	 * carried out: goodbye alone has one answer (Poddebniak et al. 2021).
	 */
	const char *inject;
	bool (*injected)(struct facts *, const struct line *);
	/* After the last step: what of it only this protocol can say. */
	void (*conclude)(struct facts *);
};

extern const struct probe probe_pop3, probe_imap, probe_smtp;

/* NULL: none speaks it. */
const struct probe *probe_of(enum protocol);

#endif
