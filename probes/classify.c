/* classify.c: which protocol spoke first, by its first bytes. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "probes/classify.h"
#include "probes/line.h"

struct opening {
	const char *bytes;
	size_t len;
	const char *name;
};

#define OPENING(bytes, name)                   \
	{                                      \
		bytes, sizeof(bytes) - 1, name \
	}

static const struct opening openings[] = {
	OPENING("SSH-", "ssh"),
	OPENING("HTTP/", "http"),
	OPENING("<html", "http"),
	OPENING("<!doctype", "http"),
	OPENING("ICY ", "http"),
	OPENING("RFB ", "vnc"),
	OPENING("RTSP/", "rtsp"),
	OPENING("SIP/", "sip"),
	OPENING("\026\003", "tls"),
	OPENING("\025\003", "tls"),
	OPENING("\377\373", "telnet"),
	OPENING("\377\375", "telnet"),
	OPENING("@RSYNCD:", "rsync"),
	OPENING("AMQP", "amqp"),
	OPENING("NOTICE AUTH", "irc"),
	OPENING(":", "irc"),
	OPENING("\"IMPLEMENTATION\"", "managesieve"),
	OPENING("OK MPD", "mpd"),
	OPENING("<?xml", "xml"),
	OPENING("<stream:", "xmpp"),
	OPENING("NATS", "nats"),
	OPENING("INFO {", "nats"),
	OPENING("CVS ", "cvs"),
};

static bool
three_digits(const uint8_t *s, size_t len)
{
	return len >= 3 && isdigit(s[0]) && isdigit(s[1]) && isdigit(s[2]) &&
	    (len == 3 || s[3] == ' ' || s[3] == '-');
}

/* 220 of FTP; but "220 ftp.example.org ESMTP" is a name, not a service. */
const char *
greeting_not_smtp(const uint8_t *s, size_t len)
{
	struct word name;
	size_t at = 4;

	if (len < 4 || s[0] != '2' || bytes_find(s, len, "SMTP"))
		return NULL;
	if (word_next(s, len, &at, &name) &&
	    memchr(name.bytes, '.', name.len)) {
		len -= at;
		s += at;
	}
	if (bytes_find(s, len, "LMTP"))
		return "lmtp";
	if (bytes_find(s, len, "NNTP") || bytes_find(s, len, "NNRP"))
		return "nntp";
	return bytes_find(s, len, "FTP") ? "ftp" : NULL;
}

static const struct {
	const char *word;
	enum protocol protocol;
} greetings[] = {
	{ "+OK", PROTOCOL_POP3 },
	{ "-ERR", PROTOCOL_POP3 },
	{ "* OK", PROTOCOL_IMAP },
	{ "* PREAUTH", PROTOCOL_IMAP },
	{ "* BYE", PROTOCOL_IMAP },
	{ "* NO", PROTOCOL_IMAP },
	{ "* BAD", PROTOCOL_IMAP },
	{ "BYE ", PROTOCOL_IMAP },
};

enum { GREETINGS = sizeof greetings / sizeof *greetings };

bool
greeting_begins(const uint8_t *s, size_t len)
{
	for (size_t i = 0; i < GREETINGS; i++)
		if (len < strlen(greetings[i].word) &&
		    strncasecmp((const char *)s, greetings[i].word, len) == 0)
			return true;
	return len < 3 && len > 0 && strchr("245", s[0]) &&
	    (len == 1 || isdigit(s[1]));
}

enum protocol
greeting_protocol(const uint8_t *s, size_t len)
{
	for (size_t i = 0; i < GREETINGS; i++)
		if (bytes_start(s, len, greetings[i].word))
			return greetings[i].protocol;
	if (three_digits(s, len) && strchr("245", s[0]) &&
	    !greeting_not_smtp(s, len))
		return PROTOCOL_SMTP;
	return PROTOCOL_UNKNOWN;
}

/*
 * MySQL: length, sequence 0, protocol 10, which is LF and ends our line; or
 * an error packet, 255.
 */
static bool
mysql(const uint8_t *s, size_t len)
{
	return len >= 4 && s[0] != 0 && s[2] == 0 && s[3] == 0 &&
	    (len == 4 || s[4] == 255);
}

const char *
classify(const uint8_t *s, size_t len)
{
	const char *service;

	for (size_t i = 0; i < sizeof openings / sizeof *openings; i++) {
		const struct opening *o = &openings[i];

		/* Bytes first: an opening may hold no text at all. */
		if (len >= o->len &&
		    (memcmp(s, o->bytes, o->len) == 0 ||
			bytes_start(s, len, o->bytes)))
			return o->name;
	}
	if (mysql(s, len))
		return "mysql";
	if (three_digits(s, len)) {
		service = greeting_not_smtp(s, len);
		if (service)
			return service;
	}
	return protocol_names[greeting_protocol(s, len)];
}
