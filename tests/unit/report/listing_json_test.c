/* SPDX-License-Identifier: GPL-3.0-or-later */

/* listing_json -- what programs read of the queue. */

#include "printed.h"
#include "report/listing_forms.h"
#include "report/listing_row.h"

START_TEST(message)
{
	struct envelope_rcpt rcpts[] = {
		{ .state = RCPT_QUEUED, .path = { STR("bob"), STR("example.net") } },
		{ .state = RCPT_DONE, .path = { STR("a \"b"), STR("example.net") } },
		{ .state = RCPT_FAILED, .path = { STR("c"), STR("example.net") } },
	};
	struct queue_attempt last[] = { { .time = 0 },
		{ .time = 1795222983, .rcpt = 1, .status = "2.0.0", .relay = STR("mx[192.0.2.1]:25"),
		    .reply = STR("250 ok") },
		{ .time = 1795222984, .rcpt = 2, .status = "5.1.1", .relay = STR(""),
		    .reply = STR("550 \xff\x1b no") } };
	struct queue_file f = { .size = 12345, .next = 1795223000, .env = {
		.id = "06510000000000000A1", .from = { STR("alice"), STR("example.org") },
		.arrival_us = 1795222923123456, .client = STR("h[192.0.2.9]:1"),
		.rcpts = rcpts, .rcpt_n = 3 } };
	struct listing_one m = { .f = &f, .state = LISTING_DEFERRED, .last = last };
	FILE *out = begin();

	listing_json_one(&m, out);
	check(out, "{\"queue_name\":\"deferred\",\"queue_id\":\"06510000000000000A1\","
	    "\"arrival_time\":1795222923,\"message_size\":12345,\"next_attempt\":1795223000,"
	    "\"sender\":\"alice@example.org\",\"client\":\"h[192.0.2.9]:1\",\"recipients\":["
	    "{\"address\":\"bob@example.net\",\"state\":\"queued\"},"
	    "{\"address\":\"\\\"a \\\\\\\"b\\\"@example.net\",\"state\":\"delivered\","
	    "\"last_attempt\":1795222983,\"status\":\"2.0.0\",\"relay\":\"mx[192.0.2.1]:25\","
	    "\"delay_reason\":\"250 ok\"},"
	    "{\"address\":\"c@example.net\",\"state\":\"failed\",\"last_attempt\":1795222984,"
	    "\"status\":\"5.1.1\",\"relay\":\"\",\"delay_reason\":\"550 \\\\xff\\\\x1b no\"}]}\n");
	f.env.from = (struct path){ STR(""), STR("") };
	f.env.user = STR("carol");
	f.env.rcpt_n = 0;
	out = begin();
	m.state = LISTING_NEW;
	listing_json_one(&m, out);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_ptr_nonnull(strstr(text, "\"sender\":\"\","));
	ck_assert_ptr_nonnull(strstr(text, "\"user\":\"carol\",\"recipients\":[]}\n"));
}
END_TEST

/* What was written is read again, and nothing else. */
START_TEST(row)
{
	static const char *const none[] = { "", "{}", "[]", "x", "{\"queue_id\":5}",
		"{\"queue_id\":\"a\",\"queue_id\":\"b\"}" };
	struct envelope_rcpt rcpts[] = { { .path = { STR("bob"), STR("example.net") } } };
	struct queue_attempt last[] = { { .time = 1795222983, .status = "4.3.2",
	    .relay = STR("mx"), .reply = STR("450 <later>") } };
	struct queue_file f = { .size = 12345, .next = 1795223000, .env = { .id = "A1",
	    .from = { STR("alice"), STR("example.org") }, .arrival_us = 1795222923123456,
	    .user = STR("al"), .rcpts = rcpts, .rcpt_n = 1 } };
	struct listing_one one = { .f = &f, .state = LISTING_DEFERRED, .last = last };
	struct listing_one bad = { .id = "B2", .state = LISTING_BAD, .size = 7, .reason = "cut" };
	struct listing_row r;
	struct arena a;
	FILE *out = begin();

	arena_init(&a, 1 << 20);
	listing_json_one(&one, out);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert(listing_row(str_n(text, text_n), &a, &r));
	ck_str(r.id, STR("A1"));
	ck_str(r.place, STR("deferred"));
	ck_str(r.sender, STR("alice@example.org"));
	ck_str(r.user, STR("al"));
	ck_assert(r.size == 12345 && r.arrival == 1795222923 && r.next == 1795223000);
	ck_assert_uint_eq(r.rcpt_n, 1);
	ck_str(r.rcpts[0].address, STR("bob@example.net"));
	ck_str(r.rcpts[0].reply, STR("450 <later>"));
	ck_str(r.rcpts[0].status, STR("4.3.2"));
	ck_assert_int_eq(r.rcpts[0].last, 1795222983);

	out = begin();
	listing_json_one(&bad, out);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert(listing_row(str_n(text, text_n), &a, &r));
	ck_str(r.unreadable, STR("cut"));
	ck_assert(r.size == 7 && r.rcpt_n == 0);
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		ck_assert_msg(!listing_row(str_c(none[i]), &a, &r), "%s", none[i]);
	arena_free(&a);
}
END_TEST

UNIT_MAIN("report/listing_json", message, row)
