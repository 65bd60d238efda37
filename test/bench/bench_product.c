/* bench_product.c: what it costs to know the product, per conversation. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "probes/product.h"

enum { BODY_CAP = 8192, ROUNDS = 20000, TEXT_CAP = 1 << 18 };

/* Lines as they came; C: ours, and a list of capabilities behind. */
static const struct conversation {
	const char *name;
	enum protocol protocol;
	const char *greeting, *hello, *implementation;
	const char *list[40];
} conversations[] = {
	{ "dovecot_pop3", PROTOCOL_POP3, "+OK Dovecot (Debian) ready.\r\n",
	    NULL, NULL,
	    { "CAPA", "TOP", "UIDL", "RESP-CODES", "PIPELINING",
		"AUTH-RESP-CODE", "STLS", "USER", "SASL PLAIN LOGIN" } },
	{ "dovecot_imap", PROTOCOL_IMAP,
	    "* OK [CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE "
	    "IDLE LITERAL+ STARTTLS LOGINDISABLED] Dovecot (Debian) ready."
	    "\r\n",
	    NULL, "(\"name\" \"Dovecot\")",
	    { "IMAP4rev1", "SASL-IR", "LOGIN-REFERRALS", "ID", "ENABLE", "IDLE",
		"LITERAL+", "STARTTLS", "LOGINDISABLED" } },
	{ "exim_smtp", PROTOCOL_SMTP,
	    "220 mx.example.org ESMTP Exim 4.96 Sun, 22 Nov 2026 02:00:00 "
	    "+0000\r\n",
	    "250-mx.example.org Hello scan.example.net [192.0.2.1]", NULL,
	    { "SIZE 52428800", "8BITMIME", "PIPELINING", "PIPECONNECT",
		"CHUNKING", "STARTTLS", "SMTPUTF8", "HELP" } },
	{ "postfix_hidden_smtp", PROTOCOL_SMTP, "220 mx.example.org ESMTP\r\n",
	    "250-mx.example.org", NULL,
	    { "PIPELINING", "SIZE 10240000", "VRFY", "ETRN", "STARTTLS",
		"ENHANCEDSTATUSCODES", "8BITMIME", "DSN", "SMTPUTF8",
		"CHUNKING" } },
	{ "nobody_smtp", PROTOCOL_SMTP, "220 mx.example.org ESMTP ready\r\n",
	    "250-mx.example.org at your service", NULL,
	    { "SIZE 157286400", "8BITMIME", "STARTTLS", "PIPELINING",
		"SMTPUTF8", "DSN" } },
};

static void
fill(struct facts *f, struct record *r, uint8_t *body,
    const struct conversation *c)
{
	static const char ehlo[] = "EHLO scan.example.net";

	record_init(r, body, BODY_CAP);
	r->head.protocol = (uint8_t)c->protocol;
	facts_init(f, r);
	f->greeted = GREETED_YES;
	facts_put(f, TAG_GREETING, c->greeting, strlen(c->greeting));
	facts_note(f, SPEAKER_SERVER, 1, c->greeting);
	if (c->hello) {
		facts_note(f, SPEAKER_CLIENT, 2, ehlo);
		facts_note(f, SPEAKER_SERVER, 2, c->hello);
	}
	for (size_t i = 0; c->list[i]; i++) {
		facts_put(
		    f, TAG_CAPABILITY_BEFORE, c->list[i], strlen(c->list[i]));
		facts_note(f, SPEAKER_SERVER, 3, c->list[i]);
	}
	if (c->implementation)
		facts_put(f, TAG_IMPLEMENTATION, c->implementation,
		    strlen(c->implementation));
}

static double
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static struct products *
shipped(void)
{
	static char text[TEXT_CAP], error[PRODUCTS_ERROR_MAX];
	FILE *file = fopen("conf/products", "r");
	struct products *all;

	if (!file || fread(text, 1, sizeof text - 1, file) == 0) {
		perror("conf/products");
		exit(EXIT_FAILURE);
	}
	(void)fclose(file);
	all = products_read("conf/products", text, NULL, error);
	if (!all) {
		fprintf(stderr, "%s\n", error);
		exit(EXIT_FAILURE);
	}
	return all;
}

/* With one argument: so many rounds, as callgrind wants it. */
int
main(int argc, char **argv)
{
	long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : ROUNDS;
	double begin = now_ns();
	struct products *all = shipped();
	static uint8_t body[BODY_CAP];
	struct record r;
	struct facts f;

	printf("bench: products_read %.0f us\n", (now_ns() - begin) / 1000);
	for (size_t i = 0; i < sizeof conversations / sizeof *conversations;
	     i++) {
		const struct conversation *c = &conversations[i];
		uint32_t len;

		fill(&f, &r, body, c);
		len = r.len;
		begin = now_ns();
		for (long k = 0; k < rounds; k++) {
			r.len = len;
			product_find(&f, all);
		}
		printf("bench: product_%s %.0f ns\n", c->name,
		    (now_ns() - begin) / (double)(rounds > 0 ? rounds : 1));
	}
	products_free(all);
	return EXIT_SUCCESS;
}
