/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef IPC_SHARE_H
#define IPC_SHARE_H

/*
 * share -- what the runners have in common: how many connections each has,
 * in all and to whom, and how much was sent lately.
 *
 * One anonymous mapping that the master makes and the runners inherit; no
 * session has it.  There are no locks: a runner that dies leaves nothing
 * but its own counts, which share_forget() takes back.
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/str.h"

struct share;

#define SHARE_RUNNERS_MAX 64

struct share *share_new(void) MUST_USE;	/* NULL: errno */
/* A descriptor of the mapping, and its attachment elsewhere, which takes FD. */
int share_fd(const struct share *s);
struct share *share_attach(int fd) MUST_USE;
void share_free(struct share *s);	/* NULL is fine */
/* Runner I is gone: what it had is free. */
void share_forget(struct share *s, unsigned i);

/* Who asks: runner I of COUNT. */
struct share_user {
	struct share *share;
	unsigned i, count;
};

/* Where a count is kept: of a key, or of everything. */
struct share_place {
	uint32_t at;
};
#define SHARE_ALL ((struct share_place){ UINT32_MAX })
#define SHARE_NONE ((struct share_place){ UINT32_MAX - 1 })	/* nothing was taken */

/*
 * Takes one of MOST connections, to KEY if that is not empty, at NOW (ms).
 * False: there are so many, or another runner has less than its part and
 * waits.  PLACE is for share_give().
 */
bool share_take(struct share_user u, struct str key, uint64_t most,
    int64_t now, struct share_place *place);
void share_give(struct share_user u, struct share_place place);
/* True if another runner waits for one of those MOST, of which U has too many. */
bool share_wanted(struct share_user u, struct share_place place, uint64_t most,
    int64_t now);
/* How many U has, and all have. */
uint64_t share_mine(struct share_user u, struct share_place place);
uint64_t share_total(struct share_user u, struct share_place place);

/* N messages in each PER (ms). */
struct share_rate {
	uint64_t n;
	int64_t per;
};

/*
 * One more message, to KEY if that is not empty, at NOW (us).  0: it may go,
 * and is counted; else how long to wait, in us.
 */
int64_t share_pass(struct share_user u, struct str key, struct share_rate r,
    int64_t now);
/* How long it would have to wait; nothing is counted. */
int64_t share_wait(struct share_user u, struct str key, struct share_rate r,
    int64_t now);
/* It did not go after all. */
void share_undo(struct share_user u, struct str key, struct share_rate r);

/*
 * Pure.  FREE_AT is when the next message may go (us), as this returned it;
 * 0 at the beginning.  True: one may go at NOW, and FREE_AT is set anew.
 */
bool share_rate_pass(struct share_rate r, int64_t now, int64_t *free_at);
/* Pure: how far one message moves it. */
int64_t share_rate_step(struct share_rate r);

#endif
