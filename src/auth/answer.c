/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * answer -- what is answered to a question, by a worker to the broker and by
 * the broker to a session.  It may have secrets, and is wiped once it is sent.
 */

#include "answer.h"

#include <errno.h>

#include "ipc/channel.h"
#include "lib/log.h"

void
auth_answer(int fd, const struct msg_auth_result *r, int pass)
{
	struct buf b;

	buf_init(&b, FRAME_MAX);
	msg_auth_result_put(&b, r);
	if (channel_send(fd, buf_str(&b), pass) < 0 && errno != EPIPE)
		log_warn(NULL, "cannot answer: %s", strerror(errno));
	buf_wipe(&b);
	buf_free(&b);
}
