/* SPDX-License-Identifier: GPL-3.0-or-later */

/* rate -- who is counted, in which order, and who is not. */

#include "policy/rate.h"

#include "with_conf.h"

static struct conf *conf;
static struct score *score;
static struct addr peer;
static struct path from, to;
static struct str user;

static void
begin(const char *text)
{
	conf_free(conf);
	conf = with_conf(text);
	score_free(score);
	ck_assert_ptr_nonnull(score = score_new(1));
	ck_assert_int_eq(addr_parse(STR("192.0.2.1"), 1, &peer), 0);
	from = (struct path){ .local = STR("a"), .domain = STR("b.test") };
	to = (struct path){ .local = STR("c"), .domain = STR("d.test") };
	user = STR("");
}

/* How many of N messages, or recipients of one, are let through. */
static unsigned
try(bool recipients, unsigned n)
{
	unsigned ok = 0;

	while (n-- > 0) {
		const struct rate_facts f = { .peer = &peer, .user = user, .from = &from };
		ok += (recipients ? rate_recipient(conf, score, &f, &to) :
				    rate_message(conf, score, &f)) == NULL;
	}
	return ok;
}

START_TEST(client)
{
	begin("limits { rate client { messages = 3 recipients = 5 per = 1d } }\n"
	      "access { relay = {\"10.0.0.0/8\"} }\n");
	ck_assert_uint_eq(rate_used(score, &conf->limits.rates[0]), 0);
	ck_assert_uint_eq(try(false, 1), 1);
	ck_assert_uint_eq(rate_used(score, &conf->limits.rates[0]), 33);
	ck_assert_uint_eq(try(false, 9), 2);
	ck_assert_uint_eq(rate_used(score, &conf->limits.rates[0]), 100);
	/* Each is counted for itself. */
	ck_assert_uint_eq(try(true, 10), 5);
	ck_assert_int_eq(addr_parse(STR("192.0.2.2"), 1, &peer), 0);
	ck_assert_uint_eq(try(false, 10), 3);
	ck_assert_int_eq(addr_parse(STR("10.0.0.2"), 1, &peer), 0);
	ck_assert_uint_eq(try(false, 10), 10);
	ck_assert_int_eq(addr_unix("/s", &peer), 0);
	ck_assert_uint_eq(try(false, 10), 10);
	/* CONFORMANCE S-66: a /64 is one. */
	ck_assert_int_eq(addr_parse(STR("2001:db8::1"), 1, &peer), 0);
	ck_assert_uint_eq(try(false, 2), 2);
	ck_assert_int_eq(addr_parse(STR("2001:db8::2:1"), 1, &peer), 0);
	ck_assert_uint_eq(try(false, 2), 1);
}
END_TEST

START_TEST(others)
{
	begin("limits { rate user { messages = 2 per = 1h } rate sender { messages = 4 per = 1h }\n"
	      "rate recipient { messages = 3 per = 1h } }\n");
	user = STR("alice");
	ck_assert_uint_eq(try(false, 5), 2);
	user = STR("ALICE");
	ck_assert_uint_eq(try(false, 5), 0);
	user = STR("bob");
	ck_assert_uint_eq(try(false, 5), 2);
	/* The sender has had his four. */
	user = STR("");
	ck_assert_uint_eq(try(false, 5), 0);
	from.domain = STR("B.test");
	ck_assert_uint_eq(try(false, 5), 0);
	from.local = STR("z");
	ck_assert_uint_eq(try(false, 5), 4);
	from = (struct path){ .local = STR(""), .domain = STR("") };
	ck_assert_uint_eq(try(false, 5), 5);
	ck_assert_uint_eq(try(true, 5), 3);
	to.local = STR("e");
	ck_assert_uint_eq(try(true, 5), 3);
}
END_TEST

/* What is refused to one takes nothing of what is everybody's. */
START_TEST(all)
{
	begin("limits { rate all { messages = 5 per = 1h } rate client { messages = 2 per = 1h } }\n");
	ck_assert_uint_eq(try(false, 100), 2);
	ck_assert_int_eq(addr_parse(STR("192.0.2.2"), 1, &peer), 0);
	ck_assert_uint_eq(try(false, 100), 2);
	ck_assert_int_eq(addr_parse(STR("192.0.2.3"), 1, &peer), 0);
	ck_assert_uint_eq(try(false, 100), 1);
	begin("");
	ck_assert_uint_eq(try(false, 100), 100);
	score_free(score);
	score = NULL;
	ck_assert_uint_eq(try(true, 100), 100);
}
END_TEST

UNIT_MAIN("policy/rate", client, others, all)
