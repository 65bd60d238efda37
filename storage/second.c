/* second.c: which second connections a row asks for. */
#include <string.h>

#include "engine/conf.h"
#include "engine/cookie.h"
#include "storage/second.h"

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
