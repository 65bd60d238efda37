/* pattern.h: regular expressions over what strangers said; PCRE2 is here. */
#ifndef PROBES_PATTERN_H
#define PROBES_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PATTERN_MAX = 512, /* bytes of an expression */
	PATTERN_ERROR_MAX = 160,
	PATTERN_SUBJECT_MAX = 2048, /* more than that is not looked at */
	PATTERN_STEPS_MAX = 4000 /* of one match, PCRE2's match limit */
};

/* What a text may be captured as: (?<product>...) and (?<version>...). */
enum capture { CAPTURE_PRODUCT, CAPTURE_VERSION, CAPTURE_COUNT };

enum matched {
	MATCHED_NO,
	MATCHED_YES,
	MATCHED_TOO_LONG /* over a limit of ours: a hostile text */
};

struct pattern;
struct matcher;

/*
 * An expression of pcre2pattern(3), of bytes, anchored at the text's begin,
 * whose dot stops at a line's end. It is interpreted, never compiled to
 * machine code: no page of a probe is writable and executable. NULL, and what
 * is wrong with it.
 */
struct pattern *pattern_new(
    const char *text, size_t len, char error[PATTERN_ERROR_MAX]);
void pattern_free(struct pattern *);
bool pattern_captures(const struct pattern *, enum capture);

/*
 * Memory and limits of all matches of a process, made once; NULL: no memory.
 * A match allocates at most once more, when it is the first to go so deep.
 */
struct matcher *matcher_new(void);
void matcher_free(struct matcher *);

/*
 * Costs at most PATTERN_STEPS_MAX steps, whatever the text: anchored, it is
 * tried at one place. Captures are in *found: they point into the text.
 */
struct captured {
	const uint8_t *bytes[CAPTURE_COUNT]; /* NULL: none */
	size_t len[CAPTURE_COUNT];
};
enum matched pattern_match(const struct pattern *, struct matcher *,
    const uint8_t *text, size_t len, struct captured *found);

#endif
