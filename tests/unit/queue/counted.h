/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_COUNTED_H
#define TESTS_COUNTED_H

/* counted -- how many messages there are in a place of the spool. */

#include "queue/queue.h"
#include "unit.h"

static inline bool
counted_one(void *arg, const char *id, int64_t mtime UNUSED, uint64_t size UNUSED)
{
	ck_assert_ptr_nonnull(id);
	(*(int *)arg)++;
	return true;
}

/* -1 if the scan fails. */
static inline int
counted(struct queue *q, enum queue_place place)
{
	int n = 0;

	return queue_scan(q, place, counted_one, &n) == 0 ? n : -1;
}

#endif
