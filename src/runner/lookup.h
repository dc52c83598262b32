/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RUNNER_LOOKUP_H
#define RUNNER_LOOKUP_H

/* lookup -- what hosts.c and lookup.c know of the hosts of a destination. */

#include "hosts.h"
#include "lib/arena.h"

/* Of a hundred MX hosts, so many are looked at; and the servers of a fallback. */
#define HOSTS_MX_MAX 16
#define HOSTS_MAX (HOSTS_MX_MAX + CONF_SERVERS_MAX)

struct hosts {
	unsigned held;
	int64_t expires;
	bool unsure;		/* others of the domain may be there another time */
	struct arena arena;	/* what the hosts point to */
	size_t n;
	struct host v[];	/* HOSTS_MAX while it is resolved, then N */
};

#endif
