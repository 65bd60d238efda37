/* sandbox_rules.c: the system calls of each role; libseccomp is here. */
#include <errno.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <seccomp.h>

#include "engine/sandbox_rules.h"

/* clang-format off */
#define PLAIN(call)	{ call, { { 0, 0, 0, 0 } } }
#define NO_EXEC(call)	{ call, { { 1, 2, PROT_EXEC, 0 } } }
#define ON_FD(call, fd)	{ call, { { 1, 0, UINT32_MAX, fd } } }
#define WITH(call, arg, mask, value) { call, { { 1, arg, mask, value } } }
#define FROM_BIT(call, bit) { call, { { ARG_FROM_BIT, 0, 0, bit } } }
#define TCP_SOCKET(family) { "socket", { { 1, 0, UINT32_MAX, family },       \
				{ 1, 1, 15, SOCK_STREAM } } }
#define END_RULES	PLAIN(NULL)

/* Memory, time, waiting, its own descriptors: whoever runs needs these. */
static const struct rule common[] = {
	PLAIN("brk"), PLAIN("munmap"), PLAIN("mremap"), PLAIN("madvise"),
	NO_EXEC("mmap"), NO_EXEC("mprotect"),
	PLAIN("clock_gettime"), PLAIN("clock_nanosleep"), PLAIN("nanosleep"),
	PLAIN("gettimeofday"), PLAIN("time"), PLAIN("getrandom"),
	PLAIN("epoll_wait"), PLAIN("epoll_pwait"), PLAIN("epoll_pwait2"),
	PLAIN("epoll_ctl"), PLAIN("poll"), PLAIN("ppoll"),
	PLAIN("write"), PLAIN("writev"),
	WITH("fcntl", 1, UINT32_MAX, 1 /* F_GETFD */),
	WITH("fcntl", 1, UINT32_MAX, 2 /* F_SETFD */),
	WITH("fcntl", 1, UINT32_MAX, 3 /* F_GETFL */),
	PLAIN("futex"), PLAIN("sched_yield"), PLAIN("rt_sigreturn"),
	PLAIN("rt_sigprocmask"), PLAIN("rt_sigaction"), PLAIN("getpid"),
	PLAIN("gettid"), PLAIN("restart_syscall"),
	PLAIN("timerfd_settime"), PLAIN("exit"), PLAIN("exit_group"),
	END_RULES
};

/* Frames out; of what comes in, only messages of its own wires. */
static const struct rule send_rules[] = {
	PLAIN("close"), PLAIN("sendto"), PLAIN("sendmsg"), PLAIN("sendmmsg"),
	ON_FD("recvmsg", FD_CONTROL), ON_FD("recvmsg", FD_DUE),
	PLAIN("getsockopt"),
	/* The loaded program's runs, and the device's counter. */
	WITH("bpf", 0, UINT32_MAX, 10 /* BPF_PROG_TEST_RUN */),
	PLAIN("pread64"),
	/* Its threads are there already. */
	PLAIN("rseq"), PLAIN("set_robust_list"),
	WITH("ioctl", 1, UINT32_MAX, SIOCGIFINDEX), /* libnet, each frame */
	END_RULES
};

static const struct rule packet_rules[] = {
	PLAIN("close"), PLAIN("read"), PLAIN("recvfrom"), PLAIN("recvmsg"),
	PLAIN("sendto"), PLAIN("sendmsg"), PLAIN("sendmmsg"),
	PLAIN("getsockopt"),
	WITH("ioctl", 1, UINT32_MAX, SIOCGIFFLAGS),
	WITH("ioctl", 1, UINT32_MAX, SIOCGIFINDEX), /* libnet, each frame */
	END_RULES
};

/*
 * It may make TCP sockets and never read from one: only from its wires, which
 * it may not close, since a socket would then take their numbers.
 */
static const struct rule dial_rules[] = {
	TCP_SOCKET(AF_INET), TCP_SOCKET(AF_INET6),
	PLAIN("bind"), PLAIN("connect"), PLAIN("setsockopt"),
	PLAIN("getsockopt"), PLAIN("getsockname"), PLAIN("sendto"),
	PLAIN("sendmsg"),
	ON_FD("recvmsg", FD_CONTROL), ON_FD("recvmsg", FD_HANDOFF),
	WITH("ioctl", 1, UINT32_MAX, SIOCOUTQ),
	/* Of its ring, which is there already and reads nothing: ring.h. */
	PLAIN("io_uring_enter"),
	/* What takes the numbers of the two that it has closed itself. */
	ON_FD("close", FD_SNAPSHOT), ON_FD("close", FD_STATS),
	FROM_BIT("close", 3), FROM_BIT("close_range", 3),
	END_RULES
};

/*
 * Its ends of the wires are those of all probes, and of its successor: what
 * would change the end itself (shutdown, setsockopt, F_SETFL) is forbidden.
 */
static const struct rule probe_rules[] = {
	PLAIN("close"), PLAIN("read"), PLAIN("recvfrom"), PLAIN("recvmsg"),
	PLAIN("sendto"), PLAIN("sendmsg"), PLAIN("getsockopt"),
	/* To end a connection at once; the wires do not know it. */
	{ "setsockopt", { { 1, 1, UINT32_MAX, SOL_SOCKET },
			{ 1, 2, UINT32_MAX, SO_LINGER } } },
	END_RULES
};

/*
 * Its one socket is connected to the resolver, and a message with an address
 * of its own would go elsewhere all the same: so there is no address in a
 * sendto, and sendmsg, whose address lies in memory, is for the wires.
 */
static const struct rule resolve_rules[] = {
	PLAIN("close"), PLAIN("recvfrom"),
	WITH("sendto", 4, UINT64_MAX, 0 /* NULL */),
	ON_FD("recvmsg", FD_CONTROL), ON_FD("recvmsg", FD_RESOLVE),
	ON_FD("sendmsg", FD_CONTROL), ON_FD("sendmsg", FD_RESOLVE),
	END_RULES
};

/* Files below its directory; where that is, Landlock knows. */
static const struct rule store_rules[] = {
	PLAIN("close"), PLAIN("read"), PLAIN("recvmsg"), PLAIN("sendto"),
	PLAIN("sendmsg"),
	PLAIN("open"), PLAIN("openat"), PLAIN("creat"), PLAIN("lseek"),
	PLAIN("pread64"), PLAIN("pwrite64"), PLAIN("preadv"),
	PLAIN("pwritev"), PLAIN("readv"), PLAIN("ftruncate"),
	PLAIN("truncate"), PLAIN("fallocate"), PLAIN("fsync"),
	PLAIN("fdatasync"), PLAIN("msync"), PLAIN("sync_file_range"),
	PLAIN("stat"), PLAIN("lstat"), PLAIN("fstat"), PLAIN("newfstatat"),
	PLAIN("statx"), PLAIN("statfs"), PLAIN("fstatfs"), PLAIN("access"),
	PLAIN("faccessat"), PLAIN("faccessat2"), PLAIN("getdents64"),
	PLAIN("mkdir"), PLAIN("mkdirat"), PLAIN("rmdir"), PLAIN("unlink"),
	PLAIN("unlinkat"), PLAIN("rename"), PLAIN("renameat"),
	PLAIN("renameat2"), PLAIN("link"), PLAIN("linkat"),
	PLAIN("readlink"), PLAIN("readlinkat"), PLAIN("flock"),
	PLAIN("fcntl"), PLAIN("chmod"), PLAIN("fchmod"), PLAIN("fchmodat"),
	PLAIN("umask"), PLAIN("getuid"), PLAIN("geteuid"), PLAIN("getgid"),
	PLAIN("getegid"), PLAIN("dup"), PLAIN("uname"), PLAIN("getcwd"),
	PLAIN("fadvise64"), PLAIN("copy_file_range"), PLAIN("sendfile"),
	PLAIN("sysinfo"), /* qsort(3) of more than 1 KiB: how much memory? */
	END_RULES
};

/* What the sanitizers' run-time calls: shadow memory, stacks, reports. */
static const struct rule sanitizer_rules[] = {
#ifdef SANITIZED
	PLAIN("sigaltstack"), PLAIN("sched_getaffinity"), PLAIN("getrusage"),
	PLAIN("prctl"), PLAIN("readlink"), PLAIN("uname"), PLAIN("mmap"),
	PLAIN("mprotect"), PLAIN("read"),
	PLAIN("fstat"), PLAIN("newfstatat"), PLAIN("lseek"),
	PLAIN("getppid"), PLAIN("getuid"), PLAIN("geteuid"),
	PLAIN("set_robust_list"), PLAIN("rseq"), PLAIN("pipe2"),
	PLAIN("pipe"), PLAIN("ioctl"), PLAIN("getrlimit"),
	PLAIN("prlimit64"),
#endif
	END_RULES
};

static const struct rule *const of_role[ROLE_COUNT] = {
	[ROLE_SEND] = send_rules,
	[ROLE_PACKET] = packet_rules,
	[ROLE_DIAL] = dial_rules,
	[ROLE_STORE] = store_rules,
	[ROLE_PROBE] = probe_rules,
	[ROLE_RESOLVE] = resolve_rules,
};
/* clang-format on */

static char names[SYSCALL_NAMES][24];

static void
learn_names(void)
{
	for (int i = 0; i < SYSCALL_NAMES; i++) {
		char *s = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, i);

		snprintf(names[i], sizeof names[i], "%s", s ? s : "");
		free(s);
	}
}

const char *
rules_name(int number)
{
	return number >= 0 && number < SYSCALL_NAMES ? names[number] : "";
}

/*
 * From 1 << bit on, negative numbers too: a rule for each bit that may be set.
 * The kernel looks at the lower half of the register only, so a comparison of
 * the whole of it would not do.
 */
static int
add_from_bit(scmp_filter_ctx filter, int call, const struct rule_arg *arg)
{
	int error = 0;

	for (uint64_t bit = arg->value; bit < 32 && error == 0; bit++)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1,
		    SCMP_CMP(arg->index, SCMP_CMP_MASKED_EQ, UINT64_C(1) << bit,
			UINT64_C(1) << bit));
	return error;
}

/* A signal to itself (abort) and to nobody else who has its uid. */
static int
add_own_signals(scmp_filter_ctx filter)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
	    SCMP_A0(SCMP_CMP_MASKED_EQ, UINT32_MAX, (uint64_t)getpid()));
}

static int
add_rules(scmp_filter_ctx filter, const struct rule *r)
{
	for (; r->name != NULL; r++) {
		struct scmp_arg_cmp args[RULE_ARGS_MAX];
		int call = seccomp_syscall_resolve_name(r->name);
		unsigned n = 0;
		int error;

		if (call < 0) /* no such call on this architecture */
			continue;
		for (; n < RULE_ARGS_MAX && r->args[n].used; n++)
			args[n] = (struct scmp_arg_cmp){ r->args[n].index,
				SCMP_CMP_MASKED_EQ, r->args[n].mask,
				r->args[n].value };
		if (r->args[0].used == ARG_FROM_BIT)
			error = add_from_bit(filter, call, &r->args[0]);
		else
			error = seccomp_rule_add_array(
			    filter, SCMP_ACT_ALLOW, call, n, args);
		if (error < 0)
			return error;
	}
	return 0;
}

/*
 * A sanitizer's report begins with looking at /proc: told that there is none,
 * it goes on without. Whoever may open files already keeps that.
 */
static void
add_refusals(scmp_filter_ctx filter)
{
#ifdef SANITIZED
	(void)seccomp_rule_add(
	    filter, SCMP_ACT_ERRNO(ENOENT), SCMP_SYS(open), 0);
	(void)seccomp_rule_add(
	    filter, SCMP_ACT_ERRNO(ENOENT), SCMP_SYS(openat), 0);
#endif
	(void)filter;
}

int
rules_load(enum role role)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_TRAP);
	int error = filter == NULL ? -ENOMEM : 0;

	learn_names();
	if (error == 0)
		error = add_rules(filter, common);
	if (error == 0)
		error = add_own_signals(filter);
	if (error == 0 && of_role[role] != NULL)
		error = add_rules(filter, of_role[role]);
	if (error == 0)
		error = add_rules(filter, sanitizer_rules);
	if (error == 0)
		add_refusals(filter);
	/* Its flags lie in memory, unseen: glibc then falls back to clone. */
	if (error == 0)
		error = seccomp_rule_add_exact(
		    filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (error == 0)
		error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (error == 0)
		error = seccomp_load(filter);
	seccomp_release(filter);
	if (error == 0)
		return 0;
	errno = -error;
	return -1;
}
