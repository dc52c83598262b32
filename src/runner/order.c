/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * order -- in which order hosts and their addresses are tried.
 *
 * RFC 5321 5.1: by preference, in random order among equals, at least two
 * addresses where there are two.  So many are tried for one attempt, and no
 * host takes all of them if there is another.
 */

#include "hosts.h"

void
hosts_order(const struct host *hosts, size_t n,
    uint32_t (*random)(uint32_t below), size_t *order)
{
	for (size_t i = 0; i < n; i++)
		order[i] = i;
	for (size_t i = 0; i < n; i++) {
		size_t best = i;
		uint32_t equal = 1;

		for (size_t k = i + 1; k < n; k++) {
			unsigned p = hosts[order[k]].preference;
			unsigned q = hosts[order[best]].preference;

			if (p == q && random(++equal) == 0)
				best = k;
			if (p < q) {
				best = k;
				equal = 1;
			}
		}
		size_t chosen = order[best];

		order[best] = order[i];
		order[i] = chosen;
	}
}

/* Of each host: two at least, as the first may be of a family that fails. */
static size_t
share(size_t n, size_t max)
{
	size_t most = n > 0 ? (max + n - 1) / n : max;

	return most > 2 ? most : 2;
}

size_t
hosts_hops(const struct host *hosts, const size_t *order, size_t n,
    size_t max, struct hop hops[HOP_MAX])
{
	size_t hop_n = 0, most = share(n, max);

	for (size_t i = 0; i < n && hop_n < max; i++) {
		const struct host *h = &hosts[order[i]];

		for (size_t k = 0; k < h->addr_n && k < most && hop_n < max;
		     k++) {
			struct hop *hop = &hops[hop_n++];

			*hop = (struct hop){ .addr = h->addr[k],
				.server = h->server };
			memcpy(hop->host, h->name, sizeof(hop->host));
		}
	}
	return hop_n;
}
