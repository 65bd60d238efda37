/* link_pcap.c: the way into the machine: libpcap, the only user of it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <linux/if_packet.h>
#include <net/if.h>
#include <pcap/pcap.h>

#include "engine/link_pcap.h"
#include "engine/log.h"

/*
 * A frame of a virtual interface may be larger than the MTU: segments come
 * merged (GRO) or were never cut (GSO).
 */
enum { SNAPLEN = 65535 + 14, BUFFER_MIN = 1 << 20 };
/*
 * How long the kernel may keep frames to itself; 10, the habit, costs 5. With
 * every such time, if there are frames at all, a block of 256 KiB is full: at
 * little traffic 24 MB hold what comes in 0.2 s.
 */
enum { TIMEOUT_MS = 2 };
enum { FILTER_MAX = 4096 };

struct capture {
	pcap_t *pcap;
	char interface[IF_NAMESIZE];
	uint32_t seen, lost; /* libpcap's counts, which wrap */
	uint64_t received, dropped;
	capture_frame *frame;
	void *context;
};

/* Append; cap is large enough for any configuration, or the filter fails. */
static size_t
add(char *text, size_t at, const char *part)
{
	int n = at < FILTER_MAX
	    ? snprintf(text + at, FILTER_MAX - at, "%s", part)
	    : 0;

	return at + (size_t)n;
}

/*
 * ICMP: destination unreachable, time exceeded; and of ICMPv6 destination
 * unreachable, packet too big, time exceeded, parameter problem: 1 to 4.
 */
static void
make_filter(const struct conf *conf, char text[FILTER_MAX])
{
	char part[ADDR_TEXT_MAX + 64], address[ADDR_TEXT_MAX];
	size_t at = add(text, 0, "(");

	for (uint32_t i = 0; i < conf->nsources; i++) {
		snprintf(part, sizeof part, "%sdst host %s",
		    i > 0 ? " or " : "", addr_text(&conf->sources[i], address));
		at = add(text, at, part);
	}
	snprintf(part, sizeof part, ") and ((tcp and dst portrange %u-%u)",
	    conf->sport_first, conf->sport_last);
	at = add(text, at, part);
	add(text, at,
	    " or (icmp and (icmp[0] = 3 or icmp[0] = 11))"
	    " or (icmp6 and ip6[40] >= 1 and ip6[40] <= 4))");
}

static int
set_filter(pcap_t *p, const struct conf *conf)
{
	struct bpf_program program;
	char text[FILTER_MAX];
	int error;

	make_filter(conf, text);
	if (pcap_compile(p, &program, text, 1, PCAP_NETMASK_UNKNOWN) != 0)
		return -1;
	error = pcap_setfilter(p, &program);
	pcap_freecode(&program);
	return error;
}

/* What we send ourselves is not even copied (Linux 4.20). */
static void
ignore_outgoing(pcap_t *p)
{
	int yes = 1;

	if (setsockopt(pcap_fileno(p), SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes,
		sizeof yes) < 0)
		log_warn("capture: PACKET_IGNORE_OUTGOING: %s: sending will "
			 "be slower",
		    strerror(errno));
}

/* TPACKET_V3 is what libpcap takes by itself while it may keep us waiting. */
static pcap_t *
activate(const struct conf *conf, int buffer, char *why, size_t cap)
{
	char error[PCAP_ERRBUF_SIZE] = "";
	pcap_t *p = pcap_create(conf->interface, error);
	int status;

	if (p == NULL) {
		snprintf(why, cap, "%s", error);
		return NULL;
	}
	pcap_set_snaplen(p, SNAPLEN);
	pcap_set_promisc(p, 0);
	pcap_set_timeout(p, TIMEOUT_MS);
	pcap_set_buffer_size(p, buffer);
	status = pcap_activate(p);
	if (status < 0) {
		snprintf(why, cap, "%s: %s", pcap_statustostr(status),
		    pcap_geterr(p));
		goto fail;
	}
	if (pcap_datalink(p) != DLT_EN10MB) {
		snprintf(why, cap, "not an Ethernet interface");
		goto fail;
	}
	if (pcap_setdirection(p, PCAP_D_IN) != 0 || set_filter(p, conf) != 0 ||
	    pcap_setnonblock(p, 1, error) != 0 || pcap_fileno(p) < 0) {
		snprintf(why, cap, "%s%s", pcap_geterr(p), error);
		goto fail;
	}
	ignore_outgoing(p);
	return p;
fail:
	pcap_close(p);
	return NULL;
}

struct capture *
capture_open(const struct conf *conf)
{
	char why[PCAP_ERRBUF_SIZE + 64] = "";
	struct capture *c = calloc(1, sizeof *c);
	int want = (int)conf->capture_buffer;

	if (c == NULL) {
		log_error("capture: %s", strerror(errno));
		return NULL;
	}
	snprintf(c->interface, sizeof c->interface, "%s", conf->interface);
	for (int n = want; n >= BUFFER_MIN && c->pcap == NULL; n /= 4) {
		c->pcap = activate(conf, n, why, sizeof why);
		if (c->pcap != NULL && n != want)
			log_warn("capture: a buffer of %d KiB only: %s",
			    n / 1024, why);
	}
	if (c->pcap == NULL) {
		log_error("capture on %s: %s", conf->interface, why);
		free(c);
		return NULL;
	}
	return c;
}

void
capture_close(struct capture *c)
{
	if (c == NULL)
		return;
	pcap_close(c->pcap);
	free(c);
}

int
capture_fd(const struct capture *c)
{
	return pcap_fileno(c->pcap);
}

/* A frame that was cut is passed on so: its lengths will contradict. */
static void
pass_frame(u_char *user, const struct pcap_pkthdr *h, const u_char *frame)
{
	struct capture *c = (void *)user; /* as capture_read gave it */

	c->frame(c->context, frame, h->caplen,
	    (uint64_t)h->ts.tv_sec * 1000000 + (uint64_t)h->ts.tv_usec);
}

int
capture_read(
    struct capture *c, unsigned max, capture_frame *frame, void *context)
{
	int n;

	c->frame = frame;
	c->context = context;
	n = pcap_dispatch(c->pcap, (int)max, pass_frame, (void *)c);
	return n >= 0 ? n : -1;
}

void
capture_counts(struct capture *c, uint64_t *received, uint64_t *dropped)
{
	struct pcap_stat s;

	if (pcap_stats(c->pcap, &s) == 0) {
		c->received += s.ps_recv - c->seen;
		c->dropped += s.ps_drop - c->lost;
		c->seen = s.ps_recv;
		c->lost = s.ps_drop;
	}
	*received = c->received;
	*dropped = c->dropped;
}

bool
capture_link_up(const struct capture *c)
{
	struct ifreq r;

	memset(&r, 0, sizeof r);
	memcpy(r.ifr_name, c->interface, sizeof r.ifr_name);
	return ioctl(pcap_fileno(c->pcap), SIOCGIFFLAGS, &r) == 0 &&
	    (r.ifr_flags & (IFF_UP | IFF_RUNNING)) == (IFF_UP | IFF_RUNNING);
}
