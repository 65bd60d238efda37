/* phantom.h: the key that a phantom, or its network, is known by. */
#ifndef STORAGE_PHANTOM_H
#define STORAGE_PHANTOM_H

#include <stdint.h>

#include "engine/addr.h"

enum { PHANTOM_KEY_LEN = 17, PHANTOM_VALUE_LEN = 1 };

/* The value: a canary was sent there; and answered. */
enum { PHANTOM_ASKED, PHANTOM_ANSWERED };

enum phantom_scope {
	PHANTOM_ADDRESS,
	PHANTOM_NETWORK, /* /24, /48 */
	PHANTOM_SCOPES
};

/* The address with its host bits off, and the bits of the prefix (of 128). */
void phantom_key(
    const struct addr *, enum phantom_scope, uint8_t key[PHANTOM_KEY_LEN]);

#endif
