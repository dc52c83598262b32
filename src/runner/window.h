/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RUNNER_WINDOW_H
#define RUNNER_WINDOW_H

/* window -- how many connections a group of hosts may have; pure. */

#include <stdbool.h>
#include <stddef.h>

struct window {
	size_t size;		/* no further one is opened at so many */
	size_t most;		/* what the configuration allows */
	size_t calm;		/* from here on it grows slowly */
	size_t credit;		/* messages delivered since it grew */
	unsigned failures;	/* connections that came to nothing, in a row */
	bool known;		/* a session got through */
	bool proven;		/* a message did; outlives window_again() */
};

/* Nothing is known of the hosts, or nothing any more. */
void window_init(struct window *w, size_t most);
/* The configuration allows another number. */
void window_limit(struct window *w, size_t most);
/* They were dead: all that was learnt but that it worked once is forgotten. */
void window_again(struct window *w);
/* A session got through. */
void window_ready(struct window *w);
/* A message was delivered, over one of USED connections. */
void window_worked(struct window *w, size_t used);
/*
 * A connection came to nothing; REFUSED: since they want no more of them.
 * True: so often that nothing is to be hoped for.
 */
bool window_failed(struct window *w, bool refused);

#endif
