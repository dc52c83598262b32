/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * scan -- what is in the spool, by its directories alone.
 *
 * Nothing is opened but directories; a message costs its directory entry
 * and one fstatat().  What appears or goes while a scan runs may be seen or
 * not; what stands still is seen exactly once.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#include "lib/clock.h"
#include "lib/sys.h"
#include "queue/queue.h"

#include "spool.h"

int
spool_list(int dir, const char *path,
    bool (*fn)(void *arg, int dir, const char *name), void *arg)
{
	int fd = sys_openat(dir, path,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	struct dirent *e;
	int error;
	DIR *d;

	if (fd < 0)
		return -1;
	d = fdopendir(fd);
	if (d == NULL) {
		error = errno;
		sys_close(fd);
		errno = error;
		return -1;
	}
	do {
		errno = 0;
		e = readdir(d);
	} while (e != NULL &&
	    (e->d_name[0] == '.' || fn(arg, fd, e->d_name)));
	error = e == NULL ? errno : 0;
	closedir(d);
	errno = error;
	return error == 0 ? 0 : -1;
}

struct scan {
	bool (*fn)(void *arg, const char *id, int64_t mtime, uint64_t size);
	void *arg;
	bool stopped;
	bool told;	/* that there is something that is no message */
};

static bool
scan_entry(void *arg, int dir, const char *name)
{
	struct scan *s = arg;
	struct stat st;

	if (queue_id_valid(str_c(name))) {
		if (sys_fstatat(dir, name, &st) < 0)
			return true;	/* it went away: the next scan knows */
		if (S_ISREG(st.st_mode)) {
			s->stopped = !s->fn(s->arg, name, st.st_mtim.tv_sec,
			    (uint64_t)st.st_size);
			return !s->stopped;
		}
	}
	if (!s->told)
		s->stopped = !s->fn(s->arg, NULL, 0, 0);
	s->told = true;
	return !s->stopped;
}

int
queue_scan(struct queue *q, enum queue_place place,
    bool (*fn)(void *arg, const char *id, int64_t mtime, uint64_t size),
    void *arg)
{
	struct scan s = { .fn = fn, .arg = arg };

	if (place != QUEUE_CUR)
		return spool_list(q->dirs[place], ".", scan_entry, &s);
	for (unsigned i = 0; i < 256 && !s.stopped; i++) {
		char shard[SHARD_LEN + 1] = "";

		spool_hex(shard, SHARD_LEN, i);
		if (spool_list(q->dirs[place], shard, scan_entry, &s) < 0 &&
		    errno != ENOENT)
			return -1;
	}
	return 0;
}

struct clean {
	int64_t before;
	bool drop;
	int count;
};

static bool
clean_entry(void *arg, int dir, const char *name)
{
	struct clean *c = arg;
	struct stat st;

	if (c->drop && !str_starts(str_c(name), STR("tmp.")))
		return true;
	/* Directories do not go this way: they are not ours to remove. */
	if (sys_fstatat(dir, name, &st) == 0 && !S_ISDIR(st.st_mode) &&
	    st.st_mtim.tv_sec < c->before && sys_unlinkat(dir, name) == 0)
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
