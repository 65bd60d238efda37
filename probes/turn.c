/* turn.c: who may be in a handshake; the others wait in the order of asking. */
#include "probes/conversation_parts.h"

enum { TURN_NONE, TURN_WAITS, TURN_HAS };

void
turns_init(struct turns *t)
{
	*t = (struct turns){ .max = HANDSHAKES_MAX };
	for (int i = 0; i < TURN_QUEUES; i++)
		t->queues[i].end = &t->queues[i].first;
}

/* Who answers on every port comes last. */
static struct turn_queue *
queue_of(struct conversation *c)
{
	return &c->all->turns.queues[c->contact.flags & HANDOFF_CANARY ? 1 : 0];
}

bool
turn_take(struct conversation *c)
{
	struct turns *t = &c->all->turns;
	struct turn_queue *q = queue_of(c);

	if (c->turn != TURN_NONE)
		return c->turn == TURN_HAS;
	if (t->taken < t->max && t->waiting == 0) {
		t->taken++;
		c->turn = TURN_HAS;
		return true;
	}
	c->turn = TURN_WAITS;
	c->next = NULL;
	c->turn_before = q->end;
	*q->end = c;
	q->end = &c->next;
	t->waiting++;
	return false;
}

static void
leave(struct conversation *c)
{
	struct turn_queue *q = queue_of(c);

	*c->turn_before = c->next;
	if (c->next)
		c->next->turn_before = c->turn_before;
	else
		q->end = c->turn_before;
	c->all->turns.waiting--;
}

void
turn_give(struct conversation *c)
{
	if (c->turn == TURN_WAITS)
		leave(c);
	else if (c->turn == TURN_HAS)
		c->all->turns.taken--;
	c->turn = TURN_NONE;
}

void
conversations_turns(struct conversations *all)
{
	struct turns *t = &all->turns;

	for (int i = 0; i < TURN_QUEUES; i++) {
		struct turn_queue *q = &t->queues[i];

		while (q->first && t->taken < t->max) {
			struct conversation *c = q->first;

			leave(c);
			c->turn = TURN_HAS;
			t->taken++;
			conversation_ready(c);
		}
	}
}
