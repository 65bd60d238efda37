/*
 * wire.h: what travels between the processes: fixed structs over
 * SOCK_SEQPACKET. Copies only; both ends are the same binary, so structs
 * travel as they are, zeroed before they are filled. A reader checks the
 * length and every index before use: a probe may be in a stranger's hands.
 */
#ifndef ENGINE_WIRE_H
#define ENGINE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "engine/addr.h"
#include "engine/sweep.h"

enum { WIRE_MESSAGE_MAX = 65536, WIRE_FDS_MAX = 64 };

/*
 * Send one message, never blocking. 0, or -1 with EAGAIN (full; also for
 * ETOOMANYREFS and ENOBUFS), EPIPE (the other end is gone), or EMSGSIZE.
 * Descriptors stay the caller's: on success it closes its copies.
 */
int wire_send(int fd, const void *, size_t len);
int wire_send_fds(
    int fd, const void *, size_t len, const int *fds, size_t nfds);
/* One message of n parts, of 1 to WIRE_MESSAGE_MAX bytes in all. */
struct iovec;
int wire_send_parts(int fd, struct iovec *, size_t n);

/*
 * Receive one message, never blocking: its length, 0 when the other end is
 * gone, or -1 with EAGAIN or EMSGSIZE (longer than cap: dropped). Descriptors
 * are close-on-exec and the caller's; with wire_recv any that come are closed.
 */
ssize_t wire_recv(int fd, void *, size_t cap);
ssize_t wire_recv_fds(
    int fd, void *, size_t cap, int *fds, size_t cap_fds, size_t *nfds);

/* Bytes of ours, about, that the other end has not read; 0: none. */
size_t wire_unread(int fd);

/* A pair for one wire with buffers of about bytes. 0, or -1 with errno. */
int wire_pair(int fds[2], size_t bytes);

/* ---- wire 1: packet -> dial, see handoffs.h ----------------------------- */

enum { HANDOFF_DATA_MAX = 16384 };

enum handoff_flag {
	HANDOFF_CONNECT = 1, /* plain connect(2) instead of adoption */
	HANDOFF_TLS = 2, /* implicit TLS port, or ClientHello follow-up */
	HANDOFF_SACK = 4, /* the SYN-ACK permitted SACK */
	HANDOFF_WSCALE = 8, /* the SYN-ACK carried a window scale */
	HANDOFF_CANARY = 16, /* its canary port answered */
	HANDOFF_FIN = 32 /* a FIN was seen behind the data */
};

/* What is known of a connection, from the SYN-ACK on; kept in the record. */
struct contact {
	struct target target;
	struct addr source;
	uint16_t sport; /* host order, as all here */
	uint16_t flags; /* enum handoff_flag */
	uint8_t protocol; /* enum protocol the port is set to */
	uint8_t kind; /* enum syn_kind */
	uint8_t attempt;
	uint8_t ttl; /* of the SYN-ACK, as received */
	uint16_t window; /* of the SYN-ACK, not scaled */
	uint16_t mss; /* 0: none in the SYN-ACK */
	uint8_t wscale; /* of the peer; see HANDOFF_WSCALE */
	uint8_t synack_options; /* bit per kind below 8 seen */
	uint16_t spare;
	uint64_t synack_us; /* UTC, capture time */
	uint64_t greeting_us; /* first data captured; 0: none yet */
};

struct handoff {
	struct contact contact;
	uint32_t isn, irs; /* both sides' initial numbers */
	uint32_t snd_wnd; /* last segment's window, scaled, bytes */
	uint32_t snd_wl1; /* that segment's sequence number */
	uint32_t len; /* bytes in data */
	uint8_t data[HANDOFF_DATA_MAX]; /* only len of them travel */
};

enum { HANDOFF_HEAD = offsetof(struct handoff, data) };

/* Opted out meanwhile; a socket that was there has sent the RST itself. */
enum dial_withdrawn { DIAL_NOT_WITHDRAWN, DIAL_WITHDRAWN, DIAL_ABORTED };

/* dial -> packet, the way back: this one failed; send the RST, free it. */
struct dial_note {
	struct target target;
	struct addr source;
	uint16_t sport;
	uint16_t error; /* errno of the step that failed */
	uint32_t step; /* which, see dial.c */
	uint32_t snd_nxt, rcv_nxt; /* for the RST */
	uint8_t withdrawn; /* enum dial_withdrawn */
	uint8_t spare[3];
};

/* ---- wire 2: dial -> probe: up to WIRE_FDS_MAX of these, a fd each ------ */

struct dialed {
	struct contact contact;
	uint32_t rtt_us; /* 0: not known */
	uint32_t spare;
};

/* ---- wire 3: probe -> store --------------------------------------------- */

enum record_type { MSG_RECORD = 1, MSG_CERT };

struct record_header { /* the rest of the message follows */
	uint32_t type; /* enum record_type */
	uint32_t len; /* of what follows */
	uint8_t sha256[32]; /* MSG_CERT: over the DER that follows */
};
/*
 * MSG_RECORD: a record as storage/record.h has it. Who is asked again store
 * decides: a probe in a stranger's hands must not steer what is sent.
 */

/* ---- follow-ups: packet -> store -> (when due) send --------------------- */

struct followup {
	struct target target;
	uint8_t kind; /* enum syn_kind */
	uint8_t attempt; /* of the SYN to be sent, 1.. */
	uint8_t protocol;
	uint8_t why; /* enum outcome that it had */
	uint64_t not_before_us; /* UTC */
};

/* ---- done: probe -> packet ---------------------------------------------- */

struct done_note {
	struct target target;
	uint16_t sport;
	uint8_t outcome; /* enum outcome */
	uint8_t kind;
	uint32_t spare;
};

/* ---- notes: send and packet -> store ------------------------------------ */

enum note_type {
	NOTE_POSITION = 1,
	NOTE_TICK,
	NOTE_PENDING,
	NOTE_OUTCOME,
	NOTE_FOLLOWUP,
	NOTE_CANARY
};

struct note_header { /* count items of that type follow */
	uint32_t type, count;
	uint64_t mono_us; /* CLOCK_MONOTONIC when it was written */
};

/* send, each thread once a second and at its end. */
struct note_position {
	uint32_t thread, finished;
	uint32_t again,
	    spare; /* a part of it is being sent again: settle not */
	uint64_t position; /* steps of sweep_index() done */
	uint64_t counted[SEND_COUNTS];
};

/*
 * packet, once a second: every answer captured before mono_us of the header
 * is in notes that were sent before this one.
 */
struct note_tick {
	uint64_t dropped; /* by pcap, since start */
	uint32_t link_up; /* 0: settle nothing */
	uint32_t waiting, open;
};

/* packet: this target has answered and is being followed. */
struct note_pending {
	struct target target;
	uint8_t kind, attempt, protocol, spare;
	uint64_t synack_us;
};

/* packet: the target's outcome where no probe ever saw it. */
struct note_outcome {
	struct contact contact;
	uint8_t outcome, spare[7];
	uint64_t when_us;
};
/* NOTE_FOLLOWUP: struct followup. */

/* packet: this address answers where nobody listens. */
struct note_canary {
	struct addr addr;
};

/* ---- names: store -> resolve, and back --------------------------------- */

/* store asks for so many at most that have no answer yet. */
enum { NAMES_OPEN_MAX = 4096, NAMES_ASKED_MAX = 64, NAME_MAX_BYTES = 256 };

/* store asks: up to NAMES_ASKED_MAX struct addr in a message. Each gets one: */
struct resolved {
	struct addr addr;
	uint8_t confirmed; /* the name's own addresses hold this one */
	uint8_t failed; /* no resolver said anything; no name then */
	uint8_t begun; /* no answer: resolve has begun, and knows of nothing */
	uint8_t spare[5];
	char name[NAME_MAX_BYTES]; /* "" none; as hostname.h has it */
};

/* ---- control: parent <-> each child ------------------------------------- */

enum control_type {
	CTL_SWEEP = 1, /* store -> parent: struct sweep, then the
				 * same, parent -> the other children */
	CTL_READY, /* child -> parent: rights are dropped */
	CTL_STOP, /* parent -> child: finish what is in flight;
				 * send: stop sending now; store: checkpoint
				 * and exit */
	CTL_RATE, /* parent -> send: u64 packets/s; 0 = pause */
	CTL_SWEPT, /* store -> parent: nothing is left to do */
	CTL_SEAL, /* parent -> store: all others are gone, seal */
	CTL_SEALED, /* store -> parent: struct control_sealed */
	CTL_SENT, /* send -> parent: every thread at its end */
	CTL_OPTOUT_READ, /* parent -> store: u32 number; read them anew */
	CTL_OPTOUT_LIST, /* store -> parent: struct control_optouts, then the
			  * same, parent -> the other children */
	CTL_LINK, /* parent -> packet: u32; 0: what is sent is lost */
	CTL_OPTOUT_DONE /* child -> parent: u32 number; in force here */
};

enum { OPTOUT_CHUNK = 64 };

/* A part of the list; optouts.h sends and reads it. */
struct control_optouts {
	uint32_t number; /* counts the lists */
	uint32_t n;
	uint32_t first, last; /* 1: it is that chunk of its list */
	struct {
		struct addr first, last;
	} ranges[OPTOUT_CHUNK];
};

struct control {
	uint32_t type;
	uint32_t len; /* bytes of payload that follow */
	union {
		struct sweep sweep;
		uint64_t rate;
		uint32_t number;
		struct control_optouts optouts;
		struct control_sealed {
			uint64_t rows;
			uint32_t balanced; /* 1: ledgers agree */
			uint32_t spare;
			char path[256];
		} sealed;
	} u;
};

/* The whole struct travels; len says what of u counts. 0 or -1 as above. */
int control_send(int fd, enum control_type, const void *, size_t len);
/* 1 = got one, 0 = the parent (child) is gone, -1 with errno. */
int control_recv(int fd, struct control *);

#endif
