/* SPDX-License-Identifier: GPL-3.0-or-later */

/* guess -- CONFORMANCE S-39: delays that grow, and a block of the address alone. */

#include "policy/guess.h"

#include <stdio.h>

#include "ipc/blocks.h"
#include "policy/blocklist.h"
#include "with_conf.h"

static struct conf *conf;
static struct score *score;

static void
begin(const char *text)
{
	conf_free(conf);
	conf = with_conf(text);
	score_free(score);
	ck_assert_ptr_nonnull(score = score_new(1));
}

static struct guess
wrong(const char *from, const char *user, unsigned in_session)
{
	struct addr a;

	ck_assert_int_eq(addr_parse(str_c(from), 4711, &a), 0);
	return guess_wrong(conf, score, &a, str_c(user), in_session);
}

static bool
blocked(const char *from)
{
	struct addr a;

	ck_assert_int_eq(addr_parse(str_c(from), 4711, &a), 0);
	return guess_is_blocked(conf, score, &a);
}

START_TEST(delays)
{
	static const int64_t want[] = { 0, 2000, 4000, 8000, 15000, 15000 };

	begin("");
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		ck_assert_int_eq(guess_delay(&conf->auth, i), want[i]);
	ck_assert_int_eq(guess_delay(&conf->auth, UINT64_MAX), 15000);
	begin("auth { failure-delay = 0 }\n");
	ck_assert_int_eq(guess_delay(&conf->auth, 9), 0);
}
END_TEST

START_TEST(by_address)
{
	begin("");
	ck_assert_int_eq(wrong("192.0.2.1", "a", 1).delay_ms, 2000);
	/* Another session, another user, or no session at all. */
	ck_assert_int_eq(wrong("192.0.2.1", "b", 1).delay_ms, 4000);
	ck_assert_int_eq(wrong("192.0.2.1", "c", 1).delay_ms, 8000);
	ck_assert_int_eq(wrong("192.0.2.2", "d", 1).delay_ms, 2000);
	for (int i = 0; i < 6; i++)
		ck_assert(!wrong("192.0.2.1", "x", 1).blocked);
	ck_assert(!blocked("192.0.2.1"));
	ck_assert(wrong("192.0.2.1", "x", 1).blocked);
	ck_assert(blocked("192.0.2.1") && !blocked("192.0.2.2"));
	/* One is forgotten with the block, so that it ends when it ends. */
	ck_assert(!wrong("192.0.2.1", "y", 1).blocked);
}
END_TEST

START_TEST(by_user)
{
	char from[32];

	begin("");
	/* From many addresses: each waits the longest time, and none is blocked. */
	for (unsigned i = 1; i <= 50; i++) {
		snprintf(from, sizeof(from), "192.0.2.%u", i);
		struct guess g = wrong(from, i % 2 ? "bob" : "BOB", 1);
		ck_assert(!g.blocked);
		if (i > 3)
			ck_assert_int_eq(g.delay_ms, 15000);
	}
	ck_assert(!blocked("192.0.2.50"));
	ck_assert_int_eq(wrong("198.51.100.1", "alice", 1).delay_ms, 2000);
}
END_TEST

/* CONFORMANCE S-66: who hops through his /64 is one. */
START_TEST(by_network)
{
	char from[64];

	begin("auth { failures-to-block = 4 }\n");
	for (unsigned i = 1; i <= 4; i++) {
		snprintf(from, sizeof(from), "2001:db8::%x:1", i);
		ck_assert(wrong(from, "x", 1).blocked == (i == 4));
	}
	ck_assert(blocked("2001:db8::ffff:9") && !blocked("2001:db8:0:1::1"));
}
END_TEST

START_TEST(others)
{
	struct addr a;

	begin("access { relay = {\"10.0.0.0/8\"} }\nauth { failures-to-block = 2 }\n");
	/* A webmail logs in for many. */
	for (int i = 0; i < 20; i++)
		ck_assert(!wrong("10.1.1.1", "x", 1).blocked);
	ck_assert_int_eq(wrong("10.1.1.1", "x", 1).delay_ms, 2000);
	ck_assert_int_eq(wrong("10.1.1.1", "x", 3).delay_ms, 8000);
	/* Where nothing is shared the session alone counts; a socket has no address. */
	ck_assert_int_eq(addr_parse(STR("192.0.2.1"), 1, &a), 0);
	ck_assert_int_eq(guess_wrong(conf, NULL, &a, STR("x"), 2).delay_ms, 4000);
	ck_assert(!guess_is_blocked(conf, NULL, &a));
	ck_assert_int_eq(addr_unix("/s", &a), 0);
	for (int i = 0; i < 5; i++)
		ck_assert(!guess_wrong(conf, score, &a, STR("x"), 1).blocked);
	ck_assert(!guess_is_blocked(conf, score, &a));
	begin("auth { failures-to-block = 0 }\n");
	for (int i = 0; i < 2000; i++)
		ck_assert(!wrong("192.0.2.1", "x", 1).blocked);
	ck_assert_int_eq(wrong("192.0.2.1", "x", 1).delay_ms, 15000);
}
END_TEST

/* FEATURES C8. */
START_TEST(recipients)
{
	static const int64_t want[] = { 1000, 2000, 3000, 4000, 5000, 5000, 5000 };
	struct addr a;

	begin("access { relay = {\"10.0.0.0/8\"} }\n");
	ck_assert_int_eq(addr_parse(STR("192.0.2.1"), 1, &a), 0);
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		ck_assert_int_eq(guess_recipient(conf, score, &a), want[i]);
	ck_assert_int_eq(guess_recipient(conf, NULL, &a), 0);
	ck_assert_int_eq(addr_parse(STR("192.0.2.2"), 1, &a), 0);
	ck_assert_int_eq(guess_recipient(conf, score, &a), 1000);
	ck_assert_int_eq(addr_parse(STR("10.0.2.2"), 1, &a), 0);
	ck_assert_int_eq(guess_recipient(conf, score, &a), 0);
	ck_assert_int_eq(addr_parse(STR("127.0.0.1"), 1, &a), 0);
	ck_assert_int_eq(guess_recipient(conf, score, &a), 0);
	ck_assert_int_eq(addr_unix("/s", &a), 0);
	ck_assert_int_eq(guess_recipient(conf, score, &a), 0);
	begin("limits { tarpit-delay = 0 }\n");
	ck_assert_int_eq(addr_parse(STR("192.0.2.1"), 1, &a), 0);
	ck_assert_int_eq(guess_recipient(conf, score, &a), 0);
}
END_TEST

/* When the table is full of blocks by hand, the guesser is told to go nevertheless. */
START_TEST(full)
{
	struct block b = { .until_ms = INT64_MAX, .by_hand = true };
	unsigned char octets[16] = { 0 };

	begin("auth { failures-to-block = 1 }\n");
	for (unsigned i = 0; i < BLOCKS_MAX; i++) {
		octets[0] = (unsigned char)(i >> 8);
		octets[1] = (unsigned char)i;
		b.net = ip_range_of(AF_INET6, octets, 128);
		ck_assert(blocks_add(score_blocks(score), &b, 1));
	}
	ck_assert(wrong("192.0.2.1", "x", 1).blocked);
	ck_assert(!blocked("192.0.2.1"));
}
END_TEST

UNIT_MAIN("policy/guess", delays, by_address, by_user, by_network, others, recipients, full)
