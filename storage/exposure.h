/* exposure.h: since when a target is exposed, and that it was mended. */
#ifndef STORAGE_EXPOSURE_H
#define STORAGE_EXPOSURE_H

#include <stdbool.h>

#include "storage/record.h"

enum exposure {
	EXPOSURE_UNSURE, /* the answer shows neither */
	EXPOSURE_OPEN, /* in a scan_..._vulnerable report, or SMTP without TLS */
	EXPOSURE_SOUND /* the dialog ran to its end, and it is not */
};
enum exposure exposure_of(const struct head *);

/* What the seal says of a target that was seen before, or (NULL) was not. */
void exposure_join(struct head *now, const struct head *before);

/* Is this the observation since which it is exposed? */
bool exposure_is_new(const struct head *);

/* For how many seconds it was exposed, in the row that shows it mended, or 0. */
uint32_t exposure_mended(const struct head *);

#endif
