/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Which section a destination is spared by. */

#include "conf/destination.h"

#include "conf_unit.h"

static const char text[] =
    "destination \"mx.big.example\" { rate = 10 per = 1s }\n"
    "destination \"*.big.example\" { per-destination = 2 }\n"
    "destination \"/mail\\\\d+\\\\.test/\" { per-connection = 5 }\n"
    "destination \"Slow.Example\" { idle-connection = 10s rate = 1 }\n"
    "destination \"*\" { ignore = {PIPELINING, chunking} "
    "connect-timeout = 5s }\n"
    "queue { rate = 100 per = 1h }\n";

START_TEST(values)
{
	struct conf *c = must_parse(text);
	const struct conf_destination *d = c->destinations;

	ck_assert_uint_eq(c->destination_n, 5);
	ck_assert_uint_eq(d[0].rate, 10);
	ck_assert_int_eq(d[0].per, 1000);
	ck_assert_uint_eq(d[0].per_destination, 0);
	ck_assert_uint_eq(d[1].rate, 0);
	ck_assert_uint_eq(d[1].per_destination, 2);
	ck_assert_uint_eq(d[2].per_connection, 5);
	ck_assert_int_eq(d[3].idle_connection, 10000);
	ck_assert_int_eq(d[3].per, 60000);
	ck_assert_uint_eq(d[4].ignore.n, 2);
	ck_assert_int_eq(d[4].connect_timeout, 5000);
	ck_assert_int_eq(d[4].reply_timeout, 0);
	ck_assert_int_eq(c->queue.connect_timeout, 30000);
	ck_assert_int_eq(c->queue.reply_timeout, 0);
	ck_assert_uint_eq(c->queue.rate, 100);
	ck_assert_int_eq(c->queue.per, 3600000);
	conf_free(c);
	c = conf_default();
	ck_assert_uint_eq(c->destination_n, 0);
	ck_assert_uint_eq(c->queue.rate, 0);
	ck_assert_ptr_null(conf_destination(c, STR("a.test"), NULL));
	conf_free(c);
}
END_TEST

START_TEST(the_first_that_fits)
{
	static const struct {
		const char *name;
		size_t which;
	} cases[] = {
		{ "mx.big.example", 0 },
		{ "MX.BIG.EXAMPLE", 0 },
		{ "mx2.big.example", 1 },
		{ "big.example", 4 },
		{ "mail7.test", 2 },
		{ "xmail7.test", 4 },
		{ "slow.example", 3 },
	};
	struct conf *c = must_parse(text);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct conf_destination *d = conf_destination(c,
		    str_c(cases[i].name), NULL);

		ck_assert_ptr_eq(d, &c->destinations[cases[i].which]);
		/* Only what stands before one that is known already. */
		ck_assert_ptr_null(conf_destination(c, str_c(cases[i].name), d));
	}
	conf_free(c);
}
END_TEST

START_TEST(faults)
{
	static const struct fault cases[] = {
		{ "destination \"/(/\" { }", "1: destination: \"/(/\" is no pattern" },
		{ "destination \"\" { }", "1: this title is empty" },
		{ "destination \"a\" { rate = -1 }", "1: destination.a.rate" },
		{ "destination \"a\" { per = 0s }", "1: destination.a.per" },
		{ "queue { per = 0s }", "1: queue.per" },
	};

	check_faults(cases, ARRAY_LEN(cases));
}
END_TEST

UNIT_MAIN("destination", values, the_first_that_fits, faults)
