/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef REPORT_CONTROL_H
#define REPORT_CONTROL_H

/*
 * control -- asking the running barid through its control socket, which is in
 * the directory RUN of the configuration.  Each call is a connection of its own.
 */

#include <stdio.h>

#include "ipc/scan_call.h"

/* How long an answer may take that nobody says otherwise of. */
#define CONTROL_ANSWER_MS 60000

/* True if a barid listens there. */
bool control_is_there(const char *run);
/*
 * Asks M and waits for WAIT_MS at most: R, whose text is in ANSWER.  -1: errno;
 * ENOENT and ECONNREFUSED: no barid runs; ETIMEDOUT; EPROTO: it is no barid; E2BIG:
 * M is too much to ask at once.
 */
int control_ask(const char *run, const struct msg_control *m, int wait_ms, struct buf *answer,
    struct msg_control_result *r) MUST_USE;
/*
 * The same for an answer of many packets, each of which may take CONTROL_ANSWER_MS:
 * their text goes to OUT, and R, the last, has none.
 */
int control_read(const char *run, const struct msg_control *m, FILE *out,
    struct msg_control_result *r) MUST_USE;
/*
 * Has barid-check look at a message, whose text is the plain file TEXT: R and *EDITED as
 * with scan_await().  Empty, or why there is no answer; that or R is in ANSWER.
 */
struct str control_scan(const char *run, const struct msg_scan *m, int text, int wait_ms,
    struct buf *answer, struct msg_scan_result *r, int *edited) MUST_USE;

#endif
