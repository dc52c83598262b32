/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * box -- a file of many messages, as mail(1) and mutt read it (mboxo).
 *
 * Added is the whole message, durably, or nothing: what was written is cut off
 * again.  Whoever else writes it is kept out by both locks that are in use,
 * fcntl(2) and a file PATH.lock.  While these are waited for the delivery can be
 * called off, and it is asked for again then.  The file is opened as the account
 * whose it is to be, no link is followed, and it must have no other name
 * (CONFORMANCE S-52).  A delivery that a crash repeats is there twice: such a
 * file has no place for the name of a message.
 */

#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"

#define LOCK_LOOK_MS 100
/* A lock file that is older was left behind by a crash. */
#define LOCK_STALE_S 500

static const char *
complain(struct arena *a, const char *path, const char *what)
{
	return arena_printf(a, "4.2.0 cannot add to %s: %s", path, what);
}

/* ---- locks ------------------------------------------------------------------- */

/* Lets signals in for MS.  False: whoever asked is gone, or this process is to be. */
static bool
is_wanted(const struct box_wait *w, long ms)
{
	struct timespec t = { 0, ms * 1000000 };
	struct pollfd p = { .fd = w->reply };
	sigset_t none;

	sigemptyset(&none);
	(void)ppoll(&p, 1, &t, &none);
	return !*w->stop && (p.revents & (POLLHUP | POLLERR)) == 0;
}

/* -1: it is not worth another look. */
static int
pause_for(const struct box_wait *w)
{
	if (!is_wanted(w, LOCK_LOOK_MS))
		errno = ECANCELED;
	else if (clock_ms() >= w->until)
		errno = EBUSY;
	else
		return 0;
	return -1;
}

/* 1: LOCK is ours; 0: it cannot be made here, which others live with; -1. */
static int
lock_name(const char *lock, const struct box_wait *w)
{
	struct stat st;
	int fd;

	for (;;) {
		fd = open(lock, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd >= 0) {
			close(fd);
			return 1;
		}
		if (errno == EACCES || errno == EPERM || errno == EROFS)
			return 0;
		if (errno != EEXIST)
			return -1;
		if (lstat(lock, &st) == 0 &&
		    clock_wall() - st.st_mtime > LOCK_STALE_S)
			(void)unlink(lock);
		else if (pause_for(w) < 0)
			return -1;
	}
}

static int
lock_file(int fd, const struct box_wait *w)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	while (fcntl(fd, F_SETLK, &whole) < 0) {
		if (errno != EAGAIN && errno != EACCES && errno != EINTR)
			return -1;
		if (pause_for(w) < 0)
			return -1;
	}
	return 0;
}

/* ---- the file ---------------------------------------------------------------- */

static bool
is_null(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

static const char *
why_not(const struct stat *st)
{
	if (S_ISDIR(st->st_mode))
		return "it is a directory, expected a file; a Maildir has a "
		       "\"/\" at the end";
	if (!S_ISREG(st->st_mode))
		return "it is no plain file";
	if (st->st_nlink != 1)
		return "it has more than one name";
	if ((st->st_mode & 0111) != 0)
		return "it can be executed, expected a file of mail";
	return NULL;
}

/* RFC 4155: who sent it, and when it came. */
static void
add_from(struct buf *b, const struct told *t)
{
	time_t now = (time_t)clock_wall();
	char date[64] = "";
	struct tm tm;

	buf_adds(b, "From ");
	if (path_is_null(&t->sender))
		buf_adds(b, "MAILER-DAEMON");
	else
		path_add(b, &t->sender);
	if (gmtime_r(&now, &tm) != NULL)
		(void)strftime(date, sizeof(date), "%a %b %e %H:%M:%S %Y", &tm);
	buf_addf(b, "  %s\n", date);
}

static int
write_all(int fd, struct str s)
{
	while (s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno != EINTR)
			return -1;
		s = str_skip(s, n > 0 ? (size_t)n : 0);
	}
	return 0;
}

static int
write_message(int fd, const struct told *t, struct feed *f)
{
	struct buf head;
	int done = 0, r;

	buf_init(&head, 8192);
	add_from(&head, t);
	r = write_all(fd, buf_str(&head));
	buf_free(&head);
	f->quote = true;
	while (r == 0 && done == 0) {
		done = feed_write(f, fd);
		if (done < 0)
			r = -1;
	}
	if (r < 0)
		return -1;
	/* The last line ends, and an empty one ends the message. */
	return write_all(fd, f->in_line ? STR("\n\n") : STR("\n"));
}

static const char *
add_to(int fd, const char *path, const struct told *t, struct feed *f,
    struct arena *a)
{
	const char *why;
	struct stat st;
	int error;

	if (fstat(fd, &st) < 0)
		return complain(a, path, strerror(errno));
	if (is_null(&st))
		return NULL;
	if ((why = why_not(&st)) != NULL)
		return complain(a, path, why);
	if (lseek(fd, 0, SEEK_END) >= 0 && write_message(fd, t, f) == 0 &&
	    fsync(fd) == 0)
		return NULL;
	error = errno;
	if (ftruncate(fd, st.st_size) < 0)
		return complain(a, path, "it is damaged: what was added in "
		    "part could not be taken away again");
	return arena_printf(a, "%s cannot add to %s: %s",
	    error == EDQUOT || error == ENOSPC ? "4.2.2" : "4.2.0", path,
	    strerror(error));
}

/* Both locks of the file FD, if it is one that has them; -1.  NAMED: lock_name(). */
static int
lock_both(int fd, const char *lock, const struct box_wait *w, int *named)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -1;
	if (S_ISREG(st.st_mode) && ((*named = lock_name(lock, w)) < 0 ||
	    lock_file(fd, w) < 0))
		return -1;
	/* The last moment: what is added now is there twice, if it is asked for again. */
	if (is_wanted(w, 0))
		return 0;
	errno = ECANCELED;
	return -1;
}

static const char *
why_locked(int error)
{
	return error == EBUSY ? "another program keeps it locked" :
	    error == ECANCELED ? "it was called off" : strerror(error);
}

const char *
box_append(const char *path, const struct told *t, struct feed *f,
    const struct box_wait *w, struct arena *a)
{
	const char *lock = arena_printf(a, "%s.lock", path), *why;
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW |
	    O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
	int named = 0;

	if (fd < 0)
		return complain(a, path, errno == ELOOP ?
		    "it is a symbolic link" : strerror(errno));
	if (lock_both(fd, lock, w, &named) < 0)
		why = complain(a, path, why_locked(errno));
	else {
		/* It must not end amid the message since the locks took long. */
		end_after(w->then);
		why = add_to(fd, path, t, f, a);
	}
	if (named > 0)
		(void)unlink(lock);
	close(fd);
	return why;
}
