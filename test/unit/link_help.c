/* link_help.c: a network namespace of a test's own, with a veth pair. */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/if_packet.h>
#include <net/if.h>

#include "test/unit/link_help.h"

static bool isolated;
static char why[128];

/* A veth pair, both ends here; nothing leads out. */
static const char *const set_up[][WORDS_MAX] = {
	{ "ip", "link", "set", "lo", "up" },
	{ "ip", "link", "add", "va", "address", "02:00:00:00:00:0a", "type",
	    "veth", "peer", "name", "vb", "address", "02:00:00:00:00:0b" },
	{ "ip", "link", "set", "va", "up" },
	{ "ip", "link", "set", "vb", "up" },
	{ "ip", "addr", "add", "10.99.0.1/24", "dev", "va" },
	{ "ip", "addr", "add", "fd99::1/64", "dev", "va", "nodad" },
	{ "ip", "route", "add", "198.18.0.0/15", "via", "10.99.0.2" },
	{ "ip", "route", "add", "fd00:198:18::/64", "via", "fd99::2" },
	{ "ip", "neigh", "add", "fd99::2", "lladdr", "02:00:00:00:00:0c", "dev",
	    "va" },
};

bool
link_help_run(const char *const words[WORDS_MAX])
{
	char *argv[WORDS_MAX] = { NULL };
	int status = -1;
	pid_t child;

	for (int i = 0; i < WORDS_MAX - 1 && words[i] != NULL; i++)
		argv[i] = strdup(words[i]);
	if (posix_spawnp(&child, argv[0], NULL, NULL, argv, environ) == 0)
		waitpid(child, &status, 0);
	for (int i = 0; i < WORDS_MAX; i++)
		free(argv[i]);
	return status == 0;
}

void
link_help_set(const char *name, const char *state)
{
	assert_true(link_help_run((const char *const[WORDS_MAX]){
	    "ip", "link", "set", name, state }));
}

/* As root, or as root of a user namespace where that is allowed. */
static bool
enter_namespaces(void)
{
	unsigned uid = geteuid();
	FILE *map;
	bool ok;

	if (uid == 0)
		return unshare(CLONE_NEWNET) == 0;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) == -1)
		return false;
	map = fopen("/proc/self/uid_map", "w");
	if (map == NULL)
		return false;
	ok = fprintf(map, "0 %u 1\n", uid) > 0;
	return fclose(map) == 0 && ok;
}

int
link_help_isolate(void **state)
{
	(void)state;
	if (!enter_namespaces()) {
		snprintf(why, sizeof why, "namespaces: %s", strerror(errno));
		return 0;
	}
	isolated = true;
	for (size_t i = 0; i < sizeof set_up / sizeof set_up[0]; i++)
		if (!link_help_run(set_up[i])) {
			snprintf(why, sizeof why, "%s %s", set_up[i][0],
			    set_up[i][1]);
			isolated = false;
		}
	return 0;
}

/* Without the right to make namespaces these tests say so and pass over. */
void
link_help_needed(void)
{
	if (isolated)
		return;
	print_message("not tested here: %s\n", why);
	skip();
}

struct addr
link_help_address(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

/* A packet socket on the other end, for frames of one type. */
int
link_help_listen(const char *interface, uint16_t type)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET };
	int fd;

	at.sll_protocol = (uint16_t)(type << 8 | type >> 8);
	at.sll_ifindex = (int)if_nametoindex(interface);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, at.sll_protocol);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	return fd;
}
