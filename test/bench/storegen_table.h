/*
 * storegen_table.h: mail services after a table of counts: so many hosts of a
 * country have a service. Hosts of a country lie side by side, and the first
 * ones have most services.
 */
#ifndef TEST_BENCH_STOREGEN_TABLE_H
#define TEST_BENCH_STOREGEN_TABLE_H

#include "storage/store.h"

struct gen_table;

/* Lines COUNTRY PORT/PROTOCOL STARTTLS N, # a comment. NULL: see error. */
struct gen_table *gen_table_read(const char *path, char error[STORE_ERROR_MAX]);
uint64_t gen_table_rows(const struct gen_table *);

/* The next row in key order; false at the end. */
bool gen_table_next(
    struct gen_table *, uint64_t start_us, struct target *, struct head *);
void gen_table_free(struct gen_table *);

#endif
