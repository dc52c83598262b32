/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * drop -- what sendmail and others leave in drop/ is taken into the queue.
 *
 * The first runner does it: inotify says when there is something, and a look
 * every ten seconds finds what inotify missed.  The pool does the work, one
 * import at a time.  A .eml that is fresh is left for a moment by
 * queue_import(), so that an event is followed by some more looks.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "runner.h"

#define LOOK_MS 10000
/* After an event, once a second, until what was fresh is no more. */
#define AGAIN_MS ((QUEUE_EML_AGE + 2) * 1000)

struct drop_id {
	struct drop_id *next;
	char id[QUEUE_ID_SIZE];
};

struct drop {
	struct runner *r;
	int fd;			/* inotify; -1: none */
	struct loop_io *io;
	bool running, again;
	int64_t next, again_until;	/* clock_ms() */
	struct drop_id *ids;	/* taken by the work under way */
};

static void run(struct drop *d);

static void
on_id(void *arg, const char *id)
{
	struct drop *d = arg;
	struct drop_id *i = mem_alloc(sizeof(*i));

	memcpy(i->id, id, QUEUE_ID_LEN);
	i->next = d->ids;
	d->ids = i;
}

static void
work(void *arg)
{
	struct drop *d = arg;

	if (queue_import(d->r->queue, on_id, d) < 0)
		log_warn(NULL, "cannot take all that is in drop/: %s",
		    strerror(errno));
}

static void
announce(struct drop *d)
{
	while (d->ids != NULL) {
		struct drop_id *i = d->ids;

		d->ids = i->next;
		runner_announce(d->r, i->id);
		mem_free(i);
	}
}

static void
done(void *arg)
{
	struct drop *d = arg;

	d->running = false;
	d->next = clock_ms() + LOOK_MS;
	announce(d);
	if (d->again)
		run(d);
}

static void
run(struct drop *d)
{
	/* Another runner may have begun: it is not for this one any more. */
	if (d->r->stopping)
		return;
	d->again = d->running;
	if (d->running)
		return;
	d->running = true;
	loop_pool_run(d->r->disk, work, done, d);
}

static void
on_event(void *arg, bool readable, bool writable)
{
	struct drop *d = arg;
	char events[4096];

	(void)readable;
	(void)writable;
	/* What it was does not matter: the directory says it better. */
	while (read(d->fd, events, sizeof(events)) > 0)
		;
	d->again_until = clock_ms() + AGAIN_MS;
	run(d);
}

void
drop_open(struct runner *r)
{
	struct drop *d;
	const char *path = queue_drop_path(r->queue);

	if (r->number != 0)
		return;
	d = r->drop = mem_alloc(sizeof(*d));
	d->r = r;
	d->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (d->fd >= 0 &&
	    inotify_add_watch(d->fd, path, IN_CLOSE_WRITE | IN_MOVED_TO) < 0) {
		log_warn(NULL, "cannot watch %s: %s", path, strerror(errno));
		close(d->fd);
		d->fd = -1;
	}
}

void
drop_start(struct runner *r)
{
	struct drop *d = r->drop;

	if (d == NULL)
		return;
	if (d->fd >= 0) {
		d->io = loop_io_new(r->loop, d->fd, on_event, d);
		loop_io_want(d->io, true, false);
	}
	queue_qualify_by(r->queue, r->conf->domains.n > 0 ? r->conf->domains.v[0] :
							    r->conf->hostname);
	if (r->conf->extract_headers)
		queue_believe_settings(r->queue, r->conf);
	if (r->conf->rewrite_n + r->conf->archive_n > 0)
		queue_remap_by(r->queue, r->conf);
	if (r->conf->add_missing_headers)
		queue_complete_by(r->queue, r->conf->hostname);
	/* Before anybody reads new/: see queue_import(). */
	work(d);
	announce(d);
	d->next = clock_ms() + LOOK_MS;
	/* What came before the watch may have been too young just now. */
	d->again_until = clock_ms() + AGAIN_MS;
}

/* True if the .eml NAME of D is one that was too young to be taken. */
static bool
is_young(DIR *d, const char *name)
{
	int64_t age;
	struct stat st;

	if (!str_ends(str_c(name), STR(".eml")) ||
	    fstatat(dirfd(d), name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	age = clock_wall() - st.st_mtim.tv_sec;
	return age >= 0 && age <= QUEUE_EML_AGE + 1;
}

bool
drop_settled(const struct runner *r)
{
	DIR *d = r->drop != NULL ? opendir(queue_drop_path(r->queue)) : NULL;
	const struct dirent *e;
	bool young = false;

	if (d == NULL)
		return true;
	while (!young && (e = readdir(d)) != NULL)
		young = is_young(d, e->d_name);
	closedir(d);
	return !young && !r->drop->running;
}

void
drop_tick(struct runner *r)
{
	struct drop *d = r->drop;
	int64_t now = clock_ms();

	if (d != NULL && (now >= d->next || now < d->again_until))
		run(d);
}

void
drop_stop(struct runner *r)
{
	struct drop *d = r->drop;

	if (d == NULL)
		return;
	loop_io_free(d->io);
	if (d->fd >= 0)
		close(d->fd);
	announce(d);
	mem_free(d);
	r->drop = NULL;
}
