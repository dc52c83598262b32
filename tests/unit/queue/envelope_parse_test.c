/* SPDX-License-Identifier: GPL-3.0-or-later */

/* envelope_parse -- reading a block: whole, cut, flipped, and made up. */

#include "mail/limits.h"
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
	ck_str(x->certificate, y->certificate);
	ck_str(x->chain, y->chain);
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

/* ---- whatever is written is read ------------------------------------------------ */

static struct {
	struct arena a;
	struct buf b;
	unsigned taken, refused;
} both;

/* Writes E: if that is done at all, it is read again as the same. */
static void
both_ways(const struct envelope *e)
{
	struct envelope got;
	const char *why;

	buf_reset(&both.b);
	envelope_format(&both.b, e);
	if (!buf_ok(&both.b)) {
		both.refused++;
		return;
	}
	both.taken++;
	envelope_seal(both.b.p, 0, 0);
	why = parse(&both.b, &both.a, &got);
	ck_assert_msg(why == NULL, "%s: %.300s", why, buf_cstr(&both.b) + 64);
	assert_same(e, &got);
	arena_reset(&both.a);
}

/* V, a text of E, with each octet of ASCII at its start, within and at its end; and long. */
static void
texts(const struct envelope *e, struct str *v)
{
	static const size_t sizes[] = { 0, 1, 2, 100, 101, 255, 256, 257, 500, 501, 65536 };
	struct str was = *v;
	static char text[65536];

	for (unsigned c = 0; c <= 0x80; c++) {
		memcpy(text, "xyz", 3);
		for (size_t at = 0; at < 3; at++) {
			text[at] = (char)c;
			*v = str_n(text, 3);
			both_ways(e);
			text[at] = 'x';
		}
		text[0] = (char)c;
		*v = str_n(text, 1);
		both_ways(e);
	}
	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		*v = str_n(text, sizes[i]);
		both_ways(e);
	}
	*v = was;
}

/* P, a path of E, of each length there is about the limits, in the forms that grow. */
static void
paths(const struct envelope *e, struct path *p)
{
	static const char *const locals[] = { "x", " ", "\\", "\"", "x.", "\xc3\xa9", "\xff" };
	static const char *const domains[] = { "x", "x.", "\xc3\xa9.", "xy[", "\xff." };
	struct path was = *p;
	char local[70], domain[MAIL_PATH_MAX + 4];

	for (size_t l = 0; l < ARRAY_LEN(locals) * 70; l++) {
		for (size_t i = 0; i < 70; i++)
			local[i] = locals[l / 70][i % strlen(locals[l / 70])];
		p->local = str_n(local, l % 70);
		p->domain = STR("x.test");
		both_ways(e);
		p->domain = STR("");
		both_ways(e);
	}
	for (size_t d = 0; d < ARRAY_LEN(domains) * sizeof(domain); d++) {
		const char *form = domains[d / sizeof(domain)];
		size_t n = d % sizeof(domain);

		for (size_t i = 0; i < n; i++)
			domain[i] = form[i % strlen(form)];
		/* One that ends as a domain does. */
		if (n > 0 && domain[n - 1] == '.')
			domain[n - 1] = 'x';
		p->domain = str_n(domain, n);
		p->local = STR("x");
		both_ways(e);
		p->local = str_n("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 64);
		both_ways(e);
	}
	*p = was;
	texts(e, &p->local);
	texts(e, &p->domain);
}

/* V, a number of E, about each limit that it might have. */
static void
numbers(const struct envelope *e, int64_t *v)
{
	static const int64_t at[] = { 0, ENVELOPE_WAIT_MAX, UINT32_MAX, INT64_MAX - 1, INT64_MIN + 1 };

	for (size_t i = 0; i < ARRAY_LEN(at); i++)
		for (int64_t d = -1; d <= 1; d++) {
			*v = at[i] + d;
			both_ways(e);
		}
	*v = 1;
}

static void
small_numbers(struct envelope *e)
{
	struct envelope was = *e;

	for (e->delays = 0; e->delays < ENVELOPE_DELAYS_MAX + 2; e->delays++)
		both_ways(e);
	e->delays = 0;
	for (unsigned i = 0; i < 3; i++) {
		e->max_attempts = ENVELOPE_ATTEMPTS_MAX - 1 + i;
		both_ways(e);
	}
	e->max_attempts = 0;
	for (e->priority = -11; e->priority < 12; e->priority++)
		both_ways(e);
	e->priority = 0;
	for (e->rcpts[0].notify = 0; e->rcpts[0].notify < 32; e->rcpts[0].notify++)
		both_ways(e);
	e->rcpts[0].notify = 0;
	for (int c = 0; c < 256; c++) {
		e->rcpts[0].state = (enum rcpt_state)c;
		both_ways(e);
	}
	e->rcpts[0].state = RCPT_QUEUED;
	for (size_t n = 0; n < ENVELOPE_EXTRA_MAX + 2; n++) {
		e->extra_n = n;
		both_ways(e);
	}
	*e = was;
}

/*
 * What was written is acknowledged; what then cannot be read is lost.  So each
 * field in turn gets what may come there, up to and past its limits.
 */
START_TEST(written_is_read)
{
	static struct envelope_extra extras[ENVELOPE_EXTRA_MAX + 2];
	struct envelope_rcpt rcpts[] = {
		{ .state = RCPT_QUEUED, .path = { STR("r"), STR("r.test") } },
		{ .state = RCPT_DONE, .path = { STR("s"), STR("") } },
	};
	struct envelope e = { .id = ID, .from = { STR("f"), STR("f.test") },
		.arrival_us = 1, .by_mode = BY_RETURN, .by_us = 1, .not_before_us = 1,
		.deadline_us = 1, .rcpts = rcpts, .rcpt_n = 2, .extras = extras };
	struct str *const all[] = { &e.client, &e.helo, &e.proto, &e.user, &e.listener,
		&e.local, &e.tls, &e.certificate, &e.chain, &e.envid, &e.report, &e.auth,
		&e.retry, &e.source, &e.route, &e.route_user, &e.route_password, &e.key,
		&e.dkim, &e.checks, &rcpts[0].orcpt, &rcpts[0].of, &rcpts[0].part };
	int64_t *const times[] = { &e.arrival_us, &e.by_us, &e.not_before_us, &e.deadline_us };

	for (size_t i = 0; i < ARRAY_LEN(extras); i++)
		extras[i] = (struct envelope_extra){ STR("x"), STR("") };
	arena_init(&both.a, ENVELOPE_ARENA);
	buf_init(&both.b, ENVELOPE_MAX);
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		texts(&e, all[i]);
	for (size_t i = 0; i < ARRAY_LEN(times); i++)
		numbers(&e, times[i]);
	small_numbers(&e);
	e.extra_n = 1;
	texts(&e, &extras[0].key);
	texts(&e, &extras[0].value);
	paths(&e, &e.from);
	paths(&e, &rcpts[0].path);
	/* Else nothing was tried. */
	ck_assert_uint_gt(both.taken, 10000);
	ck_assert_uint_gt(both.refused, 2000);
	buf_free(&both.b);
	arena_free(&both.a);
}
END_TEST

/* As many recipients as there may be, and one more; and a block as large. */
START_TEST(counts_are_read)
{
	struct envelope_rcpt *rcpts = calloc(ENVELOPE_RCPT_MAX + 1, sizeof(*rcpts));
	struct envelope e = { .id = ID, .from = { STR(""), STR("") }, .rcpts = rcpts };
	char *text = malloc(ENVELOPE_MAX);

	for (size_t i = 0; i <= ENVELOPE_RCPT_MAX; i++)
		rcpts[i] = (struct envelope_rcpt){ .state = RCPT_QUEUED,
			.path = { STR("a"), STR("") } };
	arena_init(&both.a, ENVELOPE_ARENA);
	buf_init(&both.b, 2 * ENVELOPE_MAX);
	for (e.rcpt_n = ENVELOPE_RCPT_MAX - 1; e.rcpt_n <= ENVELOPE_RCPT_MAX + 1; e.rcpt_n++)
		both_ways(&e);
	ck_assert_uint_eq(both.taken, 2);
	e.rcpt_n = ENVELOPE_RCPT_MAX;
	memset(text, 'x', ENVELOPE_MAX);
	e.client = str_n(text, 1);
	both_ways(&e);
	e.client.n = ENVELOPE_MAX - both.b.n;
	for (int i = 0; i < 3; i++, e.client.n++)
		both_ways(&e);
	ck_assert_uint_eq(both.taken, 5);
	ck_assert_uint_eq(both.refused, 2);
	buf_free(&both.b);
	arena_free(&both.a);
	free(text);
	free(rcpts);
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

UNIT_MAIN("queue/envelope_parse", round_trip, written_is_read, counts_are_read, each_line, retry, first_lines,
    cut_and_flipped, counts_are_bounded)
