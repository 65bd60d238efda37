/*
 * store_write.h: the sweep that is running, in live/, and the certificates.
 * One process has it open. Everything is done inside a transaction; the first
 * error in it is remembered and told by live_commit(), so that the calls
 * between need no checks of their own.
 */
#ifndef STORAGE_STORE_WRITE_H
#define STORAGE_STORE_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/wire.h"
#include "storage/phantom.h"
#include "storage/store.h"

struct live;

/* Made when it is not there. NULL, and why in error. */
struct live *live_open(
    const char *datadir, uint64_t map_size, char error[STORE_ERROR_MAX]);
void live_close(struct live *);

enum live_result {
	LIVE_DONE, /* on disk */
	LIVE_AGAIN, /* the map was full and has grown: do it all again */
	LIVE_NO_SPACE, /* the disk is full: do it all again, later */
	LIVE_BROKEN /* live_error() says why; close it */
};

void live_begin(struct live *);
enum live_result live_commit(struct live *);
void live_abort(struct live *);
const char *live_error(const struct live *);

/*
 * One row a target: a better outcome replaces a worse, a head removes a bare
 * key. True: the target had none before.
 */
bool live_put_row(
    struct live *, const struct head *, const uint8_t *body, uint32_t len);
/* Write a head as live_row() gave it, with changes; its body stays. */
void live_put_head(struct live *, const struct head *);
bool live_put_silent(struct live *, const struct target *, uint32_t seconds);

/* A copy of the body that is there; its length, 0 when there is none. */
uint32_t live_body(
    struct live *, const struct target *, uint8_t *body, uint32_t cap);

/* What is there: a head; or only a bare key (then *head is not set). */
enum live_row { LIVE_NO_ROW, LIVE_HEAD, LIVE_SILENT };
enum live_row live_row(struct live *, const struct target *, struct head *);
/* Whether there is a head. */
bool live_head(struct live *, const struct target *, struct head *);

void live_put_cert(struct live *, const uint8_t sha256[SHA256_LEN],
    const uint8_t *der, size_t len);

/* A target that has answered, or is asked again, and has no outcome yet. */
struct pending {
	uint8_t kind; /* enum syn_kind */
	uint8_t attempt;
	uint8_t protocol;
	uint8_t why; /* enum outcome it had when it was asked again */
	uint8_t lost; /* how often it was lost, or put us off */
	uint8_t limited; /* how often it was over a limit */
	uint8_t answered; /* 1: not only asked */
	uint8_t zero;
	uint64_t since_us; /* UTC */
};

void live_pending_put(
    struct live *, const struct target *, const struct pending *);
bool live_pending_get(struct live *, const struct target *, struct pending *);
void live_pending_delete(struct live *, const struct target *);
uint64_t live_pending_count(struct live *);
/* The first one past *at, which moves there; begin with all zero. */
bool live_pending_next(struct live *, struct target *at, struct pending *);

/* Follow-ups, in the order in which they fall due. */
struct queued {
	struct target target;
	uint64_t not_before_us;
	struct pending as; /* what it will be; since_us is not kept */
};

void live_queue_put(struct live *, const struct queued *);
bool live_queue_first(struct live *, struct queued *);
/* The first one past *q, which it becomes. */
bool live_queue_next(struct live *, struct queued *q);
void live_queue_delete(struct live *, const struct queued *);
uint64_t live_queue_count(struct live *);

/*
 * Is a canary to be sent there? True once for each address, or network. What
 * has answered one is a phantom; an answer to what was not asked is none.
 */
bool live_canary_ask(struct live *, const struct addr *, enum phantom_scope);
void live_canary_answered(struct live *, const struct addr *);

/*
 * Erase all of those in a set: rows, bodies, what is pending or queued, names,
 * phantoms. Looks at about cap rows, of which one with a body counts as ten,
 * and goes on from *at, which begins with all zero. True: nothing is left.
 * *rows: how many rows of targets went.
 */
struct purge_at {
	unsigned kind; /* database */
	unsigned len; /* of the key that comes next; 0: the first */
	uint8_t key[32];
};

bool live_purge_is_over(const struct purge_at *);
bool live_purge(struct live *, const struct ranges *, struct purge_at *,
    unsigned cap, uint64_t *rows);

/*
 * Addresses whose name is wanted, each once: never again when it has been
 * put, be it an empty one.
 */
void live_name_want(struct live *, const struct addr *);
uint64_t live_name_wanted_count(struct live *);
/* The first one past *at, which moves there; begin with all zero. */
bool live_name_wanted_next(struct live *, struct addr *at);
/* False: it was not wanted (any more), and nothing is put. */
bool live_name_put(
    struct live *, const struct addr *, const char *name, bool confirmed);

/* Text under a name. live_meta_get: its length, 0 when there is none. */
void live_meta_put(
    struct live *, const char *name, const char *text, size_t len);
size_t live_meta_get(struct live *, const char *name, char *text, size_t cap);

#endif
