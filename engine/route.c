/* route.c: interface and source addresses that the file leaves open. */
#include <sys/socket.h>

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/conf.h"
#include "engine/log.h"
#include "engine/ranges.h"
#include "engine/route.h"

enum { ANY_PORT = 9 };

static socklen_t
to_sockaddr(const struct addr *a, struct sockaddr_storage *to)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6,
		.sin6_port = htons(ANY_PORT) };
	struct sockaddr_in four = { .sin_family = AF_INET,
		.sin_port = htons(ANY_PORT) };

	memset(to, 0, sizeof *to);
	if (addr_is4(a)) {
		memcpy(&four.sin_addr, a->b + 12, 4);
		memcpy(to, &four, sizeof four);
		return sizeof four;
	}
	memcpy(&six.sin6_addr, a->b, 16);
	memcpy(to, &six, sizeof six);
	return sizeof six;
}

static bool
from_sockaddr(const void *from, int family, struct addr *a)
{
	if (family == AF_INET) {
		struct sockaddr_in four;

		memcpy(&four, from, sizeof four);
		*a = addr_from4(ntohl(four.sin_addr.s_addr));
		return true;
	}
	if (family == AF_INET6) {
		struct sockaddr_in6 six;

		memcpy(&six, from, sizeof six);
		memcpy(a->b, &six.sin6_addr, 16);
		return true;
	}
	return false;
}

/* The address the kernel would send from: connect(2) of UDP sends nothing. */
static bool
source_towards(const struct addr *target, struct addr *source)
{
	struct sockaddr_storage ss;
	socklen_t len = to_sockaddr(target, &ss);
	int fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool found = false;

	if (fd >= 0 && connect(fd, (const struct sockaddr *)&ss, len) == 0) {
		len = sizeof ss;
		found = getsockname(fd, (struct sockaddr *)&ss, &len) == 0 &&
		    from_sockaddr(&ss, ss.ss_family, source);
	}
	if (fd >= 0)
		close(fd);
	return found;
}

/* The interface that has an address, into name. */
static bool
interface_of(const struct addr *source, char *name, size_t cap)
{
	struct ifaddrs *all, *i;
	bool found = false;

	if (getifaddrs(&all) < 0)
		return false;
	for (i = all; i != NULL && !found; i = i->ifa_next) {
		struct addr a;

		if (i->ifa_addr == NULL ||
		    !from_sockaddr(i->ifa_addr, i->ifa_addr->sa_family, &a))
			continue;
		found = addr_cmp(&a, source) == 0;
		if (found)
			snprintf(name, cap, "%s", i->ifa_name);
	}
	freeifaddrs(all);
	return found;
}

static bool
has_source(const struct conf *conf, bool four)
{
	for (uint32_t i = 0; i < conf->nsources; i++)
		if (addr_is4(&conf->sources[i]) == four)
			return true;
	return false;
}

static void
resolve_family(struct conf *conf, const struct ranges *targets, bool four)
{
	struct addr target, source;

	if (has_source(conf, four) || conf->nsources == CONF_SOURCES_MAX ||
	    !ranges_first(targets, four, &target) ||
	    !source_towards(&target, &source))
		return;
	conf->sources[conf->nsources++] = source;
}

int
route_resolve(struct conf *conf, const struct ranges *targets)
{
	resolve_family(conf, targets, true);
	resolve_family(conf, targets, false);
	if (conf->nsources == 0) {
		log_error("no route to the targets, expected source = "
			  "\"ADDRESS\" in %s",
		    conf->file);
		return -1;
	}
	if (conf->interface[0] == '\0' &&
	    !interface_of(
		&conf->sources[0], conf->interface, sizeof conf->interface)) {
		log_error("no interface has the source address, expected "
			  "interface = \"NAME\" in %s",
		    conf->file);
		return -1;
	}
	if (if_nametoindex(conf->interface) != 0)
		return 0;
	log_error("interface \"%s\" is not there, expected one of this host's",
	    conf->interface);
	return -1;
}
