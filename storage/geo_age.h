/* geo_age.h: how old the geo data is that a sweep was annotated by. */
#ifndef STORAGE_GEO_AGE_H
#define STORAGE_GEO_AGE_H

#include <stdint.h>

/* Above so many days whoever reads the numbers is warned. */
enum { GEO_OLD_DAYS = 90 };

/* At a time; 0: there is none, or it is newer. */
uint64_t geo_age_days(uint64_t build_us, uint64_t at_us);

#endif
