/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * homes -- what accounts have in their .forward, as this runner knows it.
 *
 * barid-spawn reads the file, as the account; what it says is taken apart here
 * and counts for some seconds.  A message whose recipient nothing is known of
 * waits for the answer, and is planned anew then.
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

struct waiter {
	struct waiter *next;
	struct job *job;
};

struct home {
	struct runner *r;
	char *user;
	struct arena arena;
	struct alias_list list;
	enum forward_state state;
	const char *why;	/* of FORWARD_LATER */
	int64_t good_ms;	/* clock_ms(): until then */
	bool known, asked;
	bool account;
	struct waiter *waiters;
};

struct homes {
	struct map *all;
};

/* Whose jobs wait is freed with all of them. */
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

	h->waiters = NULL;
	while ((w = next) != NULL) {
		next = w->next;
		r->finishing--;
		index_wait(r->index, w->job->slot, runner_now(r));
		job_free(w->job);
		mem_free(w);
	}
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

static void
on_answer(void *arg, struct str answer)
{
	struct home *h = arg;
	struct msg_forward_result m;
	bool got = msg_forward_result_get(answer, &m);

	h->asked = false;
	if (h->r->closing)
		return;
	if (!got)
		m = (struct msg_forward_result){ .state = FORWARD_LATER,
			.text = STR("it cannot be read: no answer of barid-spawn") };
	learn(h, &m);
	h->known = true;
	h->good_ms = clock_ms() + (got ? GOOD_MS : AGAIN_MS);
	release(h);
}

static void
ask(struct home *h)
{
	struct msg_forward m = { .user = str_c(h->user) };
	struct buf packet;

	if (h->asked)
		return;
	h->asked = true;
	buf_init(&packet, FRAME_MAX);
	msg_forward_put(&packet, &m);
	ask_start(h->r, h->r->spawn, buf_str(&packet), ASK_MS, on_answer, h);
	buf_free(&packet);
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
	if (!h->known || clock_ms() >= h->good_ms) {
		h->known = false;
		ask(h);
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
homes_wait(struct runner *r, const char *user, struct job *j)
{
	struct home *h = home_get(r, user);
	struct waiter *w = mem_alloc(sizeof(*w));

	w->job = j;
	w->next = h->waiters;
	h->waiters = w;
	r->finishing++;
}

void
homes_tick(struct runner *r)
{
	int64_t now = clock_ms();
	size_t at = 0;
	struct str key;
	void *v;

	if (r->homes == NULL)
		return;
	while (map_next(r->homes->all, &at, &key, &v)) {
		struct home *h = v;

		if (h->asked || now < h->good_ms + 10 * (int64_t)GOOD_MS)
			continue;
		map_del(r->homes->all, key);
		home_free(h);
	}
}
