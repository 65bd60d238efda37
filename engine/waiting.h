/* waiting.h: the table of those that have answered, of a fixed size. */
#ifndef ENGINE_WAITING_H
#define ENGINE_WAITING_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/addr.h"
#include "engine/sweep.h"

/* Where an entry stands. Each has one timeout for all that are in it. */
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

/* What an entry knows the window scale by, where there is none. */
enum { ENTRY_NO_WSCALE = 15 };

/*
 * 24 bytes. The upper 12 of an IPv6 address lie beside it, in an array that is
 * made only if there are IPv6 targets. With 5 bytes to find it by and an
 * eighth of one to know when its time is up that is 29 bytes of memory an IPv4
 * entry, 41 an IPv6 one. Our ISN is not kept, the cookie makes it again.
 * addr_low, since_ms, age, service and queue are the table's, the rest the
 * caller's.
 */
struct entry {
	uint32_t addr_low;
	uint32_t since_ms; /* when it came into its queue */
	uint32_t irs;
	uint16_t sport, window, mss;
	uint16_t age : 14; /* when it came into the table: waiting_start() */
	uint16_t heard : 2; /* which SYNs of a first try it answered */
	uint8_t ttl, options;
	uint8_t service : 5; /* index into conf.ports */
	uint8_t queue : 3; /* enum waiting_queue */
	uint8_t source : 4; /* index into conf.sources */
	uint8_t wscale : 4; /* ENTRY_NO_WSCALE */
};

struct waiting;

/*
 * A table of max entries with nothing to allocate later. ipv6: room for
 * addresses of that family; without it they must not be added. The key
 * (SipHash) keeps strangers from filling one line. NULL with errno.
 */
struct waiting *waiting_new(uint32_t max, bool ipv6,
    const uint8_t key[SWEEP_KEY_LEN], const uint32_t timeouts_ms[QUEUE_COUNT]);
void waiting_free(struct waiting *);

/*
 * All below take constant time, but for an address of many services. Times
 * are of any clock that wraps at 2^32; those of one entry lie less than 2^31
 * apart.
 */

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
 * It will be asked for soon: have it in the cache by then. First its line,
 * some time later the entry that this names.
 */
void waiting_ahead(const struct waiting *, uint64_t hash);
void waiting_ahead_entry(const struct waiting *, uint64_t hash);

/* What an address has in the table, all services together. */
struct waiting_host {
	unsigned open; /* not done */
	unsigned entries;
	uint32_t last_ms; /* when the newest connection began, if any has */
};

struct waiting_host waiting_host(
    const struct waiting *, uint64_t hash, const struct addr *);

/*
 * A new entry, all else zero, or NULL when the table is full. It came into the
 * table at now_ms, which may be a little before the present.
 */
struct entry *waiting_add(struct waiting *, const struct addr *,
    uint8_t service, enum waiting_queue, uint32_t now_ms);

/* Into a queue, or into its own once more: for its timeout and up to 64 ms. */
void waiting_move(
    struct waiting *, struct entry *, enum waiting_queue, uint32_t now_ms);
void waiting_remove(struct waiting *, struct entry *);

/* When it came into the table, if that is not more than 17 minutes ago. */
uint32_t waiting_start(const struct entry *);

/*
 * One whose time in its queue is up, or NULL; whoever asks has to move or to
 * remove it. In no order: a table that is asked often gives them in time.
 */
struct entry *waiting_due(struct waiting *, uint32_t now_ms);

/* Those that are done are not due while they are held. */
void waiting_hold_done(struct waiting *, bool, uint32_t now_ms);

/* Any of a queue whatever its time, or NULL. */
struct entry *waiting_any(struct waiting *, enum waiting_queue);

/* All there are, in no order: the first for NULL; NULL behind the last. */
struct entry *waiting_next(struct waiting *, const struct entry *);

struct addr waiting_addr(const struct waiting *, const struct entry *);
uint32_t waiting_count(const struct waiting *, enum waiting_queue);
uint32_t waiting_used(const struct waiting *);
uint32_t waiting_max(const struct waiting *);

/* A number for each entry, below waiting_max, its own while it lives. */
uint32_t waiting_number(const struct waiting *, const struct entry *);

/* Bytes of memory that the table may use, all of it in use. */
size_t waiting_bytes(const struct waiting *);

#endif
