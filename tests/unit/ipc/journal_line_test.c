/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Lines of the journal: what is written, whatever comes in, and read again. */

#include "ipc/journal.h"

#include "unit.h"

#define ID "0651F0C3D2A1BF00042"
#define TIME INT64_C(1763690000123456)

static const char *
formatted(struct buf *b, const struct journal_line *l)
{
	buf_reset(b);
	journal_format(b, l, TIME);
	ck_assert(buf_ok(b));
	ck_assert(b->n > 0 && b->p[b->n - 1] == '\n');
	return buf_cstr(b);
}

START_TEST(forms)
{
	struct journal_line received = { .event = JOURNAL_RECEIVED,
		.id = ID,
		.from = STR("a@b.example"),
		.rcpts = 2,
		.arrival_us = TIME - 1,
		.size = 77,
		.client = STR("h[192.0.2.1]:5"),
		.helo = STR("h"),
		.user = STR("alice"),
		.listener = STR("smtp"),
		.proto = STR("ESMTPSA"),
		.tls_in = STR("TLSv1.3 X") };
	struct journal_line relayed = { .event = JOURNAL_RELAYED,
		.id = ID,
		.rcpts = 2,
		.to = STR("x@y.example"),
		.relay = STR("mx[192.0.2.2]:25"),
		.host = STR("mx"),
		.status = STR("2.0.0"),
		.reply = STR("250 ok"),
		.dest = STR("mx/1/y.example"),
		.route = STR("*"),
		.source = STR("192.0.2.9"),
		.tls = STR("TLSv1.3 Y"),
		.has_delays = true,
		.delays = { 1, 0, -5, 40 } };
	struct journal_line start = { .event = JOURNAL_START, .of = 2 };
	struct journal_line gap = { .event = JOURNAL_GAP, .runner = 1,
		.lost = 3, .since_us = TIME };
	struct journal_line dsn = { .event = JOURNAL_DSN, .id = ID,
		.cause = ID, .kind = STR("failed") };
	struct buf b;

	buf_init(&b, 65536);
	ck_assert_str_eq(formatted(&b, &received),
	    "{\"time\":1763690000.123456,\"event\":\"received\",\"id\":\"" ID
	    "\",\"rcpts\":2,\"from\":\"a@b.example\","
	    "\"arrival\":1763690000.123455,\"size\":77,"
	    "\"client\":\"h[192.0.2.1]:5\",\"helo\":\"h\",\"user\":\"alice\","
	    "\"listener\":\"smtp\",\"proto\":\"ESMTPSA\","
	    "\"tls\":\"TLSv1.3 X\"}\n");
	ck_assert_str_eq(formatted(&b, &relayed),
	    "{\"time\":1763690000.123456,\"event\":\"relayed\",\"id\":\"" ID
	    "\",\"rcpt\":0,\"rcpts\":2,\"to\":\"x@y.example\","
	    "\"relay\":\"mx[192.0.2.2]:25\",\"host\":\"mx\","
	    "\"status\":\"2.0.0\",\"reply\":\"250 ok\","
	    "\"destination\":\"mx/1/y.example\",\"route\":\"*\","
	    "\"source\":\"192.0.2.9\",\"tls\":\"TLSv1.3 Y\","
	    "\"delays\":[1,0,0,40]}\n");
	ck_assert_str_eq(formatted(&b, &start),
	    "{\"time\":1763690000.123456,\"event\":\"start\",\"runner\":0,"
	    "\"of\":2}\n");
	ck_assert_str_eq(formatted(&b, &gap),
	    "{\"time\":1763690000.123456,\"event\":\"gap\",\"runner\":1,"
	    "\"lost\":3,\"since\":1763690000.123456}\n");
	ck_assert_str_eq(formatted(&b, &dsn),
	    "{\"time\":1763690000.123456,\"event\":\"dsn\",\"id\":\"" ID
	    "\",\"cause\":\"" ID "\",\"kind\":\"failed\"}\n");
	buf_free(&b);
}
END_TEST

/* Whatever a peer says, a line stays one line of UTF-8 and can be read. */
START_TEST(foreign)
{
	const struct {
		struct str in;
		const char *out;
	} cases[] = {
		{ STR("a\"b\\c"), "a\\\"b\\\\c" },
		{ STR("\"},{\"event\":\"deleted\""),
		    "\\\"},{\\\"event\\\":\\\"deleted\\\"" },
		{ STR("\xff\xc3"), "\\\\xff\\\\xc3" },
		{ STR("\xc3\xa9\n\x1b[1m\x7f"),
		    "\xc3\xa9\\\\x0a\\\\x1b[1m\\\\x7f" },
		{ { "\0x", 2 }, "\\\\x00x" },
	};
	struct journal_entry e;
	struct buf b;

	buf_init(&b, 65536);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct journal_line l = { .event = JOURNAL_DEFERRED, .id = ID,
			.rcpts = 1, .reply = cases[i].in };

		ck_assert_ptr_nonnull(strstr(formatted(&b, &l), cases[i].out));
		ck_assert(str_is_utf8(buf_str(&b)));
		ck_assert(journal_parse(str_n(b.p, b.n - 1), &e));
		ck_assert_int_eq(e.event, JOURNAL_DEFERRED);
	}
	/* What is too long is cut between two characters, and still a line. */
	char *large = malloc(300000);
	for (size_t i = 0; i < 300000; i += 2)
		memcpy(large + i, "\xc3\xa9", 2);
	struct journal_line l = { .event = JOURNAL_DEFERRED, .id = ID,
		.rcpts = 1, .from = str_n(large, 300000),
		.to = str_n(large, 299999), .reply = str_n(large, 5001) };
	(void)formatted(&b, &l);
	ck_assert(str_is_utf8(buf_str(&b)) && b.n < 20000);
	ck_assert(journal_parse(str_n(b.p, b.n - 1), &e));
	free(large);
	buf_free(&b);
}
END_TEST

START_TEST(round_trip)
{
	struct journal_entry e;
	struct buf b;

	buf_init(&b, 65536);
	for (int i = 0; i < JOURNAL_N; i++) {
		struct journal_line l = { .event = (enum journal_event)i,
			.id = i <= JOURNAL_GAP ? NULL : ID, .rcpt = 7,
			.rcpts = 9, .runner = 3, .lost = 11,
			.since_us = TIME - 5, .cause = ID };

		(void)formatted(&b, &l);
		ck_assert_msg(journal_parse(str_n(b.p, b.n - 1), &e), "%s",
		    buf_cstr(&b));
		ck_assert_int_eq(e.event, i);
		ck_assert_int_eq(e.time_us, TIME);
		ck_assert_uint_eq(e.rcpts, 9);
		ck_str(e.cause, STR(ID));
		ck_assert_int_eq(e.has_rcpt, i >= JOURNAL_DELIVERED);
		ck_assert_uint_eq(e.rcpt, e.has_rcpt ? 7 : 0);
		if (i <= JOURNAL_GAP) {
			ck_assert_uint_eq(e.runner, 3);
			ck_assert_uint_eq(e.lost, 11);
			ck_assert_int_eq(e.since_us, TIME - 5);
			ck_assert_uint_eq(e.id.n, 0);
		} else
			ck_str(e.id, STR(ID));
		/* Cut short at whatever octet, it is none. */
		for (size_t n = 0; n + 1 < b.n; n++)
			ck_assert(!journal_parse(str_n(b.p, n), &e));
	}
	ck_assert_str_eq(journal_event_name(JOURNAL_N), "unknown");
	buf_free(&b);
}
END_TEST

/* No fact has the name of what stands in such a line anyway, nor of what the reader reads. */
START_TEST(facts)
{
	static const char *const taken[] = { "time", "event", "id", "to", "kind", "rows",
		"reason", "cause", "rcpt", "rcpts", "runner", "lost", "since" };
	struct feedback_row row = { .n = 0 };
	struct journal_line l = { .event = JOURNAL_REPORT, .id = ID, .to = STR("a@b"),
		.kind = STR("dmarc"), .rows = 3, .reason = STR("why"), .facts = &row };
	struct journal_entry e;
	struct buf b;

	for (int i = 0; i < FACT_N; i++)
		for (size_t k = 0; k < ARRAY_LEN(taken); k++)
			ck_assert_str_ne(feedback_name((enum feedback_name)i), taken[k]);
	row.facts[row.n++] = (struct feedback_fact){ FACT_ORG, STR("a\"b\\\xe2\x80\xae") };
	row.facts[row.n++] = (struct feedback_fact){ FACT_MESSAGES, STR("0042") };
	row.facts[row.n++] = (struct feedback_fact){ FACT_FAILED, STR("0") };
	buf_init(&b, 65536);
	ck_str(str_c(formatted(&b, &l)), STR("{\"time\":1763690000.123456,\"event\":\"report\",\"id\":\""
	    ID "\",\"to\":\"a@b\",\"kind\":\"dmarc\",\"rows\":3,"
	    "\"org\":\"a\\\"b\\\\\\\\xe2\\\\x80\\\\xae\",\"messages\":42,\"failed\":0,\"reason\":\"why\"}\n"));
	ck_assert(journal_parse(str_n(b.p, b.n - 1), &e));
	ck_assert_int_eq(e.event, JOURNAL_REPORT);
	buf_free(&b);
}
END_TEST

START_TEST(refused)
{
	static const char *const bad[] = {
		"", "{}", "[]", "x", "{\"time\":1.000000}",
		"{\"event\":\"removed\",\"id\":\"x\"}",
		"{\"time\":1,\"event\":\"removed\"}",
		"{\"time\":1.5,\"event\":\"removed\"}",
		"{\"time\":1.000001,\"event\":\"melted\"}",
		"{\"time\":1.000001,\"event\":\"removed\"} ",
		"{\"time\":1.000001,\"event\":\"removed\",}",
		"{\"time\":1.000001,\"event\":\"removed\"}}",
		"{\"time\":1.000001,\"event\":\"removed\",\"rcpt\":1}",
		"{\"time\":1.000001,\"event\":\"relayed\",\"id\":\"x\"}",
		"{\"time\":1.000001,\"event\":\"relayed\",\"rcpt\":-1}",
		"{\"time\":99999999999999999.000001,\"event\":\"removed\"}",
		"{\"time\":1.000001,\"event\":\"removed\",\"reply\":\"x\\\"}",
		"{\"time\":1.000001,\"event\":\"removed\",\"delays\":[1,2}",
	};
	static const char good[] =
	    "{\"time\":1.000001,\"event\":\"removed\",\"new\":null,"
	    "\"list\":[1,2],\"yes\":true,\"s\":\"\\\"}{\\\\\"}";
	struct journal_entry e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(!journal_parse(str_c(bad[i]), &e), "%s", bad[i]);
	ck_assert(journal_parse(str_c(good), &e));
	ck_assert_int_eq(e.event, JOURNAL_REMOVED);
	ck_assert_int_eq(e.time_us, 1000001);
}
END_TEST

UNIT_MAIN("ipc/journal_line", forms, foreign, round_trip, facts, refused)
