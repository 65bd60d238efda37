/* wheel.c: a timer wheel: set, cleared and found in constant time. */
#include <string.h>

#include "probes/wheel.h"

void
wheel_init(struct wheel *w, uint64_t now_ms)
{
	memset(w, 0, sizeof *w);
	w->tick = w->now = now_ms / WHEEL_TICK_MS;
}

void
wheel_clear(struct wheel *w, struct timer *t)
{
	if (!t->before)
		return;
	*t->before = t->next;
	if (t->next)
		t->next->before = t->before;
	t->before = NULL;
	if (!w->slots[t->slot])
		w->set[t->slot / 64] &= ~(UINT64_C(1) << t->slot % 64);
}

void
wheel_set(struct wheel *w, struct timer *t, uint64_t at_ms)
{
	uint64_t tick = (at_ms + WHEEL_TICK_MS - 1) / WHEEL_TICK_MS;
	struct timer **slot;

	if (tick <= w->now)
		tick = w->now + 1;
	if (tick >= w->tick + WHEEL_SLOTS)
		tick = w->tick + WHEEL_SLOTS - 1;
	/* Mostly the same deadline as before; its neighbours are far away. */
	if (t->before && t->slot == tick % WHEEL_SLOTS)
		return;
	wheel_clear(w, t);
	t->slot = (uint32_t)(tick % WHEEL_SLOTS);
	slot = &w->slots[t->slot];
	t->next = *slot;
	t->before = slot;
	if (t->next)
		t->next->before = &t->next;
	*slot = t;
	w->set[t->slot / 64] |= UINT64_C(1) << t->slot % 64;
}

/* The first tick after w->tick with a timer in its slot; 0: none. */
static uint64_t
first_tick(const struct wheel *w)
{
	uint64_t tick = w->tick + 1, end = w->tick + WHEEL_SLOTS;

	while (tick < end) {
		uint32_t slot = (uint32_t)(tick % WHEEL_SLOTS);
		uint64_t bits = w->set[slot / 64] >> slot % 64;

		if (bits != 0)
			return tick + (uint64_t)__builtin_ctzll(bits);
		tick += 64 - slot % 64;
	}
	return 0;
}

struct timer *
wheel_due(struct wheel *w, uint64_t now_ms)
{
	uint64_t now = now_ms / WHEEL_TICK_MS;

	w->now = now;
	for (;;) {
		uint64_t tick = first_tick(w);
		struct timer *t;

		if (tick == 0 || tick > now) {
			if (now > w->tick)
				w->tick = now;
			return NULL;
		}
		/* Stay before this slot until it is empty. */
		w->tick = tick - 1;
		t = w->slots[tick % WHEEL_SLOTS];
		if (t) {
			wheel_clear(w, t);
			return t;
		}
	}
}

int
wheel_wait(const struct wheel *w, uint64_t now_ms)
{
	uint64_t tick = first_tick(w), at = tick * WHEEL_TICK_MS;

	if (tick == 0)
		return -1;
	return at <= now_ms ? 0 : (int)(at - now_ms);
}
