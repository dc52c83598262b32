/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_OPENED_H
#define TESTS_OPENED_H

/* opened -- a spool, which a test needs and is not about, opened or made. */

#include <unistd.h>

#include "lib/log.h"
#include "queue/queue.h"

static inline struct queue *
opened_spool(const char *dir, unsigned flags)
{
	struct buf error;
	struct queue *q;

	buf_init(&error, 4096);
	q = queue_open(dir, flags, geteuid(), getegid(), &error);
	if (q == NULL)
		panic("%s", buf_cstr(&error));
	buf_free(&error);
	return q;
}

#endif
