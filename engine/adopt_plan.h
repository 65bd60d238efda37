/* adopt_plan.h: adoption as a list of calls, whoever makes them. */
#ifndef ENGINE_ADOPT_PLAN_H
#define ENGINE_ADOPT_PLAN_H

#include <netinet/tcp.h>
#include <sys/socket.h>

#include "engine/adopt.h"

enum call_kind { CALL_OPTION, CALL_BIND, CALL_CONNECT, CALL_SEND };

/* One on the new socket: an option's value, an address or bytes, and length. */
struct call {
	enum dial_step step;
	enum call_kind kind;
	int level, option; /* CALL_OPTION */
	const void *value;
	uint32_t len;
};

enum { CALLS_MAX = 14 };

/*
 * In their order. Those before `connect` send nothing even if one of them
 * fails, unless connect follows; those before `live` leave it in repair.
 */
struct plan {
	struct call calls[CALLS_MAX];
	unsigned n, connect, live;
	/* What the values point to. */
	struct sockaddr_storage source, target;
	int mss;
	uint32_t snd_nxt, rcv_nxt;
	struct tcp_repair_opt options[3];
	struct tcp_repair_window window;
};

/* The handoff and the plan itself must stay until the calls are made. */
void plan_make(struct plan *, const struct handoff *);

#endif
