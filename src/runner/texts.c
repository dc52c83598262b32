/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * texts -- what is too old in the store of texts is removed.
 *
 * The first runner does it, at its start and then every hour, in the pool.  So
 * much is removed at a time; where there is more, the next time is in a minute.
 * Texts are copied when their message is taken, so that none of ours needs them.
 */

#include <errno.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "queue/store.h"
#include "runner.h"
#include "texts.h"

#define SWEEP_MS 3600000
#define SWEEP_AGAIN_MS 60000
#define SWEEP_MOST 10000

struct texts {
	struct runner *r;
	bool running;
	int64_t next;		/* clock_ms() */
	int64_t before;		/* of the work under way: texts from before that */
};

static void
work(void *arg)
{
	struct texts *t = arg;
	const char *path = t->r->conf->storage.path;
	int n = store_sweep(path, t->before, SWEEP_MOST);

	t->next = clock_ms() + (n == SWEEP_MOST ? SWEEP_AGAIN_MS : SWEEP_MS);
	if (n < 0)
		log_warn(NULL, "the store %s cannot be tidied: %s", path,
		    strerror(errno));
	else if (n > 0)
		log_info(NULL, "removed %d texts from the store %s, which are "
		    "older than storage.ttl", n, path);
}

static void
done(void *arg)
{
	struct texts *t = arg;

	t->running = false;
}

/* A clock that jumped ahead has made nothing older (C-14). */
static int64_t
limit(const struct runner *r)
{
	int64_t ms = runner_now_ms(r) - (int64_t)r->conf->storage.ttl;

	for (size_t i = 0; i < r->wall.n; i++)
		if (r->wall.jumps[i].by > 0)
			ms -= r->wall.jumps[i].by;
	return ms / 1000;
}

void
texts_start(struct runner *r)
{
	const struct conf_storage *s = &r->conf->storage;

	if (r->number != 0 || s->path[0] == '\0')
		return;
	if (access(s->path, X_OK) < 0)
		log_warn(NULL, "storage.address: %s: %s; mail whose text is "
		    "there waits in drop/", s->path, strerror(errno));
	if (s->ttl == 0)
		return;
	r->texts = mem_alloc(sizeof(*r->texts));
	r->texts->r = r;
	r->texts->next = clock_ms();
}

void
texts_tick(struct runner *r)
{
	struct texts *t = r->texts;

	if (t == NULL || t->running || clock_ms() < t->next)
		return;
	t->running = true;
	t->before = limit(r);
	loop_pool_run(r->disk, work, done, t);
}

void
texts_stop(struct runner *r)
{
	mem_free(r->texts);
	r->texts = NULL;
}
