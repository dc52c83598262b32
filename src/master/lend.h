/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MASTER_LEND_H
#define MASTER_LEND_H

/*
 * lend -- which session has which tray of the spool (queue/tray.h).
 *
 * Of the acceptor alone, which opens all of them before it is confined: what is
 * known here no session has.
 */

#include "ipc/score.h"
#include "queue/tray.h"

struct lender;

/* NULL if there are no trays, or no memory for it. */
struct lender *lend_open(const struct queue *q) MUST_USE;
/* An empty tray that nobody has, and its descriptor; -1: none.  L may be NULL. */
int lend_find(struct lender *l, struct score *score, int *fd) MUST_USE;
/* PID, of SLOT, has it until its end. */
void lend_to(struct lender *l, int tray, const struct score_slot *slot, pid_t pid);

#endif
