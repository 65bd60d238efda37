/*
 * fuzz_tls.c: a stranger's side of TLS, through the driver into a record.
 * First byte, modulo 3: certificates, each behind two bytes of length, in a
 * TLS 1.2 handshake around them; whatever is said to our ClientHello, always
 * the same; or what a real server is told to do once the handshake is done.
 */
#include <sys/socket.h>

#include "test/fuzz/tls_help.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum {
	BYTES_MAX = 1 << 16,
	READ_MAX = 1 << 17,
	WIRE_ROOM = 1 << 20,
	RECORD_HEAD = 5,
	PIECE_MAX = 16384, /* of a message in a record, RFC 8446 5.1 */
	BODY_CAP = 4096,
	ROUNDS = 12
};

/* ---- what is said -------------------------------------------------------- */

struct said {
	uint8_t bytes[WIRE_ROOM];
	size_t len;
};

/* One handshake message, in as many records as it takes. */
static void
say_message(struct said *s, uint8_t type, const uint8_t *body, size_t len)
{
	static uint8_t whole[WIRE_ROOM];
	size_t n;

	whole[0] = type;
	whole[1] = (uint8_t)(len >> 16);
	whole[2] = (uint8_t)(len >> 8);
	whole[3] = (uint8_t)len;
	memcpy(whole + 4, body, len);
	len += 4;
	for (size_t at = 0; at < len; at += n) {
		uint8_t *to = s->bytes + s->len;

		n = len - at < PIECE_MAX ? len - at : PIECE_MAX;
		to[0] = 22;
		to[1] = to[2] = 3;
		to[3] = (uint8_t)(n >> 8);
		to[4] = (uint8_t)n;
		memcpy(to + RECORD_HEAD, whole + at, n);
		s->len += RECORD_HEAD + n;
	}
}

/* TLS_RSA_WITH_AES_128_CBC_SHA: no signature stands behind the certificate. */
static void
say_certificates(struct said *s, const uint8_t *bytes, size_t len)
{
	static const uint8_t hello[2 + 32 + 1 + 2 + 1] = { 3, 3,
		[2 + 32 + 1 + 1] = 0x2f };
	static uint8_t list[3 + 2 * BYTES_MAX];
	size_t n = 3;

	while (len >= 2) {
		size_t der = (size_t)bytes[0] << 8 | bytes[1];

		bytes += 2;
		len -= 2;
		der = der < len ? der : len;
		if (n + 3 + der > sizeof list)
			break;
		list[n] = 0;
		list[n + 1] = (uint8_t)(der >> 8);
		list[n + 2] = (uint8_t)der;
		memcpy(list + n + 3, bytes, der);
		n += 3 + der;
		bytes += der;
		len -= der;
	}
	list[0] = (uint8_t)((n - 3) >> 16);
	list[1] = (uint8_t)((n - 3) >> 8);
	list[2] = (uint8_t)(n - 3);
	say_message(s, 2, hello, sizeof hello);
	say_message(s, 11, list, n);
	say_message(s, 14, hello, 0);
}

/* ---- what comes of it ---------------------------------------------------- */

static void
check_text(const char *text)
{
	size_t n = strnlen(text, TLS_TEXT_MAX);

	must(n > 0 && n < TLS_TEXT_MAX);
	for (size_t i = 0; i < n; i++)
		must(text[i] >= ' ' && text[i] <= '~');
}

static void
check_held(const struct tls *t)
{
	unsigned n = 0;

	for (const struct held *h = tls_held(t); h; h = h->next)
		n++;
	must(n <= CHAIN_MAX);
}

static void
check(const struct tls *t)
{
	static uint8_t body[BODY_CAP], flat[RECORD_MAX];
	char text[TLS_TEXT_MAX];
	struct record r;
	struct facts facts;
	size_t len;

	record_init(&r, body, sizeof body);
	facts_init(&facts, &r);
	tls_report(t, &facts);
	len = record_flatten(&r, flat, sizeof flat);
	must(len > 0 && record_check(flat, len));
	tls_text(t, text);
	check_text(text);
	tls_error(t, text);
	check_text(text);
	(void)tls_names(t, "mail.example.org", 16);
	(void)tls_revocable(t);
	check_held(t);
}

/* Read until nothing comes any more. */
static enum tls_state
drain(struct tls *t)
{
	uint8_t bytes[512];
	enum tls_state s;
	size_t n;

	do {
		s = tls_read(t, bytes, sizeof bytes, &n);
		must(n <= sizeof bytes && (s == TLS_DONE) == (n > 0));
	} while (s == TLS_DONE);
	return s;
}

static struct tls *
client(int fds[2])
{
	struct tls *t;

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	for (int i = 0, room = 4 * BYTES_MAX; i < 2; i++)
		must(setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &room,
			 sizeof room) == 0);
	drawn = 1;
	t = tls_new(context, fds[0], 0, READ_MAX);
	must(t != NULL && tls_handshake(t) == TLS_AGAIN);
	tls_listen(t);
	return t;
}

/* Nobody answers: all that is to be said has been said. */
static void
hear(const struct said *s)
{
	int fds[2];
	struct tls *t = client(fds);

	(void)send(fds[1], s->bytes, s->len, MSG_NOSIGNAL);
	must(shutdown(fds[1], SHUT_WR) == 0);
	if (tls_handshake(t) == TLS_DONE)
		(void)drain(t);
	must(tls_bytes(t) <= s->len);
	check(t);
	tls_goodbye(t);
	tls_free(t);
	close(fds[0]);
	close(fds[1]);
}

/* ---- a real server ------------------------------------------------------- */

/* One thing that it does; how many bytes tell it so. */
static size_t
act(SSL *s, int fd, const uint8_t *what, size_t len)
{
	size_t n = len > 2 ? what[1] : 0;

	n = n < len - 2 ? n : len - 2;
	switch (what[0] % 8) {
	case 0:
		(void)SSL_renegotiate(s);
		(void)SSL_do_handshake(s);
		return 1;
	case 1:
		(void)SSL_key_update(s, what[0] / 8 % 2);
		(void)SSL_do_handshake(s);
		return 1;
	case 2:
		(void)SSL_shutdown(s);
		return 1;
	case 3:
		(void)SSL_new_session_ticket(s);
		(void)SSL_do_handshake(s);
		return 1;
	case 4: /* in clear, where records should be */
		if (len > 2)
			(void)send(fd, what + 2, n, MSG_NOSIGNAL);
		return len > 2 ? 2 + n : len;
	case 5:
		(void)SSL_renegotiate_abbreviated(s);
		(void)SSL_do_handshake(s);
		return 1;
	default:
		if (len > 2 && n > 0)
			(void)SSL_write(s, what + 2, (int)n);
		return len > 2 ? 2 + n : len;
	}
}

static void
converse(const uint8_t *bytes, size_t len)
{
	int fds[2];
	struct tls *t = client(fds);
	SSL *s = SSL_new(servers[bytes[0] % 2]);
	enum tls_state ours = TLS_AGAIN;

	must(s != NULL && SSL_set_fd(s, fds[1]) == 1);
	for (int i = 0; i < ROUNDS && ours == TLS_AGAIN; i++) {
		(void)SSL_accept(s);
		ours = tls_handshake(t);
	}
	must(ours == TLS_DONE);
	(void)SSL_accept(s);
	bytes++;
	len--;
	for (int i = 0; len > 0 && i < ROUNDS; i++) {
		size_t n = act(s, fds[1], bytes, len);
		char c;

		must(n > 0 && n <= len);
		bytes += n;
		len -= n;
		if (drain(t) != TLS_AGAIN)
			break;
		(void)tls_write(t, "NOOP\r\n", 6);
		(void)SSL_read(s, &c, 1);
	}
	check(t);
	tls_goodbye(t);
	tls_free(t);
	SSL_free(s);
	close(fds[0]);
	close(fds[1]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct said said;

	if (len < 2 || len > BYTES_MAX)
		return 0;
	if (!context)
		make_all();
	said.len = 0;
	switch (bytes[0] % 3) {
	case 0:
		say_certificates(&said, bytes + 1, len - 1);
		hear(&said);
		break;
	case 1:
		memcpy(said.bytes, bytes + 1, len - 1);
		said.len = len - 1;
		hear(&said);
		break;
	default:
		converse(bytes + 1, len - 1);
	}
	return 0;
}
