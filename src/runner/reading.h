/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RUNNER_READING_H
#define RUNNER_READING_H

/* reading -- reports that come in for people here, read for the journal. */

#include "job.h"
#include "local_text.h"

/* The patterns of the configuration: once. */
void reading_open(struct runner *r);
void reading_close(struct runner *r);
/* None is being read. */
bool reading_idle(const struct runner *r);
/* True if J's text is to be read should recipient RCPT get it; in any thread. */
bool reading_is_wanted(const struct job *j, size_t rcpt);
/*
 * Recipient RCPT of J got it: if it is wanted, T, of local_text_lend(), is given to
 * barid-check, and what it says is written when it says it.  The message may be
 * gone by then; T may be closed at once.
 */
void reading_start(struct job *j, size_t rcpt, const struct local_text *t);

#endif
