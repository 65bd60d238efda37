/* spread.c: the list of opt-outs on its way from store to the others. */
#include <errno.h>
#include <stdlib.h>

#include "engine/spread.h"

enum { CHUNKS_MAX = 1 << 16 }; /* of OPTOUT_CHUNK each: four million */

void
spread_free(struct spread *s)
{
	free(s->whole.v);
	free(s->coming.v);
	*s = (struct spread){ .number = 0 };
}

uint32_t
spread_ask(struct spread *s)
{
	return ++s->asked;
}

static int
chunks_add(struct chunks *c, const struct control_optouts *chunk)
{
	size_t cap = c->cap == 0 ? 4 : c->cap * 2;
	struct control_optouts *v;

	if (c->n == c->cap) {
		v = c->n < CHUNKS_MAX ? reallocarray(c->v, cap, sizeof *v)
				      : NULL;
		if (v == NULL)
			return -1;
		c->v = v;
		c->cap = cap;
	}
	c->v[c->n++] = *chunk;
	return 0;
}

int
spread_take(struct spread *s, const struct control *c)
{
	const struct control_optouts *l = &c->u.optouts;
	struct chunks free_now;

	if (c->len != sizeof *l || l->n > OPTOUT_CHUNK || l->number == 0 ||
	    l->number > s->told || (l->first != 0) != (s->coming.n == 0))
		return -1;
	if (chunks_add(&s->coming, l) < 0)
		return -1;
	if (!l->last)
		return 0;
	free_now = s->whole;
	s->whole = s->coming;
	s->coming = free_now;
	s->coming.n = 0;
	s->number = l->number;
	return 0;
}

/* Those that may send to, or hear from, a target. */
static bool
needs(const struct proc *c)
{
	return c->pid > 0 && !c->stopping && c->control >= 0 &&
	    c->role != ROLE_STORE && c->role != ROLE_RESOLVE;
}

/*
 * Probes come after dial: what it passed on before is then on the wire to
 * them, and they empty it.
 */
static bool
has_turn(const struct spread *s, const struct procs *p, const struct proc *c)
{
	const struct proc *dial = &p->v[ROLE_DIAL];

	return c->role != ROLE_PROBE || !needs(dial) ||
	    dial->optouts_done == s->number;
}

bool
spread_wants(
    const struct spread *s, const struct procs *p, const struct proc *c)
{
	return s->number != 0 && needs(c) && has_turn(s, p, c) &&
	    (c->optouts_sent != s->number || c->optouts_at < s->whole.n);
}

static void
tell(const struct spread *s, struct proc *c)
{
	if (c->optouts_sent != s->number) {
		c->optouts_sent = s->number;
		c->optouts_at = 0;
	}
	while (c->optouts_at < s->whole.n &&
	    control_send(c->control, CTL_OPTOUT_LIST,
		&s->whole.v[c->optouts_at], sizeof *s->whole.v) == 0)
		c->optouts_at++;
}

void
spread_turn(struct spread *s, struct procs *p)
{
	struct proc *store = &p->v[ROLE_STORE];

	while (s->told != s->asked && store->control >= 0) {
		uint32_t next = s->told + 1;

		if (control_send(store->control, CTL_OPTOUT_READ, &next,
			sizeof next) < 0)
			break;
		s->told = next;
	}
	for (unsigned i = 0; i < STATS_SLOTS; i++)
		if (spread_wants(s, p, &p->v[i]))
			tell(s, &p->v[i]);
}

bool
spread_in_force(const struct spread *s, const struct procs *p, uint32_t number)
{
	if (s->number < number || p->v[ROLE_STORE].optouts_done < number)
		return false;
	for (unsigned i = 0; i < STATS_SLOTS; i++)
		if (needs(&p->v[i]) && p->v[i].optouts_done < number)
			return false;
	return true;
}
