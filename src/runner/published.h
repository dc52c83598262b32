/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RUNNER_PUBLISHED_H
#define RUNNER_PUBLISHED_H

/* published -- keys that sign only while DNS has them. */

#include <stdbool.h>
#include <stddef.h>

struct delivery;
struct job;
struct runner;

void published_load(struct runner *r);
void published_free(struct runner *r);	/* after DNS */
/* True unless key number I is one that signs only if it is in DNS, and was not there lately. */
bool published_signs(const struct runner *r, size_t i);
/*
 * True if J waits for what DNS says of its keys; its deliveries, of which FIRST is the
 * first, go on by job_signed() then.
 */
bool published_wait(struct job *j, struct delivery *first);

#endif
