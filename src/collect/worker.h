/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef COLLECT_WORKER_H
#define COLLECT_WORKER_H

/* worker -- what a forked process of barid-collect does. */

#include "collect.h"
#include "policy/recipient.h"

/*
 * Looks into the mailbox of CONF's section I, as which K, DIR, QUEUE, USERS, SCORE
 * and RUNNERS are set; and says what came of it, as msg_control_result, on FD.
 */
void worker(struct collector *k, struct conf *conf, size_t i, int fd);

#endif
