/* second.c: which second connections a row asks for. */
#include <string.h>

#include "engine/conf.h"
#include "engine/cookie.h"
#include "storage/second.h"

void
second_canary(struct batch_context *c, const struct addr *a)
{
	const struct conf *conf = c->args->conf;
	struct queued q = { .target = { .addr = *a, .port = c->canary_port },
		.not_before_us = c->now_us,
		.as = { .kind = KIND_CANARY } };

	if (conf->canary != CANARY_OFF &&
	    live_canary_ask(c->live, a,
		conf->canary == CANARY_EVERY ? PHANTOM_ADDRESS
					     : PHANTOM_NETWORK))
		live_queue_put(c->live, &q);
}

void
second_after_silence(struct batch_context *c, const struct target *t)
{
	const struct conf *conf = c->args->conf;
	const struct conf_port *port = conf_port(conf, t->port);
	struct queued q = { .target = *t,
		.not_before_us = c->now_us,
		.as = { .kind = KIND_CLIENT_HELLO, .why = OUTCOME_SILENT } };

	if (!conf->hello_after_silence || port == NULL || port->implicit_tls)
		return;
	q.as.protocol = port->protocol;
	live_queue_put(c->live, &q);
}

bool
second_is_wanted(const struct head *h)
{
	if (!(h->findings >> FINDING_CLEARTEXT_LOGIN & 1))
		return false;
	switch ((enum starttls)h->starttls) {
	case STARTTLS_REFUSED:
	case STARTTLS_CLOSED:
	case STARTTLS_NOT_TLS:
		return true;
	default:
		return false;
	}
}

/* The same target again, by a later attempt. */
static void
ask_again(struct batch_context *c, const struct target *t,
    const struct head *ended, const struct pending *was, uint32_t pause_ms)
{
	struct queued q = { .target = *t,
		.not_before_us = c->now_us + pause_ms * (uint64_t)1000,
		.as = *was };

	q.as.kind = KIND_PLAIN;
	q.as.protocol = ended->port_protocol;
	q.as.attempt = ended->attempt;
	if (q.as.attempt < ATTEMPTS - 1)
		q.as.attempt++;
	q.as.answered = 0;
	live_queue_put(c->live, &q);
}

/* As long as there is an attempt that it was not seen by. */
static bool
is_to_be_confirmed(
    const struct conf *conf, const struct head *row, const struct head *ended)
{
	return conf->confirm && row->confirmed == 0 && second_is_wanted(row) &&
	    ended->attempt < ATTEMPTS - 1;
}

/*
 * Not now, or gone before it said a word: that was the moment, or our own
 * number of connections, and says nothing of the service.
 */
static bool
is_put_off(const struct head *h)
{
	switch ((enum outcome)h->outcome) {
	case OUTCOME_RESET:
	case OUTCOME_CLOSED:
		return true;
	case OUTCOME_LOST: /* a probe had no time for it */
		return true;
	case OUTCOME_REFUSED_US:
	case OUTCOME_BROKEN: /* 421 to STARTTLS */
	case OUTCOME_COMPLETED: /* 451 to it */
		return h->flags & HEAD_TRY_LATER;
	default:
		return false;
	}
}

static bool
has_tls(const struct head *h)
{
	return h->tls_version != 0 &&
	    (h->starttls == STARTTLS_COMPLETED ||
		h->starttls == STARTTLS_IMPLICIT);
}

/*
 * Each version below the negotiated one, by an attempt of its own. What is due
 * differs by a microsecond: rows of the queue are told apart by it.
 */
static void
ask_versions(struct batch_context *c, const struct head *row)
{
	struct queued q = { .target = head_target(row),
		.as = { .kind = KIND_TLS_VERSION,
		    .protocol = row->port_protocol,
		    .why = row->outcome } };

	for (uint8_t attempt = 1; attempt < ATTEMPTS &&
	     TLS_VERSION_OF_ATTEMPT(attempt) < row->tls_version;
	     attempt++) {
		q.as.attempt = attempt;
		q.not_before_us = c->now_us + attempt;
		live_queue_put(c->live, &q);
	}
}

/* Whose STARTTLS is in order, as far as a client can see. */
static bool
is_clean(const struct head *h)
{
	return h->outcome == OUTCOME_COMPLETED &&
	    h->starttls == STARTTLS_COMPLETED &&
	    !(h->findings >> FINDING_STRAY_PLAINTEXT & 1) &&
	    !(h->flags & HEAD_IMPLICIT);
}

static void
ask_injection(struct batch_context *c, const struct head *row)
{
	struct queued q = { .target = head_target(row),
		.not_before_us = c->now_us + ATTEMPTS,
		.as = { .kind = KIND_INJECTION,
		    .protocol = row->port_protocol,
		    .why = row->outcome } };

	live_queue_put(c->live, &q);
}

void
second_after_row(struct batch_context *c, const struct head *before,
    const struct head *ended, const struct pending *was)
{
	const struct conf *conf = c->args->conf;
	struct target t = head_target(ended);
	struct pending again = *was;
	struct head row;

	if (live_row(c->live, &t, &row) != LIVE_HEAD)
		return;
	again.why = row.outcome;
	if (is_to_be_confirmed(conf, &row, ended)) {
		ask_again(c, &t, ended, &again, conf->confirm_pause_ms);
		return;
	}
	if (is_put_off(ended) && is_put_off(&row) &&
	    was->lost < c->rules->retries) {
		again.lost++;
		ask_again(c, &t, ended, &again, conf->retry_pause_ms);
		return;
	}
	/* Once: a sweep that goes on may ask a target that it has asked. */
	if (!has_tls(&row) || (before != NULL && has_tls(before)))
		return;
	if (conf->tls_versions == TLS_VERSIONS_ALL)
		ask_versions(c, &row);
	if (conf->injection && is_clean(&row))
		ask_injection(c, &row);
}
