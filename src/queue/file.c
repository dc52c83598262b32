/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * file -- a message of the spool, opened: its envelope and what changes.
 *
 * A file that is not as queue_commit() left it is reported and never
 * altered here.  Marks are single bytes overwritten in place, so that no
 * crash can leave half of one; they are durable at the next defer or sync,
 * and a mark that a crash takes back means one more attempt, not a loss.
 */

#include <errno.h>
#include <fcntl.h>

#include "lib/hash.h"
#include "lib/mem.h"
#include "lib/sys.h"
#include "queue/queue.h"

#include "envelope_line.h"
#include "trays.h"

/* Most envelopes are read by one call with this. */
#define HEAD_GUESS 4096

static const char no_plain_file[] = "it is not a plain file";
static const char cut_short[] = "it is cut short";

/* Reads exactly N octets at AT; false at the end of the file, or errno. */
static bool
read_exactly(int fd, char *p, size_t n, off_t at)
{
	while (n > 0) {
		ssize_t r = sys_pread(fd, p, n, at);

		if (r == 0)
			errno = EBADMSG;
		if (r <= 0)
			return false;
		p += r;
		at += r;
		n -= (size_t)r;
	}
	return true;
}

/*
 * When a message was read is nobody's business, and would be one more thing to
 * write; but only its owner may ask for that.
 */
static int
open_quietly(const struct spool_name *n, int flags)
{
	int fd = sys_openat(n->dir, n->path, flags | O_NOATIME, 0);

	if (fd < 0 && errno == EPERM)
		fd = sys_openat(n->dir, n->path, flags, 0);
	return fd;
}

static int
open_file(const struct spool_name *n, struct queue_file *f,
    const char **reason)
{
	/* drop/ holds files of others: nothing of theirs may block us. */
	int flags = O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC |
	    (f->place == QUEUE_DROP ? O_RDONLY : O_RDWR);
	struct stat st;

	f->fd = open_quietly(n, flags);
	if (f->fd < 0) {
		if (errno == ELOOP || errno == EISDIR || errno == ENXIO) {
			*reason = no_plain_file;
			errno = EBADMSG;
		}
		return -1;
	}
	/* Before anything of it is read. */
	if (n->shared && sys_lock(f->fd, F_RDLCK) < 0)
		return -1;
	if (sys_fstat(f->fd, &st) < 0)
		return -1;
	if (!S_ISREG(st.st_mode) ||
	    (f->place == QUEUE_DROP && st.st_nlink != 1)) {
		*reason = no_plain_file;
		errno = EBADMSG;
		return -1;
	}
	f->next = st.st_mtim.tv_sec;
	f->end = st.st_size;
	return 0;
}

/* Parses BLOCK and compares it with the file that holds it. */
static int
take_block(struct queue_file *f, const char *id, struct str block,
    struct arena *a, const char **reason)
{
	*reason = envelope_parse(block, a, &f->env, &f->size, &f->crc);
	if (*reason == NULL && id != NULL && strcmp(f->env.id, id) != 0)
		*reason = "its name is not its id";
	f->text_at = (off_t)block.n;
	if (*reason == NULL &&
	    (f->end < f->text_at || (uint64_t)(f->end - f->text_at) < f->size))
		*reason = cut_short;
	if (*reason == NULL)
		return 0;
	/* Whoever leaves something in drop/ completes it before. */
	errno = f->place != QUEUE_DROP && envelope_is_open(block) ? ENOENT : EBADMSG;
	return -1;
}

static int
read_block(struct queue_file *f, const char *id, struct arena *a,
    const char **reason)
{
	char guess[HEAD_GUESS], *p;
	ssize_t got = sys_pread(f->fd, guess, sizeof(guess), 0);
	size_t n;
	int r;

	if (got < 0)
		return -1;
	n = envelope_length(str_n(guess, (size_t)got));
	/* Whatever is wrong with it, the parser names it. */
	if (n == 0 || n <= (size_t)got)
		return take_block(f, id,
		    str_n(guess, n > 0 ? n : (size_t)got), a, reason);
	if ((off_t)n > f->end) {
		*reason = cut_short;
		errno = EBADMSG;
		return -1;
	}
	p = mem_alloc(n);
	r = -1;
	if (read_exactly(f->fd, p, n, 0))
		r = take_block(f, id, str_n(p, n), a, reason);
	else if (errno == EBADMSG)
		*reason = cut_short;
	mem_free(p);
	return r;
}

/* The checksum of the block as it is on disk: states count as 'Q'. */
static int
block_sum(const struct queue_file *f, uint32_t *sum)
{
	size_t n = (size_t)f->text_at;
	char *p = mem_alloc(n);
	bool ok = read_exactly(f->fd, p, n, 0);

	if (ok)
		*sum = envelope_sum(str_n(p, n));
	mem_free(p);
	return ok ? 0 : -1;
}

static int
verify_text(const struct queue_file *f, const char **reason)
{
	off_t at = f->text_at;
	uint64_t left = f->size;
	uint32_t crc = 0;
	char *p;

	if (block_sum(f, &crc) < 0)
		return -1;
	p = mem_alloc(SPOOL_CHUNK);
	while (left > 0) {
		size_t n = left < SPOOL_CHUNK ? (size_t)left : SPOOL_CHUNK;

		if (!read_exactly(f->fd, p, n, at))
			break;
		crc = crc32c(crc, p, n);
		at += (off_t)n;
		left -= n;
	}
	mem_free(p);
	if (left > 0)
		return -1;
	if (crc == f->crc)
		return 0;
	*reason = "the checksum of the text is wrong";
	errno = EBADMSG;
	return -1;
}

/* Finds out whether the last note was written whole. */
static int
inspect_end(struct queue_file *f, bool is_tray)
{
	char c = '\n';

	/* Who notes something takes it out of its tray first. */
	if (is_tray)
		f->end = f->text_at + (off_t)f->size;
	if (f->end == f->text_at + (off_t)f->size)
		return 0;
	if (!read_exactly(f->fd, &c, 1, f->end - 1))
		return -1;
	f->torn = c != '\n';
	return 0;
}

int
file_load(const struct spool_name *n, const char *id, bool verify,
    struct arena *a, struct queue_file *f, const char **reason)
{
	int e;

	*f = (struct queue_file){ .fd = -1, .place = f->place };
	*reason = NULL;
	if (open_file(n, f, reason) == 0 &&
	    read_block(f, id, a, reason) == 0 &&
	    inspect_end(f, n->is_tray) == 0 &&
	    (!verify || verify_text(f, reason) == 0))
		return 0;
	e = errno;
	if (e == EBADMSG && *reason == NULL)
		*reason = cut_short;
	queue_unload(f);
	errno = e;
	return -1;
}

/* Where it is said to be.  It is read as a whole: it may be being written. */
static int
load_from(struct queue *q, int tray, const char *id, struct arena *a,
    struct queue_file *f, const char **reason)
{
	struct spool_name n;

	tray_name(q, tray, &n);
	if (file_load(&n, id, true, a, f, reason) == 0) {
		f->of = q;
		f->tray = (unsigned)tray + 1;
		tray_seen(q, tray, f);
		return 0;
	}
	/* A hint that was wrong, or late: there is another message by now. */
	if (errno == EBADMSG || errno == ENOENT) {
		*reason = NULL;
		tray_forget(q, tray, id);
		errno = ENOENT;
	}
	return -1;
}

int
file_load_tray(struct queue *q, const char *id, bool search, struct arena *a,
    struct queue_file *f, const char **reason)
{
	int tray = tray_find(q, id, false);

	*f = (struct queue_file){ .fd = -1, .place = QUEUE_NEW };
	if (tray < 0 && search) {
		/* Nobody said that it is in a tray, or not to us. */
		tray_search(q, id);
		tray = tray_find(q, id, false);
	}
	errno = ENOENT;
	return tray < 0 ? -1 : load_from(q, tray, id, a, f, reason);
}

int
queue_load(struct queue *q, enum queue_place place, const char *id,
    bool verify, struct arena *a, struct queue_file *f, const char **reason)
{
	struct spool_name n;
	int r;

	*reason = NULL;
	if (place == QUEUE_NEW &&
	    ((r = file_load_tray(q, id, false, a, f, reason)) == 0 ||
		errno != ENOENT))
		return r;
	*f = (struct queue_file){ .fd = -1, .place = place };
	if (spool_name(q, place, id, &n) < 0)
		return -1;
	r = file_load(&n, id, verify, a, f, reason);
	if (r == 0 || errno != ENOENT || *reason != NULL || place != QUEUE_NEW)
		return r;
	return file_load_tray(q, id, true, a, f, reason);
}

int
queue_read(const struct queue_file *f, size_t most, struct buf *b)
{
	size_t n = f->size < most ? (size_t)f->size : most;
	char *p = buf_room(b, n);
	ssize_t got;

	for (size_t at = 0; p != NULL && at < n; at += (size_t)got) {
		got = sys_pread(f->fd, p + at, n - at, f->text_at + (off_t)at);
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		buf_grew(b, (size_t)got);
	}
	return 0;
}

void
queue_unload(struct queue_file *f)
{
	if (f->fd >= 0)
		sys_close(f->fd);
	f->fd = -1;
}

int
queue_mark(struct queue_file *f, size_t i, enum rcpt_state state)
{
	struct envelope_rcpt *r = &f->env.rcpts[i];
	char c = (char)state;

	if (r->state == state)
		return 0;
	if (sys_pwrite_all(f->fd, &c, 1, (off_t)r->state_at) < 0)
		return -1;
	r->state = state;
	f->changed = true;
	return 0;
}

/* Where the value of "delays: " stands; 0: nowhere. */
static off_t
delays_at(const struct queue_file *f)
{
	static const char key[] = "\n" DELAYS_KEY;
	size_t n = (size_t)f->text_at;
	char *p = mem_alloc(n), *at = NULL;
	off_t found = 0;

	if (read_exactly(f->fd, p, n, 0))
		at = memmem(p, n, key, sizeof(key) - 1);
	if (at != NULL)
		found = at - p + (off_t)sizeof(key) - 1;
	else
		errno = EBADMSG;
	mem_free(p);
	return found;
}

int
queue_note_delay(struct queue_file *f, unsigned n)
{
	char value[DELAYS_LEN];
	off_t at;

	if (n > ENVELOPE_DELAYS_MAX)
		n = ENVELOPE_DELAYS_MAX;
	if ((at = delays_at(f)) == 0)
		return -1;
	spool_dec(value, sizeof(value), n);
	if (sys_pwrite_all(f->fd, value, sizeof(value), at) < 0)
		return -1;
	f->env.delays = n;
	f->changed = true;
	return 0;
}

int
queue_sync(struct queue_file *f)
{
	if (!f->changed)
		return 0;
	if (sys_fdatasync(f->fd) < 0)
		return -1;
	f->changed = false;
	return 0;
}

int
queue_defer(struct queue *q, struct queue_file *f, int64_t next)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
		{ .tv_sec = next } };
	struct spool_name from;

	if (spool_name(q, f->place, f->env.id, &from) < 0 ||
	    tray_leave(f) < 0 || sys_futimens(f->fd, times) < 0)
		return -1;
	f->next = next;
	if (f->place != QUEUE_CUR) {
		if (spool_rename(q, &from, QUEUE_CUR, f->env.id) < 0)
			return -1;
		f->place = QUEUE_CUR;
	}
	/* One flush for marks, name and time. */
	if (f->changed && sys_fsync(f->fd) < 0)
		return -1;
	f->changed = false;
	return 0;
}
