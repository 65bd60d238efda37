/*
 * record.h: what is kept of one target: a fixed head that statistics select
 * on, and a body of tagged bytes. The stored format is the wire format; every
 * byte is in storage/FORMAT.md. Nothing here opens, allocates per field or
 * trusts what it is given.
 */
#ifndef STORAGE_RECORD_H
#define STORAGE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "engine/addr.h"
#include "engine/conf.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "records are little-endian in memory and on disk"
#endif

enum {
	RECORD_VERSION = 1,
	HEAD_SIZE = 192,
	RECORD_MAX = 60000, /* of a probe's record, flattened */
	BODY_MAX = RECORD_MAX + 1536, /* with what store adds */
	CHAIN_MAX = 16,
	SHA256_LEN = 32
};

/* How a target ended; a better one (higher rank) replaces a worse. */
enum outcome {
	OUTCOME_NONE,
	OUTCOME_SILENT, /* SYN-ACK, then nothing */
	OUTCOME_RESET, /* RST before it said anything */
	OUTCOME_CLOSED, /* FIN before it said anything */
	OUTCOME_LOST, /* our own doing: probe or wire died, retried */
	OUTCOME_DIAL_FAILED, /* adoption or connect failed */
	OUTCOME_LIMITED, /* always over a limit of ours */
	OUTCOME_TIMED_OUT, /* spoke, then a deadline passed */
	OUTCOME_TARPIT, /* spoke too slowly */
	OUTCOME_TOO_MUCH, /* bytes or lines over our caps */
	OUTCOME_BROKEN, /* the connection ended inside the dialog */
	OUTCOME_OTHER_PROTOCOL,
	OUTCOME_REFUSED_US, /* 421, 554, -ERR or BYE as greeting */
	OUTCOME_TLS_FAILED, /* implicit TLS port: no handshake */
	OUTCOME_COMPLETED, /* the dialog ran to its end */
	OUTCOME_COUNT
};

enum starttls {
	STARTTLS_NONE, /* nothing was heard, or not that far */
	STARTTLS_NOT_OFFERED,
	STARTTLS_UNKNOWN,
	STARTTLS_REFUSED,
	STARTTLS_CLOSED,
	STARTTLS_NOT_TLS,
	STARTTLS_HANDSHAKE_FAILED,
	STARTTLS_TIMED_OUT,
	STARTTLS_COMPLETED,
	STARTTLS_IMPLICIT,
	STARTTLS_COUNT
};

/* Bits of head.findings, in the order of MAIL.md 3. */
enum finding {
	FINDING_NO_TLS,
	FINDING_CLEARTEXT_LOGIN,
	FINDING_STARTTLS_BROKEN,
	FINDING_STRAY_PLAINTEXT,
	FINDING_OBSOLETE_TLS,
	FINDING_WEAK_KEY,
	FINDING_WEAK_SIGNATURE,
	FINDING_EXPIRED,
	FINDING_NOT_YET_VALID,
	FINDING_SELF_SIGNED,
	FINDING_UNTRUSTED,
	FINDING_TLS_ON_CLEARTEXT_PORT,
	FINDING_CLEARTEXT_ON_TLS_PORT,
	FINDING_MASKED,
	FINDING_REFUSED_US,
	FINDING_PREAUTH,
	FINDING_OTHER_PROTOCOL,
	FINDING_PHANTOM,
	FINDING_STARTTLS_INJECTION,
	FINDING_COUNT
};

enum head_flag {
	HEAD_OFFERED = 1, /* STARTTLS was on offer */
	HEAD_ASKED_OFFER = 2, /* ... and we could ask for the capabilities */
	HEAD_IMPLICIT = 4,
	HEAD_LOGIN_BEFORE = 8, /* a password login on offer before TLS */
	HEAD_TICKET = 16, /* a session ticket came */
	HEAD_LF_ONLY = 32, /* line ends without CR */
	HEAD_APOP = 64,
	HEAD_TRUNCATED = 128, /* transcript lost its middle */
	HEAD_CANARY = 256,
	HEAD_HELO_ONLY = 512, /* EHLO refused, HELO taken */
	HEAD_CHAIN_PARSED = 1024, /* the leaf could be read as X.509 */
	HEAD_NAME_MATCH = 2048, /* leaf matches greeting or EHLO name */
	HEAD_ADOPTED = 4096, /* one handshake; else connect(2) */
	HEAD_PTR_CONFIRMED = 8192, /* TAG_PTR leads back; set by the seal */
	HEAD_TRY_LATER = 16384 /* it refused us for now: 4xx, too many ... */
};

/* Bits of head.names: the names of a host that its leaf is good for. */
enum name_match {
	NAME_GREETING = 1,
	NAME_EHLO = 2, /* in the reply */
	NAME_PTR = 4, /* set by the seal */
	NAME_ALL = 7
};

/* Judgement of the chain, names and times not considered. */
enum chain_verdict {
	CHAIN_NONE,
	CHAIN_TRUSTED,
	CHAIN_SELF_SIGNED,
	CHAIN_UNTRUSTED,
	CHAIN_UNPARSED,
	CHAIN_COUNT
};

enum key_type {
	KEY_NONE,
	KEY_RSA,
	KEY_EC,
	KEY_ED25519,
	KEY_DSA,
	KEY_OTHER,
	KEY_COUNT
};

/* Against the last sealed sweep; set by the seal. */
enum change {
	CHANGE_NONE,
	CHANGE_NEW,
	CHANGE_BACK,
	CHANGE_SAME,
	CHANGE_FIXED,
	CHANGE_WORSE,
	CHANGE_COUNT
};

/* Natural alignment, no padding: asserted in record.c, offset by offset. */
struct head {
	uint8_t version; /* 0 */
	uint8_t outcome; /* 1  enum outcome */
	uint8_t protocol; /* 2  spoken */
	uint8_t port_protocol; /* 3  what the port is set to */
	uint16_t port; /* 4 */
	uint16_t flags; /* 6  enum head_flag */
	uint8_t addr[16]; /* 8  as struct addr */
	uint64_t time_us; /* 24 greeting, or the event */
	uint64_t first_seen_us; /* 32 set by the seal */
	uint64_t last_seen_us; /* 40 */
	uint32_t findings; /* 48 bits by enum finding */
	uint32_t observations; /* 52 nights it was answered */
	uint8_t starttls; /* 56 */
	uint8_t change; /* 57 set by the seal; none: gone and not asked */
	uint16_t code; /* 58 SMTP greeting code */
	uint16_t tls_version; /* 60 0x0301 .. 0x0304, 0 none */
	uint16_t cipher; /* 62 IANA number */
	uint16_t group; /* 64 IANA number */
	uint16_t group_bits; /* 66 */
	uint16_t peer_sigalg; /* 68 IANA number, 0 unknown */
	uint16_t key_bits; /* 70 of the leaf */
	uint8_t key_type; /* 72 */
	uint8_t chain; /* 73 enum chain_verdict */
	uint8_t alert; /* 74 TLS alert number */
	uint8_t alert_side; /* 75 0 none 1 theirs 2 ours */
	uint32_t asn; /* 76 0 unknown */
	char country[2]; /* 80 "??" unknown */
	uint8_t ttl; /* 82 */
	uint8_t attempt; /* 83 */
	uint16_t window; /* 84 */
	uint16_t mss; /* 86 */
	uint8_t leaf[SHA256_LEN]; /* 88 zero: no certificate */
	uint8_t source[16]; /* 120 */
	int64_t not_before; /* 136 seconds since 1970 */
	int64_t not_after; /* 144 */
	uint32_t rtt_us; /* 152 */
	uint32_t greeting_ms; /* 156 SYN-ACK to greeting */
	uint32_t tls_ms; /* 160 handshake */
	uint32_t duration_ms; /* 164 */
	uint32_t findings_before; /* 168 at the last sealed sweep */
	uint16_t sport; /* 172 */
	uint8_t wscale; /* 174 255: none */
	uint8_t synack_options; /* 175 */
	uint8_t chain_len; /* 176 certificates sent */
	uint8_t validation; /* 177 0 ? 1 DV 2 OV 3 EV */
	uint8_t verify_error; /* 178 X509_V_ERR_..., 0 ok */
	uint8_t confirmed; /* 179 second connections agreeing */
	uint16_t missed; /* 180 sealed sweeps since, of one that is gone */
	uint8_t kind; /* 182 enum syn_kind of the connection */
	uint8_t names; /* 183 bits by enum name_match */
	uint32_t open_since; /* 184 seconds; exposure.h, set by the seal */
	uint32_t sum; /* 188 of all before, see rowsum.h; set when stored */
};

/* Tags of the body: {u16 tag, u32 length, bytes}, all little-endian. */
enum tag {
	TAG_GREETING = 1, /* raw, line ends as received */
	TAG_CAPABILITY_BEFORE, /* one a field, as sent, in order */
	TAG_CAPABILITY_AFTER,
	TAG_SASL_BEFORE, /* mechanisms, one space between */
	TAG_SASL_AFTER,
	TAG_STARTTLS_REPLY, /* the line that answered STARTTLS */
	TAG_STRAY, /* bytes in clear after that reply */
	TAG_EHLO_NAME, /* name in the EHLO reply */
	TAG_GREETING_NAME,
	TAG_IMPLEMENTATION, /* POP3 IMPLEMENTATION, IMAP ID reply */
	TAG_PRODUCT,
	TAG_VERSION,
	TAG_OTHER_PROTOCOL, /* its name: "ssh", "http" ... */
	TAG_CHAIN, /* SHA-256 of each certificate, leaf first */
	TAG_TLS_ERROR, /* text of a failed handshake */
	TAG_TRANSCRIPT, /* entries, see record_transcript */
	TAG_REGION,
	TAG_CITY,
	TAG_AS_NAME,
	TAG_NAICS,
	TAG_SECTOR,
	TAG_PTR, /* name of the address, see engine/hostname.h */
	TAG_TLS_VERSIONS, /* u16 each, accepted; the negotiated one first */
	TAG_SUM, /* u32 of all fields before it; last, and on disk only */
	TAG_COUNT
};

/*
 * A record being built: head and body in one buffer of its owner. A field
 * that does not fit any more is left out and HEAD_TRUNCATED is set.
 */
struct record {
	struct head head;
	uint32_t len; /* of body */
	uint32_t cap;
	uint8_t *body; /* the owner's */
};

void record_init(struct record *, uint8_t *body, uint32_t cap);

/* Append a field. 0, or -1 when it does not fit. */
int record_put(struct record *, enum tag, const void *, size_t len);

static inline void
record_find(struct record *r, enum finding f)
{
	r->head.findings |= 1u << f;
}

/* Who spoke a line of the transcript. */
enum speaker {
	SPEAKER_SERVER = 'S',
	SPEAKER_CLIENT = 'C',
	SPEAKER_TLS = 'T',
	SPEAKER_NOTE = 'N'
};

/*
 * One entry of the transcript: {u8 speaker, u8 0, u16 length, u32 ms since the
 * SYN-ACK, bytes}, in one TAG_TRANSCRIPT field an entry.
 */
int record_transcript(
    struct record *, enum speaker, uint32_t ms, const void *, size_t len);

/*
 * Flat bytes: head, u32 body length, body. Returns the length, or 0 when cap
 * is too small. record_check says whether bytes are a whole, well-formed
 * record as a probe may send it: version, lengths, every enum in range, tags
 * in range and none of those that store adds; nothing set that the seal sets.
 */
size_t record_flatten(const struct record *, uint8_t *out, size_t cap);
bool record_check(const uint8_t *, size_t len);
bool head_check(const struct head *);

struct target head_target(const struct head *);

/* Walk a body. Start with *at = 0; false at the end or at bad bytes. */
struct field {
	enum tag tag;
	const uint8_t *bytes;
	uint32_t len;
};
bool body_next(const uint8_t *body, uint32_t len, uint32_t *at, struct field *);
/* The first field with a tag; false: none. */
bool body_find(const uint8_t *body, uint32_t len, enum tag, struct field *);

/* Names: "completed", "not_offered", "no_tls", "pop3", "TLSv1.3" ... */
extern const char *const protocol_names[PROTOCOL_COUNT];
extern const char *const outcome_names[OUTCOME_COUNT];
extern const char *const starttls_names[STARTTLS_COUNT];
extern const char *const finding_names[FINDING_COUNT];
extern const char *const chain_names[CHAIN_COUNT];
extern const char *const key_names[KEY_COUNT];
extern const char *const change_names[CHANGE_COUNT];
const char *tls_version_name(uint16_t); /* "" for 0 */

/* -1, or the value whose name it is. */
int name_find(const char *const *names, int count, const char *);

/* May a new outcome replace what is there? (same or better) */
bool outcome_replaces(enum outcome newer, enum outcome older);

#endif
