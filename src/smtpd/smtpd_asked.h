/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SMTPD_SMTPD_ASKED_H
#define SMTPD_SMTPD_ASKED_H

/* smtpd_asked -- a question that barid-check has, until its answer is read. */

#include "lib/buf.h"

/* All zero: nothing is waited for. */
struct asked {
	int fd;			/* the answer comes there, and 1; 0: nowhere */
	int64_t until;		/* clock_ms(): later than that nobody waits for it */
};

/*
 * Asks by CHANNEL, what was asked before is forgotten; an answer is waited for
 * WAIT_MS from now on, and a little more.  -1: errno.
 */
int asked_send(struct asked *a, int channel, struct str packet, int64_t wait_ms) MUST_USE;
/* Waits for the answer, if none is there.  -1: errno; ENOTCONN: nothing was asked. */
int asked_await(struct asked *a, struct buf *answer) MUST_USE;
void asked_forget(struct asked *a);

#endif
