/* canary.c: the port where nobody listens. */
#include "engine/canary.h"
#include "engine/cookie.h"

uint16_t
canary_port(const uint8_t key[SWEEP_KEY_LEN], const struct conf *conf)
{
	static const uint8_t what[] = { 'c', 'a', 'n', 'a', 'r', 'y' };
	uint64_t drawn = cookie_hash(key, what, sizeof what);

	/* There are more of these than ports of a sweep. */
	while (conf_port(conf,
		   (uint16_t)(CANARY_FIRST + drawn % CANARY_PORTS)) != NULL)
		drawn++;
	return (uint16_t)(CANARY_FIRST + drawn % CANARY_PORTS);
}
