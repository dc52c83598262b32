/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef IPC_ANSWERS_H
#define IPC_ANSWERS_H

/*
 * answers -- packets that answer a question, kept for a while: a fixed number
 * of them, of which another one takes the place of one.
 */

#include "lib/str.h"

struct answers;

struct answers *answers_new(void) MUST_USE;
void answers_free(struct answers *c);	/* NULL is fine */
/* A packet above 2048 octets is not kept. */
void answers_put(struct answers *c, struct str question, struct str packet, int64_t until_ms);
/* An empty view: there is none.  Good until the next call. */
struct str answers_get(struct answers *c, struct str question, int64_t now_ms);

#endif
