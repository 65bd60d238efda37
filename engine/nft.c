/* nft.c: one child of nft(8) that owns our two tables; nftables is here. */
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/conf.h"
#include "engine/mark.h"
#include "engine/nft.h"
#include "engine/proc.h"

/* Long enough for a loaded machine; a start takes about 20 ms. */
enum {
	TRY_MS = 1500,
	TRIES = 4,
	SCRIPT_MAX = 8192,
	LISTING_MAX = 65536,
	ADDRS_MAX = CONF_SOURCES_MAX * ADDR_TEXT_MAX,
	NAME_MAX_LEN = 32,
	AWAIT_EXIT_MS = 2000
};

struct nft {
	pid_t pid;
	int in; /* its standard input, which holds the rules up */
	int out; /* memfd: what it says */
	char table[NAME_MAX_LEN];
};

static void
become_nft(char *const argv[], int in, int out)
{
	char *env[] = { (char[]){ "HOME=/nonexistent" },
		(char[]){ "PATH=/usr/sbin:/sbin:/usr/bin:/bin" }, NULL };
	sigset_t none;

	setsid(); /* Ctrl-C is for the parent, which ends us in its order */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (in < 0)
		in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
	    dup2(out, STDERR_FILENO) >= 0) {
		close_range(STDERR_FILENO + 1, ~0U, 0);
		execvpe("nft", argv, env);
		dprintf(STDERR_FILENO, "nft: %s\n", strerror(errno));
	}
	_exit(127);
}

static pid_t
spawn(char *const argv[], int in, int out)
{
	pid_t pid = fork();

	if (pid == 0)
		become_nft(argv, in, out);
	return pid;
}

/* Run nft with these words; what it says goes into text. Its pid's status. */
static int
run(char *const argv[], char *text, size_t cap)
{
	int out = memfd_create("nft", MFD_CLOEXEC), status = -1;
	pid_t pid;
	ssize_t n;

	text[0] = '\0';
	if (out < 0)
		return -1;
	pid = spawn(argv, -1, out);
	if (pid > 0 && waitpid(pid, &status, 0) == pid) {
		n = pread(out, text, cap - 1, 0);
		text[n < 0 ? 0 : n] = '\0';
	}
	close(out);
	return status;
}

static void
reap(struct nft *n)
{
	struct pollfd p = { .events = POLLIN };

	if (n->in >= 0)
		close(n->in); /* the end of its input is its end */
	n->in = -1;
	if (n->pid > 0) {
		p.fd = pidfd_open(n->pid, 0);
		if (p.fd < 0 || poll(&p, 1, AWAIT_EXIT_MS) != 1)
			kill(n->pid, SIGKILL);
		if (p.fd >= 0)
			close(p.fd);
		waitpid(n->pid, NULL, 0);
	}
	n->pid = 0;
	if (n->out >= 0)
		close(n->out);
	n->out = -1;
}

bool
nft_lives(struct nft *n)
{
	if (n->pid > 0 && waitpid(n->pid, NULL, WNOHANG) != 0)
		n->pid = 0;
	return n->pid > 0;
}

/* Start `nft -i` and write the script to it. 0, or -1 with errno. */
static int
start_owner(struct nft *n, const char *script)
{
	char *argv[] = { (char[]){ "nft" }, (char[]){ "-i" }, NULL };
	size_t len = strlen(script);
	int fds[2];

	n->pid = 0;
	n->in = -1;
	n->out = memfd_create("nft", MFD_CLOEXEC);
	if (n->out < 0 || pipe2(fds, O_CLOEXEC) < 0)
		return -1;
	n->pid = spawn(argv, fds[0], n->out);
	close(fds[0]);
	n->in = fds[1];
	/* SCRIPT_MAX is less than a pipe holds: this does not block. */
	if (n->pid > 0 && write(n->in, script, len) == (ssize_t)len)
		return 0;
	return -1;
}

/* Is the owner's table there with as many rules of ours as there should be? */
static bool
is_there(const char *family, const char *table, const char *own, unsigned rules)
{
	static char text[LISTING_MAX];
	char fam[16], tab[NAME_MAX_LEN];
	char *argv[] = { (char[]){ "nft" }, (char[]){ "list" },
		(char[]){ "table" }, fam, tab, NULL };
	unsigned found = 0;

	snprintf(fam, sizeof fam, "%s", family);
	snprintf(tab, sizeof tab, "%s", table);
	if (run(argv, text, sizeof text) != 0 || strstr(text, "owner") == NULL)
		return false;
	for (const char *at = text; (at = strstr(at, own)) != NULL; at++)
		found++;
	return found == rules;
}

/* "{ 192.0.2.1, 192.0.2.2 }" of one family; "" when there is none. */
static unsigned
list_sources(const struct conf *conf, bool four, char text[ADDRS_MAX + 8])
{
	char addr[ADDR_TEXT_MAX];
	unsigned n = 0;
	size_t at = 0;

	for (uint32_t i = 0; i < conf->nsources; i++) {
		if (addr_is4(&conf->sources[i]) != four)
			continue;
		at += (size_t)snprintf(text + at, ADDRS_MAX + 8 - at, "%s%s",
		    n++ ? ", " : "{ ", addr_text(&conf->sources[i], addr));
	}
	snprintf(text + at, ADDRS_MAX + 8 - at, n ? " }" : "");
	return n;
}

static size_t
add_line(char *script, size_t at, const char *line)
{
	int n = snprintf(script + at, SCRIPT_MAX - at, "%s\n", line);

	return at + (size_t)n < SCRIPT_MAX ? at + (size_t)n : at;
}

/*
 * One command a line: nft -i goes on with the next after an error. SYN-ACKs
 * are dropped at ingress, behind libpcap's tap; our kernel's RSTs on the way
 * out, unless an adopted socket sends them. Returns the rules a table.
 */
static unsigned
write_script(const struct conf *conf, const char *table, const char *own,
    char script[SCRIPT_MAX])
{
	static const struct {
		bool four;
		const char *word;
	} families[] = { { true, "ip" }, { false, "ip6" } };
	char line[ADDRS_MAX + 512], addrs[ADDRS_MAX + 8];
	unsigned first = conf->sport_first, last = conf->sport_last, rules = 0;
	size_t at = 0;

	snprintf(
	    line, sizeof line, "add table netdev %s { flags owner; }", table);
	at = add_line(script, at, line);
	snprintf(line, sizeof line,
	    "add chain netdev %s in { type filter hook ingress device \"%s\" "
	    "priority 0; }",
	    table, conf->interface);
	at = add_line(script, at, line);
	snprintf(
	    line, sizeof line, "add table inet %s { flags owner; }", table);
	at = add_line(script, at, line);
	snprintf(line, sizeof line,
	    "add chain inet %s out { type filter hook output priority 0; }",
	    table);
	at = add_line(script, at, line);
	for (size_t i = 0; i < 2; i++) {
		const char *ip = families[i].word;

		if (list_sources(conf, families[i].four, addrs) == 0)
			continue;
		snprintf(line, sizeof line,
		    "add rule netdev %s in %s daddr %s tcp dport %u-%u "
		    "tcp flags & (syn | ack) == (syn | ack) counter drop "
		    "comment \"%s\"",
		    table, ip, addrs, first, last, own);
		at = add_line(script, at, line);
		snprintf(line, sizeof line,
		    "add rule inet %s out %s saddr %s tcp sport %u-%u "
		    "tcp flags & rst == rst meta mark != 0x%x counter drop "
		    "comment \"%s\"",
		    table, ip, addrs, first, last, (unsigned)ADOPT_MARK, own);
		at = add_line(script, at, line);
		rules++;
	}
	return rules;
}

/* What nft said, without its prompts, on one line. */
static void
take_complaint(const struct nft *n, char error[NFT_ERROR_MAX])
{
	char text[NFT_ERROR_MAX / 2], *s = text, *found;
	ssize_t got = n->out < 0 ? -1 : pread(n->out, text, sizeof text - 1, 0);

	text[got < 0 ? 0 : got] = '\0';
	found = strstr(text, "rror");
	if (found != NULL)
		s = found > text ? found - 1 : found;
	s[strcspn(s, "\n")] = '\0';
	snprintf(error, NFT_ERROR_MAX, "nft: %s",
	    *s ? s : "the tables did not come up");
}

struct nft *
nft_start(const struct conf *conf, char error[NFT_ERROR_MAX])
{
	char script[SCRIPT_MAX], own[48];
	struct nft *n = calloc(1, sizeof *n);
	unsigned rules;

	snprintf(error, NFT_ERROR_MAX, "nft: %s", strerror(ENOMEM));
	if (n == NULL)
		return NULL;
	n->in = n->out = -1;
	snprintf(n->table, sizeof n->table, "mailsweep_%u",
	    (unsigned)conf->sport_first);
	/* In each rule, so that another daemon's are not taken for ours. */
	snprintf(own, sizeof own, "mailsweepd %ld", (long)getpid());
	rules = write_script(conf, n->table, own, script);
	if (rules == 0)
		snprintf(error, NFT_ERROR_MAX, "nft: no source address");
	for (unsigned i = 0; i < TRIES && rules > 0; i++) {
		uint64_t until = proc_now_ms() + TRY_MS;

		if (start_owner(n, script) < 0)
			break;
		do {
			if (is_there("inet", n->table, own, rules) &&
			    is_there("netdev", n->table, own, rules))
				return n;
		} while (proc_now_ms() < until && nft_lives(n));
		take_complaint(n, error);
		reap(n);
	}
	nft_end(n);
	return NULL;
}

void
nft_end(struct nft *n)
{
	if (n == NULL)
		return;
	reap(n);
	free(n);
}

bool
nft_try(char error[NFT_ERROR_MAX])
{
	struct nft n = { 0, -1, -1, "" };
	char script[128];
	bool found = false;
	uint64_t until = proc_now_ms() + TRY_MS;

	snprintf(n.table, sizeof n.table, "mailsweep_try_%ld", (long)getpid());
	snprintf(script, sizeof script, "add table inet %s { flags owner; }\n",
	    n.table);
	if (start_owner(&n, script) == 0)
		do {
			found = is_there("inet", n.table, "owner", 1);
		} while (!found && proc_now_ms() < until && nft_lives(&n));
	take_complaint(&n, error);
	reap(&n);
	return found;
}
