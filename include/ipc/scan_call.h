/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef IPC_SCAN_CALL_H
#define IPC_SCAN_CALL_H

/*
 * scan_call -- has a message looked at, by a channel that leads to barid-check:
 * the packets of ipc/msg_scan.h in their order.
 */

#include "ipc/msg_scan.h"

/*
 * Asks by CHANNEL about the message in the plain file TEXT, until DEADLINE (clock_ms).
 * Where comes what scan_await() takes; -1: errno.
 */
int scan_ask(int channel, const struct msg_scan *m, int text, int64_t deadline) MUST_USE;
/*
 * Waits for the answer at FD, which is closed: R, whose texts are in ANSWER, and
 * *EDITED, the descriptor of a text that came back, or -1.  NULL, or why there is none;
 * *GONE: barid-check has ended meanwhile.
 */
const char *scan_await(int fd, int64_t deadline, struct buf *answer, struct msg_scan_result *r,
    int *edited, bool *gone) MUST_USE;

#endif
