/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * once -- `barid -q`: what is in the queue is tried once, then it is over.
 *
 * What was there at the start is due at once, whenever it would be; what
 * comes of it, reports, is new and due as well.  What was put off is due
 * later, and later does not come.
 */

#include "runner.h"

/* What is due at once, and no clock says when. */
#define AT_ONCE 0

void
once_begin(struct runner *r)
{
	uint32_t at = 0, slot;

	while (index_next(r->index, &at, &slot))
		if (index_at(r->index, slot)->state == KNOWN_WAITING)
			index_wait(r->index, slot, AT_ONCE);
	r->once_begun = true;
}

int64_t
once_now(const struct runner *r)
{
	return r->once ? AT_ONCE : runner_now(r);
}

bool
once_over(const struct runner *r)
{
	uint32_t at = 0, slot;

	if (!r->once_begun || r->job_n > 0 || r->finishing > 0 ||
	    !scan_idle(r) || !drop_settled(r) ||
	    index_next_due(r->index) <= AT_ONCE)
		return false;
	while (index_next(r->index, &at, &slot))
		if (index_at(r->index, slot)->state != KNOWN_WAITING)
			return false;
	return true;
}
