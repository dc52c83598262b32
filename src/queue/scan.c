/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * scan -- what is in the spool, by its directories alone.
 *
 * Nothing is opened but directories; a message costs its directory entry and
 * one fstatat(), or, if its name says enough, the entry alone: of a million
 * messages that are in no memory, their inodes are nine tenths of the time.  So
 * those of others are not looked at, and the rest in the order of their
 * inodes, which is that of the disk, over all directories: each has messages
 * from everywhere, and by directories the disk would be read 256 times where
 * its inodes find no room in memory.  What appears or goes while a scan runs
 * may be seen or not; what stands still is seen exactly once.
 */

#include <errno.h>
#include <stdlib.h>

#include "lib/clock.h"
#include "lib/entries.h"
#include "lib/mem.h"
#include "lib/sys.h"
#include "queue/queue.h"

#include "trays.h"

/* So many are put in order: 28 MiB. */
#define LISTED_MAX ((size_t)1 << 20)

int
spool_list(int dir, const char *path,
    bool (*fn)(void *arg, int dir, const struct dirent *e), void *arg)
{
	const struct dirent *e;
	struct entries l;

	if (entries_open(&l, dir, path) < 0)
		return -1;
	do
		e = entries_next(&l);
	while (e != NULL && (e->d_name[0] == '.' || fn(arg, l.fd, e)));
	if (e == NULL && l.error == 0)
		(void)fn(arg, l.fd, NULL);
	return entries_close(&l);
}

/* A message that was listed, and is looked at with others. */
struct listed {
	ino_t ino;
	char id[QUEUE_ID_SIZE];
};

struct scan {
	struct queue *q;
	enum queue_place place;
	bool (*fn)(void *arg, const char *id, int64_t mtime, uint64_t size);
	void *arg;
	const struct queue_part *part;
	bool stopped;
	bool told;	/* that there is something that is no message */
	struct listed *v;
	size_t n, size;
};

static void
tell_foreign(struct scan *s)
{
	if (!s->told)
		s->stopped = !s->fn(s->arg, NULL, 0, 0);
	s->told = true;
}

static int
by_inode(const void *a, const void *b)
{
	const struct listed *p = a, *q = b;

	return p->ino < q->ino ? -1 : p->ino > q->ino;
}

/* Looks at what was listed, in the order of the disk. */
static void
look(struct scan *s)
{
	struct spool_name name;
	struct stat st;

	if (s->n > 0)
		qsort(s->v, s->n, sizeof(*s->v), by_inode);
	for (size_t i = 0; i < s->n && !s->stopped; i++) {
		/* If it went away, the next scan knows. */
		if (spool_name(s->q, s->place, s->v[i].id, &name) < 0 ||
		    sys_fstatat(name.dir, name.path, &st) < 0)
			continue;
		if (S_ISREG(st.st_mode))
			s->stopped = !s->fn(s->arg, s->v[i].id,
			    st.st_mtim.tv_sec, (uint64_t)st.st_size);
		else
			tell_foreign(s);
	}
	s->n = 0;
}

/* True if its entry says all of E. */
static bool
is_told(const struct scan *s, const struct dirent *e)
{
	return s->part->names && e->d_type == DT_REG;
}

static void
list(struct scan *s, const struct dirent *e)
{
	if (s->n == s->size) {
		s->size = s->size ? s->size * 2 : 256;
		s->v = mem_grow(s->v, s->size, sizeof(*s->v));
	}
	s->v[s->n].ino = e->d_ino;
	memcpy(s->v[s->n++].id, e->d_name, QUEUE_ID_SIZE);
}

static bool
scan_entry(void *arg, int dir, const struct dirent *e)
{
	struct scan *s = arg;

	(void)dir;
	if (s->n == LISTED_MAX)
		look(s);
	if (e == NULL || s->stopped)
		return false;
	if (!queue_id_valid(str_c(e->d_name)))
		tell_foreign(s);
	else if (runner_of(e->d_name, s->part->count) != s->part->number)
		return true;
	else if (is_told(s, e))
		s->stopped = !s->fn(s->arg, e->d_name, spool_id_time(e->d_name), 0);
	else
		list(s, e);
	return !s->stopped;
}

int
queue_scan(struct queue *q, enum queue_place place,
    bool (*fn)(void *arg, const char *id, int64_t mtime, uint64_t size),
    void *arg)
{
	struct queue_part all = { .count = 1 };

	return queue_scan_part(q, place, &all, fn, arg);
}

int
queue_scan_part(struct queue *q, enum queue_place place,
    const struct queue_part *part,
    bool (*fn)(void *arg, const char *id, int64_t mtime, uint64_t size),
    void *arg)
{
	struct scan s = { .q = q, .place = place, .fn = fn, .arg = arg,
		.part = part };
	int r = 0, error;

	/* First: what leaves a tray meanwhile goes to where is looked next. */
	if (place == QUEUE_NEW && !tray_scan(q, part, fn, arg))
		return 0;
	if (place != QUEUE_CUR)
		r = spool_list(q->dirs[place], ".", scan_entry, &s);
	for (unsigned i = 0;
	     place == QUEUE_CUR && i < 256 && !s.stopped && r == 0; i++) {
		char shard[SHARD_LEN + 1] = "";

		spool_hex(shard, SHARD_LEN, i);
		r = spool_list(q->dirs[place], shard, scan_entry, &s);
		if (r < 0 && errno == ENOENT)
			r = 0;
	}
	error = errno;
	/* What was read before a directory failed is there all the same. */
	if (!s.stopped)
		look(&s);
	mem_free(s.v);
	errno = error;
	return r;
}

struct clean {
	int64_t before;
	bool drop;
	int count;
};

static bool
clean_entry(void *arg, int dir, const struct dirent *e)
{
	struct clean *c = arg;
	struct stat st;

	if (e == NULL)
		return false;
	if (c->drop && !str_starts(str_c(e->d_name), STR("tmp.")))
		return true;
	/* Directories do not go this way: they are not ours to remove. */
	if (sys_fstatat(dir, e->d_name, &st) == 0 && !S_ISDIR(st.st_mode) &&
	    st.st_mtim.tv_sec < c->before && sys_unlinkat(dir, e->d_name) == 0)
		c->count++;
	return true;
}

int
queue_clean(struct queue *q, int64_t age)
{
	struct clean c = { .before = clock_wall() - age };

	if (spool_list(q->tmp, ".", clean_entry, &c) < 0)
		return -1;
	c.drop = true;
	if (spool_list(q->dirs[QUEUE_DROP], ".", clean_entry, &c) < 0)
		return -1;
	return c.count;
}
