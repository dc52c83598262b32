/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * again -- messages that another program has renamed since they were listed.
 *
 * A server of IMAP may move all of new/ to cur/ while a session of POP3 is
 * open.  So the first message that is not under its name has both directories
 * read once more, and then all have the name that they have now; what is not
 * found is gone, and not looked for again until a directory has changed.  A
 * message is known by its inode and the part of its name that never changes.
 */

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/sys.h"
#include "mailbox.h"

/* A change within the tick of the clock that the last one had is not seen. */
#define SURE_S 1

static int
by_base(const void *a, const void *b)
{
	const struct maildir_entry *const *x = a, *const *y = b;

	return str_cmp(maildir_base((*x)->name), maildir_base((*y)->name));
}

/* The first in M->by_base that has not a lower base. */
static size_t
first_of(const struct maildir *m, struct str base)
{
	size_t low = 0, high = m->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (str_cmp(maildir_base(m->by_base[mid]->name), base) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct looking {
	struct maildir *m;
	bool in_new;		/* what is being read */
};

/*
 * Whether the file NAME counts for E: SAME says that it is that very one.  Of two
 * names of one file the later counts, to which it was moved meanwhile; of twins,
 * that may be links, each keeps its own.
 */
static bool
counts(const struct looking *l, const struct maildir_entry *e, const char *name,
    bool same)
{
	if (!same || e->gone)
		/* Another program may also have written it anew, under its base. */
		return e->gone && (same || !e->twin);
	return !e->twin || (e->in_new == l->in_new && strcmp(e->name, name) == 0);
}

static bool
match(void *arg, const struct dirent *d)
{
	const struct looking *l = arg;
	struct maildir *m = l->m;
	struct str base = maildir_base(d->d_name);

	for (size_t i = first_of(m, base); i < m->n &&
	    str_eq(maildir_base(m->by_base[i]->name), base); i++) {
		struct maildir_entry *e = m->by_base[i];
		bool same = d->d_ino == e->inode;

		if (!counts(l, e, d->d_name, same))
			continue;
		e->gone = false;
		e->other = !same;
		e->in_new = l->in_new;
		if (strcmp(e->name, d->d_name) != 0)
			e->name = arena_cstr(&m->arena, str_c(d->d_name));
	}
	return true;
}

int
maildir_look_again(struct maildir *m)
{
	struct looking l = { .m = m, .in_new = true };
	struct stat in_new, in_cur;
	int64_t now = clock_wall();

	if (m->by_base == NULL) {
		m->by_base = mem_array(m->n + 1, sizeof(*m->by_base));
		for (size_t i = 0; i < m->n; i++)
			m->by_base[i] = &m->v[i];
		qsort(m->by_base, m->n, sizeof(*m->by_base), by_base);
	}
	m->seen = false;
	if (sys_fstat(m->new_dir, &in_new) < 0 || sys_fstat(m->cur_dir, &in_cur) < 0)
		return -1;
	for (size_t i = 0; i < m->n; i++)
		m->v[i].gone = true;
	/* new/ first: what is moved meanwhile is seen in cur/. */
	if (maildir_list(m->new_dir, match, &l) == 0) {
		l.in_new = false;
		m->seen = maildir_list(m->cur_dir, match, &l) == 0;
	}
	for (size_t i = 0; i < m->n && !m->seen; i++)
		m->v[i].gone = false;
	if (!m->seen)
		return -1;
	m->seen = in_new.st_ctim.tv_sec + SURE_S < now &&
	    in_cur.st_ctim.tv_sec + SURE_S < now;
	m->new_time = in_new.st_ctim;
	m->cur_time = in_cur.st_ctim;
	return 0;
}

static bool
is_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* True if nothing was changed since the directories were read the last time. */
static bool
is_as_seen(const struct maildir *m)
{
	struct stat in_new, in_cur;

	return m->seen && sys_fstat(m->new_dir, &in_new) == 0 &&
	    sys_fstat(m->cur_dir, &in_cur) == 0 &&
	    is_time(&in_new.st_ctim, &m->new_time) &&
	    is_time(&in_cur.st_ctim, &m->cur_time);
}

int
maildir_find_again(struct maildir *m, const struct maildir_entry *e)
{
	if (!is_as_seen(m) && maildir_look_again(m) < 0)
		return -1;
	if (!e->gone)
		return 0;
	errno = ENOENT;
	return -1;
}
