/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RUNNER_LISTS_H
#define RUNNER_LISTS_H

/* lists -- the files of aliases, as this runner knows them. */

#include "policy/expand.h"

struct lists;
struct runner;

/* Reads them; blocks on the disk. */
void lists_open(struct runner *r);
void lists_close(struct runner *r);
/* Reads what changed, in the pool. */
void lists_tick(struct runner *r);
/* For expand(); what it finds is good until the loop turns. */
struct expand_lists lists_of(struct runner *r);

#endif
