/* SPDX-License-Identifier: GPL-3.0-or-later */

/* envelope -- the block as it is written, byte for byte. */

#include "tmpspool.h"

#include "lib/hash.h"

#define ID "0651F0C3D2A1BF00042"

static struct envelope_rcpt rcpts[2];

static struct envelope
whole(void)
{
	static struct envelope_extra extras[1];

	rcpts[0] = (struct envelope_rcpt){ .state = RCPT_QUEUED,
		.path = { STR("a b"), STR("x.example") },
		.notify = NOTIFY_SUCCESS | NOTIFY_DELAY,
		.orcpt = STR("rfc822;a+20b@x.example") };
	rcpts[1] = (struct envelope_rcpt){ .state = RCPT_DONE,
		.path = { STR("postmaster"), STR("") } };
	extras[0] = (struct envelope_extra){ STR("x-later"), STR("") };
	return (struct envelope){ .id = ID,
		.from = { STR(""), STR("") }, .arrival_us = 1763683200000001,
		.client = STR("h[::1]:1"), .helo = STR("h"),
		.proto = STR("ESMTPSA"), .user = STR("u"),
		.ours = true,
		.listener = STR("mx"), .local = STR("127.0.0.1:25"),
		.tls = STR("TLSv1.3 X"), .certificate = STR("verified sha256:ab c d"),
		.chain = STR("MIIB/w== MA=="), .body = BODY_8BITMIME,
		.smtputf8 = true, .ret = RET_HDRS, .envid = STR("e+3D"), .report = STR("mdn"),
		.auth = STR("e+3Dmc2@b.example"), .tls_wish = TLS_WISH_REQUIRED,
		.by_mode = BY_RETURN, .by_trace = true, .by_us = 5,
		.not_before_us = 1, .deadline_us = 1763683200000002,
		.max_attempts = 1000000, .retry = STR("60,31536000"),
		.source = STR("192.0.2.1,192.0.2.2"), .route = STR("isp"),
		.priority = 9, .checks = STR("[]"),
		.delays = 7, .rcpts = rcpts, .rcpt_n = 2, .extras = extras,
		.extra_n = 1 };
}

static const char written[] =
    "id: " ID "\n"
    "from: <>\n"
    "time: 1763683200000001\n"
    "delays: 07\n"
    "client: h[::1]:1\n"
    "helo: h\n"
    "proto: ESMTPSA\n"
    "user: u\n"
    "ours: yes\n"
    "listener: mx\n"
    "local: 127.0.0.1:25\n"
    "tls: TLSv1.3 X\n"
    "certificate: verified sha256:ab c d\n"
    "certificate-chain: MIIB/w== MA==\n"
    "body: 8BITMIME\n"
    "smtputf8: yes\n"
    "ret: HDRS\n"
    "envid: e+3D\n"
    "report: mdn\n"
    "auth: e+3Dmc2@b.example\n"
    "requiretls: yes\n"
    "by: 5 RT\n"
    "not-before: 1\n"
    "deadline: 1763683200000002\n"
    "max-attempts: 1000000\n"
    "retry: 60,31536000\n"
    "source: 192.0.2.1,192.0.2.2\n"
    "route: isp\n"
    "priority: 9\nchecks: []\n"
    "x-later: \n"
    "rcpt: Q <\"a b\"@x.example> notify=SUCCESS,DELAY "
    "orcpt=rfc822;a+20b@x.example\n"
    "rcpt: D <postmaster>\n"
    "\n";

/* The same with what may change in place as it was at first. */
static const char summed[] =
    "id: " ID "\nfrom: <>\ntime: 1763683200000001\ndelays: 00\n"
    "client: h[::1]:1\nhelo: h\nproto: ESMTPSA\nuser: u\nours: yes\nlistener: mx\n"
    "local: 127.0.0.1:25\ntls: TLSv1.3 X\n"
    "certificate: verified sha256:ab c d\ncertificate-chain: MIIB/w== MA==\nbody: 8BITMIME\nsmtputf8: yes\n"
    "ret: HDRS\nenvid: e+3D\nreport: mdn\n"
    "auth: e+3Dmc2@b.example\nrequiretls: yes\nby: 5 RT\nnot-before: 1\n"
    "deadline: 1763683200000002\nmax-attempts: 1000000\nretry: 60,31536000\n"
    "source: 192.0.2.1,192.0.2.2\nroute: isp\npriority: 9\nchecks: []\nx-later: \nrcpt: Q <\"a b\"@x.example> "
    "notify=SUCCESS,DELAY orcpt=rfc822;a+20b@x.example\n"
    "rcpt: Q <postmaster>\n\n";

START_TEST(every_line)
{
	struct envelope e = whole();
	char first[65];
	struct buf b;

	buf_init(&b, ENVELOPE_MAX);
	envelope_format(&b, &e);
	ck_assert(buf_ok(&b));
	ck_assert_int_eq(snprintf(first, sizeof(first),
	    "barid-1 env=%07zu sum=%08X size=............ crc=........\n",
	    b.n, crc32c(0, summed, sizeof(summed) - 1)), 64);
	ck_str(str_head(buf_str(&b), 64), str_c(first));
	ck_str(str_skip(buf_str(&b), 64), str_c(written));
	buf_free(&b);
}
END_TEST

START_TEST(size_of_recipients)
{
	struct envelope e = whole();
	struct buf one, both;

	buf_init(&one, ENVELOPE_MAX);
	buf_init(&both, ENVELOPE_MAX);
	envelope_format(&both, &e);
	e.rcpt_n = 1;
	envelope_format(&one, &e);
	ck_assert_uint_eq(envelope_rcpts_size(&rcpts[1], 1), both.n - one.n);
	ck_assert_uint_eq(envelope_rcpts_size(rcpts, 2),
	    envelope_rcpts_size(rcpts, 1) + both.n - one.n);
	buf_free(&one);
	buf_free(&both);
}
END_TEST

START_TEST(seal_fills_in)
{
	struct envelope e = whole();
	struct buf b;

	buf_init(&b, ENVELOPE_MAX);
	envelope_format(&b, &e);
	envelope_seal(b.p, 123456789012, 0xdeadbeef);
	ck_str(str_n(b.p + 33, 31), STR("size=123456789012 crc=DEADBEEF\n"));
	ck_assert_uint_eq(envelope_length(buf_str(&b)), b.n);
	buf_free(&b);
}
END_TEST

START_TEST(sum_knows_no_states)
{
	struct envelope e = whole();
	struct buf a, b;

	buf_init(&a, ENVELOPE_MAX);
	buf_init(&b, ENVELOPE_MAX);
	envelope_format(&a, &e);
	e.delays = 99;
	rcpts[0].state = RCPT_BOUNCED;
	envelope_format(&b, &e);
	ck_assert_uint_eq(envelope_sum(buf_str(&a)), envelope_sum(buf_str(&b)));
	e.helo = STR("g");
	buf_reset(&b);
	envelope_format(&b, &e);
	ck_assert_uint_ne(envelope_sum(buf_str(&a)), envelope_sum(buf_str(&b)));
	buf_free(&a);
	buf_free(&b);
}
END_TEST

static void
set_client(struct envelope *e)
{
	e->client = STR("a\nrcpt: Q <evil@x>");
}

static void
set_user_nul(struct envelope *e)
{
	e->user = str_n("a\0b", 3);
}

static void
set_orcpt(struct envelope *e)
{
	e->rcpts[0].orcpt = STR("rfc822;a notify=NEVER");
}

static void
set_path(struct envelope *e)
{
	e->rcpts[1].path.local = STR("a\r\nb");
}

static void
set_null_rcpt(struct envelope *e)
{
	e->rcpts[1].path.local = STR("");
}

static void
set_state(struct envelope *e)
{
	e->rcpts[1].state = 0;
}

static void
set_no_rcpt(struct envelope *e)
{
	e->rcpt_n = 0;
}

static void
set_id(struct envelope *e)
{
	e->id[3] = '/';
}

static void
set_known_extra(struct envelope *e)
{
	e->extras[0].key = STR("user");
}

static void
set_bad_extra(struct envelope *e)
{
	e->extras[0].key = STR("a: b");
}

static void
set_delays(struct envelope *e)
{
	e->delays = 100;
}

static void
set_attempts(struct envelope *e)
{
	e->max_attempts = ENVELOPE_ATTEMPTS_MAX + 1;
}

static void
set_priority(struct envelope *e)
{
	e->priority = 10;
}

static void
set_retry(struct envelope *e)
{
	e->retry = STR("60,");
}

static void
set_deadline(struct envelope *e)
{
	e->deadline_us = -1;
}

static void
set_route(struct envelope *e)
{
	e->route = STR("a\nb");
}

static void
set_not_xtext(struct envelope *e)
{
	e->rcpts[0].of = STR("a=b");
}

static void
set_notify(struct envelope *e)
{
	e->rcpts[0].notify = NOTIFY_NEVER | NOTIFY_DELAY;
}

static void
set_domain(struct envelope *e)
{
	e->from = (struct path){ STR("a"), STR("b..test") };
}

START_TEST(refused)
{
	void (*const set[])(struct envelope *) = { set_client, set_user_nul,
		set_orcpt, set_path, set_null_rcpt, set_state, set_no_rcpt,
		set_id, set_known_extra, set_bad_extra, set_delays,
		set_attempts, set_retry, set_deadline, set_route, set_priority,
		set_not_xtext, set_notify, set_domain };
	struct buf b;

	buf_init(&b, ENVELOPE_MAX);
	for (size_t i = 0; i < ARRAY_LEN(set); i++) {
		struct envelope e = whole();

		buf_reset(&b);
		set[i](&e);
		envelope_format(&b, &e);
		ck_assert_msg(!buf_ok(&b), "row %zu was written", i);
	}
	buf_free(&b);
}
END_TEST

START_TEST(size_is_capped)
{
	struct envelope e = whole();
	char *s = malloc(ENVELOPE_MAX);
	struct buf b;

	memset(s, 'x', ENVELOPE_MAX);
	e.client = str_n(s, ENVELOPE_MAX);
	buf_init(&b, 2 * ENVELOPE_MAX);
	envelope_format(&b, &e);
	ck_assert(!buf_ok(&b));
	buf_free(&b);
	free(s);
}
END_TEST

UNIT_MAIN("queue/envelope", every_line, size_of_recipients, seal_fills_in, sum_knows_no_states,
    refused, size_is_capped)
