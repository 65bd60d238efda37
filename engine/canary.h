/*
 * canary.h: the port where nobody listens: who answers there as well answers
 * everywhere, and is a phantom (MAIL.md 4.25).
 */
#ifndef ENGINE_CANARY_H
#define ENGINE_CANARY_H

#include <stdint.h>

#include "engine/conf.h"
#include "engine/sweep.h"

enum { CANARY_FIRST = 20000, CANARY_PORTS = 10000 };

/*
 * Drawn for each sweep, by its key, so that nobody can be ready for it; never
 * a port that is swept.
 */
uint16_t canary_port(const uint8_t key[SWEEP_KEY_LEN], const struct conf *);

#endif
