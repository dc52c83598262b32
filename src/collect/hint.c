/* SPDX-License-Identifier: GPL-3.0-or-later */

/* hint -- telling a runner of a new message; one that is lost costs a scan. */

#include "collect.h"

#include "ipc/channel.h"
#include "ipc/msg.h"
#include "ipc/score.h"
#include "queue/part.h"

void
hint(const int *runners, size_t n, struct score *score, const char *id)
{
	struct msg_hint m = { .id = str_c(id) };
	struct buf b;

	buf_init(&b, 256);
	msg_hint_put(&b, &m);
	if ((n == 0 ||
		channel_send(runners[runner_of(id, n)], buf_str(&b), -1) < 0) &&
	    score != NULL)
		score_add(score, COUNT_SCAN_WANTED, 1);
	buf_free(&b);
}
