/* SPDX-License-Identifier: GPL-3.0-or-later */

/* greylist -- who has to come again, when, and what a flood does. */

#include "check/greylist.h"

#include <stdio.h>
#include <stdlib.h>

#include "unit.h"

static const struct greylist_rules rules = { .delay = 300, .window = 86400,
	.keep = 1000000, .allow_after = 3 };
static void *space;
static const int64_t start = 1700000000;

static int64_t
ask(const char *client, const char *sender, int64_t at)
{
	return greylist_ask(space, &rules, str_c(client), str_c(sender), STR("r@x.example"),
	    start + at);
}

static void
begin(void)
{
	space = calloc(1, GREYLIST_OCTETS);
	greylist_begin(space);
}

START_TEST(comes_again)
{
	begin();
	ck_assert_int_eq(ask("192.0.2.0", "a@b.example", 0), 300);
	ck_assert_int_eq(ask("192.0.2.0", "A@B.example", 100), 200);
	ck_assert_int_eq(ask("192.0.2.0", "c@b.example", 100), 300);
	ck_assert_int_eq(ask("192.0.3.0", "a@b.example", 100), 300);
	ck_assert_int_eq(ask("192.0.2.0", "a@b.example", 300), 0);
	ck_assert_int_eq(ask("192.0.2.0", "a@b.example", 301), 0);
	/* It is known, as long as it comes now and then. */
	ck_assert_int_eq(ask("192.0.2.0", "a@b.example", 1000000), 0);
	ck_assert_int_eq(ask("192.0.2.0", "a@b.example", 1999999), 0);
	ck_assert_int_eq(ask("192.0.2.0", "a@b.example", 3000001), 300);
	/* Too late is new, and a clock that jumped back makes nobody wait for ever. */
	ck_assert_int_eq(ask("192.0.4.0", "a@b.example", 0), 300);
	ck_assert_int_eq(ask("192.0.4.0", "a@b.example", 86401), 300);
	ck_assert_int_eq(ask("192.0.4.0", "a@b.example", 86401 - 50000), 300);
	ck_assert_int_eq(ask("192.0.4.0", "a@b.example", 86401 - 49700), 0);
	free(space);
}
END_TEST

/* A client of whom several have come again need not wait. */
START_TEST(allowed)
{
	char sender[] = "0@b.example";

	begin();
	for (int i = 0; i < 3; i++) {
		sender[0] = (char)('0' + i);
		ck_assert_int_eq(ask("192.0.2.0", sender, i * 1000), 300);
		ck_assert_int_eq(ask("192.0.2.0", sender, i * 1000 + 300), 0);
		/* The same one again counts once. */
		ck_assert_int_eq(ask("192.0.2.0", sender, i * 1000 + 301), 0);
	}
	ck_assert_int_eq(ask("192.0.2.0", "new@b.example", 4000), 0);
	ck_assert_int_eq(ask("192.0.3.0", "new@b.example", 4000), 300);
	free(space);
}
END_TEST

/* A restart goes on; what is no table is begun anew. */
START_TEST(kept)
{
	begin();
	ck_assert_int_eq(ask("192.0.2.0", "a@b.example", 0), 300);
	greylist_begin(space);
	ck_assert_int_eq(ask("192.0.2.0", "a@b.example", 300), 0);
	memset(space, 'x', GREYLIST_OCTETS);
	greylist_begin(space);
	ck_assert_int_eq(ask("192.0.2.0", "a@b.example", 301), 300);
	free(space);
}
END_TEST

/* A million new senders: the known ones stay but for a few. */
START_TEST(flood)
{
	char sender[64];
	int lost = 0;

	begin();
	for (int i = 0; i < 1000; i++) {
		snprintf(sender, sizeof(sender), "known%d@b.example", i);
		(void)ask("198.51.100.0", sender, 0);
	}
	for (int i = 0; i < 1000; i++) {
		snprintf(sender, sizeof(sender), "known%d@b.example", i);
		/* Of one client: after three it need not wait, but is not remembered. */
		ck_assert_int_eq(greylist_ask(space, &(struct greylist_rules){ 300, 86400,
		    1000000, 0 }, STR("198.51.100.0"), str_c(sender), STR("r@x.example"),
		    start + 300), 0);
	}
	for (int i = 0; i < 1000000; i++) {
		snprintf(sender, sizeof(sender), "flood%d@c.example", i);
		(void)ask("203.0.113.0", sender, 400);
	}
	for (int i = 0; i < 1000; i++) {
		snprintf(sender, sizeof(sender), "known%d@b.example", i);
		lost += greylist_ask(space, &(struct greylist_rules){ 300, 86400, 1000000, 0 },
		    STR("198.51.100.0"), str_c(sender), STR("r@x.example"), start + 500) != 0;
	}
	ck_assert_int_eq(lost, 0);
	free(space);
}
END_TEST

/* A network is one client. */
START_TEST(networks)
{
	static const char *const t[][2] = { { "192.0.2.77", "c00002" },
		{ "2001:db8:1:2:3::4", "20010db800010002" } };

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct addr client;
		struct buf b;

		buf_init(&b, 64);
		ck_assert_int_eq(addr_parse(str_c(t[i][0]), 0, &client), 0);
		greylist_client_add(&b, &client);
		ck_assert_str_eq(buf_cstr(&b), t[i][1]);
		buf_free(&b);
	}
}
END_TEST

/* Something speaks against it, or nothing is known of it at all. */
START_TEST(suspicion)
{
	static struct conf c;	/* all zero: of whom something speaks against */
	struct greylist_facts f = { .score = 0, .spf = SPF_NONE };

	ck_assert_str_eq(greylist_reason(&c, &f), "nothing else is known of it");
	c.check.iprev.enabled = true;
	ck_assert_ptr_null(greylist_reason(&c, &f));
	f.score = -1;
	ck_assert_ptr_null(greylist_reason(&c, &f));
	f.score = 1;
	ck_assert_ptr_nonnull(greylist_reason(&c, &f));
	f.score = 0;
	for (enum iprev i = 0; i < IPREV_N; i++) {
		f.name = i;
		ck_assert_int_eq(greylist_reason(&c, &f) != NULL,
		    i == IPREV_FAIL || i == IPREV_PERMERROR);
	}
	f.name = IPREV_PASS;
	for (enum exists e = 0; e < EXISTS_N; e++) {
		f.helo = e;
		ck_assert_int_eq(greylist_reason(&c, &f) != NULL, e == EXISTS_NO);
		f.helo = EXISTS_YES;
		f.sender = e;
		ck_assert_int_eq(greylist_reason(&c, &f) != NULL, e == EXISTS_NO);
		f.sender = EXISTS_YES;
	}
	for (enum spf_code s = 0; s < SPF_CODES; s++) {
		f.spf = s;
		ck_assert_int_eq(greylist_reason(&c, &f) != NULL,
		    s == SPF_FAIL || s == SPF_SOFTFAIL);
	}
	f.spf = SPF_PASS;
	c.greylist.when = GREYLIST_ALWAYS;
	ck_assert_str_eq(greylist_reason(&c, &f), "all are asked about");
}
END_TEST

UNIT_MAIN("check/greylist", comes_again, allowed, kept, flood, networks, suspicion)
