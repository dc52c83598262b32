/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ADMIN_DATA_H
#define ADMIN_DATA_H

/* data -- what pages ask of the running barid, by its control socket. */

#include "admin.h"
#include "ipc/msg.h"

/*
 * Asks M; the whole text of the answer, in V's arena.  False: nobody answered, or no,
 * and WHY (static, or in the arena) says so.
 */
bool data_ask(struct visit *v, const struct msg_control *m, struct str *text, uint64_t *count,
    const char **why) MUST_USE;
/* M is CONTROL_STATUS or another without more to say. */
bool data_ask_plain(struct visit *v, enum control_op op, struct str *text,
    const char **why) MUST_USE;

#endif
