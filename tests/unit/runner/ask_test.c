/* SPDX-License-Identifier: GPL-3.0-or-later */

/* ask_test -- a question waits for room in the channel, as long as its answer may take. */

#include "runner/ask.h"

#include <unistd.h>

#include "ipc/channel.h"
#include "ipc/frame.h"
#include "lib/buf.h"
#include "lib/loop.h"
#include "runner/runner.h"
#include "unit.h"

struct heard {
	unsigned n;
	bool empty;
};

static void
on_answer(void *arg, struct str answer)
{
	struct heard *h = arg;

	h->n++;
	h->empty = answer.n == 0;
}

/* Takes a packet, and answers what wants an answer.  False: there is none. */
static bool
serve(int fd)
{
	struct buf b;
	int reply, got;

	buf_init(&b, FRAME_MAX);
	got = channel_recv(fd, &b, &reply);
	if (got > 0 && reply >= 0) {
		ck_str(buf_str(&b), STR("question"));
		ck_assert_int_eq(channel_send(reply, STR("answer"), -1), 0);
		close(reply);
	}
	buf_free(&b);
	return got > 0;
}

static void
fill(int fd)
{
	while (channel_send(fd, STR("something else"), -1) == 0)
		;
}

START_TEST(full)
{
	struct runner r = { .loop = loop_new() };
	struct heard h = { 0 };
	int channel[2];

	ck_assert_int_eq(channel_pair(channel), 0);
	fill(channel[0]);
	ask_start(&r, channel[0], STR("question"), 600000, on_answer, &h);
	/* It is not sent, and nobody hears of that. */
	loop_once(r.loop, true);
	ck_assert_uint_eq(h.n, 0);
	while (serve(channel[1]))
		;
	while (h.n == 0) {
		loop_once(r.loop, true);
		(void)serve(channel[1]);
	}
	ck_assert(!h.empty);
	ck_assert_ptr_null(r.asks);

	/* In the end there is no answer. */
	fill(channel[0]);
	ask_start(&r, channel[0], STR("question"), 100, on_answer, &h);
	while (h.n == 1)
		loop_once(r.loop, true);
	ck_assert(h.empty);
	ask_start(&r, channel[0], STR("question"), 600000, on_answer, &h);
	ask_stop(&r);
	ck_assert_uint_eq(h.n, 3);
	close(channel[0]);
	close(channel[1]);
	loop_free(r.loop);
}
END_TEST

/* Where nobody is, or ever will be, that is said at once, but not from inside. */
START_TEST(nobody)
{
	struct runner r = { .loop = loop_new() };
	struct heard h = { 0 };
	int channel[2];

	ck_assert_int_eq(channel_pair(channel), 0);
	close(channel[1]);
	ask_start(&r, channel[0], STR("question"), 600000, on_answer, &h);
	ask_start(&r, -1, STR("question"), 600000, on_answer, &h);
	ck_assert_uint_eq(h.n, 0);
	while (h.n < 2)
		loop_once(r.loop, true);
	ck_assert(h.empty);
	close(channel[0]);
	loop_free(r.loop);
}
END_TEST

UNIT_MAIN("runner/ask", full, nobody)
