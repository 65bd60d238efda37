/* sender_help.c: a link that keeps what is sent, and a small sweep. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test/unit/sender_help.h"

unsigned
link_take(struct link *l, struct link_slot *slots[], unsigned n)
{
	if (l->busy_often && n > 3)
		n -= 3;
	for (unsigned i = 0; i < n; i++) {
		l->slots[i].frame = l->own[i];
		slots[i] = &l->slots[i];
	}
	return n;
}

unsigned
link_burst(const struct link *l)
{
	return l->burst != 0 ? l->burst : (unsigned)LINK_BATCH;
}

/* Of one that vanishes what was pushed is there, as a part of it would be. */
int
link_flush(struct link *l)
{
	if (l->lost == 0)
		return 0;
	l->lost--;
	errno = ENOBUFS;
	return -1;
}

int
link_push(struct link *l, struct link_slot *const slots[], unsigned n)
{
	pthread_mutex_lock(&l->lock);
	l->calls++;
	if (l->error != 0 || (l->busy_often && l->calls % 3 == 0)) {
		int error = l->error;

		pthread_mutex_unlock(&l->lock);
		errno = error;
		return error != 0 ? -1 : 0;
	}
	if (l->at_most != 0 && n > l->at_most)
		n = l->at_most;
	for (unsigned i = 0; i < n && l->n < SEEN_MAX; i++)
		memcpy(l->frames[l->n++], slots[i]->frame, slots[i]->len);
	pthread_mutex_unlock(&l->lock);
	return (int)n;
}

static struct ranges *
set_of(const char *const *texts)
{
	struct ranges *r = ranges_new();
	const char *expected;

	for (; *texts != NULL; texts++)
		assert_int_equal(ranges_add_text(r, *texts, &expected), 0);
	assert_int_equal(ranges_seal(r), 0);
	return r;
}

static void
add_source(struct scene *s, const char *text)
{
	assert_int_equal(
	    addr_parse(text, &s->conf.sources[s->conf.nsources++]), 0);
}

struct scene *
scene_new(uint32_t threads, bool six)
{
	static const struct frame_link links[2];
	struct scene *s = calloc(1, sizeof *s);

	assert_non_null(s);
	s->conf.sport_first = 40000;
	s->conf.sport_last = 56383;
	s->conf.nports = 3;
	s->conf.ports[0].port = 25;
	s->conf.ports[1].port = 110;
	s->conf.ports[2].port = 993;
	add_source(s, "192.0.2.1");
	add_source(s, "192.0.2.2");
	if (six)
		add_source(s, "fd00::1");
	s->targets = set_of(
	    (const char *const[]){ "198.18.0.0/23", "fd00:198::/120", NULL });
	s->excluded = set_of((const char *const[]){ "198.18.1.0/28", NULL });
	s->sweep.n = ranges_count(s->targets) * 3;
	s->sweep.seed = 7;
	s->sweep.shards = 1;
	s->sweep.threads = threads;
	s->sweep.incarnation = 1;
	assert_int_equal(sender_plan_init(&s->plan, &s->conf, s->targets,
			     s->excluded, &s->sweep, links),
	    0);
	pthread_mutex_init(&s->link.lock, NULL);
	s->link.frames = calloc(SEEN_MAX, FRAME_MAX);
	assert_non_null(s->link.frames);
	return s;
}

void
scene_free(struct scene *s)
{
	sender_plan_free(&s->plan);
	ranges_free(s->targets);
	ranges_free(s->excluded);
	free(s->link.frames);
	free(s);
}

void
link_set(struct link *l, int error)
{
	pthread_mutex_lock(&l->lock);
	l->error = error;
	pthread_mutex_unlock(&l->lock);
}

size_t
link_seen(struct link *l)
{
	size_t n;

	pthread_mutex_lock(&l->lock);
	n = l->n;
	pthread_mutex_unlock(&l->lock);
	return n;
}
