/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * zones -- which lists there are, and whether they can be believed.
 *
 * A list that has closed down often answers everything from then on, which
 * would refuse the world.  So each is asked at the start and every hour for the
 * two addresses of RFC 5782 5: one that no list has, and one that each has.  A
 * list that has the first is not asked until it has it no more.  One without
 * the second does no harm: that is in the log.
 */

#include "checkd.h"

#include <arpa/inet.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"

#define TEST_EVERY_MS (3600 * 1000)
/* While one of them fails. */
#define TEST_AGAIN_MS (300 * 1000)
#define SAY_EVERY_MS (3600 * 1000)

#define NEVER_LISTED "127.0.0.1"
#define ALWAYS_LISTED "127.0.0.2"

/* A test of a zone under way. */
struct test {
	struct checkd *d;
	struct zone *zone;
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
		if (lists_it(a) && !z->lists_all)
			log_error(NULL, "dnsbl %s has " NEVER_LISTED ", which no list has "
			    "(RFC 5782 5): it is not asked any more", z->name);
		else if (!lists_it(a) && z->lists_all)
			log_info(NULL, "dnsbl %s has " NEVER_LISTED " no more: it is asked again",
			    z->name);
		z->lists_all = lists_it(a);
	}
	if (z->lists_all)
		loop_timer_set(t->d->test, TEST_AGAIN_MS);
	mem_free(t);
}

static void
on_always(void *arg, const struct dns_addr_answer *a)
{
	struct test *t = arg;
	struct zone *z = t->zone;
	bool silent = a->status == DNS_NO_NAME || a->status == DNS_NO_DATA;

	if (silent && !z->was_silent)
		log_warn(NULL, "dnsbl %s does not have " ALWAYS_LISTED ", which each list has "
		    "(RFC 5782 5): is that its name?", z->name);
	if (a->status != DNS_TEMPORARY)
		z->was_silent = silent;
	mem_free(t);
}

static void
ask(struct checkd *d, struct zone *z, const char *address,
    void (*fn)(void *arg, const struct dns_addr_answer *a))
{
	struct test *t = mem_alloc(sizeof(*t));
	struct addr client;
	struct buf b;

	*t = (struct test){ .d = d, .zone = z };
	if (addr_parse(str_c(address), 0, &client) < 0)
		panic("checkd: %s is no address", address);
	buf_init(&b, 512);
	dnsbl_add_name(&b, &client, z->name);
	dns_addr4(d->dns, buf_cstr(&b), fn, t);
	buf_free(&b);
}

static void
test_all(void *arg)
{
	struct checkd *d = arg;

	loop_timer_set(d->test, TEST_EVERY_MS);
	for (size_t i = 0; i < d->zone_n; i++) {
		ask(d, &d->zones[i], NEVER_LISTED, on_never);
		ask(d, &d->zones[i], ALWAYS_LISTED, on_always);
	}
}

void
zones_open(struct checkd *d)
{
	const struct conf_dnsbls *c = &d->conf->dnsbl;

	d->zones = mem_array(c->list_n + 1, sizeof(*d->zones));
	d->zone_of = mem_array(c->list_n + 1, sizeof(*d->zone_of));
	for (size_t i = 0; i < c->list_n; i++) {
		size_t k = 0;

		while (k < d->zone_n &&
		    !str_ieq(str_c(d->zones[k].name), str_c(c->lists[i].zone)))
			k++;
		if (k == d->zone_n)
			d->zones[d->zone_n++] = (struct zone){ .name = c->lists[i].zone };
		d->zone_of[i] = k;
	}
	d->test = loop_timer_new(d->loop, test_all, d);
	test_all(d);
}

void
zones_close(struct checkd *d)
{
	loop_timer_free(d->test);
	mem_free(d->zones);
	mem_free(d->zone_of);
}
