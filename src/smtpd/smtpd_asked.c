/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_asked -- a question that barid-check has, until its answer is read.
 *
 * A session asks when it knows enough, and reads the answer where it matters.
 * barid-check counts its time from the question on, and so does this: of many
 * questions that it leaves open none is waited for longer than the longest,
 * while a client that takes its time finds all the answers there.
 */

#include "smtpd_asked.h"

#include <errno.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "lib/clock.h"

/* What barid-check has beside its time; and for a channel that is full. */
#define GRACE_MS 1000
#define SEND_MS 100

int
asked_send(struct asked *a, int channel, struct str packet, int64_t wait_ms)
{
	int64_t now = clock_ms();

	asked_forget(a);
	if (channel < 0) {
		errno = ENOTCONN;
		return -1;
	}
	a->fd = channel_ask(channel, packet, now + SEND_MS) + 1;
	a->until = now + wait_ms + GRACE_MS;
	return a->fd == 0 ? -1 : 0;
}

int
asked_await(struct asked *a, struct buf *answer)
{
	int fd = a->fd - 1;

	a->fd = 0;
	if (fd >= 0)
		return channel_await(fd, a->until, answer);
	errno = ENOTCONN;
	return -1;
}

void
asked_forget(struct asked *a)
{
	if (a->fd > 0)
		close(a->fd - 1);
	*a = (struct asked){ .fd = 0 };
}
