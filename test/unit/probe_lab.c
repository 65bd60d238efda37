/* probe_lab.c: a probe process of ours, and scripted servers for it. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "engine/cookie.h"
#include "engine/log.h"
#include "engine/sandbox.h"
#include "engine/stats.h"
#include "test/unit/probe_lab.h"

enum { WAIT_MS = 20000, FAR = 40, DAY = 86400, YEAR = 31536000 };

static struct conf conf;
static struct stats page;
static char bundle[] = "/tmp/mailsweep-unit-XXXXXX";
static int control, dialed, records, done; /* our ends */
static pid_t probe;

/* The probe has no sandbox here: test/e2e has it in one. */
void
sandbox_enter(enum role role, const struct conf *c, unsigned instance)
{
	(void)role;
	(void)c;
	(void)instance;
	assert_int_equal(control_send(FD_CONTROL, CTL_READY, NULL, 0), 0);
}

/* ---- certificates ------------------------------------------------------- */

struct identity {
	X509 *x;
	EVP_PKEY *key;
};

static struct identity ca, other_ca, identities[CERT_COUNT];

static void
extension(X509 *x, int nid, const char *value)
{
	X509V3_CTX ctx;
	CONF *conf_empty = NCONF_new(NULL);
	X509_EXTENSION *e;

	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	X509V3_set_nconf(&ctx, conf_empty);
	e = X509V3_EXT_nconf_nid(conf_empty, &ctx, nid, value);
	assert_non_null(e);
	assert_int_equal(X509_add_ext(x, e, -1), 1);
	X509_EXTENSION_free(e);
	NCONF_free(conf_empty);
}

static struct identity
identity_make(const char *name, EVP_PKEY *key, const struct identity *issuer,
    long from, long until, const EVP_MD *hash)
{
	static long serial;
	struct identity id = { X509_new(), key };
	X509_NAME *n = X509_get_subject_name(id.x);

	assert_non_null(key);
	X509_set_version(id.x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(id.x), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(id.x), from);
	X509_gmtime_adj(X509_getm_notAfter(id.x), until);
	X509_NAME_add_entry_by_txt(
	    n, "CN", MBSTRING_ASC, (const uint8_t *)name, -1, -1, 0);
	X509_set_issuer_name(
	    id.x, issuer ? X509_get_subject_name(issuer->x) : n);
	X509_set_pubkey(id.x, key);
	if (strchr(name, '.'))
		extension(id.x, NID_subject_alt_name, "DNS:mail.example.org");
	else
		extension(id.x, NID_basic_constraints, "critical,CA:TRUE");
	if (strchr(name, '.') && issuer)
		extension(id.x, NID_certificate_policies, "2.23.140.1.2.1");
	assert_true(X509_sign(id.x, issuer ? issuer->key : key, hash) > 0);
	return id;
}

static void
identities_make(void)
{
	static const char mail[] = "mail.example.org";
	const EVP_MD *sha256 = EVP_sha256();
	EVP_PKEY *rsa = EVP_RSA_gen(2048);
	struct identity *i = identities;

	ca = identity_make("Lab CA", EVP_RSA_gen(2048), NULL, 0, YEAR, sha256);
	other_ca =
	    identity_make("Other CA", EVP_RSA_gen(2048), NULL, 0, YEAR, sha256);
	i[CERT_GOOD] = identity_make(mail, rsa, &ca, -DAY, YEAR, sha256);
	i[CERT_SELF_SIGNED] =
	    identity_make(mail, rsa, NULL, -DAY, YEAR, sha256);
	i[CERT_EXPIRED] =
	    identity_make(mail, rsa, &ca, -2L * DAY, -DAY, sha256);
	i[CERT_FUTURE] = identity_make(mail, rsa, &ca, DAY, YEAR, sha256);
	i[CERT_RSA1024] =
	    identity_make(mail, EVP_RSA_gen(1024), &ca, -DAY, YEAR, sha256);
	i[CERT_SHA1] = identity_make(mail, rsa, &ca, -DAY, YEAR, EVP_sha1());
	i[CERT_OTHER_CA] =
	    identity_make(mail, rsa, &other_ca, -DAY, YEAR, sha256);
	i[CERT_EC] =
	    identity_make(mail, EVP_EC_gen("P-256"), &ca, -DAY, YEAR, sha256);
}

/* ---- the server --------------------------------------------------------- */

struct server {
	int fd;
	SSL *ssl;
	const struct lab_tls *tls;
};

static int
put(struct server *s, const char *text, size_t len)
{
	if (s->ssl)
		return SSL_write(s->ssl, text, (int)len) == (int)len ? 0 : -1;
	return send(s->fd, text, len, MSG_NOSIGNAL) == (ssize_t)len ? 0 : -1;
}

static int
get(struct server *s, char *c)
{
	return s->ssl ? SSL_read(s->ssl, c, 1) : (int)read(s->fd, c, 1);
}

static int
hear(struct server *s, const char *text, bool skip)
{
	char line[20000];
	size_t n;

	do {
		n = 0;
		while (n < sizeof line - 1 && get(s, &line[n]) == 1)
			if (line[n++] == '\n')
				break;
		line[n] = '\0';
		if (strncmp(line, text, strlen(text)) == 0)
			return 0;
	} while (skip && n > 0);
	fprintf(stderr, "server: heard \"%s\", not \"%s\"\n", line, text);
	return -1;
}

static EVP_PKEY *
dh_parameters(const char *group)
{
	EVP_PKEY_CTX *g = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);
	OSSL_PARAM named[] = {
		OSSL_PARAM_construct_utf8_string(
		    OSSL_PKEY_PARAM_GROUP_NAME, (char *)(uintptr_t)group, 0),
		OSSL_PARAM_END,
	};
	EVP_PKEY *p = NULL;

	if (EVP_PKEY_paramgen_init(g) != 1 ||
	    EVP_PKEY_CTX_set_params(g, named) != 1 ||
	    EVP_PKEY_paramgen(g, &p) != 1)
		_exit(2);
	EVP_PKEY_CTX_free(g);
	return p;
}

static int
certificate_any(X509_STORE_CTX *x, void *arg)
{
	(void)x;
	(void)arg;
	return 1;
}

static int
accept_tls(struct server *s)
{
	const struct identity *id = &identities[s->tls->certificate];
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_min_proto_version(
	    ctx, s->tls->version ? s->tls->version : TLS1_VERSION);
	SSL_CTX_set_max_proto_version(ctx, s->tls->version);
	if (s->tls->suites)
		SSL_CTX_set_cipher_list(ctx, s->tls->suites);
	if (s->tls->dh_group)
		SSL_CTX_set0_tmp_dh_pkey(ctx, dh_parameters(s->tls->dh_group));
	if (s->tls->wants_client_certificate) {
		SSL_CTX_set_verify(ctx,
		    SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
		SSL_CTX_set_cert_verify_callback(ctx, certificate_any, NULL);
	}
	SSL_CTX_use_certificate(ctx, id->x);
	SSL_CTX_use_PrivateKey(ctx, id->key);
	if (s->tls->certificate == CERT_GOOD)
		SSL_CTX_add1_chain_cert(ctx, ca.x);
	s->ssl = SSL_new(ctx);
	SSL_set_fd(s->ssl, s->fd);
	return SSL_accept(s->ssl) == 1 || s->tls->wants_client_certificate ? 0
									   : -1;
}

static void
nap(long ms)
{
	struct timespec t = { 0, ms * 1000000 };

	nanosleep(&t, NULL);
}

static int
drip(struct server *s, const char *text)
{
	for (; *text; text++) {
		if (put(s, text, 1) < 0)
			break;
		nap(100);
	}
	return 0;
}

/*
 * Empty messages of type 0, which a client in its handshake has to pass over
 * (RFC 5246 section 7.4.1.1): a record of 16 KiB holds 4,096.
 */
static void
hello_requests(struct server *s)
{
	static const char record[5 + 16384] = { 22, 3, 3, 64, 0 };

	while (put(s, record, sizeof record) == 0)
		;
}

static int
act(struct server *s, const struct act *a)
{
	struct linger now = { 1, 0 };
	char c;

	switch (a->kind) {
	case ACT_SAY:
		return put(s, a->text, strlen(a->text));
	case ACT_HEAR:
	case ACT_UNTIL:
		return hear(s, a->text, a->kind == ACT_UNTIL);
	case ACT_TLS:
		return accept_tls(s);
	case ACT_PAUSE:
		nap(100);
		return 0;
	case ACT_FOREVER:
		while (put(s, a->text, strlen(a->text)) == 0)
			;
		return 0;
	case ACT_HELLO_REQUESTS:
		hello_requests(s);
		return 0;
	case ACT_DRIP:
		return drip(s, a->text);
	case ACT_WAIT:
		while (read(s->fd, &c, 1) == 1)
			;
		return 0;
	case ACT_RESET:
		return setsockopt(
		    s->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	default:
		return -1;
	}
}

/* A child that serves one connection: its status says how it went. */
static pid_t
server_start(int listener, const struct act *acts, const struct lab_tls *tls)
{
	struct server s = { .tls = tls };
	pid_t pid = fork();
	int status = 0;

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	alarm(WAIT_MS / 1000);
	signal(SIGPIPE, SIG_IGN);
	s.fd = accept(listener, NULL, NULL);
	while (acts->kind != ACT_END && status == 0)
		status = act(&s, acts++);
	if (s.ssl)
		SSL_shutdown(s.ssl);
	close(s.fd);
	_exit(status == 0 ? 0 : 1);
}

/* ---- the probe ---------------------------------------------------------- */

static void
conf_make(void)
{
	static const struct conf_port ports[] = {
		{ 110, PROTOCOL_POP3, 0 },
		{ 143, PROTOCOL_IMAP, 0 },
		{ 25, PROTOCOL_SMTP, 0 },
		{ 995, PROTOCOL_POP3, 1 },
		{ 993, PROTOCOL_IMAP, 1 },
		{ 465, PROTOCOL_SMTP, 1 },
	};

	snprintf(conf.helo, sizeof conf.helo, "probe.example.org");
	snprintf(conf.contact, sizeof conf.contact, "abuse@example.org");
	snprintf(conf.ca_bundle, sizeof conf.ca_bundle, "%s", bundle);
	memcpy(conf.ports, ports, sizeof ports);
	conf.nports = sizeof ports / sizeof *ports;
	conf.greeting_ms = conf.greeting_smtp_ms = conf.reply_ms = 1500;
	conf.handshake_ms = 3000;
	conf.server_hello_ms = 1500;
	conf.conversation_ms = 10000;
	conf.line_max = 8192;
	conf.reply_max = 65536;
	conf.reply_lines_max = 512;
	conf.conversation_max = 262144;
	conf.min_rate = 16;
	conf.min_rate_window_ms = 700;
}

static int
wire(int at)
{
	int fds[2];

	assert_int_equal(wire_pair(fds, 262144), 0);
	assert_true(dup2(fds[1], FAR + at) >= 0);
	close(fds[1]);
	return fds[0];
}

static void
await(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
}

int
lab_up(void **state)
{
	struct role_args args = { .conf = &conf, .stats = &page };
	static const int at[] = { FD_CONTROL, FD_DIALED, FD_RECORDS, FD_DONE };
	int fd = mkstemp(bundle);
	FILE *out = fdopen(fd, "w");
	struct control c;

	(void)state;
	identities_make();
	assert_int_equal(PEM_write_X509(out, ca.x), 1);
	fclose(out);
	conf_make();
	control = wire(FD_CONTROL);
	dialed = wire(FD_DIALED);
	records = wire(FD_RECORDS);
	done = wire(FD_DONE);
	probe = fork();
	assert_true(probe >= 0);
	if (probe == 0) {
		close(control);
		close(dialed);
		close(records);
		close(done);
		for (size_t i = 0; i < sizeof at / sizeof *at; i++)
			dup2(FAR + at[i], at[i]);
		for (size_t i = 0; i < sizeof at / sizeof *at; i++)
			close(FAR + at[i]);
		log_open("probe", LOG_LEVEL_INFO);
		exit(probe_main(&args));
	}
	for (size_t i = 0; i < sizeof at / sizeof *at; i++)
		close(FAR + at[i]);
	await(control);
	assert_int_equal(control_recv(control, &c), 1);
	assert_int_equal(c.type, CTL_READY);
	return 0;
}

int
lab_down(void **state)
{
	int status;

	(void)state;
	assert_int_equal(control_send(control, CTL_STOP, NULL, 0), 0);
	assert_int_equal(waitpid(probe, &status, 0), probe);
	unlink(bundle);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static uint64_t
utc_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* A connection for the probe; host: the last bits of the target's address. */
static int
dial(uint16_t port, uint32_t host, const struct sockaddr_in *to,
    struct dialed *out)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	const struct conf_port *cp = conf_port(&conf, port);
	struct dialed d;

	memset(&d, 0, sizeof d);
	assert_non_null(cp);
	d.contact.target.addr = addr_from4(0xc6120000 + host);
	d.contact.target.port = port;
	d.contact.protocol = cp->protocol;
	d.contact.flags =
	    (uint16_t)(HANDOFF_CONNECT | (cp->implicit_tls ? HANDOFF_TLS : 0));
	d.contact.sport = 40001;
	d.contact.ttl = 57;
	d.contact.synack_us = utc_us();
	d.rtt_us = 1234;
	if (connect(fd, (const struct sockaddr *)to, sizeof *to) < 0)
		assert_int_equal(errno, EINPROGRESS);
	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	*out = d;
	return fd;
}

static void
hand_on(const struct dialed *d, int fd)
{
	assert_int_equal(wire_send_fds(dialed, d, sizeof *d, &fd, 1), 0);
	close(fd);
}

static void
collect(struct lab_result *r)
{
	static uint8_t message[WIRE_MESSAGE_MAX];
	struct record_header header;
	const uint8_t *record = message + sizeof header;
	ssize_t n;

	do {
		await(records);
		n = wire_recv(records, message, sizeof message);
		assert_true(n > (ssize_t)sizeof header);
		memcpy(&header, message, sizeof header);
		assert_int_equal(header.len, (size_t)n - sizeof header);
		r->certificates += header.type == MSG_CERT;
	} while (header.type != MSG_RECORD);
	assert_true(record_check(record, header.len));
	memcpy(&r->head, record, HEAD_SIZE);
	memcpy(&r->body_len, record + HEAD_SIZE, sizeof r->body_len);
	memcpy(r->body, record + HEAD_SIZE + sizeof r->body_len, r->body_len);
	await(done);
	assert_int_equal(
	    wire_recv(done, &r->done, sizeof r->done), (ssize_t)sizeof r->done);
}

static int
listener_make(struct sockaddr_in *at)
{
	socklen_t len = sizeof *at;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	memset(at, 0, sizeof *at);
	at->sin_family = AF_INET;
	at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (const struct sockaddr *)at, sizeof *at), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)at, &len), 0);
	assert_int_equal(listen(fd, 64), 0);
	return fd;
}

/* Does the probe take another one? Full for half a second: no. */
static bool
offer(const struct dialed *d, int fd, int patience_ms)
{
	struct pollfd p = { .fd = dialed, .events = POLLOUT };

	while (wire_send_fds(dialed, d, sizeof *d, &fd, 1) < 0) {
		assert_int_equal(errno, EAGAIN);
		if (poll(&p, 1, patience_ms) == 0)
			return false;
	}
	return true;
}

unsigned
lab_flood(unsigned n)
{
	static struct lab_result r;
	struct sockaddr_in at;
	int listener = listener_make(&at);
	unsigned taken = 0, reported = 0;
	uint8_t *seen = calloc(n, 1);
	bool stopped = false;

	assert_non_null(seen);
	for (unsigned i = 0; i < n; i++) {
		struct dialed d;
		int fd = dial(110, i, &at, &d);

		close(accept(listener, NULL, NULL));
		while (!offer(&d, fd, stopped ? 0 : 500)) {
			stopped = true;
			collect(&r);
			reported++;
			seen[addr_to4(&r.done.target.addr) - 0xc6120000]++;
		}
		close(fd);
		taken += !stopped;
	}
	while (reported++ < n) {
		collect(&r);
		assert_int_equal(r.head.outcome, OUTCOME_CLOSED);
		seen[addr_to4(&r.done.target.addr) - 0xc6120000]++;
	}
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(seen[i], 1);
	free(seen);
	close(listener);
	return taken;
}

void
lab_probe(uint16_t port, const struct act *acts, const struct lab_tls *tls,
    struct lab_result *r)
{
	lab_probe_second(KIND_PLAIN, 0, port, acts, tls, r);
}

static void
converse(const struct contact *k, uint16_t port, const struct act *acts,
    const struct lab_tls *tls, struct lab_result *r)
{
	struct sockaddr_in at;
	struct dialed d;
	int listener = listener_make(&at), fd;
	pid_t server = server_start(listener, acts, tls);

	memset(r, 0, sizeof *r);
	fd = dial(port, 1, &at, &d);
	d.contact.kind = k->kind, d.contact.attempt = k->attempt;
	d.contact.flags |= k->kind == KIND_CLIENT_HELLO ? HANDOFF_TLS : 0;
	if (k->synack_us > 0) {
		d.contact.synack_us = k->synack_us;
		d.contact.greeting_us = k->synack_us + 1;
	}
	hand_on(&d, fd);
	close(listener);
	collect(r);
	assert_int_equal(waitpid(server, &r->server_status, 0), server);
}

void
lab_probe_second(unsigned kind, unsigned attempt, uint16_t port,
    const struct act *acts, const struct lab_tls *tls, struct lab_result *r)
{
	struct contact k = { .kind = (uint8_t)kind,
		.attempt = (uint8_t)attempt };

	converse(&k, port, acts, tls, r);
}

void
lab_probe_late(
    uint32_t ms, uint16_t port, const struct act *acts, struct lab_result *r)
{
	struct contact k = { .synack_us = utc_us() - ms * 1000ull };

	converse(&k, port, acts, &(struct lab_tls){ 0 }, r);
}
