/* log.h: what the daemon says of itself, to standard error or syslog. */
#ifndef ENGINE_LOG_H
#define ENGINE_LOG_H

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};

/*
 * Name this process ("parent", "send" ...) and set what is shown. Lines go to
 * standard error: "mailsweepd[role]: text". Errors and warnings from children
 * reach the same place since standard error is inherited.
 */
void log_open(const char *role, enum log_level);

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Log and exit with status 1: for start-up and for a broken promise of our
 * own, never for bad bytes from outside.
 */
_Noreturn void fatal(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

#endif
