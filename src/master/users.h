/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MASTER_USERS_H
#define MASTER_USERS_H

/* users -- keeps the set of names in step with the files that they are in. */

#include <stdint.h>

#include "check.h"

struct names;

const char *users_file(const char *backend);	/* the path of a file:// backend, or NULL */
/* All names of the configuration of K.  NULL after a complaint: some cannot be known now. */
struct names *users_read(struct check *k) MUST_USE;
void users_in_force(struct master *m, const struct names *names);
void users_free(struct names *names);	/* NULL is fine */
uint64_t users_state(const struct conf *c);	/* changes when a file that they are in does */
/* Looks whether one has. */
void users_refresh(struct master *m);
int64_t users_next_ms(const struct master *m);	/* when to look again */

#endif
