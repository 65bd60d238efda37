/* role.c: the names of the processes. */
#include "engine/role.h"

const char *const role_names[ROLE_COUNT] = {
	[ROLE_PARENT] = "parent",
	[ROLE_SEND] = "send",
	[ROLE_PACKET] = "packet",
	[ROLE_DIAL] = "dial",
	[ROLE_STORE] = "store",
	[ROLE_PROBE] = "probe",
	[ROLE_RESOLVE] = "resolve",
};
