/* texts.c: the keys of bodies in the order in which they came. */
#include <string.h>

#include "storage/texts.h"

void
text_key_pack(uint64_t number, const uint8_t target[TARGET_KEY_LEN],
    uint8_t key[TEXT_KEY_LEN])
{
	for (int i = 0; i < TEXT_NUMBER_LEN; i++)
		key[i] = (uint8_t)(number >> (56 - 8 * i));
	memcpy(key + TEXT_NUMBER_LEN, target, TARGET_KEY_LEN);
}

uint64_t
text_key_number(const uint8_t key[TEXT_KEY_LEN])
{
	uint64_t number = 0;

	for (int i = 0; i < TEXT_NUMBER_LEN; i++)
		number = number << 8 | key[i];
	return number;
}
