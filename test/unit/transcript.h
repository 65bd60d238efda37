/* transcript.h: a dialog as text: what is said, and what must come of it. */
#ifndef TEST_UNIT_TRANSCRIPT_H
#define TEST_UNIT_TRANSCRIPT_H

#include <stddef.h>
#include <stdint.h>

#include "probes/dialog.h"

enum { STEPS_MAX = 2100, EXPECT_MAX = 64, SAID_MAX = 64, BYTES_MAX = 600000 };

/*
 * A file of lines (test/transcript/README.md). Bytes of the server up to a
 * mark make one stretch, whatever the client says meanwhile.
 */
struct stretch {
	uint8_t *bytes;
	size_t len, cap;
	char mark[128]; /* what ends it; empty: the file's end */
};

struct transcript {
	char name[256];
	enum protocol protocol;
	enum port_kind kind;
	uint16_t port;
	struct stretch stretches[16];
	size_t nstretches;
	char *said[SAID_MAX]; /* by the client, in order */
	size_t nsaid;
	char *expect[EXPECT_MAX]; /* "key value" */
	size_t nexpect;
};

/* Fails the test on a file that cannot be read as one. */
struct transcript *transcript_read(const char *path);
void transcript_free(struct transcript *);

/* Feed in chunks: n bytes the first time, and step bytes from then on. */
struct replay {
	struct dialog dialog;
	struct record record;
	struct line_reader lines;
	struct manners manners;
	char *said[SAID_MAX];
	size_t nsaid;
	uint8_t line[8192], body[59804];
};
void transcript_replay(
    const struct transcript *, struct replay *, size_t first, size_t step);
void replay_free(struct replay *);

/* Does what came out agree? Else says where, and fails the test. */
void transcript_check(
    const struct transcript *, const struct replay *, const char *how);

#endif
