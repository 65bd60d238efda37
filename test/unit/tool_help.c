/* tool_help.c: a small sealed sweep with one of everything, for the tool. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include "storage/store_write.h"
#include "storage/trailer.h"
#include "test/unit/store_help.h"
#include "test/unit/tool_help.h"

enum { BODY_CAP = 4096, DER_CAP = 4096 };

const char hostile_greeting[] =
    "+OK \"quoted\", comma\r\nsecond\nthird\rx\0y\x1b[31m\xff\xc3\xa9\xc2\x9b"
    "'=1+1;\r\n";
const size_t hostile_length = sizeof hostile_greeting - 1;

/* A certificate whose subject tries to get out of its field, too. */
static size_t
make_cert(uint8_t der[DER_CAP])
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);
	unsigned char *at = der;
	int len;

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 0x0abc);
	ASN1_TIME_set(X509_getm_notBefore(x), 1790000000);
	ASN1_TIME_set(X509_getm_notAfter(x), 1890000000);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
	    (const unsigned char *)"mail.example.net", -1, -1, 0);
	X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8,
	    (const unsigned char *)"A, \"B\"\r\n\xc3\x89tat", -1, -1, 0);
	X509_set_issuer_name(x, name);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	len = i2d_X509(x, NULL);
	assert_in_range(len, 1, DER_CAP);
	i2d_X509(x, &at);
	X509_free(x);
	EVP_PKEY_free(key);
	return (size_t)len;
}

static void
put_cert(const char *path, uint8_t sha256[SHA256_LEN])
{
	char error[STORE_ERROR_MAX];
	uint8_t der[DER_CAP];
	size_t len = make_cert(der);
	struct live *live = live_open(path, 16 << 20, error);

	assert_non_null(live);
	SHA256(der, len, sha256);
	live_begin(live);
	live_put_cert(live, sha256, der, len);
	assert_int_equal(live_commit(live), LIVE_DONE);
	live_close(live);
}

/* One row as it is written down below. */
struct sample {
	const char *addr;
	uint32_t port;
	uint8_t protocol, outcome, starttls, confirmed;
	uint32_t findings, tls_version;
	const char *country;
	uint64_t asn;
	const char *product, *version, *reply;
};

#define F(name) (1u << FINDING_##name)
#define CLEAR   (F(NO_TLS) | F(CLEARTEXT_LOGIN))

/* clang-format off */
static const struct sample samples[SAMPLE_ROWS] = {
	{ "192.0.2.1", 110, PROTOCOL_POP3, OUTCOME_COMPLETED,
	    STARTTLS_NOT_OFFERED, 0, CLEAR, 0, "DE", 64500, "Dovecot", NULL,
	    "-ERR Unknown command." },
	{ "192.0.2.1", 143, PROTOCOL_IMAP, OUTCOME_COMPLETED,
	    STARTTLS_NOT_OFFERED, 0, CLEAR, 0, "DE", 64500, "Dovecot", NULL,
	    "2 BAD no" },
	{ "192.0.2.2", 110, PROTOCOL_POP3, OUTCOME_COMPLETED,
	    STARTTLS_COMPLETED, 0, F(SELF_SIGNED) | F(UNTRUSTED), 0x0304,
	    "DE", 64500, "Dovecot", NULL, "+OK" },
	{ "192.0.2.3", 110, PROTOCOL_POP3, OUTCOME_BROKEN, STARTTLS_CLOSED, 0,
	    F(CLEARTEXT_LOGIN) | F(STARTTLS_BROKEN), 0, "PL", 64501, NULL,
	    NULL, "+OK" },
	{ "192.0.2.4", 110, PROTOCOL_POP3, OUTCOME_BROKEN, STARTTLS_CLOSED, 1,
	    F(CLEARTEXT_LOGIN) | F(STARTTLS_BROKEN), 0, "PL", 64501, NULL,
	    NULL, "+OK" },
	{ "192.0.2.5", 110, PROTOCOL_POP3, OUTCOME_COMPLETED,
	    STARTTLS_HANDSHAKE_FAILED, 2,
	    F(CLEARTEXT_LOGIN) | F(STARTTLS_BROKEN), 0, "PL", 64501, NULL,
	    NULL, "+OK" },
	{ "192.0.2.6", 143, PROTOCOL_IMAP, OUTCOME_COMPLETED,
	    STARTTLS_UNKNOWN, 0, F(PREAUTH), 0, "??", 0, NULL, NULL, NULL },
	{ "192.0.2.7", 143, PROTOCOL_IMAP, OUTCOME_COMPLETED,
	    STARTTLS_NOT_OFFERED, 0, F(NO_TLS), 0, "??", 0, NULL, NULL,
	    "BAD" },
	{ "192.0.2.8", 25, PROTOCOL_SMTP, OUTCOME_COMPLETED,
	    STARTTLS_NOT_OFFERED, 0, F(NO_TLS), 0, "US", 64502, "Exim",
	    "4.91", "503 no" },
	{ "192.0.2.9", 25, PROTOCOL_SMTP, OUTCOME_COMPLETED,
	    STARTTLS_COMPLETED, 0, 0, 0x0303, "US", 64502, "Exim", "4.96",
	    "220 go" },
	{ "192.0.2.10", 25, PROTOCOL_SMTP, OUTCOME_REFUSED_US,
	    STARTTLS_UNKNOWN, 0, F(REFUSED_US), 0, "US", 64502, NULL, NULL,
	    NULL },
	{ "192.0.2.11", 110, PROTOCOL_UNKNOWN, OUTCOME_OTHER_PROTOCOL,
	    STARTTLS_NONE, 0, F(OTHER_PROTOCOL), 0, "US", 64502, NULL, NULL,
	    NULL },
	{ "192.0.2.12", 995, PROTOCOL_POP3, OUTCOME_COMPLETED,
	    STARTTLS_IMPLICIT, 0, F(PHANTOM), 0x0303, "JP", 64503, NULL, NULL,
	    NULL },
	{ "192.0.2.13", 110, PROTOCOL_POP3, OUTCOME_TIMED_OUT,
	    STARTTLS_TIMED_OUT, 0, F(CLEARTEXT_LOGIN), 0, "JP", 64503, NULL,
	    NULL, NULL },
	{ "192.0.2.14", 25, PROTOCOL_SMTP, OUTCOME_COMPLETED,
	    STARTTLS_REFUSED, 0, F(STARTTLS_BROKEN), 0, "JP", 64503, NULL,
	    NULL, "454 not now" },
	{ "2001:db8::1", 110, PROTOCOL_POP3, OUTCOME_COMPLETED,
	    STARTTLS_NOT_OFFERED, 0, CLEAR, 0, "NL", 64504, NULL, NULL,
	    "-ERR" },
	{ "2001:db8::1", 143, PROTOCOL_IMAP, OUTCOME_COMPLETED,
	    STARTTLS_COMPLETED, 0, 0, 0x0304, "NL", 64504, NULL, NULL,
	    "OK" },
};
/* clang-format on */

static void
put_text(struct record *r, enum tag tag, const char *text)
{
	if (text)
		assert_int_equal(record_put(r, tag, text, strlen(text)), 0);
}

static void
fill_head(struct head *h, const struct sample *s, unsigned n,
    const uint8_t sha256[SHA256_LEN])
{
	h->protocol = s->protocol;
	h->starttls = s->starttls;
	h->confirmed = s->confirmed;
	h->tls_version = (uint16_t)s->tls_version;
	h->asn = (uint32_t)s->asn;
	h->change = CHANGE_NEW;
	h->first_seen_us = h->last_seen_us = h->time_us;
	h->observations = 1;
	h->greeting_ms = n;
	h->flags = HEAD_ADOPTED | HEAD_ASKED_OFFER;
	memcpy(h->country, s->country, 2);
	if (s->tls_version == 0)
		return;
	h->cipher = s->tls_version == 0x0304 ? 0x1302 : 0xc030;
	h->group = 29;
	h->chain = CHAIN_SELF_SIGNED;
	h->chain_len = 1;
	h->key_type = KEY_EC;
	h->key_bits = 256;
	memcpy(h->leaf, sha256, SHA256_LEN);
}

static void
fill_body(
    struct record *r, const struct sample *s, const uint8_t sha256[SHA256_LEN])
{
	const char *ask = s->protocol == PROTOCOL_POP3 ? "STLS" : "STARTTLS";

	assert_int_equal(
	    record_put(r, TAG_GREETING, hostile_greeting, hostile_length), 0);
	put_text(r, TAG_CAPABILITY_BEFORE, "UIDL");
	put_text(r, TAG_CAPABILITY_BEFORE, "SASL \"PLAIN\", LOGIN");
	put_text(r, TAG_PRODUCT, s->product);
	put_text(r, TAG_VERSION, s->version);
	put_text(r, TAG_STARTTLS_REPLY, s->reply);
	put_text(r, TAG_REGION, "\xc3\x8ele-de-France");
	put_text(r, TAG_CITY, "Gda\xc5\x84sk");
	put_text(r, TAG_AS_NAME, "Example, Inc");
	if (s->tls_version)
		assert_int_equal(
		    record_put(r, TAG_CHAIN, sha256, SHA256_LEN), 0);
	assert_int_equal(record_transcript(r, SPEAKER_SERVER, 12,
			     hostile_greeting, hostile_length),
	    0);
	assert_int_equal(
	    record_transcript(r, SPEAKER_CLIENT, 20, ask, strlen(ask)), 0);
	if (s->reply)
		assert_int_equal(record_transcript(r, SPEAKER_SERVER, 30,
				     s->reply, strlen(s->reply)),
		    0);
}

void
sample_make(char path[64])
{
	static uint8_t bodies[SAMPLE_ROWS][BODY_CAP];
	struct record records[SAMPLE_ROWS];
	struct help_row rows[SAMPLE_ROWS];
	uint8_t sha256[SHA256_LEN];

	help_directory(path);
	put_cert(path, sha256);
	for (unsigned i = 0; i < SAMPLE_ROWS; i++) {
		const struct sample *s = &samples[i];
		struct target t = help_target(s->addr, (uint16_t)s->port);

		rows[i].target = t;
		rows[i].head = help_head(&t, (enum outcome)s->outcome,
		    s->findings, SAMPLE_START_US + i * (uint64_t)1000000);
		fill_head(&rows[i].head, s, i, sha256);
		record_init(&records[i], bodies[i], BODY_CAP);
		fill_body(&records[i], s, sha256);
		rows[i].body = &records[i];
	}
	/* IPv6 2001:db8:: comes after the mapped IPv4 addresses. */
	help_seal(
	    path, SAMPLE_ID, SAMPLE_START_US, rows, SAMPLE_ROWS, SAMPLE_SILENT);
}

char *
file_text(const char *path, size_t *len)
{
	FILE *file = fopen(path, "r");
	char *text;
	long n;

	assert_non_null(file);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	n = ftell(file);
	assert_true(n >= 0);
	rewind(file);
	text = calloc((size_t)n + 1, 1);
	assert_non_null(text);
	assert_int_equal(fread(text, 1, (size_t)n, file), n);
	fclose(file);
	if (len)
		*len = (size_t)n;
	return text;
}

void
spoil_sealed(const char *path, uint32_t mark)
{
	const struct trailer_sums none = { .n = 0 };
	size_t len;
	char *bytes = file_text(path, &len), *at;
	uint64_t end;
	int fd;

	at = memmem(bytes, len, &mark, sizeof mark);
	assert_non_null(at);
	*at ^= 1;
	memcpy(&end, bytes + len - 2 * sizeof end, sizeof end);
	fd = open(path, O_RDWR | O_TRUNC);
	assert_true(fd >= 0);
	assert_int_equal(
	    trailer_write_at(fd, (const uint8_t *)bytes, end, 0), 0);
	assert_int_equal(trailer_write(fd, &none), 0);
	assert_int_equal(close(fd), 0);
	free(bytes);
}

char *
output_of(int (*f)(void *), void *arg, int *status)
{
	char path[] = "/tmp/mailsweep-output-XXXXXX";
	int fd = mkstemp(path), saved;
	char *text;

	assert_true(fd >= 0);
	fflush(stdout);
	saved = dup(STDOUT_FILENO);
	assert_true(saved >= 0 && dup2(fd, STDOUT_FILENO) >= 0);
	*status = f(arg);
	fflush(stdout);
	assert_true(dup2(saved, STDOUT_FILENO) >= 0);
	close(saved);
	close(fd);
	text = file_text(path, NULL);
	unlink(path);
	return text;
}
