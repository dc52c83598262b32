/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * places -- the directories of the configuration: spool, mailboxes, run, and
 * the Maildirs of routes.
 *
 * A start makes what is missing, one level deep, and holds spool and
 * mailboxes open; a reload leaves those alone, and makes Maildirs.  `barid -t` asks whether a
 * start could, and makes nothing.
 */

#include "master.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/subdir.h"
#include "queue/tray.h"

#define EXPECTED "expected a directory, or one below which it can be made"

static void
blame(struct check *k, const char *const *field, const char *path, const char *name, int err)
{
	check_blame(k, conf_where(k->conf, field, CONF_NOWHERE), name, err, "%s: %s, " EXPECTED,
	    path, strerror(err));
}

static int
make_dir(struct check *k, const char *const *field, const char *path, const char *name,
    mode_t mode, const struct proc_user *u)
{
	struct stat st;

	if (mkdir(path, mode) == 0) {
		/* Our umask is strict, and the run directory is for everybody. */
		if (chmod(path, mode) < 0)
			log_warn(NULL, "%s: %s", path, strerror(errno));
		if (proc_is_root() && u->found && chown(path, u->uid, u->gid) < 0)
			log_warn(NULL, "%s: %s", path, strerror(errno));
		return 0;
	}
	if (errno == EEXIST && stat(path, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return 0;
		errno = ENOTDIR;
	}
	blame(k, field, path, name, errno);
	return -1;
}

/* The name of the option that has R's Maildir; NULL: it goes elsewhere. */
static const char *
name_of_maildir(const struct conf_route *r, struct arena *a)
{
	if (r->way.kind != VIA_MAILDIR)
		return NULL;
	return arena_printf(a, "route.%s.via", r->pattern);
}

int
places_maildirs(struct check *k, const struct proc_user *u)
{
	const struct conf *c = k->conf;
	struct arena a;
	int r = 0;

	arena_init(&a, 64u << 20);
	for (size_t i = 0; i < c->route_n; i++) {
		const struct conf_route *route = &c->routes[i];
		const char *name = name_of_maildir(route, &a);

		if (name && make_dir(k, &route->via, route->way.maildir, name, 0700, u) < 0)
			r = -1;
	}
	arena_free(&a);
	return r;
}

static struct queue *
open_queue(struct check *k, unsigned flags, const struct proc_user *u, struct buf *error)
{
	uid_t uid = u->found ? u->uid : geteuid();
	gid_t gid;

	if (proc_group("baridrop", &gid) < 0)
		gid = u->found ? u->gid : getegid();
	return queue_open(k->conf->spool, flags, uid, gid, error);
}

static void
blame_spool(struct check *k, int err, struct str why)
{
	/* The queue names itself, as the tools want it that have no place. */
	if (str_starts(why, STR("spool: ")))
		why = str_skip(why, 7);
	check_blame(k, conf_where(k->conf, &k->conf->spool, CONF_NOWHERE), "spool", err,
	    STR_FMT ", expected a directory that nobody but \"%s\" can write, or one below "
	    "which it can be made",
	    STR_ARG(why), k->conf->user);
}

static int
open_spool(struct check *k, struct master *m)
{
	struct buf error;

	buf_init(&error, 4096);
	m->queue = open_queue(k, QUEUE_CREATE, &m->user, &error);
	if (!m->queue) {
		blame_spool(k, errno, buf_str(&error));
	} else if (queue_lock(m->queue) < 0) {
		m->spool_busy = errno == EWOULDBLOCK;
		check_blame(k, conf_where(k->conf, &k->conf->spool, CONF_NOWHERE), "spool", errno,
		    "%s: %s, expected a spool of its own", k->conf->spool,
		    m->spool_busy ? "another barid is running on it" : strerror(errno));
		queue_close(m->queue);
		m->queue = NULL;
	} else if (queue_tray_make(m->queue) < 0) {
		log_warn(NULL, "%s/trays: %s: more messages become files", k->conf->spool,
		    strerror(errno));
	}
	buf_free(&error);
	return m->queue ? 0 : -1;
}

/* What is opened once, at the start. */
int
places_open(struct check *k, struct master *m)
{
	const struct conf *c = k->conf;

	if (make_dir(k, &c->run, c->run, "run", 0755, &m->user) < 0 ||
	    make_dir(k, &c->mailboxes, c->mailboxes, "mailboxes", 0700, &m->user) < 0)
		return -1;
	if ((m->mailboxes = open(c->mailboxes, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) {
		blame(k, &c->mailboxes, c->mailboxes, "mailboxes", errno);
		return -1;
	}
	subdir_spread(m->mailboxes);
	return open_spool(k, m);
}

/* ---- barid -t ---------------------------------------------------------------- */

/* 0 if PATH is a directory, or could be made; else -1 and errno. */
static int
look(const char *path)
{
	struct stat st;
	struct buf parent;
	int r;

	if (stat(path, &st) == 0) {
		errno = ENOTDIR;
		return S_ISDIR(st.st_mode) ? 0 : -1;
	}
	if (errno != ENOENT)
		return -1;
	buf_init(&parent, PATH_MAX);
	/* The path is absolute, and a slash at its end is none of its parent's. */
	buf_adds(&parent, path);
	while (parent.n > 1 && parent.p[parent.n - 1] == '/')
		buf_cut(&parent, parent.n - 1);
	buf_cut(&parent, (size_t)str_rfind(buf_str(&parent), '/') + 1);
	r = access(buf_cstr(&parent), W_OK | X_OK);
	buf_free(&parent);
	return r;
}

static void
look_at(struct check *k, const char *const *field, const char *path, const char *name)
{
	if (look(path) < 0)
		blame(k, field, path, name, errno);
}

static void
look_at_maildirs(struct check *k)
{
	const struct conf *c = k->conf;
	struct arena a;

	arena_init(&a, 64u << 20);
	for (size_t i = 0; i < c->route_n; i++) {
		const struct conf_route *route = &c->routes[i];
		const char *name = name_of_maildir(route, &a);

		if (name)
			look_at(k, &route->via, route->way.maildir, name);
	}
	arena_free(&a);
}

static void
look_at_spool(struct check *k, const struct proc_user *u)
{
	struct buf error;
	struct queue *q;

	if (look(k->conf->spool) < 0) {
		blame(k, &k->conf->spool, k->conf->spool, "spool", errno);
		return;
	}
	/* Whose it must be is not known then, and was complained of. */
	if (proc_is_root() && (!u->found || u->uid == 0))
		return;
	buf_init(&error, 4096);
	q = open_queue(k, 0, u, &error);
	/* What is missing in it would be made. */
	if (!q && errno != ENOENT)
		blame_spool(k, errno, buf_str(&error));
	queue_close(q);
	buf_free(&error);
}

void
places_look(struct check *k, const struct proc_user *u)
{
	look_at_spool(k, u);
	look_at(k, &k->conf->mailboxes, k->conf->mailboxes, "mailboxes");
	look_at(k, &k->conf->run, k->conf->run, "run");
	look_at_maildirs(k);
}

/* ---- a reload ------------------------------------------------------------------ */

static void
keep(struct check *k, const char *const *field, const char *old, const char *name)
{
	if (strcmp(*field, old) != 0)
		check_blame(k, conf_where(k->conf, field, CONF_NOWHERE), name, 0,
		    "changes with a restart only, expected \"%s\" until then", old);
}

void
places_keep(struct check *k, const struct master *m)
{
	const struct conf *c = k->conf, *old = m->conf;
	uint64_t most = score_slots(m->score) - SLOTS_SPARE;

	keep(k, &c->spool, old->spool, "spool");
	keep(k, &c->mailboxes, old->mailboxes, "mailboxes");
	keep(k, &c->run, old->run, "run");
	if (c->queue.runners != old->queue.runners)
		check_blame(k, conf_where(c, &c->queue.runners, CONF_NOWHERE), "queue.runners", 0,
		    "changes with a restart only, expected %llu until then",
		    (unsigned long long)old->queue.runners);
	if (c->limits.connections > most)
		check_blame(k, conf_where(c, &c->limits.connections, CONF_NOWHERE),
		    "limits.connections", 0, "has no room before a restart, expected at most "
		    "%llu until then", (unsigned long long)most);
}
