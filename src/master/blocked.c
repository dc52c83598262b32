/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * blocked -- who is blocked by hand, and the file "blocks" in the spool that
 * keeps them over a restart.
 *
 * The file is written as a whole beside the old one and renamed, with the lock
 * of a third file held from before the table is changed: so what two people do
 * at once is in it, whoever is last.  Only processes of the mail user write
 * and read it: the master waits for a child that fills the table at its start.
 */

#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "policy/blocklist.h"

#define FILE_KEPT "blocks"
#define FILE_NEW "blocks.new"
#define FILE_LOCK "blocks.lock"
/* Of a block: a network, a number, the reason, and what is between. */
#define LINE_SIZE (INET6_ADDRSTRLEN + 32 + BLOCK_WHY_MAX)
#define FILE_SIZE ((size_t)BLOCKS_MAX * LINE_SIZE)

/* ---- writing -------------------------------------------------------------------- */

static int
write_whole(int fd, struct str s)
{
	while (s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		s = str_skip(s, (size_t)n);
	}
	return fsync(fd);
}

/* Its name counts only when the directory is on the disk, too. */
static int
write_file(int dir, struct str text)
{
	int fd = openat(dir, FILE_NEW, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640);
	int r = -1;

	if (fd < 0)
		return -1;
	if (write_whole(fd, text) == 0 && renameat(dir, FILE_NEW, dir, FILE_KEPT) == 0)
		r = fsync(dir);
	int err = errno;
	close(fd);
	errno = err;
	return r;
}

/* With the lock held. */
static enum blocked
change(struct blocks *t, int dir, const struct block *b, bool remove)
{
	int64_t now = clock_ms();
	struct buf text;

	errno = remove ? ESRCH : E2BIG;
	if (!(remove ? blocks_remove(t, &b->net, now) : blocks_add(t, b, now)))
		return BLOCKED_NOT;
	buf_init(&text, FILE_SIZE);
	blocklist_put(t, &text);
	int r = write_file(dir, buf_str(&text)), err = errno;
	buf_free(&text);
	errno = err;
	return r < 0 ? BLOCKED_FOR_NOW : BLOCKED_KEPT;
}

enum blocked
blocked_change(const struct master *m, const struct block *b, bool remove)
{
	int dir = open(m->conf->spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC), lock = -1;
	enum blocked r = BLOCKED_NOT;

	if (dir < 0)
		return r;
	lock = openat(dir, FILE_LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (lock >= 0 && flock(lock, LOCK_EX) == 0)
		r = change(score_blocks(m->score), dir, b, remove);
	int err = errno;
	if (lock >= 0)
		close(lock);
	close(dir);
	errno = err;
	return r;
}

/* ---- reading ---------------------------------------------------------------------- */

/* How many lines are none; -1: errno. */
static int
read_file(const struct master *m, int fd)
{
	struct stat st;
	struct buf b;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return -1;
	if (!S_ISREG(st.st_mode) || st.st_size > (off_t)FILE_SIZE) {
		errno = EFBIG;
		return -1;
	}
	buf_init(&b, FILE_SIZE + 1);
	char *room = buf_room(&b, (size_t)st.st_size + 1);
	n = room ? pread(fd, room, (size_t)st.st_size, 0) : -1;
	int err = errno, bad = -1;
	if (n >= 0) {
		buf_grew(&b, (size_t)n);
		bad = (int)blocklist_get(score_blocks(m->score), buf_str(&b));
	}
	buf_free(&b);
	errno = err;
	return bad;
}

/* In a child of the mail user. */
static void
load(const struct master *m)
{
	int dir = open(m->conf->spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd, bad = -1;

	if (dir < 0)
		return;
	fd = openat(dir, FILE_KEPT, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return;
	if (fd >= 0)
		bad = read_file(m, fd);
	if (bad < 0)
		log_warn(NULL, "%s/" FILE_KEPT ": %s: who was blocked is not known",
		    m->conf->spool, strerror(errno));
	else if (bad > 0)
		log_warn(NULL, "%s/" FILE_KEPT ": %d lines are none that was written there",
		    m->conf->spool, bad);
}

void
blocked_load(const struct master *m)
{
	pid_t pid;

	log_before_fork();
	pid = fork();
	if (pid == 0) {
		log_component("master");
		proc_close_from(master_fd_base(), NULL, 0);
		proc_confine(&m->user, NULL);
		confine_calls(m->sandbox.calls);
		load(m);
		proc_child_exit(0);
	}
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	if (pid < 0)
		log_warn(NULL, "cannot fork to see who is blocked: %s", strerror(errno));
}
