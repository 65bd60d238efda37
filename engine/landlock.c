/* landlock.c: Landlock by its raw system calls (Linux 5.13, landlock(7)). */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/landlock.h"

/* Later than the headers of Debian 12: ABI 2, 3 and 5. */
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif

int
landlock_version(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
	    LANDLOCK_CREATE_RULESET_VERSION);

	return abi < 0 ? 0 : (int)abi;
}

/* Every right over files that a version knows. */
static uint64_t
rights_of(int abi)
{
	uint64_t rights = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;

	if (abi >= 2)
		rights |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		rights |= LANDLOCK_ACCESS_FS_TRUNCATE;
	if (abi >= 5)
		rights |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
	return rights;
}

int
landlock_confine(const char *directory)
{
	const uint64_t never = LANDLOCK_ACCESS_FS_EXECUTE |
	    LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
	    LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_MAKE_SOCK |
	    LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_IOCTL_DEV;
	int abi = landlock_version(), set, result = -1;
	struct landlock_ruleset_attr attr = {
		.handled_access_fs = rights_of(abi),
	};
	struct landlock_path_beneath_attr below = {
		.allowed_access = rights_of(abi) & ~never,
	};

	if (abi == 0) {
		errno = ENOSYS;
		return -1;
	}
	set = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
	if (set < 0)
		return -1;
	below.parent_fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (below.parent_fd >= 0) {
		if (syscall(SYS_landlock_add_rule, set,
			LANDLOCK_RULE_PATH_BENEATH, &below, 0) == 0 &&
		    syscall(SYS_landlock_restrict_self, set, 0) == 0)
			result = 0;
		close(below.parent_fd);
	}
	close(set);
	return result;
}
