/* sandbox.c: how a role gives up its rights. */
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cap-ng.h>

#include "engine/conf.h"
#include "engine/landlock.h"
#include "engine/log.h"
#include "engine/sandbox.h"
#include "engine/sandbox_rules.h"
#include "engine/wire.h"

enum { STATUS_SIGSYS = 99, PATH_TEXT = 64 };

/* What a role keeps; the rest is taken from all alike. */
static const struct rights {
	const char *user;
	uint8_t uid_offset; /* from uid_base, where there is no such user */
	bool empty_root, net_admin, files;
} rights[ROLE_COUNT] = {
	[ROLE_SEND] = { "_mailsweep-net", 1, true, false, false },
	[ROLE_PACKET] = { "_mailsweep-net", 1, true, false, false },
	[ROLE_DIAL] = { "_mailsweep-dial", 2, true, true, false },
	[ROLE_STORE] = { "_mailsweep", 0, false, false, true },
	[ROLE_PROBE] = { "_mailsweep-probe", 3, true, false, false },
	[ROLE_RESOLVE] = { "_mailsweep-resolve", 4, true, false, false },
};

const char *
sandbox_user_name(enum role role)
{
	return rights[role].user;
}

bool
sandbox_user(enum role role, const struct conf *conf, uid_t *uid, gid_t *gid)
{
	const struct rights *r = &rights[role];
	const struct passwd *p = getpwnam(r->user);

	if (p != NULL && p->pw_uid != 0 && p->pw_gid != 0) {
		*uid = p->pw_uid;
		*gid = p->pw_gid;
		return true;
	}
	*uid = conf->uid_base + r->uid_offset;
	*gid = *uid;
	return false;
}

/*
 * Into a directory that is removed while we stand in it: nothing is there,
 * and nothing can be put there any more.
 */
static void
enter_empty_root(void)
{
	char run[PATH_TEXT] = "/run/mailsweep.XXXXXX";
	char tmp[PATH_TEXT] = "/tmp/mailsweep.XXXXXX";
	const char *path = mkdtemp(run);

	if (path == NULL)
		path = mkdtemp(tmp);
	if (path == NULL)
		fatal("sandbox: an empty root: %s", strerror(errno));
	if (chdir(path) < 0 || rmdir(path) < 0 || chroot(".") < 0 ||
	    chdir("/") < 0)
		fatal("sandbox: chroot to %s: %s", path, strerror(errno));
}

static void
drop_user(const struct rights *r, uid_t uid, gid_t gid)
{
	if (r->net_admin)
		capng_update(CAPNG_ADD,
		    (capng_type_t)(CAPNG_EFFECTIVE | CAPNG_PERMITTED),
		    CAP_NET_ADMIN);
	if (capng_change_id((int)uid, (int)gid,
		(capng_flags_t)(CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING)) <
	    0)
		fatal("sandbox: becoming uid %u: %s", (unsigned)uid,
		    strerror(errno));
	if (getuid() != uid || geteuid() != uid || getgid() != gid ||
	    setuid(0) == 0)
		fatal("sandbox: uid %u did not stay", (unsigned)uid);
}

static void
set_limit(int what, rlim_t value)
{
	struct rlimit limit = { value, value };

	if (setrlimit((__rlimit_resource_t)what, &limit) < 0)
		fatal("sandbox: setrlimit: %s", strerror(errno));
}

static void
set_limits(const struct rights *r)
{
	struct stat st;

	set_limit(RLIMIT_CORE, 0);
	set_limit(RLIMIT_NPROC, 0);
	/* A log that goes to a file is the one file it may still write. */
	if (!r->files &&
	    (fstat(STDERR_FILENO, &st) < 0 || !S_ISREG(st.st_mode)))
		set_limit(RLIMIT_FSIZE, 0);
	/* A full disk or quota is an error of write(2), not our end. */
	signal(SIGXFSZ, SIG_IGN);
}

/* Append to a line without anything that may allocate. */
static size_t
append(char *line, size_t at, size_t cap, const char *text)
{
	while (*text != '\0' && at < cap)
		line[at++] = *text++;
	return at;
}

static const char *self = "";

static void
report_sigsys(int signo, siginfo_t *info, void *context)
{
	char line[128], digits[16];
	size_t n = 0, d = sizeof digits - 1;
	unsigned number = (unsigned)info->si_syscall;
	ssize_t unused;

	(void)signo;
	(void)context;
	digits[d] = '\0';
	do {
		digits[--d] = (char)('0' + number % 10);
	} while ((number /= 10) > 0);
	n = append(line, n, sizeof line, "mailsweepd[");
	n = append(line, n, sizeof line, self);
	n = append(line, n, sizeof line, "]: fatal: forbidden system call ");
	n = append(line, n, sizeof line, rules_name(info->si_syscall));
	n = append(line, n, sizeof line, " (");
	n = append(line, n, sizeof line, digits + d);
	n = append(line, n, sizeof line, ")\n");
	unused = write(STDERR_FILENO, line, n);
	(void)unused;
	_exit(STATUS_SIGSYS);
}

static void
catch_sigsys(enum role role)
{
	struct sigaction sa = { .sa_sigaction = report_sigsys,
		.sa_flags = SA_SIGINFO };
	sigset_t set;

	self = role_names[role];
	sigemptyset(&set);
	sigaddset(&set, SIGSYS);
	if (sigaction(SIGSYS, &sa, NULL) < 0 ||
	    sigprocmask(SIG_UNBLOCK, &set, NULL) < 0)
		fatal("sandbox: SIGSYS: %s", strerror(errno));
}

static void
confine_files(void)
{
	/* store stands in its data directory. */
	if (landlock_confine(".") == 0)
		return;
	if (errno != ENOSYS && errno != EOPNOTSUPP)
		fatal("sandbox: Landlock: %s", strerror(errno));
	log_warn("no Landlock in this kernel: files are guarded by the user "
		 "id alone");
}

void
sandbox_enter(enum role role, const struct conf *conf, unsigned instance)
{
	const struct rights *r = &rights[role];
	uid_t uid;
	gid_t gid;

	(void)instance;
	/* Both look at files, so they come before the root is empty. */
	sandbox_user(role, conf, &uid, &gid);
	capng_clear(CAPNG_SELECT_ALL);
	if (r->empty_root)
		enter_empty_root();
	drop_user(r, uid, gid);
	set_limits(r);
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    /* Again, since a change of the uid clears it. */
	    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		fatal("sandbox: prctl: %s", strerror(errno));
	if (r->files)
		confine_files();
	catch_sigsys(role);
	if (rules_load(role) < 0)
		fatal("sandbox: seccomp: %s", strerror(errno));
	if (control_send(FD_CONTROL, CTL_READY, NULL, 0) < 0)
		fatal("sandbox: the parent is gone: %s", strerror(errno));
}

#ifdef TESTHOOKS
/* Break the rule that the hook names: whoever survives it is not confined. */
static void
break_rule(const char *rule)
{
	char *const none[] = { NULL };

	log_info("test hook: %s", rule);
	if (strncmp(rule, "socket", 6) == 0)
		(void)!socket(AF_UNIX, SOCK_STREAM, 0);
	else if (strncmp(rule, "open", 4) == 0)
		(void)!open("/etc/passwd", O_RDONLY);
	else if (strncmp(rule, "exec", 4) == 0)
		(void)!execve("/bin/true", none, none);
	else if (strncmp(rule, "fork", 4) == 0)
		(void)!fork();
	log_error("test hook: %s was allowed", rule);
}

void
sandbox_hook(enum role role)
{
	static unsigned long calls;
	const char *hook = getenv("MAILSWEEP_HOOK"), *at;
	size_t len = strlen(role_names[role]);

	if (hook == NULL || strncmp(hook, role_names[role], len) != 0 ||
	    hook[len] != ':')
		return;
	at = strchr(hook, '@');
	if (++calls == (at == NULL ? 1 : strtoul(at + 1, NULL, 10)))
		break_rule(hook + len + 1);
}
#endif
