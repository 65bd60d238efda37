/* landlock.h: a process that may touch one directory and no other. */
#ifndef ENGINE_LANDLOCK_H
#define ENGINE_LANDLOCK_H

/* The kernel's version of Landlock; 0: it has none. */
int landlock_version(void);

/*
 * From now on this process reaches files below one directory only. 0, or -1
 * with errno; ENOSYS or EOPNOTSUPP: this kernel has no Landlock.
 */
int landlock_confine(const char *directory);

#endif
