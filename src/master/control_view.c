/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * control_view -- how near clients are to what they may have, for `baridctl
 * top`: of each limit of limits.rate who has used most, and the addresses with
 * the most connections.  Nothing is changed or decided here.
 */

#include "control.h"

#include <stdlib.h>

#include "lib/mem.h"
#include "policy/rate.h"

/* As many as report/view.h reads. */
#define CROWDS_SHOWN 5
/* Sessions that come while we look. */
#define SPARE 64

static void
add_rates(const struct master *m, struct buf *b)
{
	const struct conf_limits *l = &m->conf->limits;

	for (size_t i = 0; i < l->rate_n; i++) {
		const struct conf_rate *r = &l->rates[i];

		buf_addf(b, "rate\t%s\t%llu\t%llu\t%lld\t%u\t", r->name,
		    (unsigned long long)r->messages, (unsigned long long)r->recipients,
		    (long long)r->per / 1000, rate_used(m->score, r));
		rate_leader(m->score, r, b);
		buf_addc(b, '\n');
	}
}

/* An address, a /64 of IPv6, and how many sessions it has. */
struct crowd {
	uint64_t address;
	size_t n;
};

static int
by_address(const void *va, const void *vb)
{
	const struct crowd *a = va, *b = vb;

	return (a->address > b->address) - (a->address < b->address);
}

static int
by_number(const void *va, const void *vb)
{
	const struct crowd *a = va, *b = vb;

	return (b->n > a->n) - (b->n < a->n);
}

/* The live sessions by address, one of each: how many addresses. */
static size_t
crowds(const struct master *m, struct crowd *v, size_t max)
{
	size_t n = 0, kept = 0;
	struct score_slot s;

	for (size_t i = 0; n < max && score_look(m->score, i, &s); i++) {
		if (atomic_load(&s.pid) == 0 || atomic_load(&s.address) == 0)
			continue;
		v[n++] = (struct crowd){ .address = atomic_load(&s.address), .n = 1 };
	}
	qsort(v, n, sizeof(*v), by_address);
	for (size_t i = 0; i < n; i++) {
		if (kept > 0 && v[kept - 1].address == v[i].address)
			v[kept - 1].n++;
		else
			v[kept++] = v[i];
	}
	qsort(v, kept, sizeof(*v), by_number);
	return kept;
}

/* The addresses with half or more of the connections that they may have. */
static void
add_crowds(const struct master *m, struct buf *b)
{
	uint64_t most = m->conf->limits.connections_per_address;
	size_t max = score_live(m->score) + SPARE, n;
	struct crowd *v = mem_array(max, sizeof(*v));

	n = crowds(m, v, max);
	for (size_t i = 0; i < n && i < CROWDS_SHOWN && 2 * v[i].n >= most; i++) {
		buf_addf(b, "from\t%zu\t%llu\t", v[i].n, (unsigned long long)most);
		addr_add_key(b, v[i].address);
		buf_addc(b, '\n');
	}
	mem_free(v);
}

void
control_view(const struct master *m, struct buf *b)
{
	add_rates(m, b);
	add_crowds(m, b);
}
