/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef REPORT_FEEDBACK_READ_H
#define REPORT_FEEDBACK_READ_H

/*
 * feedback_read -- reports of others are read: what became of mail (RFC 3464,
 * 8098), complaints about it and failures of it (RFC 5965, 6591), what was made
 * of it by DMARC (RFC 7489, 9990) and of TLS (RFC 8460).
 *
 * All of it is foreign and may be hostile.  Nothing here is refused or fatal: F gets
 * what is found, and says why that is not all.  Everything has a bound but the time,
 * which grows with what comes out of a packed part, FEEDBACK_OUT_MAX octets at most;
 * who has something else to do has it done by a process that may end of it.
 */

#include "ipc/feedback.h"

/* Octets that a part is unpacked to. */
#define FEEDBACK_OUT_MAX ((size_t)128 << 20)
/* Memory that is enough for it, beside the text itself and what is decoded of it. */
#define FEEDBACK_MEMORY ((size_t)192 << 20)

/* For who will be confined: what libraries open once is open then. */
void feedback_read_prepare(void);
/*
 * Reads TEXT: a message, or a report as it stands in a file, XML or JSON, packed
 * or not.  HOSTNAME is how we are called in Received, or empty.  F is initialised.
 */
void feedback_read(struct feedback *f, struct str text, struct str hostname);

#endif
