/* parent.c: the process that starts, watches and ends all others. */
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/conf.h"
#include "engine/control.h"
#include "engine/log.h"
#include "engine/nft.h"
#include "engine/parent.h"
#include "engine/proc.h"
#include "engine/run.h"
#include "engine/sandbox.h"
#include "engine/status.h"
#include "engine/uplink.h"

enum {
	PATH_CAP = CONF_PATH_MAX + 32,
	DAY_S = 86400,
	IDLE_TICK_MS = 1000,
	UPLINK_WAIT_MS = 200,
	FILES_MAX = 1 << 20, /* a socket for each conversation, and in flight */
	POLL_MAX = RUN_POLL_MAX + CONTROL_POLL_MAX + 1
};

struct parent {
	const struct conf *conf;
	const struct ranges *targets, *excluded;
	const char *products;
	struct run *run; /* NULL: between sweeps */
	struct control_socket *control;
	int signals, lock;
	unsigned sweeps; /* begun: tells their lists of opt-outs apart */
	uint64_t start_ms;
	int64_t next; /* sweep, UTC */
	bool once, stop;
};

int64_t
parent_next(const char *schedule, int64_t now)
{
	int64_t h = (schedule[0] - '0') * 10 + schedule[1] - '0';
	int64_t m = (schedule[3] - '0') * 10 + schedule[4] - '0';
	int64_t at = now - now % DAY_S + h * 3600 + m * 60;

	return at > now ? at : at + DAY_S;
}

int64_t
parent_still(const char *schedule, int64_t next, int64_t now)
{
	return next - now > DAY_S ? parent_next(schedule, now) : next;
}

/* ---- start --------------------------------------------------------------- */

/* One daemon a data directory; the kernel lets go when we die. */
static int
lock_store(const struct conf *conf)
{
	char path[PATH_CAP];
	int fd;

	if (mkdir(conf->store, 0755) < 0 && errno != EEXIST)
		fatal("store %s: %s", conf->store, strerror(errno));
	snprintf(path, sizeof path, "%s/lock", conf->store);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		fatal("%s: %s", path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	fatal("store %s: %s", conf->store,
	    errno == EWOULDBLOCK ? "another mailsweepd uses it"
				 : strerror(errno));
}

static int
catch_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 ||
	    (fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
		fatal("signals: %s", strerror(errno));
	return fd;
}

static struct control_socket *
open_control(const struct conf *conf)
{
	char path[PATH_CAP];
	struct control_socket *s;

	if (conf->control[0] != '\0')
		snprintf(path, sizeof path, "%s", conf->control);
	else
		snprintf(path, sizeof path, "%s/control", conf->store);
	s = control_open(path);
	if (s == NULL)
		fatal("control %s: %s", path, strerror(errno));
	return s;
}

/* As many as we would like, or as many as we may. */
static void
raise_file_limit(void)
{
	struct rlimit limit = { FILES_MAX, FILES_MAX };

	if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
		return;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
		log_debug("at most %llu open files a process",
		    (unsigned long long)limit.rlim_cur);
	}
}

static void
say_users(const struct conf *conf)
{
	for (enum role r = ROLE_SEND; r < ROLE_COUNT; r++) {
		uid_t uid;
		gid_t gid;

		if (!sandbox_user(r, conf, &uid, &gid))
			log_info("no user %s: %s runs as uid %u (uid_base)",
			    sandbox_user_name(r), role_names[r], (unsigned)uid);
	}
}

static void
start(struct parent *p)
{
	p->start_ms = proc_now_ms();
	p->signals = catch_signals();
	p->lock = lock_store(p->conf);
	p->control = open_control(p->conf);
	raise_file_limit();
	say_users(p->conf);
}

/* A sweep that was left unfinished does not wait for its hour. */
static bool
is_unfinished(const struct conf *conf)
{
	char path[PATH_CAP];

	snprintf(path, sizeof path, "%s/live/data.mdb", conf->store);
	return access(path, F_OK) == 0;
}

/* ---- loop ---------------------------------------------------------------- */

/* " SWEEP.NUMBER" */
static bool
read_ticket(const char *text, unsigned *sweep, unsigned *number)
{
	char *end;

	*sweep = (unsigned)strtoul(text + 1, &end, 10);
	if (text[0] != ' ' || *end != '.')
		return false;
	*number = (unsigned)strtoul(end + 1, &end, 10);
	return *end == '\0';
}

/*
 * "optouts": the list in the data directory has changed. What is answered is a
 * ticket, and whether it is in force; asked again with the ticket, only that.
 * Between sweeps nothing acts, and the next one begins by reading the list.
 */
static char *
answer_optouts(struct parent *p, const char *ticket)
{
	unsigned sweep = p->sweeps, number = 0;
	bool in_force = p->run == NULL;
	char text[96];

	if (ticket[0] == '\0' && p->run != NULL)
		number = run_optouts(p->run);
	else if (ticket[0] != '\0' && !read_ticket(ticket, &sweep, &number))
		return strdup("{\"error\":\"expected optouts TICKET\"}\n");
	if (p->run != NULL)
		in_force =
		    sweep != p->sweeps || run_optouts_in_force(p->run, number);
	snprintf(text, sizeof text,
	    "{\"ticket\":\"%u.%u\",\"in_force\":%s,\"sweeping\":%s}\n", sweep,
	    number, in_force ? "true" : "false",
	    p->run != NULL ? "true" : "false");
	return strdup(text);
}

static char *
answer(const char *request, void *context)
{
	struct parent *p = context;

	if (strncmp(request, "optouts", sizeof "optouts" - 1) == 0)
		return answer_optouts(p, request + sizeof "optouts" - 1);
	if (strcmp(request, "status") != 0)
		return strdup("{\"error\":\"expected status or optouts\"}\n");
	return status_line(
	    p->conf, p->run, p->next, proc_now_ms() - p->start_ms);
}

static void
read_signals(struct parent *p)
{
	struct signalfd_siginfo s;

	while (read(p->signals, &s, sizeof s) == (ssize_t)sizeof s) {
		if (s.ssi_signo == SIGCHLD)
			continue; /* only there to wake us */
		p->stop = true;
		if (p->run != NULL)
			run_stop(p->run);
	}
}

static void
turn(struct parent *p)
{
	struct pollfd fds[POLL_MAX];
	unsigned n = 1;

	fds[0] = (struct pollfd){ .fd = p->signals, .events = POLLIN };
	n += control_poll(p->control, fds + n);
	if (p->run != NULL)
		n += run_poll(p->run, fds + n);
	if (poll(fds, n, p->run != NULL ? RUN_TICK_MS : IDLE_TICK_MS) < 0 &&
	    errno != EINTR)
		fatal("poll: %s", strerror(errno));
	read_signals(p);
	if (p->run != NULL)
		run_turn(p->run);
	control_turn(p->control, answer, p);
}

/*
 * Before store has made an incarnation of it: what cannot begin would burn one
 * at each try. False: asked to stop, or it is an interface without Ethernet,
 * which time does not change.
 */
static bool
await_uplink(struct parent *p)
{
	char why[UPLINK_WHY_MAX], said[UPLINK_WHY_MAX] = "";

	p->next = time(NULL); /* for who asks meanwhile */
	while (!p->stop &&
	    uplink_try(p->conf, p->targets, UPLINK_WAIT_MS, why) < 0) {
		if (errno == EPROTONOSUPPORT) {
			log_error("%s: expected an Ethernet interface", why);
			return false;
		}
		if (strcmp(why, said) != 0)
			log_warn(
			    "%s: the sweep begins when that has changed", why);
		memcpy(said, why, sizeof said);
		turn(p);
	}
	return !p->stop;
}

static bool
has_nft(const struct conf *conf)
{
	char error[NFT_ERROR_MAX];

	if (conf->follow != FOLLOW_ADOPT || nft_try(error))
		return true;
	log_error("%s; follow = connect does without", error);
	return false;
}

/* One sweep from start to end. */
static enum run_result
sweep(struct parent *p)
{
	enum run_result result;

	if (!has_nft(p->conf))
		return RESULT_ERROR;
	if (!await_uplink(p))
		return p->stop ? RESULT_OK : RESULT_ERROR;
	p->run = run_start(p->conf, p->targets, p->excluded, p->products);
	if (p->run == NULL)
		return RESULT_ERROR;
	p->sweeps++;
	while (run_stage(p->run) != RUN_OVER)
		turn(p);
	result = run_result(p->run);
	run_end(p->run);
	p->run = NULL;
	return result;
}

/* Until the hour of the next sweep. False: asked to stop. */
static bool
await_hour(struct parent *p)
{
	char text[32];
	time_t at, now;

	p->next = parent_next(p->conf->schedule, time(NULL));
	at = (time_t)p->next;
	strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", gmtime(&at));
	log_info("next sweep: %s", text);
	while (!p->stop && (now = time(NULL)) < p->next) {
		p->next = parent_still(p->conf->schedule, p->next, now);
		turn(p);
	}
	return !p->stop;
}

int
parent_main(const struct conf *conf, const struct ranges *targets,
    const struct ranges *excluded, const char *products, bool once)
{
	struct parent p = { .conf = conf,
		.targets = targets,
		.excluded = excluded,
		.products = products,
		.once = once };
	enum run_result result = RESULT_OK;

	start(&p);
	while (!p.stop && result != RESULT_ERROR) {
		/* An account that does not balance is no reason to stop. */
		if (!once && !is_unfinished(conf) && !await_hour(&p))
			break;
		result = sweep(&p);
		if (once)
			break;
	}
	control_close(p.control);
	close(p.signals);
	close(p.lock);
	return (int)result;
}
