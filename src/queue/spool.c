/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * spool -- the directories of the spool: made, checked, held open.
 *
 * After queue_open() every path is one name below a descriptor, so that no
 * symbolic link and no chroot can change what is meant.  A directory that
 * is none, is a link, belongs to somebody else or can be written by others
 * is refused.  drop/ alone is open to a group, whose members can make files
 * in it and find those that they know, but not list them.
 *
 * The calls here set the stage and are not part of the proof of
 * tests/fault: they run before the first message.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lib/mem.h"
#include "lib/subdir.h"
#include "lib/sys.h"
#include "queue/confine.h"
#include "queue/queue.h"

#include "trays.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define RESERVE_MIN (16u << 20)
/* Inodes that are left to others, at most a hundredth of all. */
#define INODES_MIN 64

static const char *const names[QUEUE_PLACES] = {
	[QUEUE_NEW] = "new",
	[QUEUE_CUR] = "cur",
	[QUEUE_HOLD] = "hold",
	[QUEUE_DEAD] = "dead",
	[QUEUE_DROP] = "drop",
	[QUEUE_BAD] = "bad",
};

/* How a directory is made, and what is demanded of it. */
struct wanted {
	const char *name;
	mode_t mode;
	uid_t owner;
	gid_t group;		/* -1: as it comes */
	bool root_may_own;	/* root is as good as the owner */
	mode_t forbidden;	/* bits that the mode must not have */
};

static void
fail(struct buf *error, const struct wanted *w, const char *what)
{
	buf_addf(error, "spool: %s: %s", w->name, what);
}

/* Owner and mode of a directory that was just made, whatever the umask. */
static int
dress(int fd, const struct wanted *w)
{
	if (geteuid() == 0 && fchown(fd, w->owner, w->group) < 0)
		return -1;
	return fchmod(fd, w->mode);
}

static const char *
inspect(int fd, const struct wanted *w)
{
	struct stat st;

	if (sys_fstat(fd, &st) < 0)
		return strerror(errno);
	if (!S_ISDIR(st.st_mode))
		return "is not a directory";
	if (w->owner != (uid_t)-1 && st.st_uid != w->owner &&
	    !(w->root_may_own && st.st_uid == 0))
		return "belongs to another user";
	if ((st.st_mode & w->forbidden) != 0)
		return "can be written by others";
	return NULL;
}

/* Opens NAME below PARENT, made first if CREATE; -1 with a reason. */
static int
open_dir(int parent, const struct wanted *w, bool create, int flags,
    struct buf *error)
{
	bool made = create && sys_mkdirat(parent, w->name, 0700) == 0;
	int fd = sys_openat(parent, w->name, flags, 0), err = errno;
	const char *why;

	if (fd < 0) {
		fail(error, w, strerror(err));
		errno = err;
		return -1;
	}
	err = EPERM;
	if (made && dress(fd, w) < 0)
		why = strerror(err = errno);
	else
		why = inspect(fd, w);
	if (why == NULL)
		return fd;
	fail(error, w, why);
	sys_close(fd);
	errno = err;
	return -1;
}

static int
open_place(struct queue *q, enum queue_place place, uid_t owner,
    gid_t drop_group, struct buf *error)
{
	struct wanted w = { names[place], 0700, owner, (gid_t)-1, false, 022 };
	bool create = (q->flags & QUEUE_CREATE) != 0;

	if (place == QUEUE_DROP) {
		w.forbidden = 002;
		if (geteuid() == 0) {
			w.mode = 02730;
			w.group = drop_group;
		}
	}
	q->dirs[place] = open_dir(q->root, &w, create, DIR_FLAGS, error);
	return q->dirs[place] < 0 ? -1 : 0;
}

/* What sendmail needs: it may neither list drop/ nor does it own it. */
static int
open_drop_only(struct queue *q, struct buf *error)
{
	struct wanted w = { names[QUEUE_DROP], 0, (uid_t)-1, (gid_t)-1, false,
		002 };

	q->dirs[QUEUE_DROP] = open_dir(q->root, &w, false,
	    O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, error);
	return q->dirs[QUEUE_DROP] < 0 ? -1 : 0;
}

static unsigned
trays_wanted(void)
{
	const char *s = secure_getenv("QUEUE_TRAYS");
	uint64_t v;

	if (s == NULL || str_u64(str_c(s), QUEUE_TRAYS_MAX, &v) < 0)
		return QUEUE_TRAYS_MAX;
	return (unsigned)v;
}

/* One more than the last tray that is there: there may have been more of them. */
static bool
last_tray(void *arg, int dir, const struct dirent *e)
{
	unsigned *top = arg;
	uint64_t no;

	(void)dir;
	if (e != NULL && strlen(e->d_name) == 2 &&
	    str_u64(str_c(e->d_name), QUEUE_TRAYS_MAX - 1, &no) == 0 &&
	    no >= *top)
		*top = (unsigned)no + 1;
	return true;
}

/* Who only looks does without: an older version has none. */
static int
open_trays(struct queue *q, uid_t owner, struct buf *error)
{
	struct wanted w = { "trays", 0700, owner, (gid_t)-1, false, 022 };
	bool create = (q->flags & QUEUE_CREATE) != 0;
	size_t n = error != NULL ? error->n : 0;

	q->trays = open_dir(q->root, &w, create, DIR_FLAGS, error);
	if (q->trays < 0 && (errno != ENOENT || create))
		return -1;
	if (q->trays < 0) {
		if (error != NULL)
			buf_cut(error, n);
		return 0;
	}
	q->tray_top = q->tray_n = trays_wanted();
	return spool_list(q->trays, ".", last_tray, &q->tray_top);
}

static int
open_all(struct queue *q, uid_t owner, gid_t drop_group, struct buf *error)
{
	struct wanted w = { "tmp", 0700, owner, (gid_t)-1, false, 022 };
	bool create = (q->flags & QUEUE_CREATE) != 0;

	q->tmp = open_dir(q->root, &w, create, DIR_FLAGS, error);
	w.name = "orders";
	if (q->tmp >= 0)
		q->orders = open_dir(q->root, &w, create, DIR_FLAGS, error);
	if (q->orders < 0 || open_trays(q, owner, error) < 0)
		return -1;
	for (enum queue_place p = QUEUE_NEW; p < QUEUE_PLACES; p++)
		if (open_place(q, p, owner, drop_group, error) < 0)
			return -1;
	return 0;
}

static int
open_root(struct queue *q, const char *dir, uid_t owner, struct buf *error)
{
	/* 0711: the drop group must come through to drop/. */
	struct wanted w = { dir, 0711, owner, (gid_t)-1, true, 022 };
	int flags = DIR_FLAGS;

	if ((q->flags & QUEUE_DROP_ONLY) != 0) {
		w.owner = (uid_t)-1;
		flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
	}
	q->root = open_dir(AT_FDCWD, &w, (q->flags & QUEUE_CREATE) != 0,
	    flags, error);
	if (q->root >= 0 && (q->flags & QUEUE_CREATE) != 0)
		subdir_spread(q->root);
	return q->root < 0 ? -1 : 0;
}

static uint64_t
reserve_wanted(void)
{
	const char *s = secure_getenv("QUEUE_RESERVE");
	uint64_t v;

	if (s == NULL || str_u64(str_c(s), INT64_MAX, &v) < 0)
		return 0;
	return v;
}

static char *
drop_path(const char *dir)
{
	struct buf b;
	char *path;

	buf_init(&b, 65536);
	buf_addf(&b, "%s/%s", dir, names[QUEUE_DROP]);
	path = mem_dup(buf_str(&b));
	buf_free(&b);
	return path;
}

struct queue *
queue_open(const char *dir, unsigned flags, uid_t owner, gid_t drop_group,
    struct buf *error)
{
	struct queue *q = mem_alloc(sizeof(*q));
	int r, err;

	q->root = q->tmp = q->orders = q->trays = q->lock = q->tray = -1;
	for (size_t i = 0; i < QUEUE_PLACES; i++)
		q->dirs[i] = -1;
	q->flags = flags;
	q->reserve = reserve_wanted();
	q->drop_path = drop_path(dir);
	q->in = trays_new();
	atomic_init(&q->spare, NULL);
	if (geteuid() != 0)
		owner = geteuid();
	q->uid = owner;
	r = open_root(q, dir, owner, error);
	if (r == 0)
		r = (flags & QUEUE_DROP_ONLY) != 0 ? open_drop_only(q, error)
		    : open_all(q, owner, drop_group, error);
	if (r == 0)
		return q;
	err = errno;
	queue_close(q);
	errno = err;
	return NULL;
}

static void
close_if(int fd)
{
	if (fd >= 0)
		sys_close(fd);
}

void
queue_close(struct queue *q)
{
	struct queue_msg *m;

	if (q == NULL)
		return;
	m = atomic_exchange(&q->spare, NULL);
	if (m != NULL)
		buf_free(&m->buf);
	mem_free(m);
	for (size_t i = 0; i < QUEUE_PLACES; i++)
		close_if(q->dirs[i]);
	close_if(q->tmp);
	close_if(q->orders);
	close_if(q->trays);
	close_if(q->tray);
	trays_free(q->in);
	close_if(q->lock);
	close_if(q->root);
	mem_free(q->drop_path);
	mem_free(q);
}

/* Octet 0 of the file is the master's, the next ones are the runners'. */
static int
lock_octet(struct queue *q, off_t at, bool wait)
{
	const struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET,
		.l_start = at, .l_len = 1 };
	int fd, r;

	if (q->lock >= 0)
		return 0;
	fd = sys_openat(q->root, "lock",
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	/*
	 * Not flock(): forked children would keep that one, and a session
	 * that outlives a killed master would keep the next one out.  This
	 * one belongs to the process alone, also through exec.
	 */
	do
		r = fcntl(fd, wait ? F_SETLKW : F_SETLK, &l);
	while (r < 0 && errno == EINTR);
	if (r < 0) {
		int e = errno == EACCES ? EWOULDBLOCK : errno;

		sys_close(fd);
		errno = e;
		return -1;
	}
	q->lock = fd;
	q->owner = at > 0;
	return 0;
}

int
queue_lock(struct queue *q)
{
	return lock_octet(q, 0, false);
}

int
queue_lock_runner(struct queue *q, size_t number, bool wait)
{
	return lock_octet(q, 1 + (off_t)number, wait);
}

int
queue_space(struct queue *q, uint64_t need)
{
	struct statvfs v;
	uint64_t unit, reserve = q->reserve;

	if (fstatvfs(q->dirs[QUEUE_DROP], &v) < 0)
		return -1;
	unit = v.f_frsize != 0 ? v.f_frsize : v.f_bsize;
	if (reserve == 0) {
		reserve = (uint64_t)v.f_blocks * unit / 100;
		if (reserve < RESERVE_MIN)
			reserve = RESERVE_MIN;
	}
	/* Some file systems count no inodes at all. */
	if ((v.f_files > 0 && v.f_favail < INODES_MIN &&
	    v.f_favail < v.f_files / 100 + 1) ||
	    need > UINT64_MAX - reserve || v.f_bavail * unit < need + reserve) {
		errno = ENOSPC;
		return -1;
	}
	return 0;
}

void
queue_confine(const struct queue *q, struct confine_dir dirs[QUEUE_CONFINE_DIRS])
{
	dirs[0] = (struct confine_dir){ q->tmp, CONFINE_FILL | CONFINE_KNOW };
	dirs[1] = (struct confine_dir){ q->dirs[QUEUE_NEW], CONFINE_TAKE };
}

const char *
queue_drop_path(const struct queue *q)
{
	return q->drop_path;
}

int
spool_name(const struct queue *q, enum queue_place place, const char *id,
    struct spool_name *n)
{
	char *to = n->path;

	if (!queue_id_valid(str_c(id)) || q->dirs[place] < 0) {
		errno = ENOENT;
		return -1;
	}
	n->dir = q->dirs[place];
	n->shared = n->is_tray = false;
	if (place == QUEUE_CUR) {
		memcpy(to, id + SHARD_AT, SHARD_LEN);
		to[SHARD_LEN] = '/';
		to += SHARD_LEN + 1;
	}
	memcpy(to, id, QUEUE_ID_SIZE);
	return 0;
}

/* Makes the directory that N's path names below cur/.  -1: errno. */
static int
make_shard(const struct spool_name *n)
{
	char shard[SHARD_LEN + 1];

	memcpy(shard, n->path, SHARD_LEN);
	shard[SHARD_LEN] = '\0';
	return sys_mkdirat(n->dir, shard, 0700);
}

int
spool_rename(const struct queue *q, const struct spool_name *from,
    enum queue_place place, const char *id)
{
	struct spool_name to;

	if (spool_name(q, place, id, &to) < 0)
		return -1;
	if (sys_rename_new(from->dir, from->path, to.dir, to.path) == 0)
		return 0;
	if (errno != ENOENT || place != QUEUE_CUR)
		return -1;
	/*
	 * Either the message or its directory below cur/ is missing.  The
	 * directory may be there by now: others put messages off as well.
	 */
	if (make_shard(&to) < 0 && errno != EEXIST)
		return -1;
	return sys_rename_new(from->dir, from->path, to.dir, to.path);
}
