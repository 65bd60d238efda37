/* stats.h: the shared counters: a page a process, which alone writes it. */
#ifndef ENGINE_STATS_H
#define ENGINE_STATS_H

#include <stdatomic.h>
#include <stdint.h>

#include "engine/role.h"

/*
 * The event ledger of the account (DESIGN.md 6) and the gauges beside it.
 * Counters count from this incarnation's start; gauges (GAUGE_...) are set.
 * Columns: name in JSON, and what it counts.
 */
/* clang-format off */
#define STATS_TABLE(X)                                                       \
	/* send */                                                           \
	X(SEND_PASSED, "index_passed")		/* this incarnation */       \
	X(SEND_EXCLUDED_N, "excluded")                                       \
	X(SEND_OPTED_OUT_N, "opted_out")                                     \
	X(SEND_SENT_N, "sent")			/* targets, not packets */   \
	X(SEND_NOT_SENT_N, "not_sent")                                       \
	X(SEND_FOLLOWUPS, "followups_sent")	/* SYNs for due rows */      \
	X(SEND_CANARIES, "canaries_sent")                                    \
	X(SEND_AGAIN, "sent_again")		/* after a drop: packets */  \
	X(SEND_AGAIN_OPEN, "sending_again")	/* gauge: 1 while so */      \
	X(SEND_RATE, "rate_allowed")		/* gauge: packets/s */       \
	X(SEND_BACKOFFS, "backoffs")		/* times the rate was cut */ \
	X(SEND_SECONDS, "seconds_sent")		/* second SYNs */            \
	X(SEND_PACKETS, "syn_packets")		/* frames the kernel took */ \
	X(SEND_ERRORS, "send_errors")                                        \
	X(SEND_FINISHED, "send_finished")	/* gauge: threads at end */  \
	X(SEND_PATH, "send_path")		/* gauge: enum tx_path */    \
	/* packet */                                                         \
	X(PKT_SYNACKS, "valid_synacks")                                      \
	X(PKT_FIRSTS, "answered_first")		/* the first SYN of two */   \
	X(PKT_SECONDS, "answered_second")                                    \
	X(PKT_BOTH, "answered_both")                                         \
	X(PKT_REPEATS, "repeats")                                            \
	X(PKT_REFUSED_LIMIT, "refused_limit")                                \
	X(PKT_REFUSED_FULL, "refused_full")                                  \
	X(PKT_REFUSED_OPTOUT, "refused_optout")                              \
	X(PKT_REFUSED_KIND, "refused_kind")	/* canary answers: RST */    \
	X(PKT_ENTERED, "entered")                                            \
	X(PKT_HANDED_ON, "handed_on")                                        \
	X(PKT_SILENT, "silent")                                              \
	X(PKT_RESET, "reset")                                                \
	X(PKT_WITHDRAWN, "withdrawn")                                        \
	X(PKT_WAITING, "waiting")		/* gauge */                  \
	X(PKT_OPEN, "open")			/* gauge: handed, not done */\
	X(PKT_DONE, "done")			/* done notes matched */     \
	X(PKT_LOST, "lost")			/* no done note in budget */ \
	X(PKT_ACKS_SENT, "acks_sent")                                        \
	X(PKT_RSTS_SENT, "rsts_sent")                                        \
	X(PKT_RST_IN, "rsts_received")		/* to a SYN: closed ports */ \
	X(PKT_ICMP_IN, "icmp_received")                                      \
	X(PKT_BAD_COOKIE, "bad_cookie")                                      \
	X(PKT_CHALLENGED, "challenged")	/* by an old connection */   \
	X(PKT_LATE, "late")			/* valid, old slice */       \
	X(PKT_MALFORMED, "malformed")                                        \
	X(PKT_PCAP_RECV, "pcap_received")                                    \
	X(PKT_PCAP_DROP, "pcap_dropped")                                     \
	X(PKT_LINK_LOST, "link_lost")		/* looks that found it down */\
	X(PKT_LAG, "capture_lag_ms")		/* gauge */                  \
	X(PKT_WIRE_FULL, "wire_full")                                        \
	X(PKT_PRESSURE, "pressure")	/* gauge 0..1000, read by send */    \
	X(PKT_SYN_LIMIT, "syn_limit")	/* gauge: a second; 0: none; too */  \
	X(PKT_FOLLOWUPS, "followups_queued")                                 \
	/* dial */                                                           \
	X(DIAL_RECEIVED, "dial_received")                                    \
	X(DIAL_ADOPTED, "adopted")		/* or connected */           \
	X(DIAL_FAILED, "dial_failed")                                        \
	X(DIAL_WITHDRAWN, "dial_withdrawn")                                  \
	X(DIAL_QUEUED, "dial_queued")		/* gauge */                  \
	X(DIAL_AHEAD, "dial_ahead")		/* gauge: no probe has it */ \
	/* probe, one slot a process */                                      \
	X(PROBE_RECEIVED, "conversations")                                   \
	X(PROBE_REPORTED, "reported")                                        \
	X(PROBE_WITHDRAWN, "conversations_withdrawn") /* opted out */        \
	X(PROBE_OPEN, "conversations_open")	/* gauge */                  \
	X(PROBE_HANDSHAKES, "tls_handshakes")                                \
	X(PROBE_CERTS, "chains_sent")                                        \
	X(PROBE_DIALOGS, "dialogs")		/* a mail service spoke */   \
	X(PROBE_REFUSED_LATER, "refused_later")	/* 4xx and the like */       \
	X(PROBE_REFUSED_554, "refused_554")                                  \
	X(PROBE_REFUSED_LISTED, "refused_listed") /* a DNS blocklist */      \
	/* resolve */                                                        \
	X(RESOLVE_ADDRS, "names_asked")		/* addresses */              \
	X(RESOLVE_QUERIES, "names_queries")	/* messages, retries too */  \
	X(RESOLVE_FOUND, "names_found")                                      \
	X(RESOLVE_CONFIRMED, "names_confirmed")                              \
	X(RESOLVE_NONE, "names_none")		/* it has no name */         \
	X(RESOLVE_FAILED, "names_failed")	/* nobody could say */       \
	X(RESOLVE_TIMEOUTS, "names_timeouts")                                \
	X(RESOLVE_STRANGE, "names_strange")	/* replies to no query */    \
	X(RESOLVE_OPEN, "names_open")		/* gauge */                  \
	/* store */                                                          \
	X(STORE_RECEIVED, "store_received")                                  \
	X(STORE_NEW, "rows_new")                                             \
	X(STORE_REPLACED, "rows_replaced")                                   \
	X(STORE_REFUSED, "rows_refused")                                     \
	X(STORE_PURGED, "rows_purged")                                       \
	X(STORE_PENDING, "pending")		/* gauge */                  \
	X(STORE_QUEUE, "queued_followups")	/* gauge */                  \
	X(STORE_WANTED, "names_wanted")		/* gauge: have none yet */   \
	X(STORE_COMMITS, "commits")                                          \
	X(STORE_SETTLED, "settled")		/* gauge: positions, summed */

/* clang-format on */
#define X(id, name) STAT_##id,
enum stat_id { STATS_TABLE(X) STAT_COUNT };
#undef X

/* One slot a process: the roles, and one for each probe. */
enum { STATS_PROBES_MAX = 16, STATS_SLOTS = ROLE_COUNT + STATS_PROBES_MAX };

/* As large as a page of Linux can be, so that a slot is whole pages. */
enum { STATS_PAGE = 65536, STATS_ROW = STATS_PAGE / sizeof(uint64_t) };

_Static_assert((int)STAT_COUNT <= (int)STATS_ROW, "a slot is a page");

struct stats {
	_Atomic uint64_t n[STATS_SLOTS][STATS_ROW];
	_Atomic uint64_t rate; /* packets/s now in force, by parent */
};

/* The slot of a process: its role, and which of the probes it is. */
unsigned stats_slot(enum role, unsigned instance);

/*
 * Parent: zeros in a memfd (*fd), mapped, all of it to be written: it looks
 * after the slots of the dead. NULL with errno.
 */
struct stats *stats_create(int *fd);

/*
 * A child: the same, to be read but for its own slot; once it has closed the
 * descriptor there is no way to write more. NULL with errno.
 */
struct stats *stats_map(int fd, unsigned slot);

const char *stats_name(enum stat_id);
uint64_t stats_sum(const struct stats *, enum stat_id); /* all slots */

/* One writer a slot: a plain load and store, no locked instruction. */
static inline void
stats_add(struct stats *s, unsigned slot, enum stat_id what, uint64_t by)
{
	uint64_t now =
	    atomic_load_explicit(&s->n[slot][what], memory_order_relaxed);

	atomic_store_explicit(
	    &s->n[slot][what], now + by, memory_order_relaxed);
}

static inline void
stats_set(struct stats *s, unsigned slot, enum stat_id what, uint64_t value)
{
	atomic_store_explicit(&s->n[slot][what], value, memory_order_relaxed);
}

static inline uint64_t
stats_get(const struct stats *s, unsigned slot, enum stat_id what)
{
	return atomic_load_explicit(&s->n[slot][what], memory_order_relaxed);
}

#endif
