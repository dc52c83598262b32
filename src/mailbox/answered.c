/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * answered -- whom a mailbox has answered by itself of late.
 *
 * A file of entries of one size, each a sum of an address and a time, in no
 * order; one that is over is overwritten by the next.  It is never larger than
 * what one interval may have, so that a flood of forged senders costs neither
 * the disk nor those who are named.  Who holds the lock of the file is alone
 * with it; what it holds is believed to be nothing but numbers.
 */

#include "mailbox/answered.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/hash.h"
#include "lib/mem.h"
#include "lib/subdir.h"
#include "lib/sys.h"

struct entry {
	uint64_t sum;
	int64_t time;
};

int
answered_dir(const char *spool, uid_t owner)
{
	return subdir_open(spool, ANSWERED_DIR, true, owner);
}

/* Without case; it has to be the same in every process. */
static uint64_t
sum_of(struct str sender)
{
	return fnv1a_lower(FNV1A_START, sender);
}

/* Reads what FD has, at most ANSWERED_MAX entries; their number, or -1. */
static ssize_t
read_all(int fd, struct entry *v)
{
	size_t size = ANSWERED_MAX * sizeof(*v), got = 0;

	while (got < size) {
		ssize_t n = sys_pread(fd, (char *)v + got, size - got, (off_t)got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)(got / sizeof(*v));
}

static bool
write_at(int fd, size_t i, const struct entry *e)
{
	ssize_t n;

	do
		n = pwrite(fd, e, sizeof(*e), (off_t)(i * sizeof(*e)));
	while (n < 0 && errno == EINTR);
	if (n >= 0 && n < (ssize_t)sizeof(*e))
		errno = ENOSPC;
	return n == (ssize_t)sizeof(*e) && sys_fsync(fd) == 0;
}

static bool
take(int fd, struct entry *v, const struct entry *now, int64_t interval)
{
	ssize_t n = read_all(fd, v);
	size_t at = n > 0 ? (size_t)n : 0;

	if (n < 0)
		return false;
	errno = 0;
	for (size_t i = 0; i < (size_t)n; i++) {
		/* A time to come is that of a clock that was wrong. */
		bool over = v[i].time > now->time ||
		    now->time - v[i].time >= interval;

		if (!over && v[i].sum == now->sum)
			return false;
		if (over && at == (size_t)n)
			at = i;
	}
	return at < ANSWERED_MAX && write_at(fd, at, now);
}

bool
answered_take(int dir, const char *mailbox, struct str sender, int64_t now,
    int64_t interval)
{
	struct entry e = { sum_of(sender), now }, *v;
	int fd = openat(dir, mailbox,
	    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	struct stat st;
	bool taken = false;
	int error;

	if (fd < 0)
		return false;
	v = mem_array(ANSWERED_MAX, sizeof(*v));
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && flock(fd, LOCK_EX) == 0)
		taken = take(fd, v, &e, interval);
	else if (S_ISREG(st.st_mode) == 0)
		errno = EINVAL;
	error = errno;
	mem_free(v);
	close(fd);
	errno = error;
	return taken;
}
