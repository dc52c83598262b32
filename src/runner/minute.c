/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * minute -- what happened in the last minute.
 *
 * Counts of ten seconds each in a ring; what is older is forgotten when
 * something new is counted, and left out when it is added up.  So nobody has
 * to look after a ring that nothing happens in.
 */

#include "minute.h"

#include <string.h>

static uint32_t *
part_at(struct minute *m, int64_t part)
{
	return m->n[part % MINUTE_PARTS];
}

void
minute_add(struct minute *m, unsigned kind, int64_t seconds)
{
	int64_t part = seconds / MINUTE_PART_S;

	if (part < m->part || part >= m->part + MINUTE_PARTS) {
		memset(m->n, 0, sizeof(m->n));
		m->part = part;
	}
	while (m->part < part)
		memset(part_at(m, ++m->part), 0, sizeof(m->n[0]));
	part_at(m, part)[kind]++;
}

uint32_t
minute_sum(const struct minute *m, unsigned kind, int64_t seconds)
{
	int64_t part = seconds / MINUTE_PART_S, first = part - MINUTE_PARTS + 1;
	uint32_t sum = 0;

	if (first < 0)
		first = 0;
	/* Of the ring, what is neither too old nor of another round. */
	for (int64_t p = first; p <= part; p++)
		if (p <= m->part && p > m->part - MINUTE_PARTS)
			sum += m->n[p % MINUTE_PARTS][kind];
	return sum;
}
