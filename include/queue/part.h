/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef QUEUE_PART_H
#define QUEUE_PART_H

/* part -- which messages of the spool are whose. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "queue/envelope.h"

/*
 * The runner of a queue id: FNV-1a of the id, so that all processes agree,
 * sessions, runners and tools alike.
 */
static inline size_t
runner_of(const char *id, size_t runner_n)
{
	uint32_t hash = 2166136261U;

	for (size_t i = 0; i < QUEUE_ID_LEN && id[i] != '\0'; i++)
		hash = (hash ^ (unsigned char)id[i]) * 16777619U;
	return runner_n > 0 ? hash % runner_n : 0;
}

/*
 * Those of runner NUMBER of COUNT.  NAMES: a scan asks nothing of the messages,
 * which are many and not in memory; the time that it says is when the id was
 * made, and the octets are 0.
 */
struct queue_part {
	size_t number, count;
	bool names;
};

#endif
