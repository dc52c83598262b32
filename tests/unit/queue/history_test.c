/* SPDX-License-Identifier: GPL-3.0-or-later */

/* history -- attempts counted, and the last word of each host. */

#include "tmpspool.h"

static void
note(struct queue_file *f, size_t rcpt, int64_t time, const char *relay,
    const char *reply)
{
	struct queue_attempt a = { .time = time, .rcpt = rcpt,
		.status = "4.4.1", .relay = str_c(relay),
		.reply = str_c(reply) };

	ck_assert_int_eq(queue_note(f, &a), 0);
}

START_TEST(hosts)
{
	static const size_t rcpts[] = { 2, 0 };
	struct queue_history h[2];
	struct queue_file f;
	struct tmpspool t;

	tmpspool_begin(&t);
	tmpspool_put(&t, STR(TEXT1), false);
	tmpspool_load(&t, QUEUE_NEW, &f);
	ck_assert_int_eq(queue_history(&f, rcpts, 2, &t.a, h), 0);
	ck_assert_uint_eq(h[0].attempts + h[1].attempts, 0);
	note(&f, 2, 100, "mx1[192.0.2.1]:25", "450 old");
	note(&f, 1, 110, "mx1[192.0.2.1]:25", "450 not asked for");
	note(&f, 2, 120, "mx2[192.0.2.2]:25", "Connection refused");
	note(&f, 2, 125, "", "connect to mx3[192.0.2.3]:25: timed out");
	note(&f, 2, 127, "", "no address");
	note(&f, 2, 130, "", "no address");
	note(&f, 2, 140, "mx1[192.0.2.1]:25", "451 new");
	ck_assert_int_eq(queue_history(&f, rcpts, 2, &t.a, h), 0);
	ck_assert_uint_eq(h[1].attempts, 0);
	ck_assert_uint_eq(h[1].host_n, 0);
	ck_assert_uint_eq(h[0].attempts, 6);
	ck_assert_int_eq(h[0].first, 100);
	ck_assert_uint_eq(h[0].host_n, 4);
	ck_str(h[0].hosts[0].relay, STR("mx2[192.0.2.2]:25"));
	ck_str(h[0].hosts[1].reply,
	    STR("connect to mx3[192.0.2.3]:25: timed out"));
	ck_str(h[0].hosts[2].relay, STR(""));
	ck_str(h[0].hosts[2].reply, STR("no address"));
	ck_assert_int_eq(h[0].hosts[2].time, 130);
	ck_str(h[0].hosts[3].reply, STR("451 new"));
	ck_assert_int_eq(h[0].hosts[3].time, 140);
	queue_unload(&f);
	tmpspool_end(&t);
}
END_TEST

START_TEST(many)
{
	static const size_t rcpts[] = { 0 };
	struct queue_history h[1];
	struct queue_file f;
	struct tmpspool t;
	char relay[64], reply[200];

	tmpspool_begin(&t);
	tmpspool_put(&t, STR(TEXT1), false);
	tmpspool_load(&t, QUEUE_NEW, &f);
	memset(reply, 'r', sizeof(reply) - 1);
	reply[sizeof(reply) - 1] = '\0';
	/* More than a chunk of notes, and more hosts than are kept. */
	for (int i = 0; i < 1000; i++) {
		snprintf(relay, sizeof(relay), "mx%d[192.0.2.1]:25", i % 20);
		note(&f, 0, 1000 + i, relay, reply);
	}
	ck_assert_int_eq(queue_history(&f, rcpts, 1, &t.a, h), 0);
	ck_assert_uint_eq(h[0].attempts, 1000);
	ck_assert_int_eq(h[0].first, 1000);
	ck_assert_uint_eq(h[0].host_n, QUEUE_HISTORY_HOSTS);
	for (size_t i = 0; i < QUEUE_HISTORY_HOSTS; i++)
		ck_assert_int_eq(h[0].hosts[i].time,
		    (int64_t)(2000 - QUEUE_HISTORY_HOSTS + i));
	ck_str(h[0].hosts[7].relay, STR("mx19[192.0.2.1]:25"));
	queue_unload(&f);
	tmpspool_end(&t);
}
END_TEST

UNIT_MAIN("queue/history", hosts, many)
