/* mailsim.h: a mail-server simulator for load: what its files share. */
#ifndef BENCH_MAILSIM_H
#define BENCH_MAILSIM_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/ssl.h>

/* What a host is, by the hash of its address: the same in every run. */
enum sim_kind {
	SIM_GOOD,
	SIM_NO_TLS, /* none offered, refused when asked */
	SIM_LATE, /* greets after LATE_MS */
	SIM_SILENT, /* accepts and never says anything */
	SIM_RESET, /* resets at once */
	SIM_CLOSES, /* says yes to STARTTLS and closes */
	SIM_TARPIT, /* a byte a second */
	SIM_ENDLESS, /* its first reply in clear never ends */
	SIM_KINDS
};

/* One process counts, its parent reads: in memory that both see. */
struct sim_counts {
	uint64_t connections[SIM_KINDS];
	uint64_t handshakes, handshakes_failed, quits, closed, commands;
	uint64_t open, most_open;
	uint64_t cpu_us; /* user and system */
};

enum sim_protocol { SIM_POP3, SIM_IMAP, SIM_SMTP };

/* What follows when a reply has been said. */
enum sim_next { SIM_LISTEN, SIM_START_TLS, SIM_CLOSE };

enum { SIM_LINE = 256, SIM_REPLY = 512 };

struct sim_conn {
	struct sim_conn *next, **before; /* in a queue, or spare */
	struct sim_conn *made; /* the one that was made before it */
	uint64_t due_ms; /* while it is in a queue */
	SSL *ssl;
	int fd;
	uint32_t addr; /* its own address, host order */
	uint8_t protocol; /* enum sim_protocol */
	uint8_t kind; /* enum sim_kind */
	uint8_t after; /* enum sim_next, of the reply */
	bool implicit; /* TLS first */
	bool shaking; /* in the handshake */
	bool tls12; /* knows nothing newer */
	bool asked; /* a command was heard */
	bool quit; /* the client has said goodbye */
	bool missed; /* it spoke while a reply was owed */
	uint16_t heard, reply_len, said; /* bytes of in, out, and of out */
	char in[SIM_LINE];
	char out[SIM_REPLY];
};

struct sim_shares {
	unsigned percent[SIM_KINDS];
	unsigned tls12; /* percent of all, whatever they are */
	bool slow_network; /* all tarpits in the /24 of this address: */
	uint32_t slow;
};

enum sim_kind sim_kind_of(const struct sim_shares *, uint32_t addr);
bool sim_tls12(const struct sim_shares *, uint32_t addr);
/* -1: nothing is called so. */
int sim_kind_named(const char *name, size_t len);
extern const char *const sim_kind_names[SIM_KINDS];

/* Fill in out, reply_len and after. line: without its end. */
void sim_greet(struct sim_conn *);
void sim_answer(struct sim_conn *, const char *line);

/* A server's context with a certificate of its own: ECDSA P-256 or RSA 2048. */
SSL_CTX *sim_tls(bool rsa);

struct sim_options {
	struct sim_shares shares;
	unsigned processes;
	unsigned delay_ms; /* before every reply */
	bool rsa;
};

enum { SIM_PORTS = 7 };

/* Listening sockets of one process; -1 with errno. */
int sim_listen(int fds[SIM_PORTS]);

/* Serve until SIGTERM. */
void sim_serve(const struct sim_options *, const int fds[SIM_PORTS], SSL_CTX *,
    struct sim_counts *);

#endif
