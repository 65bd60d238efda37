/* tables_help.h: the tables of a sealed file against its rows. */
#ifndef TEST_UNIT_TABLES_HELP_H
#define TEST_UNIT_TABLES_HELP_H

#include "storage/store.h"

/* Each that a seal makes is there, and is what a pass over the rows counts. */
void assert_sealed_tables(struct store *);

#endif
