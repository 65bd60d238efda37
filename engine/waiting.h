/* waiting.h: the table of those that have answered, of a fixed size. */
#ifndef ENGINE_WAITING_H
#define ENGINE_WAITING_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/addr.h"
#include "engine/sweep.h"

/*
 * Where an entry stands. Each is a queue in the order of entry with one
 * timeout for all, so the one that is due is always its first.
 */
enum waiting_queue {
	QUEUE_GREETING, /* for POP3 and IMAP to speak */
	QUEUE_GREETING_SMTP,
	QUEUE_BLOCKED, /* it is our turn: wire 1 was full */
	QUEUE_HANDED, /* its greeting is in dial's or a probe's hands */
	QUEUE_HANDED_EARLY, /* ... handed on before it spoke */
	QUEUE_HANDED_EARLY_SMTP,
	QUEUE_DONE, /* only kept to know repeats by */
	QUEUE_COUNT
};

/*
 * 40 bytes; the upper 12 of an IPv6 address lie beside it in an array that is
 * made only if there are IPv6 targets. With its share of the buckets that is
 * 44 to 48 bytes of memory an IPv4 entry, 56 to 60 an IPv6 one. Our ISN is
 * not kept, the cookie makes it again. The first five and queue are the
 * table's, the rest the caller's.
 */
struct entry {
	uint32_t chain, newer, older;
	uint32_t addr_low;
	uint32_t since_ms; /* when it came into its queue */
	uint32_t synack_ms; /* UTC, since the table's owner started */
	uint32_t irs;
	uint16_t sport, window, mss;
	uint8_t service; /* index into conf.ports */
	uint8_t queue; /* enum waiting_queue */
	uint8_t source : 4; /* index into conf.sources */
	uint8_t heard : 2; /* which SYNs of a first try it answered */
	uint8_t wscale; /* WSCALE_NONE */
	uint8_t ttl, options;
};

struct waiting;

/*
 * A table of max entries with nothing to allocate later. ipv6: room for
 * addresses of that family; without it they must not be added. The key
 * (SipHash) keeps strangers from filling one bucket. NULL with errno.
 */
struct waiting *waiting_new(uint32_t max, bool ipv6,
    const uint8_t key[SWEEP_KEY_LEN], const uint32_t timeouts_ms[QUEUE_COUNT]);
void waiting_free(struct waiting *);

/* All below take constant time, but for an address of many services. Times are of any clock that wraps at 2^32. */

struct entry *waiting_find(
    struct waiting *, const struct addr *, uint8_t service);

/*
 * The keyed hash of an address: where its entries are. With it, the same and
 * waiting_add() for who needs it more than once.
 */
uint64_t waiting_hash(const struct waiting *, const struct addr *);
struct entry *waiting_find_at(
    struct waiting *, uint64_t hash, const struct addr *, uint8_t service);
struct entry *waiting_add_at(struct waiting *, uint64_t hash,
    const struct addr *, uint8_t service, enum waiting_queue, uint32_t now_ms);

/*
 * It will be asked for soon: have it in the cache by then. First its bucket,
 * some time later the entry that this begins with.
 */
void waiting_ahead(const struct waiting *, uint64_t hash);
void waiting_ahead_entry(const struct waiting *, uint64_t hash);

/* How many entries an address has that are not done, all services together. */
unsigned waiting_open_of(
    const struct waiting *, uint64_t hash, const struct addr *);

/* A new entry, all else zero, or NULL when the table is full. */
struct entry *waiting_add(struct waiting *, const struct addr *,
    uint8_t service, enum waiting_queue, uint32_t now_ms);

/* To the end of a queue. */
void waiting_move(
    struct waiting *, struct entry *, enum waiting_queue, uint32_t now_ms);
void waiting_remove(struct waiting *, struct entry *);

/* The first of a queue if its time is up, or NULL; move or remove it. */
struct entry *waiting_due(struct waiting *, enum waiting_queue, uint32_t now);

/* The first of a queue whatever its time, or NULL. */
struct entry *waiting_first(struct waiting *, enum waiting_queue);
/* The one that came after it, or NULL. */
struct entry *waiting_next(struct waiting *, const struct entry *);

struct addr waiting_addr(const struct waiting *, const struct entry *);
uint32_t waiting_count(const struct waiting *, enum waiting_queue);
uint32_t waiting_used(const struct waiting *);
uint32_t waiting_max(const struct waiting *);

/* A number for each entry, below waiting_max, its own while it lives. */
uint32_t waiting_number(const struct waiting *, const struct entry *);

#endif
