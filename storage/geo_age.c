/* geo_age.c: how old the geo data is that a sweep was annotated by. */
#include "storage/geo_age.h"

#define DAY_US ((uint64_t)86400 * 1000000)

uint64_t
geo_age_days(uint64_t build_us, uint64_t at_us)
{
	return build_us == 0 || build_us > at_us ? 0
						 : (at_us - build_us) / DAY_US;
}
