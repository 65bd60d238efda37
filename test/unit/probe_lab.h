/*
 * probe_lab.h: a probe process of ours on one side, scripted servers with
 * OpenSSL on the other, on loopback; the test plays dial, store and packet.
 */
#ifndef TEST_UNIT_PROBE_LAB_H
#define TEST_UNIT_PROBE_LAB_H

#include <sys/types.h>

#include "engine/wire.h"
#include "storage/record.h"

/* What a server does, in order; NULL text where none is needed. */
enum act_kind {
	ACT_END,
	ACT_SAY, /* text as it is */
	ACT_HEAR, /* a line that begins so */
	ACT_UNTIL, /* the same, whatever comes before it */
	ACT_TLS, /* the handshake, as the server's side */
	ACT_PAUSE, /* 100 ms */
	ACT_FOREVER, /* say it until nobody listens */
	ACT_HELLO_REQUESTS, /* records full of them, until nobody listens */
	ACT_DRIP, /* say it, a byte each 100 ms */
	ACT_WAIT, /* until the client closes */
	ACT_RESET /* close with RST */
};

struct act {
	enum act_kind kind;
	const char *text;
};

/* Which certificate, and how TLS is limited. */
enum lab_certificate {
	CERT_GOOD,
	CERT_SELF_SIGNED,
	CERT_EXPIRED,
	CERT_FUTURE,
	CERT_RSA1024,
	CERT_SHA1,
	CERT_OTHER_CA,
	CERT_EC,
	CERT_COUNT
};

struct lab_tls {
	enum lab_certificate certificate;
	int version; /* the only one; 0: all */
	const char *suites; /* NULL: all */
	const char *dh_group; /* NULL: as OpenSSL likes */
	int wants_client_certificate;
};

/* What came back for one connection. */
struct lab_result {
	struct head head;
	uint8_t body[RECORD_MAX];
	uint32_t body_len;
	unsigned certificates; /* MSG_CERT before the record */
	struct done_note done;
	int server_status; /* 0: it heard what it was to hear */
};

int lab_up(void **state); /* for cmocka's group */
int lab_down(void **state);

/* A port of the configuration, what the server does there, and the result. */
void lab_probe(uint16_t port, const struct act *, const struct lab_tls *,
    struct lab_result *);

/* The same for a second connection of a kind, enum syn_kind. */
void lab_probe_second(unsigned kind, unsigned attempt, uint16_t port,
    const struct act *, const struct lab_tls *, struct lab_result *);

/* One whose greeting was captured so long before the probe is given it. */
void lab_probe_late(
    uint32_t ms, uint16_t port, const struct act *, struct lab_result *);

/*
 * So many connections that their server closes at once, while nobody reads
 * the records until the probe takes no more; then all must come, each once.
 * Returns how many it took before it stopped.
 */
unsigned lab_flood(unsigned n);

#endif
