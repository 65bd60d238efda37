/* steady.c: UTC that nobody sets while it is used. */
#include <string.h>

#include "engine/wire.h"
#include "storage/steady.h"

enum { SET_US = 1000000 }; /* less is the work of a clock that is disciplined */

void
steady_init(struct steady *s, uint64_t utc_us, uint64_t boot_us)
{
	*s = (struct steady){ .utc_us = utc_us, .boot_us = boot_us };
}

uint64_t
steady_now(const struct steady *s, uint64_t boot_us)
{
	return s->utc_us + (boot_us - s->boot_us);
}

int64_t
steady_look(struct steady *s, uint64_t utc_us, uint64_t boot_us)
{
	int64_t ahead = (int64_t)(utc_us - steady_now(s, boot_us));
	int64_t by = ahead - s->ahead_us;

	s->ahead_us = ahead;
	return by >= SET_US || by <= -SET_US ? by : 0;
}

uint64_t
steady_from_wall(const struct steady *s, uint64_t utc_us)
{
	return utc_us - (uint64_t)s->ahead_us;
}

void
steady_followups(const struct steady *s, uint8_t *message, size_t len)
{
	struct followup f;

	for (size_t at = sizeof(struct note_header);
	     at <= len && len - at >= sizeof f; at += sizeof f) {
		memcpy(&f, message + at, sizeof f);
		f.not_before_us = steady_from_wall(s, f.not_before_us);
		memcpy(message + at, &f, sizeof f);
	}
}
