/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * look -- addresses, for a process that can wait for them.
 */

#include "fetch/fetch.h"
#include "lib/loop.h"
#include "policy/override.h"

struct look {
	bool done;
	enum dns_status status;
	struct addr *v;
	size_t n;
};

static void
on_addr(void *arg, const struct dns_addr_answer *a)
{
	struct look *l = arg;

	l->done = true;
	l->status = a->status;
	for (size_t i = 0; i < a->addr_n && l->n < FETCH_ADDR_MAX; i++)
		l->v[l->n++] = a->addr[i];
}

size_t
fetch_look_up(const struct conf *c, const char *host, struct addr *v, bool *later)
{
	struct look l = { .status = DNS_TEMPORARY, .v = v };
	struct loop *loop = loop_new();
	struct dns *dns = resolver_new(c, loop);

	if (dns != NULL) {
		dns_addr(dns, host, on_addr, &l);
		while (!l.done)
			loop_once(loop, true);
		dns_free(dns);
	}
	loop_free(loop);
	*later = l.status == DNS_TEMPORARY;
	return l.n;
}
