/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * maildir -- a mailbox as POP3 sees it.
 *
 * One pass over new/ and cur/ gives the list; no message is opened.  The
 * list does not change while it is open: what arrives is not seen, and what
 * another program renames is found again (again.c).  Messages stay in the
 * directory where they are.
 */

#include "mailbox/maildir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "lib/log.h"
#include "lib/entries.h"
#include "lib/mem.h"
#include "lib/name.h"
#include "lib/sys.h"
#include "mailbox.h"

#define LOCK_NAME ".barid-lock"
/* More messages than this are not shown. */
#define ENTRIES_MAX 1000000
/* Names of so many, the longest that a file system allows. */
#define ARENA_MAX ((size_t)ENTRIES_MAX * 272)
/* The part of a name that no program changes. */
struct str
maildir_base(const char *name)
{
	return str_n(name, strcspn(name, ",:"));
}

struct str
maildir_fixed(const char *name)
{
	return str_n(name, strcspn(name, ":"));
}

int
maildir_list(int dir, bool (*fn)(void *arg, const struct dirent *e), void *arg)
{
	const struct dirent *e;
	struct entries l;

	if (entries_open(&l, dir, ".") < 0)
		return -1;
	do
		e = entries_next(&l);
	while (e != NULL && (e->d_name[0] == '.' ||
	    (e->d_type != DT_REG && e->d_type != DT_UNKNOWN) || fn(arg, e)));
	return entries_close(&l);
}

uint64_t
maildir_time(const char *name)
{
	size_t n = strspn(name, "0123456789");
	uint64_t t;

	return str_u64(str_n(name, n), UINT64_MAX, &t) == 0 ? t : 0;
}

/* What is sorted. */
struct listed {
	uint64_t time;
	struct maildir_entry entry;
};

struct listing {
	struct maildir *m;
	struct listed *v;
	size_t n, max;
	bool in_new;
};

static bool
add_entry(void *arg, const struct dirent *d)
{
	struct listing *l = arg;
	const char *name = d->d_name;
	struct listed *e;

	if (l->n == ENTRIES_MAX) {
		log_warn(NULL, "a mailbox holds more than %d messages: "
		    "the others are not shown", ENTRIES_MAX);
		return false;
	}
	if (l->n == l->max) {
		l->max = l->max > 0 ? 2 * l->max : 64;
		l->v = mem_grow(l->v, l->max, sizeof(*l->v));
	}
	e = &l->v[l->n++];
	*e = (struct listed){ .time = maildir_time(name) };
	e->entry.name = arena_cstr(&l->m->arena, str_c(name));
	e->entry.inode = d->d_ino;
	e->entry.in_new = l->in_new;
	return true;
}

/* Oldest first; then by what never changes, so that the order does not. */
static int
compare(const void *a, const void *b)
{
	const struct listed *x = a, *y = b;
	int r;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	r = str_cmp(maildir_base(x->entry.name), maildir_base(y->entry.name));
	return r != 0 ? r : strcmp(x->entry.name, y->entry.name);
}

/*
 * True if another program moved A to cur/, as B, while we read new/, or is
 * about to, by a link.
 */
static bool
is_moved(const struct maildir *m, const struct maildir_entry *a,
    const struct maildir_entry *b)
{
	struct stat st;

	return a->in_new && !b->in_new &&
	    str_eq(maildir_fixed(a->name), maildir_fixed(b->name)) &&
	    (a->inode == b->inode ||
	    sys_fstatat(m->new_dir, a->name, &st) < 0);
}

/* Copies the sorted list into M without what is in it twice. */
static void
keep(struct maildir *m, const struct listing *l)
{
	m->v = mem_array(l->n + 1, sizeof(*m->v));
	for (size_t i = 0; i < l->n; i++) {
		const struct maildir_entry *e = &l->v[i].entry;

		if (i + 1 < l->n && is_moved(m, e, &l->v[i + 1].entry))
			continue;
		if (m->n > 0 && is_moved(m, e, &m->v[m->n - 1]))
			continue;
		m->v[m->n++] = *e;
	}
}

static int
list_all(struct maildir *m)
{
	struct listing l = { .m = m, .in_new = true };
	int r = maildir_list(m->new_dir, add_entry, &l);

	l.in_new = false;
	if (r == 0)
		r = maildir_list(m->cur_dir, add_entry, &l);
	if (r == 0) {
		if (l.n > 0)
			qsort(l.v, l.n, sizeof(*l.v), compare);
		keep(m, &l);
	}
	mem_free(l.v);
	return r;
}

static int
lock(struct maildir *m)
{
	m->lock = sys_openat(m->dir, LOCK_NAME,
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (m->lock < 0)
		return -1;
	/* It is let go when the process ends, however it ends. */
	if (flock(m->lock, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		errno = EBUSY;
	return -1;
}

int
maildir_root(int base, const char *mailbox)
{
	if (name_is_plain(str_c(mailbox)))
		return mailbox_dir(base, mailbox, true);
	errno = EINVAL;
	return -1;
}

int
maildir_open(struct maildir *m, int base, const char *mailbox)
{
	return maildir_open_at(m, maildir_root(base, mailbox));
}

int
maildir_root_at(const char *path)
{
	return mailbox_dir(AT_FDCWD, path, true);
}

static bool
is_channel(int fd)
{
	struct stat st;

	return fd >= 0 && sys_fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

int
maildir_open_at(struct maildir *m, int root)
{
	int tmp = -1, e = errno;

	*m = (struct maildir){ .dir = root, .new_dir = -1, .cur_dir = -1,
		.lock = -1, .far = -1 };
	arena_init(&m->arena, ARENA_MAX);
	if (is_channel(root)) {
		m->far = root;
		m->dir = -1;
		return far_open(m);
	}
	errno = e;
	if (m->dir >= 0 &&
	    (tmp = mailbox_dir(m->dir, "tmp", true)) >= 0 &&
	    (m->new_dir = mailbox_dir(m->dir, "new", true)) >= 0 &&
	    (m->cur_dir = mailbox_dir(m->dir, "cur", true)) >= 0 &&
	    lock(m) == 0 && list_all(m) == 0 && maildir_part_twins(m) == 0) {
		sys_close(tmp);
		return 0;
	}
	e = errno;
	if (tmp >= 0)
		sys_close(tmp);
	maildir_close(m);
	errno = e;
	return -1;
}

static void
close_if(int *fd)
{
	if (*fd >= 0)
		sys_close(*fd);
	*fd = -1;
}

void
maildir_close(struct maildir *m)
{
	known_end(m);
	far_close(m);
	close_if(&m->dir);
	close_if(&m->new_dir);
	close_if(&m->cur_dir);
	close_if(&m->lock);
	mem_free(m->by_base);
	mem_free(m->v);
	m->by_base = NULL;
	m->v = NULL;
	m->n = 0;
	arena_free(&m->arena);
}

int
maildir_dir_of(const struct maildir *m, const struct maildir_entry *e)
{
	return e->in_new ? m->new_dir : m->cur_dir;
}

static int
open_entry(const struct maildir *m, const struct maildir_entry *e)
{
	return sys_openat(maildir_dir_of(m, e), e->name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
}

int
maildir_read_stat(struct maildir *m, size_t i, struct stat *st)
{
	struct maildir_entry *e = &m->v[i];
	int fd = open_entry(m, e);

	if (fd < 0 && errno == ENOENT && maildir_find_again(m, e) == 0)
		fd = open_entry(m, e);
	if (fd < 0)
		return -1;
	if (sys_fstat(fd, st) == 0 && S_ISREG(st->st_mode)) {
		/* Whoever reads it may delete it, too. */
		if (e->other)
			e->inode = st->st_ino;
		e->other = false;
		return fd;
	}
	sys_close(fd);
	errno = ENOENT;
	return -1;
}

int
maildir_read(struct maildir *m, size_t i)
{
	struct stat st;

	if (m->far >= 0)
		return far_read(m, i);
	return maildir_read_stat(m, i, &st);
}

/* What entry E takes of its mailbox; 0: it is gone. */
static int64_t
octets_of(const struct maildir *m, const struct maildir_entry *e)
{
	struct stat st;
	uint64_t n;

	if (maildir_said_octets(e->name, &n))
		return (int64_t)n;
	return sys_fstatat(maildir_dir_of(m, e), e->name, &st) == 0 ?
	    st.st_size : 0;
}

/* What was removed, for the count that the mailbox keeps, and the disk. */
struct removed {
	size_t of_new, of_cur;
	int64_t octets;
};

static int
remove_entry(const struct maildir *m, const struct maildir_entry *e,
    struct removed *r)
{
	int64_t octets = octets_of(m, e);

	/* Another file under its base is not what was marked. */
	errno = ESTALE;
	if (e->other || sys_unlinkat(maildir_dir_of(m, e), e->name) < 0)
		return -1;
	*(e->in_new ? &r->of_new : &r->of_cur) += 1;
	r->octets += octets;
	return 0;
}

/* Removes what is marked, but is not under its name.  The number that could not be. */
static size_t
remove_renamed(struct maildir *m, struct removed *r)
{
	bool looked = maildir_look_again(m) == 0;
	size_t failed = 0;

	for (size_t i = 0; i < m->n; i++) {
		struct maildir_entry *e = &m->v[i];

		if (!e->missing)
			continue;
		/* Gone is what was wanted, and whoever did it has counted it; renamed is not. */
		if (!looked || (!e->gone && remove_entry(m, e, r) < 0))
			failed++;
		e->missing = false;
	}
	return failed;
}

size_t
maildir_expunge(struct maildir *m)
{
	struct removed r = { 0 };
	size_t failed = 0;
	bool missing = false;

	if (m->far >= 0)
		return far_expunge(m);
	for (size_t i = 0; i < m->n; i++) {
		struct maildir_entry *e = &m->v[i];

		if (!e->deleted || remove_entry(m, e, &r) == 0)
			continue;
		e->missing = errno == ENOENT;
		missing = missing || e->missing;
		failed += !e->missing;
	}
	if (missing)
		failed += remove_renamed(m, &r);
	if (r.of_new + r.of_cur > 0)
		usage_add(m->dir, -r.octets, -(int64_t)(r.of_new + r.of_cur));
	/* What is not durable may come back, so it counts as not removed. */
	if (r.of_cur > 0 && sys_fsync(m->cur_dir) < 0)
		failed += r.of_cur;
	if (r.of_new > 0 && sys_fsync(m->new_dir) < 0)
		failed += r.of_new;
	return failed;
}
