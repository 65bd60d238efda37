/* conf_reader.h: what the files behind conf.h share while one is read. */
#ifndef ENGINE_CONF_READER_H
#define ENGINE_CONF_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/conf.h"

enum { CONF_UNKNOWN_MAX = 64 };

/* One reading: whose file, and how much was wrong with it. */
struct reader {
	const char *file;
	unsigned mistakes;
};

/* One line on standard error: FILE:LINE: text. Line 0: the file as a whole. */
void reader_mistake(struct reader *, const char *file, unsigned line,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* A value as it stands in the file, and where. */
struct word {
	char *section; /* recipient's title, or NULL */
	char *option; /* NULL: the section's end */
	char *text;
	unsigned line;
};

struct words {
	struct word *v;
	size_t n, cap;
};

/*
 * Cut a text into words; what is not in the grammar is reported. Both lists
 * of known names end with NULL. The words are there even after mistakes.
 */
void words_read(struct reader *, const char *text, const char *const *options,
    const char *const *recipient_options, struct words *);
void words_free(struct words *);

/* The whole of a regular file, with a NUL behind it; NULL with errno. */
char *conf_slurp(const char *path);

/* The name of the i-th option, outside of recipients; NULL at the end. */
const char *conf_option(size_t i);

/* As conf_read, of a text; path is for messages. */
int conf_read_text(const char *path, const char *text, struct conf *,
    struct ranges **targets, struct ranges **excluded, struct recipients *);

/* ---- values: true, or false and *expected says what was ----------------- */

enum { EXPECTED_MAX = 160 };

bool value_number(const char *, uint64_t min, uint64_t max, uint64_t *,
    char expected[EXPECTED_MAX]);
bool value_duration(const char *, uint64_t min_ms, uint64_t max_ms,
    uint64_t *ms, char expected[EXPECTED_MAX]);
bool value_size(const char *, uint64_t min, uint64_t max, uint64_t *,
    char expected[EXPECTED_MAX]);
bool value_text(
    const char *, char *to, size_t cap, char expected[EXPECTED_MAX]);
bool value_fqdn(
    const char *, char *to, size_t cap, char expected[EXPECTED_MAX]);
bool value_contact(
    const char *, char *to, size_t cap, char expected[EXPECTED_MAX]);
bool value_mac(const char *, char *to, size_t cap, char expected[EXPECTED_MAX]);
bool value_name(
    const char *, char *to, size_t cap, char expected[EXPECTED_MAX]);
bool value_time(
    const char *, char *to, size_t cap, char expected[EXPECTED_MAX]);
bool value_port(const char *, struct conf_port *, char expected[EXPECTED_MAX]);
bool value_port_range(
    const char *, uint16_t *first, uint16_t *last, char expected[EXPECTED_MAX]);
/* An address, and a port unless it is 53: ADDRESS:PORT, [ADDRESS]:PORT. */
bool value_server(
    const char *, struct addr *, uint16_t *port, char expected[EXPECTED_MAX]);
bool value_shard(const char *, uint32_t *shard, uint32_t *shards,
    char expected[EXPECTED_MAX]);

/* -1, or the index of a name in a list that ends with NULL. */
int value_choice(
    const char *, const char *const *names, char expected[EXPECTED_MAX]);

/* ---- lists of addresses ------------------------------------------------- */

/*
 * Add a word that stands for addresses: CIDR, range, address, or @FILE with
 * one of these a line (# begins a comment).
 */
void list_add(struct reader *, const struct word *, struct ranges *);

/* Add all of a file, which is what @FILE means. */
void list_add_file(struct reader *, const char *file, unsigned line,
    const char *path, struct ranges *);

/*
 * Where a file of conf/ is: installed, or in the tree that this program was
 * built in. Into path, or false.
 */
bool list_data_file(const char *name, char path[CONF_PATH_MAX]);

/* ---- recipients --------------------------------------------------------- */

extern const char *const recipient_options[];

void recipients_take(
    struct reader *, const struct words *, struct recipients *);

#endif
