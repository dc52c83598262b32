/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RUNNER_EXITS_H
#define RUNNER_EXITS_H

/* exits -- what the end of a program means for the mail that it was given; pure. */

#include "ipc/msg.h"
#include "result.h"

/*
 * What M, of the program at PATH, means.  WORDS gets the text of the result,
 * which borrows from it.
 */
struct result exits_result(const struct msg_spawn_result *m, const char *path,
    struct buf *words);

#endif
