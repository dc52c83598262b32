/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RUNNER_NOTICE_H
#define RUNNER_NOTICE_H

/* notice -- tells the owner of a mailbox that it is nearly full. */

#include "mailbox/usage.h"
#include "queue/envelope.h"

struct runner;

/* A mailbox with RULE's limit had WAS in it, and has NOW. */
bool notice_is_due(const struct conf_account *rule, const struct usage *was,
    const struct usage *now);
/*
 * Writes the message to the owner of MAILBOX into the queue, and its id in ID.
 * Blocks.  -1: errno; it is logged, and nothing else depends on it.
 */
int notice_write(const struct runner *r, const struct conf_account *rule,
    const char *mailbox, const struct usage *now, char id[QUEUE_ID_SIZE]);

#endif
