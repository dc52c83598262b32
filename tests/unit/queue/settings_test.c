/* SPDX-License-Identifier: GPL-3.0-or-later */

/* settings -- what a header may say of its message, and how it may not. */

#include "queue/settings.h"

#include <stdio.h>

#include "unit.h"

#define US INT64_C(1000000)
/* Fri, 20 Nov 2026 12:00:00 +0000 */
#define NOW INT64_C(1795176000)

static struct arena a;
static struct conf *conf;

/* With something that a field can name. */
static void
load_conf(void)
{
	static const char text[] =
	    "upstream isp { server \"192.0.2.8\" { } }\n"
	    "pool fast { addresses = {\"192.0.2.10\", \"192.0.2.11\"} }\n";
	struct buf error;

	if (conf != NULL)
		return;
	buf_init(&error, 1000);
	conf = conf_parse("test.conf", str_c(text), &error);
	ck_assert_msg(conf != NULL, "%s", buf_cstr(&error));
	buf_free(&error);
}

static const char *
take(const char *header, struct envelope *e)
{
	struct settings s;
	const char *why;

	load_conf();
	settings_init(&s, conf, &a, NOW * US);
	why = settings_take_all(&s, str_c(header));
	return why != NULL ? why : settings_apply(&s, e);
}

START_TEST(times)
{
	static const struct {
		const char *value;
		int64_t t;	/* -1: refused */
	} t[] = {
		{ "2026-11-20 12:00:01", NOW + 1 },
		{ "2026-11-20T12:00:01Z", NOW + 1 },
		{ "Fri, 20 Nov 2026 13:00:01 +0100", NOW + 1 },
		{ "1795176001", NOW + 1 },
		{ "+1s", NOW + 1 },
		{ "+90m", NOW + 5400 },
		{ "+2h", NOW + 7200 },
		{ "+366d", NOW + 366 * 86400 },
		{ "  +1d ", NOW + 86400 },
		/* It is over: at once. */
		{ "2026-11-20 11:59:59", 0 },
		{ "+0s", 0 },
		{ "+367d", -1 },
		{ "2028-01-01 00:00:00", -1 },
		{ "9999999999999", -1 },
		{ "2026-13-01 00:00:00", -1 },
		{ "2026-00-01 00:00:00", -1 },
		{ "2026-11-20 12:00", -1 },
		{ "2026-11-20 12:00:01X", -1 },
		{ "2026/11/20 12:00:01", -1 },
		{ "tomorrow", -1 },
		{ "", -1 },
		{ "+", -1 },
		{ "+5", -1 },
		{ "+5w", -1 },
		{ "-5m", -1 },
		{ "+99999999999999999999d", -1 },
	};
	char header[200];

	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct envelope e = { .rcpt_n = 0 };
		const char *why;

		snprintf(header, sizeof(header), "x-mq-delayed: %s\r\n\r\n",
		    t[i].value);
		why = take(header, &e);
		ck_assert_msg((why == NULL) == (t[i].t >= 0), "row %zu: %s", i,
		    why);
		if (why == NULL)
			ck_assert_msg(e.not_before_us == t[i].t * US,
			    "row %zu: %lld", i, (long long)e.not_before_us);
	}
	arena_free(&a);
}
END_TEST

START_TEST(everything)
{
	struct envelope_rcpt rcpts[] = { { .notify = NOTIFY_NEVER },
		{ .notify = 0 } };
	struct envelope e = { .rcpts = rcpts, .rcpt_n = 2 };

	arena_init(&a, 1 << 20);
	ck_assert_ptr_null(take("Subject: x\r\nX-Barid-Not-Before: +1h\r\n"
	    "X-Barid-Deadline: +2h\r\nx-barid-max-attempts: 3\r\n"
	    "x-barid-retry: 3m,\r\n 10m , 3600\r\nX-MQ-IP: 192.0.2.1\r\n"
	    "x-mq-ip: 192.0.2.2\r\nx-barid-route: smtp:[192.0.2.9]:26\r\n"
	    "X-Barid-Priority: -3\r\n"
	    "x-mq-dsn-notify: failure,delay\r\nx-mq-dsn-ret: full\r\n"
	    "x-mq-dsn-envid: a b\r\nx-mq-tag: whatever\r\n"
	    "\r\nx-mq-delayed: nonsense in the body\r\n", &e));
	ck_assert_int_eq(e.not_before_us, (NOW + 3600) * US);
	ck_assert_int_eq(e.deadline_us, (NOW + 7200) * US);
	ck_assert_uint_eq(e.max_attempts, 3);
	ck_assert_int_eq(e.priority, -3);
	ck_str(e.retry, STR("180,600,3600"));
	ck_str(e.source, STR("192.0.2.1,192.0.2.2"));
	ck_str(e.route, STR("smtp:[192.0.2.9]:26"));
	ck_assert_uint_eq(rcpts[0].notify, NOTIFY_NEVER);
	ck_assert_uint_eq(rcpts[1].notify, NOTIFY_FAILURE | NOTIFY_DELAY);
	ck_assert_int_eq(e.ret, RET_FULL);
	ck_str(e.envid, STR("a+20b"));
	/* What was said by the protocol counts more. */
	ck_assert_ptr_null(take("x-mq-dsn-ret: HDRS\r\nx-mq-dsn-envid: z\r\n",
	    &e));
	ck_assert_int_eq(e.ret, RET_FULL);
	ck_str(e.envid, STR("a+20b"));
	ck_assert_int_eq(e.deadline_us, (NOW + 7200) * US);
	ck_assert_ptr_null(take("x-mq-pool: fast\r\nx-mq-priority: 200\r\n",
	    &e));
	ck_assert_int_eq(e.priority, 9);
	ck_str(e.source, STR("fast"));
	ck_assert_ptr_null(take("x-barid-route: isp\r\n", &e));
	ck_str(e.route, STR("isp"));
	ck_assert_ptr_null(take("x-barid-route: mx\r\nx-mq-ip: 2001:db8::1\r\n",
	    &e));
	ck_str(e.source, STR("2001:db8::1"));
	arena_free(&a);
}
END_TEST

/* H7: a server in four fields, as MailerQ has it, is a route. */
START_TEST(smarthost)
{
	static const struct {
		const char *fields, *route, *user, *password;
	} t[] = {
		{ "x-mq-smarthost-hostname: a.test", "smtp:a.test:25", "", "" },
		{ "x-mq-smarthost-hostname: ::1\r\nx-mq-smarthost-port: 26",
		    "smtp:[::1]:26", "", "" },
		{ "x-mq-smarthost-port: 587\r\nX-Barid-Smarthost-Hostname: [192.0.2.1]\r\n"
		    "x-mq-smarthost-password: a b:\xc3\xa9\r\nx-mq-smarthost-username: u@x",
		    "smtp:[192.0.2.1]:587", "u@x", "a b:\xc3\xa9" },
		/* None takes a login along. */
		{ "x-mq-tag: x", "", "", "" },
	};
	struct envelope e = { .rcpt_n = 0 };

	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		const char *why = take(t[i].fields, &e);

		ck_assert_msg(why == NULL, "row %zu: %s", i, why);
		ck_str(e.route, str_c(t[i].route));
		ck_str(e.route_user, str_c(t[i].user));
		ck_str(e.route_password, str_c(t[i].password));
	}
	arena_free(&a);
}
END_TEST

START_TEST(refused)
{
	static const struct {
		const char *header, *why;	/* its beginning */
	} t[] = {
		{ "x-mq-delayed: x", "x-mq-delayed is no time" },
		{ "x-mq-priority: high", "x-mq-priority is no priority" },
		{ "X-Barid-Deadline: +367d", "X-Barid-Deadline is no time" },
		{ "x-mq-maxdelivertime: 2026-11-20 11:00:00",
		    "x-mq-maxdelivertime is over already" },
		{ "x-barid-deadline: +1h\r\nx-barid-not-before: +1h",
		    "its deadline is before" },
		{ "x-mq-delayed: +1h\r\nx-mq-delayed: +1h",
		    "x-mq-delayed stands there twice" },
		{ "x-mq-maxattempts: -1", "x-mq-maxattempts is no number" },
		{ "x-mq-maxattempts: 1000001", "x-mq-maxattempts is no number" },
		{ "x-mq-retries: 60,", "x-mq-retries is no list" },
		{ "x-mq-retries: 0", "x-mq-retries is no list" },
		{ "x-mq-retries: 60;70", "x-mq-retries is no list" },
		{ "x-mq-retries: 1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,"
		    "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,"
		    "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1", "x-mq-retries is no list" },
		{ "x-mq-ip: 192.0.2.1, 192.0.2.2",
		    "x-mq-ip is neither an address nor a pool" },
		{ "x-mq-ip:", "x-mq-ip is neither an address nor a pool" },
		{ "x-barid-source: slow", "x-barid-source is neither an "
		    "address nor a pool" },
		{ "x-mq-pool: fast\r\nx-mq-ip: 192.0.2.1", "x-mq-ip is one "
		    "address too many" },
		{ "x-mq-ip: 192.0.2.1\r\nx-mq-pool: fast", "x-mq-pool is a "
		    "pool, and stands beside" },
		{ "x-barid-route: \xc3\xa9", "x-barid-route is no way" },
		{ "x-barid-route:", "x-barid-route is no way" },
		{ "x-barid-route: ips", "x-barid-route is no way that "
		    "route.via can have: there is no upstream \"ips\", expected "
		    "mx, the name of an upstream, " },
		{ "x-barid-route: smtp:", "x-barid-route is no way that "
		    "route.via can have: \"smtp:\" leads nowhere" },
		{ "x-barid-route: maildir:/m", "x-barid-route is a Maildir" },
		{ "x-barid-route: smtp:unix:/run/x", "x-barid-route is no way that "
		    "route.via can have: a socket that no upstream, route" },
		{ "x-barid-route: pipe:/bin/sh", "x-barid-route is no way that "
		    "route.via can have: a program, which only a route" },
		{ "x-barid-route: error:200", "x-barid-route is no way" },
		{ "x-mq-dsn-notify: sometimes", "x-mq-dsn-notify is not" },
		{ "x-mq-dsn-ret: half", "x-mq-dsn-ret is neither" },
		{ "x-mq-dsn-envid: \xc3\xa9", "x-mq-dsn-envid is no" },
		{ "x-mq-smarthost-hostname: \xc3\xa9", "x-mq-smarthost-hostname is no name" },
		{ "x-mq-smarthost-hostname: a/b", "its smarthost: \"smtp:a/b:25\" leads nowhere" },
		{ "x-mq-smarthost-hostname: unix:/run/x", "its smarthost: \"smtp:[unix:/run/x]:25\" "
		    "leads nowhere" },
		{ "x-mq-smarthost-port: 26", "its smarthost has no hostname" },
		{ "x-mq-smarthost-port: 0", "x-mq-smarthost-port is no port" },
		{ "x-mq-smarthost-password: a", "its smarthost has no hostname" },
		{ "x-mq-smarthost-hostname: a.test\r\nx-mq-smarthost-username: u",
		    "its smarthost has a username or a password, and not both" },
		{ "x-mq-smarthost-hostname: a.test\r\nx-barid-route: mx", "it has a route and" },
		/* Who hands in mail with its text cannot name another one. */
		{ "x-mq-key: a", "x-mq-key is for mail that is left in the drop directory" },
		{ "x-mq-smarthost-username:", "x-mq-smarthost-username is no text" },
		{ "x-mq-smarthost-password: \x01", "x-mq-smarthost-password is no text" },
	};
	struct buf b;

	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct envelope e = { .rcpt_n = 0 };
		const char *why = take(t[i].header, &e);

		ck_assert_msg(why != NULL && str_starts(str_c(why),
		    str_c(t[i].why)), "row %zu: %s", i, why);
	}
	/* A value without end, and addresses without end. */
	buf_init(&b, 1 << 20);
	buf_adds(&b, "x-barid-route: ");
	for (int i = 0; i < 1001; i++)
		buf_addc(&b, 'r');
	ck_assert_str_eq(take(buf_cstr(&b), &(struct envelope){ .rcpt_n = 0 }),
	    "x-barid-route is too long");
	buf_reset(&b);
	for (int i = 0; i < 500; i++)
		buf_adds(&b, "x-mq-ip: 192.0.2.1\r\n");
	ck_assert_str_eq(take(buf_cstr(&b), &(struct envelope){ .rcpt_n = 0 }),
	    "x-mq-ip is one address too many");
	buf_free(&b);
	arena_free(&a);
}
END_TEST

UNIT_MAIN("queue/settings", times, everything, smarthost, refused)
