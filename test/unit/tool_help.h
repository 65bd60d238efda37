/* tool_help.h: a small sealed sweep with one of everything, for the tool. */
#ifndef TEST_UNIT_TOOL_HELP_H
#define TEST_UNIT_TOOL_HELP_H

#include <stddef.h>
#include <stdint.h>

#include "storage/row.h"

/* 2026-11-21 02:00:00 UTC */
#define SAMPLE_START_US ((uint64_t)1795226400 * 1000000)
#define SAMPLE_ID       "20261121T020000Z-test"

/* What sample_make puts there, for tests that count. */
enum {
	SAMPLE_ROWS = 17,
	SAMPLE_SERVICES = 16,
	SAMPLE_SILENT = 3,
	SAMPLE_POP3_VULNERABLE4 = 2,
	SAMPLE_IMAP_VULNERABLE4 = 2
};

/* A greeting that tries each way out of a CSV field. */
extern const char hostile_greeting[];
extern const size_t hostile_length;

/* A data directory with one sealed sweep; help_remove() takes it away. */
void sample_make(char path[64]);

/* Text of a file, NUL-terminated, the caller's to free. */
char *file_text(const char *path, size_t *len);

/* Spoil the first row of a sealed file that has this in it; it stays whole. */
void spoil_sealed(const char *path, uint32_t mark);

/* Run f(arg) with standard output in a file; its text, to free. */
char *output_of(int (*f)(void *), void *arg, int *status);

#endif
