/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * homes -- what accounts have in their .forward, as this runner knows it.
 *
 * barid-spawn reads the file, as the account; what it says is taken apart here
 * and counts for some seconds.  A message whose recipient nothing is known of
 * waits for the answer, and is planned anew then.
 *
 * An alias may lead to any number of accounts.  So few are asked for at a time,
 * and the others stand in a line.  And what was answered since a message began to
 * wait counts for it until it waits no more, however long the last of them takes:
 * else those that were asked for first would have to be asked for again by then.
 */

#include "homes.h"

#include "ask.h"
#include "ipc/frame.h"
#include "ipc/msg.h"
#include "job.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "mailbox/forward.h"
#include "runner.h"

/* An answer is good for so long; the file may have changed then. */
#define GOOD_MS 5000
/* After no answer: the helper is being started again. */
#define AGAIN_MS 1000
#define ASK_MS 60000
#define HOME_ARENA ((size_t)1 << 20)
/* Questions on their way, of all runners; the channel has room for other things. */
#define ASKED_MAX 64
#define ASKED_MIN 4
/* So long after its answer a message is seen again that is still there. */
#define LOOK_MS 600000

/* A message, which is not loaded meanwhile: it would have a place that others need. */
struct waiter {
	struct waiter *next;
	uint32_t slot;
	char id[QUEUE_ID_SIZE];
};

struct home {
	struct runner *r;
	char *user;
	struct arena arena;
	struct alias_list list;
	enum forward_state state;
	const char *why;	/* of FORWARD_LATER */
	int64_t known_ms;	/* clock_ms(): since then */
	int64_t good_ms;	/* until then */
	bool known, asked;
	bool account;
	struct waiter *waiters;
	struct home *next;	/* in the line */
};

/* A message that had to wait, and has not got all that it waits for. */
struct wait {
	int64_t since;
	int64_t until;		/* it is forgotten then; INT64_MAX: it waits */
};

struct homes {
	struct map *all;
	struct home *first, **last;	/* to be asked for */
	size_t asked;		/* on their way */
	struct map *waits;	/* by the id of the message */
	int64_t since;		/* what is known since then counts now */
};

static void
home_free(struct home *h)
{
	struct waiter *w;

	while ((w = h->waiters) != NULL) {
		h->waiters = w->next;
		mem_free(w);
	}
	arena_free(&h->arena);
	mem_free(h->user);
	mem_free(h);
}

void
homes_open(struct runner *r)
{
	if (!conf_has_homes(r->conf))
		return;
	r->homes = mem_alloc(sizeof(*r->homes));
	r->homes->all = map_new();
	r->homes->waits = map_new();
	r->homes->last = &r->homes->first;
	r->homes->since = INT64_MAX;
}

void
homes_close(struct runner *r)
{
	struct homes *homes = r->homes;
	size_t at = 0;
	struct str key;
	void *v;

	if (homes == NULL)
		return;
	while (map_next(homes->all, &at, &key, &v))
		home_free(v);
	map_free(homes->all);
	for (at = 0; map_next(homes->waits, &at, &key, &v);)
		mem_free(v);
	map_free(homes->waits);
	mem_free(homes);
	r->homes = NULL;
}

/* ---- answers ---------------------------------------------------------------- */

/* All that wait for H look again: each goes on, or waits for another. */
static void
release(struct home *h)
{
	struct waiter *w, *next = h->waiters;
	struct runner *r = h->r;
	struct wait *wait;

	h->waiters = NULL;
	while ((w = next) != NULL) {
		next = w->next;
		wait = map_get(r->homes->waits, str_c(w->id));
		wait->until = clock_ms() + LOOK_MS;
		r->finishing--;
		index_wait(r->index, w->slot, once_now(r));
		mem_free(w);
	}
	runner_wake(r);
}

static void
learn(struct home *h, const struct msg_forward_result *m)
{
	const char *wrong;

	arena_free(&h->arena);
	arena_init(&h->arena, HOME_ARENA);
	h->list = (struct alias_list){ .n = 0 };
	h->state = (enum forward_state)m->state;
	h->account = m->account;
	if (h->state == FORWARD_LATER)
		h->why = arena_printf(&h->arena, "the file .forward of %s: "
		    STR_FMT, h->user, STR_ARG(m->text));
	if (h->state != FORWARD_FOUND)
		return;
	wrong = forward_parse(arena_str(&h->arena, m->text), &h->arena,
	    &h->list);
	if (wrong != NULL)
		log_warn(NULL, "the file .forward of %s counts for nothing: %s",
		    h->user, wrong);
	if (h->list.n == 0)
		h->state = FORWARD_NONE;
}

static void ask_next(struct runner *r);

static void
on_answer(void *arg, struct str answer)
{
	struct home *h = arg;
	struct msg_forward_result m;
	bool got = msg_forward_result_get(answer, &m);

	h->asked = false;
	h->r->homes->asked--;
	if (h->r->closing)
		return;
	if (!got)
		m = (struct msg_forward_result){ .state = FORWARD_LATER,
			.text = STR("it cannot be read: no answer of barid-spawn") };
	learn(h, &m);
	h->known = true;
	h->known_ms = clock_ms();
	h->good_ms = h->known_ms + (got ? GOOD_MS : AGAIN_MS);
	release(h);
	ask_next(h->r);
}

static void
ask(struct home *h)
{
	struct msg_forward m = { .user = str_c(h->user) };
	struct buf packet;

	buf_init(&packet, FRAME_MAX);
	msg_forward_put(&packet, &m);
	ask_start(h->r, h->r->spawn, buf_str(&packet), ASK_MS, on_answer, h);
	buf_free(&packet);
}

/* Asks for as many of those in the line as may be on their way. */
static void
ask_next(struct runner *r)
{
	struct homes *homes = r->homes;
	size_t max = ASKED_MAX / r->count;
	struct home *h;

	if (max < ASKED_MIN)
		max = ASKED_MIN;
	while (homes->asked < max && (h = homes->first) != NULL) {
		homes->first = h->next;
		if (homes->first == NULL)
			homes->last = &homes->first;
		homes->asked++;
		ask(h);
	}
}

static void
line_up(struct home *h)
{
	struct homes *homes = h->r->homes;

	if (h->asked)
		return;
	h->asked = true;
	h->next = NULL;
	*homes->last = h;
	homes->last = &h->next;
	ask_next(h->r);
}

/* ---- questions --------------------------------------------------------------- */

static struct home *
home_get(struct runner *r, const char *user)
{
	struct home *h = map_get(r->homes->all, str_c(user));

	if (h != NULL)
		return h;
	h = mem_alloc(sizeof(*h));
	h->r = r;
	h->user = mem_dup(str_c(user));
	arena_init(&h->arena, HOME_ARENA);
	map_put(r->homes->all, str_c(h->user), h);
	return h;
}

enum expand_home
homes_find(struct runner *r, const char *user, const struct alias_list **list,
    const char **why)
{
	struct home *h;

	if (r->homes == NULL)
		return HOME_NONE;
	h = home_get(r, user);
	if (!h->known ||
	    (clock_ms() >= h->good_ms && h->known_ms < r->homes->since)) {
		h->known = false;
		line_up(h);
		return HOME_WAIT;
	}
	*list = &h->list;
	*why = h->why;
	return h->state == FORWARD_FOUND ? HOME_FOUND :
	    h->state == FORWARD_LATER ? HOME_LATER : HOME_NONE;
}

bool
homes_has_maildir(const struct runner *r, const char *user)
{
	const struct home *h;

	if (r->homes == NULL || r->conf->recipients.home_maildir[0] == '\0')
		return false;
	h = map_get(r->homes->all, str_c(user));
	return h != NULL && h->account;
}

void
homes_begin(struct runner *r, const struct job *j)
{
	const struct wait *wait;

	if (r->homes == NULL)
		return;
	wait = map_get(r->homes->waits, str_c(j->id));
	r->homes->since = wait != NULL ? wait->since : INT64_MAX;
}

void
homes_end(struct runner *r, const struct job *j)
{
	if (r->homes == NULL)
		return;
	r->homes->since = INT64_MAX;
	mem_free(map_del(r->homes->waits, str_c(j->id)));
}

void
homes_wait(struct runner *r, const char *user, struct job *j)
{
	struct home *h = home_get(r, user);
	struct waiter *w = mem_alloc(sizeof(*w));
	struct wait *wait = map_get(r->homes->waits, str_c(j->id));

	r->homes->since = INT64_MAX;
	if (wait == NULL) {
		wait = mem_alloc(sizeof(*wait));
		wait->since = clock_ms();
		map_put(r->homes->waits, str_c(j->id), wait);
	}
	wait->until = INT64_MAX;
	w->slot = j->slot;
	memcpy(w->id, j->id, sizeof(w->id));
	w->next = h->waiters;
	h->waiters = w;
	r->finishing++;
	job_free(j);
}

/* Since when the first of those waits that are not over; forgets who went another way. */
static int64_t
first_wait(struct homes *homes, int64_t now)
{
	int64_t first = INT64_MAX;
	size_t at = 0;
	struct str key;
	void *v;

	while (map_next(homes->waits, &at, &key, &v)) {
		struct wait *wait = v;

		if (wait->until < now)
			mem_free(map_del(homes->waits, key));
		else if (wait->since < first)
			first = wait->since;
	}
	return first;
}

void
homes_tick(struct runner *r)
{
	int64_t now = clock_ms(), first;
	size_t at = 0;
	struct str key;
	void *v;

	if (r->homes == NULL)
		return;
	first = first_wait(r->homes, now);
	while (map_next(r->homes->all, &at, &key, &v)) {
		struct home *h = v;

		if (h->asked || now < h->good_ms + 10 * (int64_t)GOOD_MS ||
		    h->known_ms >= first)
			continue;
		map_del(r->homes->all, key);
		home_free(h);
	}
}
