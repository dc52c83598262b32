/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * family -- is there IPv6 here, is there IPv4?
 *
 * Nobody can be asked that: a host may have addresses and routes of a family
 * and still reach nothing.  So it is learned.  An address that does not
 * answer while another family's of the same host does counts against its
 * family; a few of these in a row, with no success between, and the family
 * is tried last for a while.  It is never left out.
 */

#include "hosts.h"

#define LOST_MAX 3
#define DEAD_MS 600000

static size_t
slot(int family)
{
	return family == AF_INET6;
}

void
family_lost(struct family_memory *m, int family, int64_t now)
{
	size_t i = slot(family);

	if (family != AF_INET && family != AF_INET6)
		return;
	if (++m->lost[i] < LOST_MAX)
		return;
	m->lost[i] = LOST_MAX;
	m->until[i] = now + DEAD_MS;
}

void
family_reached(struct family_memory *m, int family)
{
	if (family != AF_INET && family != AF_INET6)
		return;
	m->lost[slot(family)] = 0;
	m->until[slot(family)] = 0;
}

int
family_late(const struct family_memory *m, int64_t now)
{
	bool four = now < m->until[slot(AF_INET)];
	bool six = now < m->until[slot(AF_INET6)];

	if (four == six)
		return AF_UNSPEC;
	return four ? AF_INET : AF_INET6;
}
