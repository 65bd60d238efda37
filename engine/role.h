/* role.h: the processes of the daemon, and what each is given at its start. */
#ifndef ENGINE_ROLE_H
#define ENGINE_ROLE_H

#include <stdint.h>

struct conf;
struct ranges;
struct stats;
struct sweep;

enum role {
	ROLE_PARENT,
	ROLE_SEND,
	ROLE_PACKET,
	ROLE_DIAL,
	ROLE_STORE,
	ROLE_PROBE,
	ROLE_RESOLVE, /* only where a resolver is configured */
	ROLE_COUNT
};

extern const char *const role_names[ROLE_COUNT];

/*
 * Wires, each end at a fixed descriptor in every child; -1 (closed) where a
 * role has no end of that wire. The standard descriptors stay 0, 1 and 2.
 */
enum wire_fd {
	FD_CONTROL = 3, /* parent <-> this child */
	FD_SNAPSHOT = 4, /* memfd: configuration and ranges, read once */
	FD_STATS = 5, /* memfd: the statistics page */
	FD_HANDOFF = 6, /* wire 1: packet -> dial; dial_note back */
	FD_DIALED = 7, /* wire 2: dial -> probes, with descriptors */
	FD_RECORDS = 8, /* wire 3: probes -> store */
	FD_NOTES_SEND = 9, /* notes: send -> store */
	FD_NOTES_PACKET = 10, /* notes: packet -> store */
	FD_DONE = 11, /* probes -> packet */
	FD_DUE = 12, /* store -> send: follow-ups that are due */
	FD_RESOLVE = 13, /* store -> resolve: addresses; names back */
	FD_FIRST_FREE = 14
};

/* What a role's entry gets. All of it is constant but for the stats page. */
struct role_args {
	const struct conf *conf;
	const struct ranges *targets; /* sealed */
	const struct ranges *excluded; /* sealed */
	const struct sweep *sweep; /* NULL for store */
	const char *products; /* text of the table; NULL: none */
	struct stats *stats;
	unsigned slot; /* its own in stats */
	unsigned instance; /* which of the probes */
	uint64_t now_us; /* UTC at start of the sweep */
};

/*
 * The entries: set up what needs a right, drop the rights, loop until the
 * control wire says stop or closes. Return the exit status. Files: send.c,
 * packet.c, dial.c, resolve.c in engine/, worker.c in probes/, writer.c in
 * storage/.
 */
int send_main(const struct role_args *);
int packet_main(const struct role_args *);
int dial_main(const struct role_args *);
int probe_main(const struct role_args *);
int store_main(const struct role_args *);
int resolve_main(const struct role_args *);

#endif
