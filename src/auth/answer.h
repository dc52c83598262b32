/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef AUTH_ANSWER_H
#define AUTH_ANSWER_H

/* answer -- what is answered to a question. */

#include "ipc/msg.h"

/*
 * Sends R to who asked by FD, with the descriptor PASS unless that is -1.
 * Who has gone wants no answer; what else fails is in the log.
 */
void auth_answer(int fd, const struct msg_auth_result *r, int pass);

#endif
