/* pool_least.c: the least client that says what a probe says: a floor. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>

#include "test/bench/pool_least.h"

const char *const least_says_tls[] = { "CAPA\r\n", "STLS\r\n", NULL, "CAPA\r\n",
	"QUIT\r\n", "" };
const char *const least_says_clear[] = { "CAPA\r\n", "STLS\r\n", "CAPA\r\n",
	"QUIT\r\n", "" };

SSL_CTX *
least_tls(void)
{
	SSL_CTX *c = SSL_CTX_new(TLS_client_method());

	if (!c || SSL_CTX_set1_groups_list(c, "X25519:P-256") != 1)
		return NULL;
	SSL_CTX_set_verify(c, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_read_ahead(c, 1);
	return c;
}

void
least_begin(struct least *c, const char *const *say, int fd, SSL_CTX *tls)
{
	*c = (struct least){ .say = say, .fd = fd, .tls = tls };
}

static bool
replied(const struct least *c)
{
	const char *said = c->step > 0 ? c->say[c->step - 1] : "";

	if (c->heard < 2 || memcmp(c->in + c->heard - 2, "\r\n", 2) != 0)
		return false;
	return said == NULL || said[0] != 'C' ||
	    (c->heard >= 5 &&
		memcmp(c->in + c->heard - 5, "\r\n.\r\n", 5) == 0);
}

static void
least_end(struct least *c)
{
	SSL_free(c->ssl);
	close(c->fd);
	c->over = true;
}

/* What comes next is said. */
static void
least_next(struct least *c)
{
	const char *say = c->say[c->step++];
	size_t n;

	c->heard = 0;
	if (!say) {
		c->ssl = SSL_new(c->tls);
		SSL_set_fd(c->ssl, c->fd);
		SSL_set_connect_state(c->ssl);
		SSL_do_handshake(c->ssl);
		c->shaking = true;
		return;
	}
	n = strlen(say);
	if (n == 0) {
		c->completed = true;
		least_end(c);
	} else if (c->ssl)
		SSL_write(c->ssl, say, (int)n);
	else if (send(c->fd, say, n, MSG_NOSIGNAL) < 0)
		least_end(c);
}

static bool
waits(const struct least *c, int n)
{
	if (c->ssl)
		return SSL_get_error(c->ssl, n) == SSL_ERROR_WANT_READ;
	return n < 0 && errno == EAGAIN;
}

/* False: nothing more can be done now. */
static bool
least_hear(struct least *c)
{
	size_t room = LEAST_LINE - (size_t)c->heard;
	int n;

	ERR_clear_error();
	if (c->ssl)
		n = SSL_read(c->ssl, c->in + c->heard, (int)room);
	else
		n = (int)recv(c->fd, c->in + c->heard, room, 0);
	if (n <= 0) {
		if (!waits(c, n))
			least_end(c);
		return false;
	}
	c->heard += n;
	if (replied(c))
		least_next(c);
	return !c->over && c->ssl && SSL_has_pending(c->ssl);
}

void
least_ready(struct least *c)
{
	int r;

	if (c->over)
		return;
	ERR_clear_error();
	if (c->shaking) {
		r = SSL_do_handshake(c->ssl);
		if (r != 1) {
			if (!waits(c, r))
				least_end(c);
			return;
		}
		c->shaking = false;
		least_next(c);
	}
	while (least_hear(c))
		;
}
