/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RUNNER_ASK_H
#define RUNNER_ASK_H

/* ask -- questions to helpers, which the runner never waits for. */

#include "lib/str.h"

struct runner;

/*
 * Sends PACKET to HELPER, when the channel has room for it; FN gets the answer, or an
 * empty one if there is none within MS (a helper that is gone), and the question is
 * then over.  Never from inside.
 */
void ask_start(struct runner *r, int helper, struct str packet, int64_t ms,
    void (*fn)(void *arg, struct str answer), void *arg);
/* The same; the way to answer brings MORE, with a descriptor of what PASS is. */
void ask_start_with(struct runner *r, int helper, struct str packet,
    struct str more, int pass, int64_t ms,
    void (*fn)(void *arg, struct str answer), void *arg);
/* All that are open have no answer: at the runner's end. */
void ask_stop(struct runner *r);

#endif
