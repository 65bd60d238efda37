/* show.h: one row, readable: what `mailsweep show` prints. */
#ifndef STORAGE_SHOW_H
#define STORAGE_SHOW_H

#include "storage/advice.h"
#include "storage/holes.h"
#include "storage/row.h"
#include "storage/store.h"

/* What is known beside the row; each may be NULL. */
struct show_tables {
	const struct advices *advices;
	const struct holes *holes;
};

/* Everything that is kept of the row, on standard output. */
void show_row(const struct row *, struct store *, const struct show_tables *);

/* One finding, and what is told about it; label stands before it. */
void show_finding(const char *label, enum finding, const struct advices *);

/* Subject, issuer, dates, names ... of each certificate of the chain. */
void show_chain(const struct row *, struct store *);

/* What a finding means, in a sentence. */
const char *finding_sentence(enum finding);

#endif
