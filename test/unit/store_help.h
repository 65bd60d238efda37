/* store_help.h: data directories made for the unit tests of storage/. */
#ifndef TEST_UNIT_STORE_HELP_H
#define TEST_UNIT_STORE_HELP_H

#include "engine/conf.h"
#include "engine/role.h"
#include "storage/store.h"

/* A new directory with sealed/ in it; help_remove() removes all of it. */
void help_directory(char path[64]);
void help_remove(const char *path);

/* "192.0.2.1", 110 */
struct target help_target(const char *addr, uint16_t port);

/* A head as a probe would send it. */
struct head help_head(
    const struct target *, enum outcome, uint32_t findings, uint64_t time_us);

/*
 * What a role is given: 192.0.2.0/24 and 2001:db8::/120 without 192.0.2.200,
 * ports 110, 143, 993 and 25. help_args_free() frees the sets.
 */
void help_args(struct role_args *, struct conf *);
void help_args_free(struct role_args *);

/* One row of a sealed file made by hand; body may be NULL. */
struct help_row {
	struct target target;
	struct head head;
	const struct record *body;
};

/*
 * Seal a file of rows, which are in key order, and its row in the catalog,
 * with an account that balances; n silent targets follow from 198.51.100.0:25,
 * and the last of them is a phantom.
 */
void help_seal(const char *path, const char *id, uint64_t start_us,
    const struct help_row *, size_t nrows, unsigned nsilent);
/* The date of the geo data that it says; 0 at first: none. */
extern uint64_t help_geo_build_us;

#endif
