/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * scan_call -- has a message looked at.
 *
 * Question and text are sent at once, so that several servers may be asked at the
 * same time.  Whoever answers may have been taken over by a message: what it says is
 * looked at like any other packet.
 */

#include "ipc/scan_call.h"

#include <errno.h>
#include <unistd.h>

#include "ipc/channel.h"

/* Sends the question Q, and behind it the descriptor TEXT. */
static int
send_question(int channel, struct str q, int text, int64_t deadline)
{
	int fd = channel_ask(channel, q, deadline), err;
	struct buf b;

	if (fd < 0)
		return -1;
	buf_init(&b, 64);
	msg_scan_text_put(&b);
	if (channel_send(fd, buf_str(&b), text) < 0) {
		err = errno;
		close(fd);
		errno = err;
		fd = -1;
	}
	buf_free(&b);
	return fd;
}

int
scan_ask(int channel, const struct msg_scan *m, int text, int64_t deadline)
{
	struct buf b;
	int fd;

	buf_init(&b, FRAME_MAX);
	msg_scan_put(&b, m);
	fd = send_question(channel, buf_str(&b), text, deadline);
	buf_free(&b);
	return fd;
}

const char *
scan_await(int fd, int64_t deadline, struct buf *answer, struct msg_scan_result *r,
    int *edited, bool *gone)
{
	*gone = false;
	*edited = -1;
	if (fd < 0)
		return "barid-check cannot be asked";
	if (channel_await_for(fd, deadline, answer, edited) < 0) {
		*gone = errno == EPIPE;
		return *gone ? "barid-check gives no answer" : "it took too long";
	}
	if (!msg_scan_result_get(buf_str(answer), r) || (r->edited > 0) != (*edited >= 0))
		return "what barid-check says is no answer";
	return NULL;
}
