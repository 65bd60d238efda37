/*
 * store.h: the data directory, and the only door to LMDB.
 *
 *     live/            the sweep that is running (LMDB environment)
 *     sealed/ID.mdb    one file a finished sweep, read-only (MDB_NOSUBDIR)
 *     certs.mdb        certificates (DER) by SHA-256
 *     catalog.mdb      one row a sweep, opt-outs
 *
 * This half is for readers: nothing here writes. store_write.h is the other.
 */
#ifndef STORAGE_STORE_H
#define STORAGE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/addr.h"
#include "engine/hostname.h"
#include "engine/ranges.h"
#include "engine/sweep.h"
#include "storage/account.h"
#include "storage/record.h"

enum { STORE_ERROR_MAX = 512 };

/* Text for error, cut where it has to be. */
void store_say(char error[STORE_ERROR_MAX], const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

struct store;
struct store_scan;

/* A row of the catalog; also kept in each sealed file. */
struct sweep_info {
	struct sweep sweep;
	struct account account;
	uint64_t end_us; /* 0: still running */
	uint32_t version; /* of the file's format */
	uint32_t balanced;
	uint64_t geo_build_us; /* the database's date; 0: none */
	uint64_t rate;
	uint64_t changes[CHANGE_COUNT]; /* rows by enum change */
	uint64_t silent_phantoms; /* silent, and it or its network phantom */
	uint64_t gone; /* had a row the last time, has none now */
	uint32_t removed; /* 1: the file is gone (retention) */
	uint32_t spare;
	char sensor[32];
	char previous[SWEEP_ID_MAX]; /* joined with at the seal */
};

/*
 * Open a sweep for reading: id NULL is the newest sealed one, "live" the
 * running one, else a sealed one by its id. NULL, and why in error.
 */
struct store *store_open(
    const char *datadir, const char *id, char error[STORE_ERROR_MAX]);
void store_close(struct store *);
const struct sweep_info *store_info(const struct store *);

/*
 * Rows that were met so far whose sum does not agree, or that are no rows of
 * ours: the calls below pass over them.
 */
uint64_t store_damaged(const struct store *);

/*
 * Walk heads in key order (address, then port). The head is copied out.
 * store_scan_next: false at the end. Rows of opted-out prefixes are skipped.
 */
struct store_scan *store_scan_new(struct store *);
struct store_scan *store_scan_from(struct store *, const struct addr *);
/* ... of the addresses from first to last, both among them. */
struct store_scan *store_scan_range(
    struct store *, const struct addr *first, const struct addr *last);
bool store_scan_next(struct store_scan *, struct target *, struct head *);
/* The body of the row the scan stands on; valid until the next step. */
bool store_scan_body(struct store_scan *, const uint8_t **, uint32_t *len);
void store_scan_free(struct store_scan *);

/*
 * Walk, in the same way, the targets that were seen in retained sweeps and
 * not in this one: the head last seen, head.missed the sealed sweeps since.
 */
struct store_scan *store_scan_gone(struct store *);

/* Walk the bare keys: scan from store_scan_silent(), when in microseconds. */
struct store_scan *store_scan_silent(struct store *);
bool store_scan_silent_next(
    struct store_scan *, struct target *, uint64_t *when_us);

/* How many heads there are, opted out or not. */
uint64_t store_head_count(struct store *);

/* The bare keys of targets that answered and stayed silent. */
uint64_t store_silent_count(struct store *);
bool store_is_silent(struct store *, const struct target *, uint64_t *when_us);
/* All of them in key order; false from the callback ends it. 0 or -1. */
int store_each_silent(struct store *,
    bool (*each)(const struct target *, uint64_t when_us, void *), void *);

/* Does it, or its network, answer on the canary port as well? */
bool store_is_phantom(struct store *, const struct addr *);
/* Each key (phantom.h) of what does, in order. 0 or -1. */
int store_each_phantom(
    struct store *, bool (*each)(const uint8_t *key, void *), void *);

/* One row; *body is valid until store_close. */
bool store_get(struct store *, const struct target *, struct head *,
    const uint8_t **body, uint32_t *len);

/*
 * The name of an address, of a sweep that is running: the seal puts it into
 * the rows. False: none is known.
 */
bool store_name(struct store *, const struct addr *, char name[HOSTNAME_CAP],
    bool *confirmed);

/*
 * What the seal kept under a name, until store_close. False: nothing, or rows
 * that it was counted from are opted out by now.
 */
bool store_table(
    struct store *, const char *name, const uint8_t **bytes, size_t *len);

/* A certificate; *der is valid until store_close. */
bool store_cert(struct store *, const uint8_t sha256[SHA256_LEN],
    const uint8_t **der, size_t *len);

/* The id of the newest sealed sweep; false: there is none. */
bool store_newest(const char *datadir, char id[SWEEP_ID_MAX]);

/* The id, from the name of a file in sealed/; false: it is another file. */
bool store_name_id(const char *name, char id[SWEEP_ID_MAX]);

/* Somebody who wants to be left out. */
enum { OPTOUT_REASON_MAX = 256 };

struct optout {
	struct addr addr;
	unsigned bits; /* of 128, also of IPv4 */
	uint64_t when_us; /* UTC */
	char reason[OPTOUT_REASON_MAX]; /* "" none was given */
};

/*
 * All in the order of their prefixes; false from the callback ends it. 0, or
 * -1: they cannot be read.
 */
int store_each_optout(
    const char *datadir, bool (*each)(const struct optout *, void *), void *);

/* Into a set that is not sealed yet. False: no memory. */
bool optout_add(struct ranges *, const struct optout *);

/* All as a sealed set of the caller's. NULL: they cannot be read. */
struct ranges *store_optouts(const char *datadir);

/* Every row of the catalog, oldest first; the callback returns false to end. */
int store_sweeps(const char *datadir,
    bool (*each)(const struct sweep_info *, void *), void *,
    char error[STORE_ERROR_MAX]);

#endif
