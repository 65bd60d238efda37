/*
 * texts.h: the bodies of a sweep that is running, in the order in which they
 * came. Rows come in no order of their keys; were bodies put where their key
 * is, each would make a page of its own dirty, and the seal would read the
 * file from all ends. The head of a row that has a body keeps its number in
 * first_seen_us, which is the seal's otherwise; 0: it has none, or one of
 * before there were numbers, under its target in DB_BODIES.
 */
#ifndef STORAGE_TEXTS_H
#define STORAGE_TEXTS_H

#include "storage/record.h"

/* The number, big-endian, then the target. */
enum { TEXT_NUMBER_LEN = 8, TEXT_KEY_LEN = TEXT_NUMBER_LEN + TARGET_KEY_LEN };

void text_key_pack(uint64_t number, const uint8_t target[TARGET_KEY_LEN],
    uint8_t key[TEXT_KEY_LEN]);
uint64_t text_key_number(const uint8_t key[TEXT_KEY_LEN]);

#endif
