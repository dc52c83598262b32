/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RUNNER_CONN_SPLIT_H
#define RUNNER_CONN_SPLIT_H

/* conn_split -- the limits of a server, and of ours, on a session. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conn;
struct delivery;

/* What a session has had. */
struct conn_split {
	uint64_t *domains;	/* hashes of them */
	size_t domain_n;
	bool spent;		/* nothing more may go by it */
};

/* True if no more messages may go by this session. */
bool conn_is_spent(const struct conn *c);
/*
 * Keeps of V what may go now, and puts the rest back into the line.  False:
 * all of it, and the session is spent.
 */
bool conn_split(struct conn *c, struct delivery *v);
/* Puts back into the line those of V for whom there was no more room. */
void conn_split_many(struct delivery *v);
void conn_split_end(struct conn_split *s);

#endif
