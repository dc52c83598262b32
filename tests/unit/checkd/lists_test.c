/* SPDX-License-Identifier: GPL-3.0-or-later */

/* lists -- who asks the same waits for the same answer, as long as he is there; with a DNS of the test's own. */

#include "asker.h"

#include "ipc/msg_lists.h"
#include "with_conf.h"

static struct zone zone = { .name = "bl.test", .of = 1u << DNSBL_CLIENT };

void
dns_addr4(struct dns *dns UNUSED, const char *name,
    void (*fn)(void *arg, const struct dns_addr_answer *a), void *arg)
{
	query(name, arg)->on_addr = fn;
}

static void
begin(void)
{
	asker_begin();
	d->conf = with_conf("dnsbl \"bl.test\" { }\n");
	d->known = answers_new();
	d->open = map_new();
	d->zones = &zone;
	d->zone_n = 1;
}

static void
end(void)
{
	ck_assert_uint_eq(map_count(d->open), 0);
	answers_free(d->known);
	map_free(d->open);
	asker_end();
}

static int
ask(void)
{
	const struct msg_lists m = { .v = { { DNSBL_CLIENT, STR("192.0.2.9") } }, .n = 1 };
	struct buf b;

	buf_init(&b, FRAME_MAX);
	msg_lists_put(&b, &m);
	return asker_ask(&b, lists_take);
}

static void
ck_not_listed(int fd)
{
	struct msg_lists_result r;
	struct buf b;

	buf_init(&b, FRAME_MAX);
	ck_assert(asker_answered(fd, &b));
	ck_assert(msg_lists_result_get(buf_str(&b), &r));
	ck_assert_uint_eq(r.n, 0);
	buf_free(&b);
}

static void
reply(size_t n)
{
	queries[n].on_addr(queries[n].arg,
	    &(struct dns_addr_answer){ .status = DNS_NO_NAME, .reason = "x", .ttl = 300 });
}

START_TEST(together)
{
	int one, two;

	begin();
	one = ask();
	two = ask();
	ck_assert_uint_eq(query_n, 1);
	ck_assert_str_eq(queries[0].name, "9.2.0.192.bl.test");
	ck_assert_uint_eq(d->places[PLACE_LISTS].open, 1);
	reply(0);
	ck_not_listed(one);
	ck_not_listed(two);
	/* From memory. */
	ck_not_listed(ask());
	ck_assert_uint_eq(query_n, 1);
	end();
}
END_TEST

/* The place is free when the last is gone; what DNS says is for whoever asks by then. */
START_TEST(nobody_waits)
{
	int one, two, three;

	begin();
	one = ask();
	two = ask();
	close(one);
	loop_once(d->loop, true);
	ck_assert_uint_eq(d->places[PLACE_LISTS].open, 1);
	asker_goes(two, PLACE_LISTS);
	three = ask();
	ck_assert_uint_eq(query_n, 1);
	reply(0);
	ck_not_listed(three);
	end();
}
END_TEST

UNIT_MAIN("checkd/lists", together, nobody_waits)
