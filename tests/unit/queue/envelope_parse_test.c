/* SPDX-License-Identifier: GPL-3.0-or-later */

/* envelope_parse -- reading a block: whole, cut, flipped, and made up. */

#include "tmpspool.h"

#define ID "0651F0C3D2A1BF00042"

/* Puts a block made of LINES into B, with a first line that fits it. */
static void
make_block(struct buf *b, const char *lines)
{
	char sum[9];

	buf_reset(b);
	buf_addf(b, "barid-1 env=%07zu sum=........ size=000000000012 "
	    "crc=89ABCDEF\n%s", strlen(lines) + 64, lines);
	snprintf(sum, sizeof(sum), "%08X", envelope_sum(buf_str(b)));
	memcpy(b->p + 24, sum, 8);
}

#define NEEDED "id: " ID "\nfrom: <a@b.example>\ntime: 5\ndelays: 03\n"
#define ONE_RCPT "rcpt: Q <c@d.example>\n"

static const char *
parse(struct buf *b, struct arena *a, struct envelope *e)
{
	uint64_t size;
	uint32_t crc;

	return envelope_parse(buf_str(b), a, e, &size, &crc);
}

static void
assert_same(const struct envelope *x, const struct envelope *y)
{
	ck_assert_str_eq(x->id, y->id);
	ck_assert(path_eq(&x->from, &y->from));
	ck_assert_int_eq(x->arrival_us, y->arrival_us);
	ck_str(x->client, y->client);
	ck_str(x->helo, y->helo);
	ck_str(x->proto, y->proto);
	ck_str(x->user, y->user);
	ck_assert_int_eq(x->ours, y->ours);
	ck_str(x->listener, y->listener);
	ck_str(x->local, y->local);
	ck_str(x->tls, y->tls);
	ck_str(x->envid, y->envid);
	ck_str(x->report, y->report);
	ck_assert_int_eq(x->body, y->body);
	ck_assert_int_eq(x->smtputf8, y->smtputf8);
	ck_assert_int_eq(x->tls_wish, y->tls_wish);
	ck_assert_int_eq(x->by_mode, y->by_mode);
	ck_assert_int_eq(x->by_trace, y->by_trace);
	ck_assert_int_eq(x->by_us, y->by_us);
	ck_str(x->auth, y->auth);
	ck_str(x->checks, y->checks);
	ck_assert_int_eq(x->ret, y->ret);
	ck_assert_uint_eq(x->delays, y->delays);
	ck_assert_int_eq(x->not_before_us, y->not_before_us);
	ck_assert_int_eq(x->deadline_us, y->deadline_us);
	ck_assert_uint_eq(x->max_attempts, y->max_attempts);
	ck_str(x->retry, y->retry);
	ck_str(x->source, y->source);
	ck_str(x->route, y->route);
	ck_str(x->route_user, y->route_user);
	ck_str(x->route_password, y->route_password);
	ck_str(x->key, y->key);
	ck_str(x->dkim, y->dkim);
	ck_assert_int_eq(x->priority, y->priority);
	ck_assert_uint_eq(x->rcpt_n, y->rcpt_n);
	for (size_t i = 0; i < x->rcpt_n; i++) {
		ck_assert_int_eq(x->rcpts[i].state, y->rcpts[i].state);
		ck_assert(path_eq(&x->rcpts[i].path, &y->rcpts[i].path));
		ck_assert_uint_eq(x->rcpts[i].notify, y->rcpts[i].notify);
		ck_str(x->rcpts[i].orcpt, y->rcpts[i].orcpt);
		ck_str(x->rcpts[i].of, y->rcpts[i].of);
		ck_str(x->rcpts[i].part, y->rcpts[i].part);
	}
	ck_assert_uint_eq(x->extra_n, y->extra_n);
	for (size_t i = 0; i < x->extra_n; i++) {
		ck_str(x->extras[i].key, y->extras[i].key);
		ck_str(x->extras[i].value, y->extras[i].value);
	}
}

/* K2: what was written is read again, keys that nobody knows among it. */
START_TEST(round_trip)
{
	struct envelope_rcpt rcpts[] = {
		{ .state = RCPT_QUEUED,
		  .path = { STR("we\"ird\\ @<>"), STR("x.example") },
		  .notify = NOTIFY_NEVER },
		{ .state = RCPT_SENT, .path = { STR("a..b"), STR("[192.0.2.1]") },
		  .orcpt = STR("utf-8;x"), .of = STR("team+40x.example"), .part = STR("p01234567001a") },
		{ .state = RCPT_FAILED, .path = { STR("\xc3\xa9"),
		    STR("\xc3\xa9.example") } },
		{ .state = RCPT_BOUNCED, .path = { STR("bare"), STR("") } },
		{ .state = RCPT_DONE, .path = { STR("x"), STR("y") } },
	};
	struct envelope_extra extras[] = { { STR("a"), STR("1: 2") },
		{ STR("a"), STR("") } };
	struct envelope e = { .id = ID, .from = { STR("s_p"), STR("q.r") },
		.arrival_us = INT64_MAX, .client = STR(" leading: and: colons "),
		.helo = STR("[IPv6:::1]"), .proto = STR("UTF8SMTPSA"),
		.user = STR("\xff\xfe"), .ours = true, .listener = STR("l"),
		.local = STR("o"), .tls = STR("t"), .body = BODY_BINARYMIME,
		.smtputf8 = true, .ret = RET_FULL, .envid = STR("QQ"), .report = STR("dsn"),
		.auth = STR("<>"), .tls_wish = TLS_WISH_NONE,
		.by_mode = BY_NOTIFY, .by_us = INT64_MAX,
		.not_before_us = INT64_MAX, .deadline_us = 1, .max_attempts = 1,
		.retry = STR("1,31536000"), .source = STR("pool"),
		.route = STR("error:550 5.1.1 no: \"x\""), .priority = -9,
		.checks = STR("[{\"spf\":\"pass\"}]"),
		.route_user = STR("u@x"), .route_password = STR(" p: \xff"), .key = STR("k-1"),
		.dkim = STR("{\"key\": \"-----BEGIN\\n\"}"),
		.delays = 99, .rcpts = rcpts, .rcpt_n = ARRAY_LEN(rcpts),
		.extras = extras, .extra_n = ARRAY_LEN(extras) }, got;
	const char *why;
	struct arena a;
	struct buf b;
	uint64_t size;
	uint32_t crc;

	arena_init(&a, ENVELOPE_ARENA);
	buf_init(&b, ENVELOPE_MAX);
	envelope_format(&b, &e);
	ck_assert(buf_ok(&b));
	envelope_seal(b.p, 77, 0x12345678);
	why = envelope_parse(buf_str(&b), &a, &got, &size, &crc);
	ck_assert_msg(why == NULL, "%s", why);
	ck_assert_uint_eq(size, 77);
	ck_assert_uint_eq(crc, 0x12345678);
	assert_same(&e, &got);
	for (size_t i = 0; i < got.rcpt_n; i++)
		ck_assert_int_eq(b.p[got.rcpts[i].state_at], rcpts[i].state);
	buf_free(&b);
	arena_free(&a);
}
END_TEST

/* clang-format off */
static const struct {
	const char *lines;
	const char *why;	/* NULL: it is taken */
} made_up[] = {
	{ NEEDED ONE_RCPT "\n", NULL },
	{ ONE_RCPT NEEDED "\n", NULL },
	{ NEEDED "rcpt: Q <c@d.example> later=1\n\n", NULL },
	{ NEEDED ONE_RCPT ONE_RCPT "a-b: c\na-b: d\n\n", NULL },
	{ NEEDED ONE_RCPT, "the envelope has no end" },
	{ NEEDED ONE_RCPT "\n\n", "the envelope ends before it should" },
	{ NEEDED "\n", "the envelope is not complete" },
	{ ONE_RCPT "\n", "the envelope is not complete" },
	{ NEEDED ONE_RCPT "id: " ID "\n\n", "a key stands in the envelope twice" },
	{ NEEDED ONE_RCPT "no colon\n\n", "a line of the envelope is not \"key: value\"" },
	{ NEEDED ONE_RCPT "no:space\n\n", "a line of the envelope is not \"key: value\"" },
	{ NEEDED ONE_RCPT ": x\n\n", "a line of the envelope is not \"key: value\"" },
	{ NEEDED ONE_RCPT "user: a\rb\n\n", "a line of the envelope is not \"key: value\"" },
	{ NEEDED "rcpt: X <c@d.example>\n\n", "the state of a recipient is unknown" },
	{ NEEDED "rcpt: \n\n", "the state of a recipient is unknown" },
	{ NEEDED "rcpt: Q\n\n", "the state of a recipient is unknown" },
	{ NEEDED "rcpt: Q <c@d.example> word\n\n", "a word behind a recipient has no \"=\"" },
	{ NEEDED "rcpt: Q <c@d.example> notify=NEVER,DELAY\n\n", "NOTIFY is not well formed" },
	{ NEEDED ONE_RCPT "body: 9BIT\n\n", "the body type is unknown" },
	{ NEEDED ONE_RCPT "body: \n\n", "the body type is unknown" },
	{ NEEDED ONE_RCPT "smtputf8: no\n\n", "smtputf8 is not \"yes\"" },
	{ NEEDED ONE_RCPT "ours: no\n\n", "ours is not \"yes\"" },
	{ NEEDED ONE_RCPT "requiretls: maybe\n\n",
	    "requiretls is neither \"yes\" nor \"no\"" },
	{ NEEDED ONE_RCPT "by: 1 N\n\n", NULL },
	{ NEEDED ONE_RCPT "by: 1 X\n\n",
	    "the time to deliver by is not well formed" },
	{ NEEDED ONE_RCPT "by: 1\n\n",
	    "the time to deliver by is not well formed" },
	{ NEEDED ONE_RCPT "by: 1 NTT\n\n",
	    "the time to deliver by is not well formed" },
	{ NEEDED ONE_RCPT "by: x NT\n\n", "a time is not a number" },
	{ NEEDED ONE_RCPT "ret: SOME\n\n", "RET is neither FULL nor HDRS" },
	{ NEEDED ONE_RCPT "deadline: soon\n\n", "a time is not a number" },
	{ NEEDED ONE_RCPT "not-before: -1\n\n", "a time is not a number" },
	{ NEEDED ONE_RCPT "max-attempts: 1000001\n\n", "the number of attempts is not well formed" },
	{ NEEDED ONE_RCPT "max-attempts: few\n\n", "the number of attempts is not well formed" },
	{ NEEDED ONE_RCPT "priority: 10\n\n", "the priority is not well formed" },
	{ NEEDED ONE_RCPT "priority: --1\n\n", "the priority is not well formed" },
	{ NEEDED ONE_RCPT "retry: 60,0\n\n", "the times of retry are not well formed" },
	{ NEEDED ONE_RCPT "retry: \n\n", "the times of retry are not well formed" },
	{ NEEDED ONE_RCPT "retry: 31536001\n\n", "the times of retry are not well formed" },
	{ NEEDED ONE_RCPT "route: a\nroute: b\n\n", "a key stands in the envelope twice" },
	{ "id: x\nfrom: <>\ntime: 1\ndelays: 00\n" ONE_RCPT "\n", "the id is not well formed" },
	{ "id: " ID "\nfrom: <>\ntime: -1\ndelays: 00\n" ONE_RCPT "\n", "a time is not a number" },
	{ "id: " ID "\nfrom: <>\ntime: 9223372036854775808\ndelays: 00\n" ONE_RCPT "\n", "a time is not a number" },
	{ "id: " ID "\nfrom: <>\ntime: 1\ndelays: 0\n" ONE_RCPT "\n", "the count of delay reports is not well formed" },
};
/* clang-format on */

START_TEST(each_line)
{
	struct envelope e;
	struct arena a;
	struct buf b;

	arena_init(&a, ENVELOPE_ARENA);
	buf_init(&b, ENVELOPE_MAX);
	for (size_t i = 0; i < ARRAY_LEN(made_up); i++) {
		const char *why;

		make_block(&b, made_up[i].lines);
		why = parse(&b, &a, &e);
		if (made_up[i].why == NULL)
			ck_assert_msg(why == NULL, "row %zu: %s", i, why);
		else
			ck_assert_msg(why != NULL &&
			    strcmp(why, made_up[i].why) == 0, "row %zu: %s", i,
			    why != NULL ? why : "taken");
		arena_reset(&a);
	}
	/* Addresses are path's business; what it says is passed on. */
	make_block(&b, NEEDED "rcpt: Q <>\n\n");
	ck_assert_ptr_nonnull(parse(&b, &a, &e));
	make_block(&b, NEEDED "rcpt: Q <a@b>x\n\n");
	ck_assert_ptr_nonnull(parse(&b, &a, &e));
	buf_free(&b);
	arena_free(&a);
}
END_TEST

START_TEST(retry)
{
	int64_t ms[ENVELOPE_RETRY_MAX];
	struct buf b;

	ck_assert_uint_eq(envelope_retry(STR("1,31536000"), ms), 2);
	ck_assert_int_eq(ms[0], 1000);
	ck_assert_int_eq(ms[1], 31536000000);
	buf_init(&b, 1000);
	for (int i = 0; i < ENVELOPE_RETRY_MAX; i++)
		buf_adds(&b, i == 0 ? "9" : ",9");
	ck_assert_uint_eq(envelope_retry(buf_str(&b), ms), ENVELOPE_RETRY_MAX);
	buf_adds(&b, ",9");
	ck_assert_uint_eq(envelope_retry(buf_str(&b), ms), 0);
	buf_free(&b);
}
END_TEST

START_TEST(first_lines)
{
	static const struct {
		size_t at;
		const char *text;
		const char *why;
	} rows[] = {
		{ 0, "BARID-1", "the first line is not that of a message" },
		{ 6, "2", "the first line is not that of a message" },
		{ 12, ".......", "the first line is not that of a message" },
		{ 12, "0000064", "the first line is not that of a message" },
		{ 12, "4194305", "the first line is not that of a message" },
		{ 12, "0000900", "the envelope is cut short" },
		{ 24, "zzzzzzzz", "the first line has no checksum" },
		{ 24, "00000000", "the checksum of the envelope is wrong" },
		{ 38, "............", "the first line is not well formed" },
		{ 55, "0000000g", "the first line is not well formed" },
		{ 55, "........", "the message was never completed" },
		{ 63, " ", "the first line is not that of a message" },
	};
	struct envelope e;
	struct arena a;
	struct buf b;

	arena_init(&a, ENVELOPE_ARENA);
	buf_init(&b, ENVELOPE_MAX);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *why;

		make_block(&b, NEEDED ONE_RCPT "\n");
		memcpy(b.p + rows[i].at, rows[i].text, strlen(rows[i].text));
		why = parse(&b, &a, &e);
		ck_assert_msg(why != NULL && strcmp(why, rows[i].why) == 0,
		    "row %zu: %s", i, why != NULL ? why : "taken");
	}
	buf_free(&b);
	arena_free(&a);
}
END_TEST

/* S-53: cut at each byte, and each bit flipped: refused, but for states. */
START_TEST(cut_and_flipped)
{
	struct envelope e;
	struct arena a;
	struct buf b;

	arena_init(&a, ENVELOPE_ARENA);
	buf_init(&b, ENVELOPE_MAX);
	make_block(&b, NEEDED ONE_RCPT "user: u\n\n");
	for (size_t n = 0; n < b.n; n++) {
		uint64_t size;
		uint32_t crc;

		ck_assert_ptr_nonnull(envelope_parse(str_n(b.p, n), &a, &e,
		    &size, &crc));
	}
	for (size_t i = 0; i < b.n * 8; i++) {
		const char *why;

		if (i / 8 >= 38 && i / 8 < 63)
			continue;	/* of the text: queue_load() knows */
		b.p[i / 8] ^= (char)(1 << i % 8);
		why = parse(&b, &a, &e);
		b.p[i / 8] ^= (char)(1 << i % 8);
		ck_assert_msg(why != NULL || e.rcpts[0].state != RCPT_QUEUED ||
		    e.delays != 3, "bit %zu", i);
		arena_reset(&a);
	}
	buf_free(&b);
	arena_free(&a);
}
END_TEST

START_TEST(counts_are_bounded)
{
	struct buf b, lines;
	struct envelope e;
	struct arena a;

	buf_init(&b, ENVELOPE_MAX);
	buf_init(&lines, ENVELOPE_MAX);
	arena_init(&a, ENVELOPE_ARENA);
	buf_adds(&lines, NEEDED);
	for (int i = 0; i < ENVELOPE_RCPT_MAX; i++)
		buf_adds(&lines, "rcpt: Q <a@b>\n");
	buf_adds(&lines, "\n");
	make_block(&b, buf_cstr(&lines));
	ck_assert_ptr_null(parse(&b, &a, &e));
	ck_assert_uint_eq(e.rcpt_n, ENVELOPE_RCPT_MAX);
	arena_reset(&a);
	buf_cut(&lines, lines.n - 1);
	buf_adds(&lines, "rcpt: Q <a@b>\n\n");
	make_block(&b, buf_cstr(&lines));
	ck_assert_str_eq(parse(&b, &a, &e), "there are too many recipients");
	arena_free(&a);
	/* An arena that is too small is said, not fatal. */
	arena_init(&a, 100);
	ck_assert_str_eq(parse(&b, &a, &e),
	    "the envelope is too large for this process");
	arena_free(&a);
	arena_init(&a, ENVELOPE_ARENA);
	buf_reset(&lines);
	buf_adds(&lines, NEEDED ONE_RCPT);
	for (int i = 0; i <= ENVELOPE_EXTRA_MAX; i++)
		buf_adds(&lines, "x: y\n");
	buf_adds(&lines, "\n");
	make_block(&b, buf_cstr(&lines));
	ck_assert_str_eq(parse(&b, &a, &e), "there are too many unknown keys");
	arena_free(&a);
	buf_free(&b);
	buf_free(&lines);
}
END_TEST

UNIT_MAIN("queue/envelope_parse", round_trip, each_line, retry, first_lines,
    cut_and_flipped, counts_are_bounded)
