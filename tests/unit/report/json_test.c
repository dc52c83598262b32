/* SPDX-License-Identifier: GPL-3.0-or-later */

/* json_test -- what programs read. */

#include <stdio.h>

#include "report/json.h"
#include "unit.h"

static char *text;
static size_t text_n;

static FILE *
begin(void)
{
	free(text);
	FILE *out = open_memstream(&text, &text_n);
	ck_assert_ptr_nonnull(out);
	return out;
}

static void
check(FILE *out, const char *want)
{
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_str_eq(text, want);
}

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
	FILE *out = begin();

	json_message(&f, "deferred", last, out);
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
	json_message(&f, "new", last, out);
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
	struct json_row r;
	struct arena a;
	FILE *out = begin();

	arena_init(&a, 1 << 20);
	json_message(&f, "deferred", last, out);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert(json_row(str_n(text, text_n), &a, &r));
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
	json_unreadable("B2", "bad", 7, "cut", out);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert(json_row(str_n(text, text_n), &a, &r));
	ck_str(r.unreadable, STR("cut"));
	ck_assert(r.size == 7 && r.rcpt_n == 0);
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		ck_assert_msg(!json_row(str_c(none[i]), &a, &r), "%s", none[i]);
	arena_free(&a);
}
END_TEST

START_TEST(status)
{
	FILE *out = begin();

	json_status(STR("pid 17\nhelper barid-auth 0 pid=1\nconfiguration /etc/x y\n"
	    "helper barid-runner 0 pid=2\nbroken\n\nsession 9 client=\xff\n"
	    "mark 192.0.2.1 crashes=1\n"), out);
	check(out, "{\n  \"pid\": 17,\n  \"helper\": [\n    \"barid-auth 0 pid=1\",\n"
	    "    \"barid-runner 0 pid=2\"\n  ],\n  \"configuration\": \"/etc/x y\",\n"
	    "  \"session\": [\n    \"9 client=\\\\xff\"\n  ],\n"
	    "  \"mark\": [\n    \"192.0.2.1 crashes=1\"\n  ]\n}\n");
	out = begin();
	json_status(STR(""), out);
	check(out, "{}\n");
}
END_TEST

START_TEST(config)
{
	struct buf error;

	buf_init(&error, 4096);
	struct conf *c = conf_parse("x.conf", STR("hostname = \"mx.example.org\"\n"), &error);
	ck_assert_msg(c != NULL, "%s", buf_cstr(&error));
	FILE *out = begin();
	json_config(c, out);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_ptr_nonnull(strstr(text, "\"name\": \"hostname\""));
	ck_assert_ptr_nonnull(strstr(text, "mx.example.org"));
	ck_assert_ptr_nonnull(strstr(text, "\"line\": 1"));
	ck_assert(text[0] == '[' && text[text_n - 2] == ']');
	conf_free(c);
	buf_free(&error);
	free(text);
}
END_TEST

/* What the server of a token says (RFC 6749 5.1, 5.2). */
START_TEST(tokens)
{
	static const struct {
		const char *text;
		bool ok;
		const char *token, *error;
		int64_t seconds;
	} cases[] = {
		{ "{\"access_token\":\"a.b\",\"expires_in\":3599,\"token_type\":\"Bearer\"}", true, "a.b", "", 3599 },
		{ "{\"access_token\":\"x\",\"expires_in\":\"60\"}", true, "x", "", 60 },
		{ "{\"access_token\":\"x\",\"expires_in\":\"soon\"}", true, "x", "", 0 },
		{ "{\"access_token\":5,\"expires_in\":null}", true, "", "", 0 },
		{ "{\"error\":\"invalid_grant\",\"error_description\":\"gone\"}", true, "", "invalid_grant", 0 },
		{ "{}", true, "", "", 0 }, { "[]", false, "", "", 0 }, { "", false, "", "", 0 },
		{ "\"x\"", false, "", "", 0 }, { "{\"access_token\":\"a\"", false, "", "", 0 },
		{ "{\"access_token\":\"a\",\"access_token\":\"b\"}", false, "", "", 0 },
		{ "<html>", false, "", "", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct json_token t;
		struct arena a;

		arena_init(&a, 1 << 16);
		ck_assert_msg(json_token(str_c(cases[i].text), &a, &t) == cases[i].ok, "case %zu", i);
		ck_str(t.token, str_c(cases[i].token));
		ck_str(t.error, str_c(cases[i].error));
		ck_assert_int_eq(t.seconds, cases[i].seconds);
		arena_free(&a);
	}
}
END_TEST

START_TEST(answers)
{
	char out[1000] = "";
	FILE *f = fmemopen(out, sizeof(out), "w");

	ck_assert_ptr_nonnull(f);
	json_answers(STR("al\"ice"), STR("no\nfile:///u\tno\nldap://h\tit \xff: died"), f);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_ptr_nonnull(strstr(out, "\"user\": \"al\\\"ice\""));
	ck_assert_ptr_nonnull(strstr(out, "\"verdict\": \"no\""));
	ck_assert_ptr_nonnull(strstr(out, "\"backend\": \"ldap://h\""));
	ck_assert_ptr_nonnull(strstr(out, "died\""));
}
END_TEST

START_TEST(collects)
{
	FILE *out = begin();

	json_collects(STR("isp\t3\t99\t2\t1\t0\t\nall\tx\t0\t0\t0\t4\tit \"says\" \xff\tno\n"), out);
	check(out, "[\n  {\n    \"name\": \"isp\",\n    \"fetched\": 3,\n    \"octets\": 99,\n    \"deleted\": 2,\n"
		   "    \"left\": 1,\n    \"refused\": 0,\n    \"error\": null\n  },\n"
		   "  {\n    \"name\": \"all\",\n    \"fetched\": 0,\n    \"octets\": 0,\n    \"deleted\": 0,\n"
		   "    \"left\": 0,\n    \"refused\": 4,\n    \"error\": \"it \\\"says\\\" \\\\xff\\\\x09no\"\n  }\n]\n");
	out = begin();
	json_collects(STR("cut"), out);
	check(out, "[\n  {\n    \"name\": \"cut\",\n    \"fetched\": 0,\n    \"octets\": 0,\n    \"deleted\": 0,\n"
		   "    \"left\": 0,\n    \"refused\": 0,\n    \"error\": null\n  }\n]\n");
}
END_TEST

/* RFC 7662 2.2. */
START_TEST(introspections)
{
	static const struct {
		const char *text;
		bool ok, active;
		const char *user, *scope;
		int64_t not_before, expires;
		bool for_us;
	} t[] = {
		{ "{\"active\":true,\"username\":\"alice\",\"scope\":\"a b\",\"exp\":99,\"nbf\":7,\"aud\":\"us\"}",
		  true, true, "alice", "a b", 7, 99, true },
		{ "{\"active\":true,\"username\":\"alice\",\"aud\":[\"x\",\"us\"],\"exp\":1e300,\"nbf\":-1}", true,
		  true, "alice", "", 1, 1000000000000000, true },
		{ "{\"active\":true,\"username\":5,\"scope\":[],\"aud\":[5,null],\"exp\":\"99\"}", true, true, "",
		  "", 0, 0, false },
		{ "{\"active\":false}", true, false, "", "", 0, 0, false },
		{ "{\"active\":\"true\"}", false, false, "", "", 0, 0, false },
		{ "{}", false, false, "", "", 0, 0, false }, { "", false, false, "", "", 0, 0, false },
		{ "true", false, false, "", "", 0, 0, false },
		{ "{\"active\":false,\"active\":true}", false, false, "", "", 0, 0, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct json_introspection got;
		struct arena a;

		arena_init(&a, 1 << 16);
		ck_assert_msg(json_introspection(str_c(t[i].text), "username", "us", &a, &got) ==
		    t[i].ok, "%s", t[i].text);
		ck_assert_int_eq(got.active, t[i].active);
		ck_str(got.user, str_c(t[i].user));
		ck_str(got.scope, str_c(t[i].scope));
		ck_assert_int_eq(got.not_before, t[i].not_before);
		ck_assert_int_eq(got.expires, t[i].expires);
		ck_assert_int_eq(got.for_audience, t[i].for_us);
		if (t[i].ok)
			ck_assert(json_introspection(str_c(t[i].text), "sub", NULL, &a, &got) &&
			    got.for_audience && got.user.n == 0);
		arena_free(&a);
	}
}
END_TEST

START_TEST(rspamd)
{
	static const char *const none[] = { "", "{", "[]", "{}", "{\"score\":1}", "{\"action\":\"x\"}",
		"{\"score\":\"1\",\"action\":\"x\"}", "{\"score\":1,\"score\":2,\"action\":\"x\"}" };
	struct json_rspamd r;
	struct arena a;

	arena_init(&a, 1 << 20);
	ck_assert(json_rspamd(STR("{\"score\":7.5,\"required_score\":15,\"action\":\"add header\","
	    "\"symbols\":{\"A\":{\"score\":7.5},\"B\":{},\"C\":1},"
	    "\"messages\":{\"smtp_message\":\"no\"},\"milter\":{}}"), &a, &r));
	ck_assert(r.score == 7.5 && r.required == 15 && r.symbol_n == 2);
	ck_str(r.action, STR("add header"));
	ck_str(r.words, STR("no"));
	ck_str(r.symbols[1], STR("B"));
	ck_assert(json_rspamd(STR("{\"score\":0,\"action\":\"no action\",\"symbols\":[]}"), &a, &r));
	ck_assert(r.symbol_n == 0 && r.required == 0 && r.words.n == 0);
	ck_assert(r.field_n == 0 && r.subject.n == 0);
	ck_assert(json_rspamd(STR("{\"score\":1,\"action\":\"x\",\"subject\":\"s\",\"milter\":{"
	    "\"add_headers\":{\"A\":\"1\",\"B\":{\"value\":\"2\",\"order\":1},\"C\":[\"3\",{\"value\":\"4\"},5],"
	    "\"D\":{},\"E\":[]},\"remove_headers\":{\"F\":0,\"G\":[1,-1],\"H\":\"x\",\"I\":[]}}}"), &a, &r));
	ck_str(r.subject, STR("s"));
	ck_assert_uint_eq(r.field_n, 7);
	ck_assert(r.fields[0].remove && r.fields[0].which == 0 && r.fields[2].which == -1);
	ck_str(r.fields[3].value, STR("1"));
	ck_assert(!r.fields[3].ordered && r.fields[4].ordered && r.fields[4].which == 1);
	ck_str(r.fields[6].value, STR("4"));
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		ck_assert_msg(!json_rspamd(str_c(none[i]), &a, &r), "%s", none[i]);
	arena_free(&a);
}
END_TEST

UNIT_MAIN("report/json", rspamd, message, row, status, config, tokens, answers, collects, introspections)
