/*
 * probe.h: what a protocol is: a table of steps, and how its replies end.
 * Adding one is a file with such a table; probes/README.md says how.
 */
#ifndef PROBES_PROBE_H
#define PROBES_PROBE_H

#include <stddef.h>
#include <stdint.h>

#include "engine/conf.h"
#include "storage/record.h"

/* One line, its end (CR LF or LF) taken off; dies at the next line_next(). */
struct line {
	const uint8_t *bytes;
	size_t len;
	unsigned number; /* of this reply, from 0 */
	uint8_t lf_only;
};

/* What one line of a reply means. */
enum verdict {
	MORE, /* the reply goes on */
	OK, /* it ended: yes */
	NO, /* it ended: no */
	BAD /* this is not the protocol */
};

/*
 * One exchange: say a line, hear the reply, go on. No say: only listen. No
 * hear: start TLS. Step 0 is the end.
 */
struct step {
	const char *say; /* without line end; %h helo, %c contact */
	enum verdict (*hear)(struct record *, const struct line *);
	int yes, no;
};

struct probe {
	const char *name;
	enum protocol protocol;
	const struct step *steps;
	unsigned nsteps;
	int first; /* step on a cleartext port */
	int first_tls; /* step on an implicit-TLS port */
	/* After the last step: findings from what the record holds. */
	void (*conclude)(struct record *);
};

extern const struct probe probe_pop3, probe_imap, probe_smtp;

#endif
