/*
 * lookups.h: addresses whose names are being asked for, and what is known by
 * now. No socket and no clock: the role resolve has those.
 */
#ifndef ENGINE_LOOKUPS_H
#define ENGINE_LOOKUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/dns.h"
#include "engine/wire.h"

enum {
	LOOKUPS_MAX = NAMES_OPEN_MAX, /* store never asks for more at once */
	LOOKUP_TRIES = 3, /* of each query */
	LOOKUP_WAIT_MS = 2000 /* for each reply */
};

struct lookups;

struct lookups *lookups_new(void); /* NULL: no memory */
void lookups_free(struct lookups *);

unsigned lookups_count(const struct lookups *);
bool lookups_has_room(const struct lookups *);

/* One more, when there is room. */
void lookups_add(struct lookups *, const struct addr *);

/*
 * The next query to be sent, which counts as sent at now_ms: its length, or 0
 * when none waits. What was begun comes first. Times are monotonic.
 */
size_t lookups_query(
    struct lookups *, uint64_t now_ms, uint8_t query[DNS_QUERY_MAX]);
bool lookups_has_query(const struct lookups *);

/* A message came; says what it was. A strange one changes nothing. */
enum dns_reply lookups_reply(
    struct lookups *, const uint8_t *message, size_t len);

/* Replies that did not come in time; how many, and when the next is due. */
unsigned lookups_expire(struct lookups *, uint64_t now_ms);
uint64_t lookups_due_ms(const struct lookups *); /* UINT64_MAX: none */

/* The first that is finished; false: none is. It stays until it is dropped. */
bool lookups_result(const struct lookups *, struct resolved *);
void lookups_drop(struct lookups *);

#endif
