/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * channel -- packets between processes, and calls with an answer.
 *
 * Many senders share one end, so nothing that one of them sends may spoil
 * the channel for the others: a packet that is too large, empty, or carries
 * more than one descriptor is dropped, and only the real end is the end.
 * No call here relies on O_NONBLOCK, which any holder of the shared end
 * could change; each says MSG_DONTWAIT itself.
 */

#include "ipc/channel.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ipc/frame.h"
#include "lib/clock.h"
#include "lib/log.h"

/* Room for one descriptor more than is allowed, to see that it is there. */
#define PASS_MAX 2
#define COMPLAIN_EVERY_MS 1000
#define CROWDED_MS 5

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(PASS_MAX * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
};

int
channel_pair(int fds[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds);
}

int
channel_send(int fd, struct str packet, int pass)
{
	struct iovec iov = { .iov_len = packet.n };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	union control c = { .bytes = { 0 } };
	ssize_t n;

	if (packet.n == 0 || packet.n > FRAME_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	memcpy(&iov.iov_base, &packet.p, sizeof(packet.p));
	if (pass >= 0) {
		m.msg_control = c.bytes;
		m.msg_controllen = CMSG_SPACE(sizeof(int));

		struct cmsghdr *h = CMSG_FIRSTHDR(&m);

		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(h), &pass, sizeof(int));
	}
	do
		n = sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -1 : 0;
}

/*
 * The descriptors that came along: the first into *PASS, the rest closed.
 * Returns how many there were.
 */
static size_t
take_passed(struct msghdr *m, int *pass)
{
	size_t n = 0;

	for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h; h = CMSG_NXTHDR(m, h)) {
		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;

		size_t fds = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		for (size_t i = 0; i < fds; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(h) + i * sizeof(int), sizeof(int));
			if (n++ == 0)
				*pass = fd;
			else
				close(fd);
		}
	}
	return n;
}

/*
 * recvmsg() says 0 at the end and for an empty packet alike; only at the
 * end has the other side hung up.
 */
static bool
at_end(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) < 0 || (p.revents & (POLLHUP | POLLERR)) != 0;
}

static pid_t
sender_of(struct msghdr *m)
{
	struct ucred who;

	for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h; h = CMSG_NXTHDR(m, h))
		if (h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_CREDENTIALS) {
			memcpy(&who, CMSG_DATA(h), sizeof(who));
			return who.pid;
		}
	return 0;
}

/* Receives a packet of at most ROOM octets, WHO sent it. */
static int
recv_packet(int fd, struct buf *b, size_t room, int *pass, pid_t *who)
{
	struct iovec iov = { 0 };
	union control c;
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = c.bytes,
		.msg_controllen = sizeof(c.bytes) };
	ssize_t n;

	*pass = -1;
	buf_reset(b);
	iov.iov_len = b->max < room ? b->max : room;
	iov.iov_base = buf_room(b, iov.iov_len);
	if (!iov.iov_base) {
		errno = EMSGSIZE;
		return -1;
	}
	do
		n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;

	size_t passed = take_passed(&m, pass);

	*who = sender_of(&m);
	if (n > 0 && passed <= 1 && !(m.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
		buf_grew(b, (size_t)n);
		return 1;
	}
	if (*pass >= 0)
		close(*pass);
	*pass = -1;
	if (n == 0 && passed == 0 && at_end(fd)) {
		errno = EPIPE;
		return -1;
	}
	return 0;
}

int
channel_recv(int fd, struct buf *b, int *pass)
{
	pid_t who;

	return recv_packet(fd, b, FRAME_MAX, pass, &who);
}

int
channel_name_senders(int fd)
{
	const int on = 1;

	return setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
}

int
channel_recv_from(int fd, struct buf *b, int *pass, pid_t *who)
{
	*who = 0;
	return recv_packet(fd, b, FRAME_MAX, pass, who);
}

static bool
is_past(int64_t deadline)
{
	return deadline >= 0 && clock_ms() >= deadline;
}

/* Waits for EVENTS on FD.  0: there is something; -1: errno, ETIMEDOUT. */
static int
wait_for(int fd, short events, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };

	for (;;) {
		int64_t left = deadline < 0 ? INT_MAX : deadline - clock_ms();
		int n;

		if (left < 0)
			left = 0;
		n = poll(&p, 1, left > INT_MAX ? INT_MAX : (int)left);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -1;
		if (n == 0 && is_past(deadline)) {
			errno = ETIMEDOUT;
			return -1;
		}
	}
}

/*
 * ETOOMANYREFS: of all channels of this user together so many descriptors are on
 * their way that the kernel takes no other, and nothing says when it will.
 */
static int
wait_for_room(int fd, int64_t deadline)
{
	if (errno == EAGAIN)
		return wait_for(fd, POLLOUT, deadline);
	if (errno != ETOOMANYREFS)
		return -1;
	if (is_past(deadline)) {
		errno = ETIMEDOUT;
		return -1;
	}
	(void)poll(NULL, 0, CROWDED_MS);
	return 0;
}

static int
send_by(int fd, struct str packet, int pass, int64_t deadline)
{
	while (channel_send(fd, packet, pass) < 0)
		if (wait_for_room(fd, deadline) < 0)
			return -1;
	return 0;
}

static int
await_answer(int fd, int64_t deadline, struct buf *answer, int *pass)
{
	for (;;) {
		int got;
		char c;
		pid_t who;
		ssize_t size;

		if (wait_for(fd, POLLIN, deadline) < 0)
			return -1;
		/*
		 * Nobody else reads here, so the packet can be measured
		 * first: a session has no 64 KiB to spare for a short answer.
		 */
		size = recv(fd, &c, 1, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
		if (size < 1)
			size = 1;
		if (size > FRAME_MAX)
			size = FRAME_MAX;
		got = recv_packet(fd, answer, (size_t)size, pass, &who);
		if (got != 0)
			return got < 0 ? -1 : 0;
		/* Packets that are dropped do not prolong the wait. */
		if (is_past(deadline)) {
			errno = ETIMEDOUT;
			return -1;
		}
	}
}

int
channel_ask(int fd, struct str packet, int64_t deadline)
{
	int pair[2], rc, err;

	if (channel_pair(pair) < 0)
		return -1;
	rc = send_by(fd, packet, pair[1], deadline);
	err = errno;
	/* The server's copy is now the only one: its end shows as the end. */
	close(pair[1]);
	if (rc == 0)
		return pair[0];
	close(pair[0]);
	errno = err == ECONNRESET ? EPIPE : err;
	return -1;
}

int
channel_await_for(int fd, int64_t deadline, struct buf *answer, int *pass)
{
	int rc = await_answer(fd, deadline, answer, pass), err = errno;

	close(fd);
	errno = err == ECONNRESET ? EPIPE : err;
	return rc;
}

int
channel_await(int fd, int64_t deadline, struct buf *answer)
{
	int pass = -1, rc = channel_await_for(fd, deadline, answer, &pass);

	if (pass >= 0)
		close(pass);
	return rc;
}

int
channel_call_for(int fd, struct str packet, int64_t deadline, struct buf *answer,
    int *pass)
{
	int asked = channel_ask(fd, packet, deadline);

	*pass = -1;
	return asked < 0 ? -1 : channel_await_for(asked, deadline, answer, pass);
}

int
channel_call(int fd, struct str packet, int64_t deadline, struct buf *answer)
{
	int asked = channel_ask(fd, packet, deadline);

	return asked < 0 ? -1 : channel_await(asked, deadline, answer);
}

void
channel_complain(const char *what)
{
	static int64_t said_ms;
	int64_t now = clock_ms();

	if (said_ms != 0 && now - said_ms < COMPLAIN_EVERY_MS)
		return;
	said_ms = now;
	log_error(NULL, "%s is broken", what);
}
