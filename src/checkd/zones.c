/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * zones -- which lists there are, and whether they can be believed.
 *
 * A list that has closed down often answers everything from then on, which
 * would refuse the world.  So each is asked at the start and every hour for what
 * RFC 5782 5 has for lists of addresses, and of domains: one that no list has, and
 * one that each has.  A list that has the first is not asked, for anything, until it
 * has it no more.  One without the second does no harm: that is in the log.
 */

#include "checkd.h"

#include "check/dnsbl_terms.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"

#define TEST_EVERY_MS (3600 * 1000)
/* While one of them fails. */
#define TEST_AGAIN_MS (300 * 1000)
#define SAY_EVERY_MS (3600 * 1000)

/* A test of a zone under way. */
struct test {
	struct checkd *d;
	struct zone *zone;
	const struct dnsbl_probe *probe;
	unsigned bit;		/* of the probe */
};

void
zone_complain(struct zone *z, uint32_t answer)
{
	int64_t now = clock_ms();

	if (z->said_ms != 0 && now - z->said_ms < SAY_EVERY_MS)
		return;
	z->said_ms = now;
	log_warn(NULL, "dnsbl %s answers %u.%u.%u.%u, which is no entry%s: it counts nothing",
	    z->name, answer >> 24, answer >> 16 & 255, answer >> 8 & 255, answer & 255,
	    answer >> 24 == 127 ? " but says that our resolver may not ask" : "");
}

static bool
lists_it(const struct dns_addr_answer *a)
{
	return a->status == DNS_OK && a->addr_n > 0;
}

static void
on_never(void *arg, const struct dns_addr_answer *a)
{
	struct test *t = arg;
	struct zone *z = t->zone;

	if (a->status != DNS_TEMPORARY) {
		bool failed = (z->failed & t->bit) != 0;

		if (lists_it(a) && !failed)
			log_error(NULL, "dnsbl %s has %s, which no list has "
			    "(RFC 5782 5): it is not asked any more", z->name, t->probe->never);
		else if (!lists_it(a) && failed)
			log_info(NULL, "dnsbl %s has %s no more%s", z->name, t->probe->never,
			    z->failed == t->bit ? ": it is asked again" : "");
		z->failed = lists_it(a) ? z->failed | t->bit : z->failed & ~t->bit;
	}
	if (z->failed != 0)
		loop_timer_set(t->d->test, TEST_AGAIN_MS);
	mem_free(t);
}

static void
on_always(void *arg, const struct dns_addr_answer *a)
{
	struct test *t = arg;
	struct zone *z = t->zone;
	bool silent = a->status == DNS_NO_NAME || a->status == DNS_NO_DATA;

	if (silent && (z->silent & t->bit) == 0)
		log_warn(NULL, "dnsbl %s does not have %s, which each list has "
		    "(RFC 5782 5): is that its name?", z->name, t->probe->always);
	if (a->status != DNS_TEMPORARY)
		z->silent = silent ? z->silent | t->bit : z->silent & ~t->bit;
	mem_free(t);
}

static void
ask(const struct test *from, const char *asked,
    void (*fn)(void *arg, const struct dns_addr_answer *a))
{
	struct test *t = mem_alloc(sizeof(*t));
	struct buf b;

	*t = *from;
	buf_init(&b, 512);
	buf_addf(&b, "%s.%s", asked, t->zone->name);
	dns_addr4(t->d->dns, buf_cstr(&b), fn, t);
	buf_free(&b);
}

static void
test_all(void *arg)
{
	struct checkd *d = arg;

	loop_timer_set(d->test, TEST_EVERY_MS);
	for (size_t i = 0; i < d->zone_n; i++)
		for (unsigned k = 0; k < DNSBL_PROBES; k++) {
			struct test t = { d, &d->zones[i], &dnsbl_probes[k], 1u << k };

			if ((d->zones[i].of & dnsbl_probes[k].of) == 0)
				continue;
			ask(&t, dnsbl_probes[k].never_asked, on_never);
			ask(&t, dnsbl_probes[k].always_asked, on_always);
		}
}

void
zones_open(struct checkd *d)
{
	const struct conf_dnsbls *c = &d->conf->dnsbl;

	d->zones = mem_array(c->list_n + 1, sizeof(*d->zones));
	for (size_t i = 0; i < c->list_n; i++) {
		size_t k = 0;

		while (k < d->zone_n &&
		    !str_ieq(str_c(d->zones[k].name), str_c(c->lists[i].zone)))
			k++;
		if (k == d->zone_n)
			d->zones[d->zone_n++] = (struct zone){ .name = c->lists[i].zone };
		d->zones[k].of |= c->lists[i].of;
	}
	d->test = loop_timer_new(d->loop, test_all, d);
	test_all(d);
}

void
zones_close(struct checkd *d)
{
	loop_timer_free(d->test);
	mem_free(d->zones);
}
