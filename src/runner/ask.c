/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * ask -- questions to barid-http and barid-spawn.
 *
 * A question goes with one end of a socket pair of its own, on which the
 * answer comes.  A channel that is full is tried again as long as the answer has
 * time; then it is the same to whoever asked as a helper that ends, and one that is
 * silent for too long.
 */

#include "ask.h"

#include <errno.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "ipc/frame.h"
#include "lib/clock.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "runner.h"

/* Nothing says when a channel has room for others' questions and for this one. */
#define FULL_MS 50

struct ask {
	struct runner *r;
	struct ask *next, **at;		/* all of the runner */
	int fd;				/* -1: it cannot be asked */
	int helper;
	int answer;			/* the helper's end, until it was sent; or -1 */
	char *packet;
	size_t n;
	int64_t until;			/* 0: it failed */
	struct loop_io *io;
	struct loop_timer *timer;
	void (*fn)(void *arg, struct str answer);
	void *arg;
};

static void
end(struct ask *a, struct str answer)
{
	void (*fn)(void *arg, struct str answer) = a->fn;
	void *arg = a->arg;

	*a->at = a->next;
	if (a->next != NULL)
		a->next->at = a->at;
	loop_io_free(a->io);
	loop_timer_free(a->timer);
	if (a->fd >= 0)
		close(a->fd);
	if (a->answer >= 0)
		close(a->answer);
	mem_free(a->packet);
	mem_free(a);
	fn(arg, answer);
}

static void
on_io(void *arg, bool readable, bool writable)
{
	struct ask *a = arg;
	struct buf b;
	int pass, n;

	(void)readable;
	(void)writable;
	buf_init(&b, FRAME_MAX);
	n = channel_recv(a->fd, &b, &pass);
	if (pass >= 0)
		close(pass);
	if (n != 0)
		end(a, n > 0 ? buf_str(&b) : STR(""));
	buf_free(&b);
}

static bool
is_full(int error)
{
	/* The latter: too many descriptors of this user are on their way. */
	return error == EAGAIN || error == ETOOMANYREFS;
}

/* Sends it, with the way to answer, now or later; or it will end. */
static void
put(struct ask *a)
{
	int64_t left = a->until - clock_ms();

	if (channel_send(a->helper, str_n(a->packet, a->n), a->answer) == 0) {
		/* The helper's copy is then the only one: its end shows. */
		close(a->answer);
		a->answer = -1;
		a->io = loop_io_new(a->r->loop, a->fd, on_io, a);
		loop_io_want(a->io, true, false);
	} else if (is_full(errno))
		left = left < FULL_MS ? left : FULL_MS;
	else
		left = a->until = 0;
	loop_timer_set(a->timer, left > 0 ? left : 0);
}

static void
on_timer(void *arg)
{
	struct ask *a = arg;

	if (a->answer >= 0 && clock_ms() < a->until)
		put(a);
	else
		end(a, STR(""));
}

/* Makes the way to answer, which brings MORE and PASS, if there is one. */
static bool
open_answer(struct ask *a, struct str more, int pass)
{
	int pair[2];

	if (channel_pair(pair) < 0)
		return false;
	a->fd = pair[0];
	a->answer = pair[1];
	return pass < 0 || channel_send(a->fd, more, pass) == 0;
}

void
ask_start(struct runner *r, int helper, struct str packet, int64_t ms,
    void (*fn)(void *arg, struct str answer), void *arg)
{
	ask_start_with(r, helper, packet, STR(""), -1, ms, fn, arg);
}

void
ask_start_with(struct runner *r, int helper, struct str packet, struct str more,
    int pass, int64_t ms, void (*fn)(void *arg, struct str answer), void *arg)
{
	struct ask *a = mem_alloc(sizeof(*a));

	a->r = r;
	a->fd = a->answer = -1;
	a->helper = helper;
	a->packet = mem_dup(packet);
	a->n = packet.n;
	a->fn = fn;
	a->arg = arg;
	a->next = r->asks;
	a->at = &r->asks;
	if (a->next != NULL)
		a->next->at = &a->next;
	r->asks = a;
	a->timer = loop_timer_new(r->loop, on_timer, a);
	if (open_answer(a, more, pass)) {
		a->until = clock_ms() + ms;
		put(a);
	} else
		loop_timer_set(a->timer, 0);
}

void
ask_stop(struct runner *r)
{
	while (r->asks != NULL)
		end(r->asks, STR(""));
}
