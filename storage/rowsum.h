/*
 * rowsum.h: the sum by which a row that was damaged on the disk is known, so
 * that it is never read as data. XXH3 (Collet, xxHash 0.8), 64 bits with the
 * 64 bits of the key's sum as seed; the low 32 bits are kept. It finds flipped
 * bits and swapped rows, not a forger.
 */
#ifndef STORAGE_ROWSUM_H
#define STORAGE_ROWSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/record.h"

enum {
	SILENT_VALUE_LEN = 8, /* u32 seconds, u32 sum */
	BODY_SUM_LEN = 10 /* the field that ends a stored body */
};

/* Of bytes that lie under a key (target_pack). */
uint32_t row_sum(
    const uint8_t key[TARGET_KEY_LEN], const void *bytes, size_t len);

/* Of a head, over all that stands before its sum. */
void head_sum_set(const uint8_t key[TARGET_KEY_LEN], struct head *);
bool head_sum_agrees(const uint8_t key[TARGET_KEY_LEN], const struct head *);

/* A stored body: its fields, then one with their sum: len + BODY_SUM_LEN. */
void body_sum_write(const uint8_t key[TARGET_KEY_LEN], const uint8_t *body,
    uint32_t len, uint8_t *out);
/* *len becomes that of the fields. False: no sum, or another one. */
bool body_sum_agrees(
    const uint8_t key[TARGET_KEY_LEN], const uint8_t *stored, uint32_t *len);

/* The value of a silent target. */
void silent_write(const uint8_t key[TARGET_KEY_LEN], uint32_t seconds,
    uint8_t value[SILENT_VALUE_LEN]);
bool silent_read(const uint8_t key[TARGET_KEY_LEN], const uint8_t *value,
    size_t len, uint32_t *seconds);

#endif
