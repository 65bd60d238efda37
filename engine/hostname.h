/* hostname.h: names of hosts, as somebody else's name server gave them. */
#ifndef ENGINE_HOSTNAME_H
#define ENGINE_HOSTNAME_H

#include <stdbool.h>

enum { HOSTNAME_CAP = 256 };

/*
 * A name that a host could have: at most 253 letters, digits, '-' and '_' in
 * labels of 1 to 63 (RFC 1123, 2.1; the underscore is out there), at least
 * two, the last not a number. Into `to`, in lower case and without the final
 * dot; `to` may be `from`. False: it is none, and `to` is as it was.
 */
bool hostname_clean(const char *from, char to[HOSTNAME_CAP]);

#endif
