/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RUNNER_VACATION_H
#define RUNNER_VACATION_H

/* vacation -- what a mailbox answers by itself. */

#include "job.h"

/* Before the sandbox: where it stands who was answered. */
void vacation_open(struct runner *r, uid_t owner);
/*
 * V was delivered into its mailbox.  True: an answer to the sender is in the
 * spool as ID.  Blocks on the disk; whatever fails is said in the log, and the
 * sender goes without.
 */
bool vacation_answer(const struct delivery *v, char id[QUEUE_ID_SIZE]);

#endif
