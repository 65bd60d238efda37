/* sports.h: the source-port range, kept free of this machine's own sockets. */
#ifndef ENGINE_SPORTS_H
#define ENGINE_SPORTS_H

#include <stdbool.h>
#include <stdint.h>

enum { SPORTS_WORDS = 65536 / 64 };

/* A set of ports. */
struct sports {
	uint64_t bit[SPORTS_WORDS];
};

/* "1,5-7" into a set, and back; the kernel's form. False: not that form. */
bool sports_parse(const char *, struct sports *);
void sports_print(const struct sports *, char *to, uint32_t cap);

/*
 * A port of the range that a socket of some process holds, with what
 * /proc/net/tcp calls its address in text; 0: none. Sockets that nobody owns
 * any more (FIN_WAIT, TIME_WAIT of an earlier start) do not count.
 */
uint16_t sports_in_use(uint16_t first, uint16_t last);

/*
 * Add the range to net.ipv4.ip_local_reserved_ports; *before is what stood
 * there. sports_release takes away what was added, and only that. 0, or -1
 * with errno.
 */
int sports_reserve(uint16_t first, uint16_t last, struct sports *before);
int sports_release(uint16_t first, uint16_t last, const struct sports *before);

#endif
