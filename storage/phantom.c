/* phantom.c: the key that a phantom, or its network, is known by. */
#include <string.h>

#include "storage/phantom.h"

enum { ALL_BITS = 128, BITS_24 = 96 + 24, BITS_48 = 48, BYTE = 8 };

void
phantom_key(const struct addr *a, enum phantom_scope scope,
    uint8_t key[PHANTOM_KEY_LEN])
{
	unsigned bits = ALL_BITS;

	if (scope == PHANTOM_NETWORK)
		bits = addr_is4(a) ? BITS_24 : BITS_48;
	memset(key, 0, PHANTOM_KEY_LEN);
	memcpy(key, a->b, bits / BYTE);
	key[PHANTOM_KEY_LEN - 1] = (uint8_t)bits;
}
