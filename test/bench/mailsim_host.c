/* mailsim_host.c: what a simulated host is, and what it says. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "test/bench/mailsim.h"

const char *const sim_kind_names[SIM_KINDS] = {
	[SIM_GOOD] = "good",
	[SIM_NO_TLS] = "no_tls",
	[SIM_LATE] = "late",
	[SIM_SILENT] = "silent",
	[SIM_RESET] = "reset",
	[SIM_CLOSES] = "closes",
	[SIM_TARPIT] = "tarpit",
	[SIM_ENDLESS] = "endless",
};

int
sim_kind_named(const char *name, size_t len)
{
	for (int i = 0; i < SIM_KINDS; i++)
		if (strlen(sim_kind_names[i]) == len &&
		    strncmp(sim_kind_names[i], name, len) == 0)
			return i;
	return -1;
}

/* Neighbours must differ: a 32-bit mixer (Wellons, "lowbias32"). */
static uint32_t
mix(uint32_t x)
{
	x ^= x >> 16;
	x *= 0x7feb352d;
	x ^= x >> 15;
	x *= 0x846ca68b;
	return x ^ x >> 16;
}

enum sim_kind
sim_kind_of(const struct sim_shares *s, uint32_t addr)
{
	unsigned place = mix(addr) % 100;

	if (s->slow_network && s->slow >> 8 == addr >> 8)
		return SIM_TARPIT;
	for (int i = SIM_GOOD + 1; i < SIM_KINDS; i++) {
		if (place < s->percent[i])
			return (enum sim_kind)i;
		place -= s->percent[i];
	}
	return SIM_GOOD;
}

bool
sim_tls12(const struct sim_shares *s, uint32_t addr)
{
	return mix(addr) / 100 % 100 < s->tls12;
}

/* ---- what it says ------------------------------------------------------- */

static bool
offers(const struct sim_conn *c)
{
	return c->kind != SIM_NO_TLS && !c->ssl;
}

static void
reply(struct sim_conn *c, enum sim_next after, const char *format,
    const char *tag, const char *offer)
{
	int n = snprintf(c->out, sizeof c->out, format, tag, offer);

	c->reply_len = (uint16_t)(n < SIM_REPLY ? n : SIM_REPLY - 1);
	c->said = 0;
	c->after = (uint8_t)after;
}

static const char no_tag[] = "";

void
sim_greet(struct sim_conn *c)
{
	static const char *const format[] = {
		[SIM_POP3] = "+OK %s.sim.test POP3 server ready%s\r\n",
		[SIM_IMAP] = "* OK %s.sim.test IMAP4rev1 server ready%s\r\n",
		[SIM_SMTP] = "220 %s.sim.test ESMTP mailsim%s\r\n",
	};
	char name[24];

	snprintf(name, sizeof name, "h%u-%u-%u-%u", c->addr >> 24,
	    c->addr >> 16 & 255, c->addr >> 8 & 255, c->addr & 255);
	reply(c, SIM_LISTEN, format[c->protocol], name, "");
}

/* A command, whom it belongs to, and the replies with TLS on offer or not. */
struct command {
	enum sim_protocol protocol;
	enum sim_next after; /* the first of the two replies */
	const char *word, *offering, *plain;
};

#define LISTING    "+OK\r\nCAPA\r\nTOP\r\nUIDL\r\nRESP-CODES\r\n"
#define LISTED     "PIPELINING\r\nUSER\r\nSASL PLAIN LOGIN\r\n.\r\n"
#define EXTENSIONS "250-sim.test\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n"
#define EXTENDED   "250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250 CHUNKING\r\n"

/* %s: the tag, which only IMAP has; twice where it is said at the end. */
static const struct command commands[] = {
	{ SIM_POP3, SIM_LISTEN, "CAPA", LISTING "STLS\r\n" LISTED "%s",
	    LISTING LISTED "%s" },
	{ SIM_POP3, SIM_START_TLS, "STLS",
	    "+OK Begin TLS negotiation now.%s\r\n",
	    "-ERR TLS support isn't enabled.%s\r\n" },
	{ SIM_POP3, SIM_CLOSE, "QUIT", "+OK Logging out.%s\r\n",
	    "+OK Logging out.%s\r\n" },
	{ SIM_IMAP, SIM_LISTEN, "CAPABILITY",
	    "* CAPABILITY IMAP4rev1 IDLE LITERAL+ STARTTLS LOGINDISABLED\r\n"
	    "%s OK Capability completed.\r\n",
	    "* CAPABILITY IMAP4rev1 IDLE LITERAL+ AUTH=PLAIN AUTH=LOGIN\r\n"
	    "%s OK Capability completed.\r\n" },
	{ SIM_IMAP, SIM_START_TLS, "STARTTLS",
	    "%s OK Begin TLS negotiation now.\r\n",
	    "%s BAD TLS support isn't enabled.\r\n" },
	{ SIM_IMAP, SIM_CLOSE, "LOGOUT",
	    "* BYE Logging out\r\n%s OK Logged out.\r\n",
	    "* BYE Logging out\r\n%s OK Logged out.\r\n" },
	{ SIM_SMTP, SIM_LISTEN, "EHLO",
	    EXTENSIONS "250-STARTTLS\r\n" EXTENDED "%s",
	    EXTENSIONS "250-AUTH PLAIN LOGIN\r\n" EXTENDED "%s" },
	{ SIM_SMTP, SIM_START_TLS, "STARTTLS",
	    "220 2.0.0 Ready to start TLS%s\r\n",
	    "502 5.5.1 Error: command not implemented%s\r\n" },
	{ SIM_SMTP, SIM_CLOSE, "QUIT", "221 2.0.0 Bye%s\r\n",
	    "221 2.0.0 Bye%s\r\n" },
};

static const char *const unknown[] = {
	[SIM_POP3] = "-ERR Unknown command.%s\r\n",
	[SIM_IMAP] = "%s BAD Unknown command.\r\n",
	[SIM_SMTP] = "500 5.5.2 Error: unknown command%s\r\n",
};

static bool
is_word(const char *line, const char *word)
{
	size_t n = strlen(word);

	return strncasecmp(line, word, n) == 0 &&
	    (line[n] == '\0' || line[n] == ' ');
}

static enum sim_next
after(const struct sim_conn *c, const struct command *k)
{
	if (k->after == SIM_CLOSE)
		return SIM_CLOSE;
	if (k->after == SIM_LISTEN || !offers(c))
		return SIM_LISTEN;
	return c->kind == SIM_CLOSES ? SIM_CLOSE : SIM_START_TLS;
}

void
sim_answer(struct sim_conn *c, const char *line)
{
	char tag[SIM_LINE] = "";
	const char *rest = line;

	if (c->protocol == SIM_IMAP) {
		size_t n = strcspn(line, " ");

		memcpy(tag, line, n);
		tag[n] = '\0';
		rest = line + n + (line[n] == ' ');
	}
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		const struct command *k = &commands[i];

		if (k->protocol != c->protocol || !is_word(rest, k->word))
			continue;
		c->quit = c->quit || k->after == SIM_CLOSE;
		reply(c, after(c, k), offers(c) ? k->offering : k->plain, tag,
		    no_tag);
		return;
	}
	reply(c, SIM_LISTEN, unknown[c->protocol], tag, no_tag);
}
