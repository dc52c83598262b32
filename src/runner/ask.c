/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * ask -- questions to barid-http and barid-spawn.
 *
 * A question goes with one end of a socket pair of its own, on which the
 * answer comes.  A channel that is full, a helper that ends, and one that is
 * silent for too long are all the same to whoever asked.
 */

#include "ask.h"

#include <errno.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "ipc/frame.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "runner.h"

struct ask {
	struct runner *r;
	struct ask *next, **at;		/* all of the runner */
	int fd;				/* -1: it was not asked */
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
	mem_free(a);
	fn(arg, answer);
}

static void
on_timer(void *arg)
{
	end(arg, STR(""));
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

/* Sends it, with the way to answer.  False: errno. */
static bool
put(struct ask *a, int helper, struct str packet, struct str more, int pass)
{
	int pair[2];
	int rc = 0;

	if (helper < 0 || channel_pair(pair) < 0)
		return false;
	if (pass >= 0)
		rc = channel_send(pair[0], more, pass);
	if (rc == 0)
		rc = channel_send(helper, packet, pair[1]);
	/* The helper's copy is then the only one: its end shows. */
	close(pair[1]);
	if (rc < 0) {
		close(pair[0]);
		return false;
	}
	a->fd = pair[0];
	return true;
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
	a->fd = -1;
	a->fn = fn;
	a->arg = arg;
	a->next = r->asks;
	a->at = &r->asks;
	if (a->next != NULL)
		a->next->at = &a->next;
	r->asks = a;
	a->timer = loop_timer_new(r->loop, on_timer, a);
	if (!put(a, helper, packet, more, pass)) {
		loop_timer_set(a->timer, 0);
		return;
	}
	a->io = loop_io_new(r->loop, a->fd, on_io, a);
	loop_io_want(a->io, true, false);
	loop_timer_set(a->timer, ms);
}

void
ask_stop(struct runner *r)
{
	while (r->asks != NULL)
		end(r->asks, STR(""));
}
