/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_ASKER_H
#define TESTS_ASKER_H

/* asker -- what the rest of barid-check would be for one of its questions. */

#include "checkd/checkd.h"

#include <sys/socket.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "unit.h"

void
question_begin(struct checkd *c)
{
	c->asked++;
}

void
question_end(struct checkd *c)
{
	c->asked--;
}

void
question_answer(int reply, struct str packet)
{
	ck_assert_int_eq(channel_send(reply, packet, -1), 0);
	close(reply);
}

/* Has the question in B, which it frees, taken: the way to the answer. */
static inline int
asker_ask(struct checkd *d, struct buf *b,
    void (*take)(struct checkd *d, struct str packet, int reply))
{
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds), 0);
	take(d, buf_str(b), fds[1]);
	buf_free(b);
	return fds[0];
}

/* True if there is an answer, which is then in B; FD is closed. */
static inline bool
asker_answered(int fd, struct buf *b)
{
	int pass;

	if (channel_recv(fd, b, &pass) != 1)
		return false;
	close(fd);
	return true;
}

#endif
