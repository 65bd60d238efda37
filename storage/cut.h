/* cut.h: the values that statistics tell rows apart by. */
#ifndef STORAGE_CUT_H
#define STORAGE_CUT_H

#include "storage/statistics.h"

/* Words by number, for cuts whose values are texts. */
struct labels {
	char **v;
	size_t n, cap;
	uint32_t *slots; /* hash to index + 1 */
	size_t nslots;
};
void labels_free(struct labels *);
uint64_t labels_number(struct labels *, const char *, size_t len);
/* The number that it has; false: none. */
bool labels_find(
    const struct labels *, const char *, size_t len, uint64_t *number);

/*
 * The number, in these labels, of what has number n in others; false: there is
 * none. Without words a number stands for itself.
 */
bool labels_same(const struct labels *, const struct labels *others, bool words,
    uint64_t n, uint64_t *same);

/* Are its values texts that labels number? */
bool cut_has_labels(enum cut);

/* The value of a cut by country. */
uint64_t country_number(const char code[2]);

/* Needs it the body? */
bool cut_reads_body(enum cut);

/*
 * The row's value. For a cut by finding there is one value a finding: call
 * with *more = 0, and again while *more is not.
 */
uint64_t cut_value(
    enum cut, const struct row *, struct labels *, uint32_t *more);
/* Its name; returns label. */
const char *cut_label(
    enum cut, const struct labels *, uint64_t value, char label[CUT_LABEL_MAX]);

/* Is it what stands for rows of which the value is not known? */
bool cut_is_unknown(enum cut, const struct labels *, uint64_t value);

#endif
