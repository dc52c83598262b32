/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * window -- how many connections a group of hosts may have at once.
 *
 * Nobody tells, so it is found by trial.  Of hosts that nothing is known of
 * one connection finds out whether they live: if they do not, that has cost
 * one time-out and not twenty.  Once a session got through there may be a
 * few, and each message that is delivered while all of them are busy allows
 * one more, up to what the configuration says.
 *
 * A connection that fails beside others that work is a sign that the hosts
 * have enough: the window is halved.  One that they refuse in words (421
 * and the like), or a second failure in a row, closes it but for one.  That
 * ends no connection that works: it only keeps further ones from being
 * opened.  From there it doubles up to half of what failed, and beyond that
 * grows by one when every connection has delivered a message, so that a
 * limit of the peer's is tried again from time to time and not with every
 * message.  What a host answers to a message says nothing about the host.
 */

#include "window.h"

#define START 4
#define FAILURES_MAX 5

void
window_init(struct window *w, size_t most)
{
	*w = (struct window){ .size = 1, .most = most > 0 ? most : 1,
		.calm = most > 0 ? most : 1 };
}

void
window_limit(struct window *w, size_t most)
{
	w->most = most > 0 ? most : 1;
	w->calm = w->calm < w->most ? w->calm : w->most;
	w->size = w->size < w->most ? w->size : w->most;
}

void
window_again(struct window *w)
{
	bool proven = w->proven;

	window_init(w, w->most);
	w->proven = proven;
}

void
window_ready(struct window *w)
{
	if (w->known)
		return;
	w->known = true;
	if (w->size < START)
		w->size = START < w->most ? START : w->most;
}

void
window_worked(struct window *w, size_t used)
{
	w->failures = 0;
	w->proven = true;
	/* Unless it is what keeps mail waiting, it has proven nothing. */
	if (used < w->size || w->size >= w->most)
		return;
	if (w->size >= w->calm && ++w->credit < w->size)
		return;
	w->credit = 0;
	w->size++;
}

bool
window_failed(struct window *w, bool refused)
{
	bool hard = refused || w->failures > 0;

	w->failures++;
	w->credit = 0;
	if (w->size > 1)
		w->calm = w->size / 2;
	w->size = hard || w->size < 2 ? 1 : w->size / 2;
	return w->failures >= FAILURES_MAX;
}
