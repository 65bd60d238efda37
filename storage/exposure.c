/* exposure.c: since when a target is exposed, and that it was mended. */
#include "storage/exposure.h"
#include "storage/feed.h"

enum { SECOND_US = 1000000 };

static uint32_t
seen(const struct head *h)
{
	return (uint32_t)(h->time_us / SECOND_US);
}

static bool
is_open(const struct head *h)
{
	const unsigned vulnerable =
	    1u << FEED_POP3_VULNERABLE | 1u << FEED_IMAP_VULNERABLE;

	if (h->protocol == PROTOCOL_SMTP)
		return head_has(h, FINDING_NO_TLS);
	return feed_types(h, false) & vulnerable;
}

enum exposure
exposure_of(const struct head *h)
{
	if (is_open(h))
		return EXPOSURE_OPEN;
	if (!head_had_dialog(h) || h->outcome != OUTCOME_COMPLETED)
		return EXPOSURE_UNSURE;
	switch ((enum starttls)h->starttls) {
	case STARTTLS_COMPLETED:
	case STARTTLS_IMPLICIT:
	case STARTTLS_NOT_OFFERED: /* ... and no login either */
		return EXPOSURE_SOUND;
	default:
		return EXPOSURE_UNSURE;
	}
}

bool
exposure_is_new(const struct head *h)
{
	return h->open_since != 0 && h->open_since == seen(h);
}

uint32_t
exposure_mended(const struct head *h)
{
	if (h->open_since == 0 || exposure_of(h) != EXPOSURE_SOUND)
		return 0;
	return seen(h) > h->open_since ? seen(h) - h->open_since : 1;
}

void
exposure_join(struct head *now, const struct head *before)
{
	now->open_since = 0;
	if (before && !exposure_mended(before))
		now->open_since = before->open_since;
	/* Sweeps of earlier versions do not say since when. */
	if (now->open_since == 0 && before &&
	    exposure_of(before) == EXPOSURE_OPEN)
		now->open_since = seen(before);
	if (now->open_since == 0 && exposure_of(now) == EXPOSURE_OPEN)
		now->open_since = seen(now);
}
