/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * stream_fd, stream_mem -- the transports below a stream that are no TLS.
 *
 * A socket waits by its own time-out, so that a read costs one system call.
 * The time-out is changed only when it is clearly too long or far too short
 * for the deadline; one that is slightly long makes a wait end at most a
 * twentieth late, and one that is short is followed by a poll().
 */

#include "lib/stream.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/clock.h"

void
stream_fd_init(struct stream_fd *f, int rfd, int wfd)
{
	int type;
	socklen_t n = sizeof(type);

	*f = (struct stream_fd){ .rfd = rfd, .wfd = wfd,
		.rcv_timeout = -1, .snd_timeout = -1 };
	f->socket =
	    getsockopt(rfd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 &&
	    (wfd == rfd ||
	    getsockopt(wfd, SOL_SOCKET, SO_TYPE, &type, &n) == 0);
}

/* Milliseconds left: -1 for ever, 0 none. */
static int64_t
left(int64_t deadline)
{
	int64_t ms;

	if (deadline < 0)
		return -1;
	if (deadline == 0)
		return 0;
	ms = deadline - clock_ms();
	return ms > 0 ? ms : 0;
}

/*
 * Past a deadline nothing is read, even if it is there: a peer that always
 * has one more byte would never meet it.  0 asks only for what is there.
 */
static bool
is_past(int64_t deadline, int64_t ms)
{
	return ms == 0 && deadline != 0;
}

/* Waits until FD is ready; 1, 0 at the end of the time, or -1. */
static int
wait_for(int fd, short events, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };
	int r;

	/* poll() would wait for it in silence. */
	if (fd < 0) {
		errno = EBADF;
		return -1;
	}
	do {
		int64_t ms = left(deadline);

		r = poll(&p, 1, ms > INT_MAX ? INT_MAX : (int)ms);
	} while ((r < 0 && errno == EINTR) ||
	    (r == 0 && left(deadline) != 0));
	return r;
}

/* True if a time-out of SET does not do for a wait of MS. */
static bool
must_set(int64_t set, int64_t ms)
{
	int64_t slack = ms / 20;

	if (slack < 1000)
		slack = ms / 4 < 1000 ? ms / 4 : 1000;
	if (ms < 0)
		return set != 0;
	return set <= 0 || set > ms + slack || set < ms / 2;
}

static void
set_timeout(int fd, int option, int64_t *set, int64_t ms)
{
	struct timeval tv = { 0, 0 };

	if (!must_set(*set, ms))
		return;
	if (ms > 0) {
		tv.tv_sec = (time_t)(ms / 1000);
		tv.tv_usec = (suseconds_t)(ms % 1000 * 1000);
	}
	if (setsockopt(fd, SOL_SOCKET, option, &tv, sizeof(tv)) == 0)
		*set = ms > 0 ? ms : 0;
}

/* True if a call that failed with MS left is to be made again; else errno says why not. */
static bool
goes_on(int fd, short events, int64_t ms, int64_t deadline)
{
	int r;

	if (errno == EINTR)
		return true;
	if (errno != EAGAIN)
		return false;
	r = ms == 0 ? 0 : wait_for(fd, events, deadline);
	if (r == 0)
		errno = ETIMEDOUT;
	return r > 0;
}

/* Milliseconds that are left, 0 of a deadline that asks for no waiting; -1, ETIMEDOUT. */
static int
time_left(int64_t deadline, int64_t *ms)
{
	*ms = left(deadline);
	if (!is_past(deadline, *ms))
		return 0;
	errno = ETIMEDOUT;
	return -1;
}

static ssize_t
socket_read(struct stream_fd *f, void *buf, size_t n, int64_t deadline)
{
	int64_t ms;
	ssize_t r;

	do {
		if (time_left(deadline, &ms) < 0)
			return -1;
		if (ms != 0)
			set_timeout(f->rfd, SO_RCVTIMEO, &f->rcv_timeout, ms);
		r = recv(f->rfd, buf, n, ms == 0 ? MSG_DONTWAIT : 0);
	} while (r < 0 && goes_on(f->rfd, POLLIN, ms, deadline));
	return r;
}

static ssize_t
socket_write(struct stream_fd *f, const void *buf, size_t n, int64_t deadline)
{
	int64_t ms;
	ssize_t r;

	do {
		if (time_left(deadline, &ms) < 0)
			return -1;
		if (ms != 0)
			set_timeout(f->wfd, SO_SNDTIMEO, &f->snd_timeout, ms);
		r = send(f->wfd, buf, n, MSG_NOSIGNAL | (ms == 0 ? MSG_DONTWAIT : 0));
	} while (r < 0 && goes_on(f->wfd, POLLOUT, ms, deadline));
	return r;
}

/* 0 when FD is ready, -1 with ETIMEDOUT or what else went wrong. */
static int
ready(int fd, short events, int64_t deadline)
{
	int r = is_past(deadline, left(deadline)) ?
	    0 : wait_for(fd, events, deadline);

	if (r == 0)
		errno = ETIMEDOUT;
	return r > 0 ? 0 : -1;
}

static ssize_t
fd_read(void *ctx, void *buf, size_t n, int64_t deadline)
{
	struct stream_fd *f = ctx;
	ssize_t r;

	if (f->socket)
		return socket_read(f, buf, n, deadline);
	do {
		if (ready(f->rfd, POLLIN, deadline) < 0)
			return -1;
		r = read(f->rfd, buf, n);
	} while (r < 0 && (errno == EINTR || errno == EAGAIN));
	return r;
}

static ssize_t
fd_write(void *ctx, const void *buf, size_t n, int64_t deadline)
{
	struct stream_fd *f = ctx;
	ssize_t r;

	if (f->socket)
		return socket_write(f, buf, n, deadline);
	/* More than a pipe is sure to take could block past the deadline. */
	if (n > PIPE_BUF)
		n = PIPE_BUF;
	do {
		if (ready(f->wfd, POLLOUT, deadline) < 0)
			return -1;
		r = write(f->wfd, buf, n);
	} while (r < 0 && (errno == EINTR || errno == EAGAIN));
	return r;
}

const struct stream_ops stream_fd_ops = { fd_read, fd_write };

static ssize_t
mem_read(void *ctx, void *buf, size_t n, int64_t deadline)
{
	struct stream_mem *m = ctx;

	(void)deadline;
	if (m->chunk > 0 && n > m->chunk)
		n = m->chunk;
	if (n > m->in.n)
		n = m->in.n;
	if (n > 0)
		memcpy(buf, m->in.p, n);
	m->in = str_skip(m->in, n);
	return (ssize_t)n;
}

static ssize_t
mem_write(void *ctx, const void *buf, size_t n, int64_t deadline)
{
	struct stream_mem *m = ctx;

	(void)deadline;
	if (m->out == NULL)
		return (ssize_t)n;
	buf_add(m->out, str_n(buf, n));
	if (!buf_ok(m->out)) {
		errno = EFBIG;
		return -1;
	}
	return (ssize_t)n;
}

const struct stream_ops stream_mem_ops = { mem_read, mem_write };
