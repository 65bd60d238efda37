/* product.c: the server's product, where it says so itself. */
#include <ctype.h>
#include <string.h>

#include "probes/product.h"

/* What stands in a banner, and whose it is; the first that fits counts. */
static const struct product {
	const char *text, *name;
} products[] = {
	{ "Dovecot", "Dovecot" },
	{ "Postfix", "Postfix" },
	{ "Exim", "Exim" },
	{ "Microsoft ESMTP MAIL Service", "Microsoft Exchange" },
	{ "Microsoft Exchange", "Microsoft Exchange" },
	{ "Sendmail", "Sendmail" },
	{ "OpenSMTPD", "OpenSMTPD" },
	{ "Courier-IMAP", "Courier" },
	{ "Courier", "Courier" },
	{ "Cyrus POP3", "Cyrus" },
	{ "Cyrus IMAP", "Cyrus" },
	{ "Cyrus", "Cyrus" },
	{ "MDaemon", "MDaemon" },
	{ "IceWarp", "IceWarp" },
	{ "Kerio", "Kerio Connect" },
	{ "Zimbra", "Zimbra" },
	{ "hMailServer", "hMailServer" },
	{ "CommuniGate", "CommuniGate Pro" },
	{ "MailEnable", "MailEnable" },
	{ "Haraka", "Haraka" },
	{ "Lotus Domino", "Domino" },
	{ "Domino", "Domino" },
	{ "SurgeMail", "SurgeMail" },
	{ "Gimap", "Google" },
	{ "gsmtp", "Google" },
	{ "qpopper", "Qpopper" },
	{ "Mercury", "Mercury" },
	{ "XMail", "XMail" },
	{ "Axigen", "Axigen" },
	{ "UW IMAP", "UW IMAP" },
	{ "mailfront", "mailfront" },
	{ "Zarafa", "Zarafa" },
	{ "Kopano", "Kopano" },
	{ "Stalwart", "Stalwart" },
	{ "chasquid", "chasquid" },
	{ "qpsmtpd", "qpsmtpd" },
	{ "perdition", "Perdition" },
	{ "perditon", "Perdition" }, /* so in its POP3 greeting */
	{ "imapfront", "mailfront" },
	{ "Solid POP3", "Solid POP3" },
	{ "Twisted IMAP4rev1", "Twisted" },
	{ "Python SMTP proxy version", "smtpd.py" },
	{ "Python SMTP", "aiosmtpd" },
	{ "Net::Server::Mail", "Net::Server::Mail" },
	{ "msmtpd", "msmtpd" },
	{ "INetSim", "INetSim" },
};

/* A version: right behind the product's name, and it begins with a digit. */
static size_t
version_len(const uint8_t *s, size_t len)
{
	size_t n = 0;

	if (len == 0 || !isdigit(s[0]))
		return 0;
	while (n < len && n < 32 && (isalnum(s[n]) || memchr(".-_+/", s[n], 5)))
		n++;
	return n;
}

/* As a word of its own: "exim-2.example.org" is a host, no product. */
static const uint8_t *
word_find(const struct field *in, const char *text)
{
	const uint8_t *at = in->bytes, *end = at + in->len;
	size_t n = strlen(text);

	while ((at = bytes_find(at, (size_t)(end - at), text)) != NULL) {
		const uint8_t *after = at + n;
		bool begins = at == in->bytes ||
		    (!isalnum(at[-1]) && !memchr(".-@", at[-1], 3));
		bool ends = after == end ||
		    (!isalnum(*after) &&
			(!memchr(".-@", *after, 3) || after + 1 == end ||
			    !isalnum(after[1])));

		if (begins && ends)
			return after;
		at = after;
	}
	return NULL;
}

static bool
product_match(struct facts *f, const struct field *in, const struct product *p)
{
	const uint8_t *at = word_find(in, p->text);
	const uint8_t *end = in->bytes + in->len;
	uint8_t version[32];
	size_t n;

	if (!at)
		return false;
	while (at < end && (*at == ' ' || *at == '/' || *at == 'v'))
		at++;
	n = version_len(at, (size_t)(end - at));
	if (n > 0)
		memcpy(version, at, n);
	facts_put(f, TAG_PRODUCT, p->name, strlen(p->name));
	if (n > 0)
		facts_put(f, TAG_VERSION, version, n);
	return true;
}

void
product_find(struct facts *f)
{
	static const enum tag where[] = { TAG_IMPLEMENTATION, TAG_GREETING };
	struct field in;

	if (facts_find(f, TAG_PRODUCT, &in) || f->greeted == GREETED_OTHER)
		return;
	for (size_t i = 0; i < sizeof where / sizeof *where; i++) {
		if (!facts_find(f, where[i], &in))
			continue;
		for (size_t k = 0; k < sizeof products / sizeof *products; k++)
			if (product_match(f, &in, &products[k]))
				return;
	}
}
