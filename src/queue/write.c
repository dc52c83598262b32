/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * write -- a message on its way into the spool.
 *
 * queue_commit() is the only place that knows how a message becomes
 * durable (src/queue/README, "The order of the calls").  A message up to
 * SPOOL_CHUNK octets is written into the tray of its process, if that is
 * empty; else it costs five system calls: open, write, rename, fsync, close.
 * A longer one is streamed into tmp/, where its first line stays blank until
 * all of it is written.
 *
 * The buffer of one message is kept for the next, so that a session
 * allocates once.  Several threads may write messages at the same time.
 */

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "lib/hash.h"
#include "lib/mem.h"
#include "lib/sys.h"
#include "queue/prefix.h"
#include "queue/queue.h"
#include "queue/stage.h"

#include "envelope_line.h"
#include "trays.h"

/* A buffer that grew above this is not kept. */
#define KEEP_MAX (2 * SPOOL_CHUNK)

static struct queue_msg *
msg_new(struct queue *q)
{
	struct queue_msg *m = atomic_exchange(&q->spare, NULL);
	struct buf buf;

	if (m == NULL) {
		m = mem_alloc(sizeof(*m));
		buf_init(&m->buf, ENVELOPE_MAX + 2 * SPOOL_CHUNK);
	}
	buf = m->buf;
	*m = (struct queue_msg){ .q = q, .fd = -1, .buf = buf };
	return m;
}

/* Gives M back, for the next message if there is none yet; errno stays. */
static void
msg_free(struct queue_msg *m)
{
	int e = errno;

	buf_reset(&m->buf);
	if (m->buf.size > KEEP_MAX)
		buf_free(&m->buf);
	m = atomic_exchange(&m->q->spare, m);
	if (m != NULL)
		buf_free(&m->buf);
	mem_free(m);
	errno = e;
}

struct queue_msg *
queue_begin(struct queue *q, const struct envelope *e, bool to_drop)
{
	struct queue_msg *m = msg_new(q);

	m->to_drop = to_drop;
	m->secret = spool_secret();
	envelope_format(&m->buf, e);
	if (!buf_ok(&m->buf)) {
		msg_free(m);
		errno = EINVAL;
		return NULL;
	}
	memcpy(m->id, e->id, sizeof(m->id));
	m->head = m->buf.n;
	memcpy(m->first, m->buf.p, FIRST_LEN);
	m->crc = m->head_crc = envelope_sum(buf_str(&m->buf));
	return m;
}

void
queue_msg_again(struct queue_msg *m, const char *prefix)
{
	m->prefix = prefix;
}

/* The name that M has until it is whole. */
static void
tmp_name(const struct queue_msg *m, struct spool_name *n)
{
	struct str prefix = m->to_drop ? STR("tmp.") : str_c(m->prefix);
	char *to = n->path + prefix.n;

	n->dir = m->to_drop ? m->q->dirs[QUEUE_DROP] : m->q->tmp;
	if (prefix.n > 0)
		memcpy(n->path, prefix.p, prefix.n);
	memcpy(to, m->id, QUEUE_ID_SIZE);
	if (m->to_drop)
		return;
	spool_add_secret(to + QUEUE_ID_LEN, m->secret);
}

static int
create(struct queue_msg *m)
{
	int flags = O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC;
	/*
	 * In drop/ the reader is another user.  Nobody but that user and
	 * the drop group comes through the directory, so all may read.
	 */
	mode_t mode = m->to_drop ? 0644 : 0600;
	struct spool_name n;

	tmp_name(m, &n);
	m->fd = sys_openat(n.dir, n.path, flags, mode);
	if (m->fd < 0 && errno == EEXIST && m->prefix != NULL &&
	    sys_unlinkat(n.dir, n.path) == 0)
		/* It was left by whoever died over this very message. */
		m->fd = sys_openat(n.dir, n.path, flags, mode);
	if (m->fd < 0)
		return -1;
	/* The caller's umask is not ours to change. */
	return m->to_drop ? fchmod(m->fd, mode) : 0;
}

/* Writes what is buffered, and TEXT behind it. */
static int
put(struct queue_msg *m, struct str text)
{
	struct iovec iov[2] = {
		{ m->buf.p, m->buf.n },
		/* writev() does not promise in its type to leave it alone. */
		{ (void *)(uintptr_t)text.p, text.n },
	};

	if ((m->fd < 0 && create(m) < 0) || sys_writev_all(m->fd, iov, 2) < 0) {
		m->failed = true;
		m->error = errno;
		return -1;
	}
	buf_reset(&m->buf);
	return 0;
}

int
queue_write(struct queue_msg *m, struct str text)
{
	if (m->failed) {
		errno = m->error;
		return -1;
	}
	if (text.n == 0)
		return 0;
	m->crc = crc32c(m->crc, text.p, text.n);
	m->size += text.n;
	if (text.n >= SPOOL_CHUNK ||
	    m->buf.n + text.n > SPOOL_CHUNK + (m->fd < 0 ? m->head : 0))
		return put(m, text);
	buf_add(&m->buf, text);
	return 0;
}

int
queue_msg_copy(struct queue_msg *m, int fd, off_t at, uint64_t n)
{
	char *p = mem_alloc(SPOOL_CHUNK);
	int r = 0;

	while (n > 0 && r == 0) {
		size_t most = n < SPOOL_CHUNK ? (size_t)n : SPOOL_CHUNK;
		ssize_t got = sys_pread(fd, p, most, at);

		/* It was whole just now: if it is not, look again later. */
		if (got == 0)
			errno = EIO;
		r = got <= 0 ? -1 : queue_write(m, str_n(p, (size_t)got));
		if (got > 0) {
			at += got;
			n -= (uint64_t)got;
		}
	}
	mem_free(p);
	return r;
}

ssize_t
spool_read(int fd, off_t at, char *p, size_t n)
{
	size_t have = 0;
	ssize_t got;

	while (have < n && (got = sys_pread(fd, p + have, n - have,
	    at + (off_t)have)) != 0) {
		if (got < 0)
			return -1;
		have += (size_t)got;
	}
	return (ssize_t)have;
}

/* The text of M, which is in memory, in a file that has no name. */
static int
show_memory(const struct queue_msg *m)
{
	int fd = memfd_create("barid-text", MFD_CLOEXEC), e;

	if (fd >= 0 && sys_write_all(fd, m->buf.p + m->head, m->buf.n - m->head) < 0) {
		e = errno;
		sys_close(fd);
		errno = e;
		fd = -1;
	}
	return fd;
}

int
queue_show(struct queue_msg *m, off_t *at)
{
	struct spool_name n;

	if (m->failed) {
		errno = m->error;
		return -1;
	}
	*at = m->fd < 0 ? 0 : (off_t)m->head;
	if (m->fd < 0)
		return show_memory(m);
	if (m->buf.n > 0 && put(m, STR("")) < 0)
		return -1;
	tmp_name(m, &n);
	return sys_openat(n.dir, n.path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);
}

uint64_t
queue_size(const struct queue_msg *m)
{
	return m->size;
}

/* Writes the rest; the first line last, if it is on disk already. */
static int
finish(struct queue_msg *m)
{
	if (m->failed) {
		errno = m->error;
		return -1;
	}
	if (m->fd < 0) {
		envelope_seal(m->buf.p, m->size, m->crc);
		return put(m, STR(""));
	}
	if (m->buf.n > 0 && put(m, STR("")) < 0)
		return -1;
	envelope_seal(m->first, m->size, m->crc);
	return sys_pwrite_all(m->fd, m->first, FIRST_LEN, 0);
}

/*
 * Takes back M, which has its name for all to see and was promised to nobody.
 * Who has read it meanwhile may go on; who has not is told that it is no
 * message.  A session may make names in new/ and remove none (queue/confine.h),
 * so that this octet is all that it can do: who loads it next removes it.
 */
static void
withdraw(const struct queue_msg *m)
{
	int e = errno;

	/* If this fails, too, the message is sent though its client was told no. */
	(void)!sys_pwrite_all(m->fd, &FIRST_LINE[FIRST_CRC_AT], 1, FIRST_CRC_AT);
	errno = e;
}

/* Closes M and removes the name N that it has; errno stays. */
static void
discard(struct queue_msg *m, const struct spool_name *n)
{
	int e = errno;

	if (m->fd >= 0) {
		/* Nothing can be done if this fails: queue_clean() will. */
		(void)!sys_unlinkat(n->dir, n->path);
		sys_close(m->fd);
	}
	m->fd = -1;
	errno = e;
}

/*
 * The sync of M, which has the name N, failed.  In drop/ it could be seen
 * since the rename: if it is gone, it is durable in new/, else it is
 * withdrawn, and an import under way takes that for a no.  Errno stays.
 */
static bool
was_taken(const struct queue_msg *m, const struct spool_name *n)
{
	int e = errno;
	bool gone = m->to_drop && sys_unlinkat(n->dir, n->path) < 0 &&
	    errno == ENOENT;

	errno = e;
	return gone;
}

/* 1: M is durable in a tray; 0: it is to become a file; -1: errno. */
static int
put_in_tray(struct queue_msg *m)
{
	if (m->q->tray < 0 || m->failed || m->fd >= 0 || m->to_drop ||
	    m->prefix != NULL || !buf_ok(&m->buf))
		return 0;
	envelope_seal(m->buf.p, m->size, m->crc);
	return tray_put(m->q, &m->buf);
}

/* M has the name N and is durable, or R is -1 and nothing of it stays. */
static int
let_go(struct queue_msg *m, const struct spool_name *n, int r)
{
	if (r < 0)
		discard(m, n);
	else
		/* It is durable; an error here comes too late to matter. */
		sys_close(m->fd);
	msg_free(m);
	return r;
}

int
queue_commit(struct queue_msg *m)
{
	struct spool_name name;
	int r = put_in_tray(m);

	m->q->tray_last = r == 1 ? m->q->tray_no + 1 : 0;
	if (r != 0) {
		msg_free(m);
		return r < 0 ? -1 : 0;
	}
	tmp_name(m, &name);
	r = finish(m);
	if (r == 0)
		r = spool_rename(m->q, &name,
		    m->to_drop ? QUEUE_DROP : QUEUE_NEW, m->id);
	if (r == 0) {
		/* It has this name now, and must lose it if it cannot stay. */
		r = spool_name(m->q, m->to_drop ? QUEUE_DROP : QUEUE_NEW,
		    m->id, &name);
		/*
		 * Once.  After a failed fsync the kernel may have thrown
		 * the pages away and report success the next time.
		 */
		if (r == 0 && sys_fsync(m->fd) < 0 && !was_taken(m, &name)) {
			if (!m->to_drop)
				withdraw(m);
			r = -1;
		}
	}
	return let_go(m, &name, r);
}

int
queue_stage(struct queue_msg *m, int dir, const char *to)
{
	struct spool_name name;
	int r = finish(m);

	tmp_name(m, &name);
	if (r == 0 && (r = sys_rename_new(name.dir, name.path, dir, to)) == 0 &&
	    (r = sys_fsync(m->fd)) < 0) {
		int e = errno;

		/* As in queue_commit(): once. */
		(void)!sys_unlinkat(dir, to);
		errno = e;
	}
	return let_go(m, &name, r);
}

int
queue_unstage(struct queue *q, int dir, const char *name, const char *id)
{
	struct spool_name to;
	int fd;

	if (spool_name(q, QUEUE_NEW, id, &to) < 0)
		return -1;
	fd = sys_openat(dir, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (sys_rename_new(dir, name, to.dir, to.path) < 0) {
		int e = errno;

		sys_close(fd);
		errno = e;
		return -1;
	}
	/* It is accepted, but where this fails a power cut brings it back. */
	if (sys_fsync(fd) < 0) {
		int e = errno;

		sys_close(fd);
		errno = e;
		return -1;
	}
	sys_close(fd);
	return 0;
}

/* The notes of OLD, behind the text of M. */
static int
put_notes(struct queue_msg *m, const struct queue_file *old)
{
	off_t at = old->text_at + (off_t)old->size;
	char *p = mem_alloc(SPOOL_CHUNK);
	int r = 0;

	while (at < old->end && r == 0) {
		ssize_t got = sys_pread(old->fd, p, SPOOL_CHUNK, at);

		if (got == 0)
			break;
		r = got < 0 ? -1 : sys_write_all(m->fd, p, (size_t)got);
		at += got;
	}
	mem_free(p);
	return r;
}

int
queue_msg_whole(struct queue_msg *m, const struct queue_file *old)
{
	return finish(m) < 0 || put_notes(m, old) < 0 ? -1 : 0;
}

int
queue_msg_replace(struct queue_msg *m, enum queue_place place, int64_t next)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
		{ .tv_sec = next } };
	struct spool_name tmp, name;

	tmp_name(m, &tmp);
	if (spool_name(m->q, place, m->id, &name) < 0 ||
	    sys_renameat(tmp.dir, tmp.path, name.dir, name.path) < 0)
		return -1;
	m->placed = true;
	/* Not before: what is left in tmp/ is swept by its time. */
	return sys_futimens(m->fd, times);
}

int
queue_msg_sync(const struct queue_msg *m)
{
	return sys_fsync(m->fd);
}

void
queue_msg_end(struct queue_msg *m)
{
	if (!m->placed) {
		queue_abort(m);
		return;
	}
	sys_close(m->fd);
	msg_free(m);
}

void
queue_abort(struct queue_msg *m)
{
	struct spool_name name;

	if (m == NULL)
		return;
	tmp_name(m, &name);
	discard(m, &name);
	msg_free(m);
}

int
queue_put(struct queue *q, const struct envelope *e, bool to_drop, struct str text)
{
	struct queue_msg *m = queue_begin(q, e, to_drop);

	if (m == NULL)
		return -1;
	if (queue_write(m, text) == 0)
		return queue_commit(m);
	queue_abort(m);
	return -1;
}
