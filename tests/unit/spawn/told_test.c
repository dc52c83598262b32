/* SPDX-License-Identifier: GPL-3.0-or-later */

/* told -- what a program is told: nothing leaves its word, nothing is an option. */

#include "spawn/spawn.h"

#include <stdlib.h>

#include "conf/conf_unit.h"

#define CONF "route x { via = 'pipe:%s' }\n"
#define ID "0123456789ABCDEF012"

static struct conf *c;
static struct arena a;
static struct msg_spawn m;
static struct told told;
static const struct account nobody = { "u", "/", "/bin/sh" };
static const struct account lists = { "lists", "/home/l", "/bin/sh" };

/* A request for a route to VIA, from FROM to the N of TO. */
static bool
request(const char *via, const char *from, size_t n, const char *const *to)
{
	char text[1000];

	arena_init(&a, 1 << 20);
	(void)snprintf(text, sizeof(text), CONF, via);
	c = must_parse(text);
	m = (struct msg_spawn){ .via = str_c(c->routes[0].via), .id = STR(ID),
		.size = 1234, .sender = str_c(from), .client = STR("192.0.2.1"),
		.login = STR("alice"), .rcpt_n = n };
	for (size_t i = 0; i < n; i++)
		m.rcpts[i] = str_c(to[i]);
	return told_read(c, &m, &a, &told);
}

static void
done(void)
{
	arena_free(&a);
	conf_free(c);
}

START_TEST(arguments)
{
	static const struct {
		const char *via, *from, *to, *args[5];
	} cases[] = {
		{ "/bin/x ${sender} ${recipient}", "a@b", "c@d", { "/bin/x", "a@b", "c@d" } },
		/* S-31: a shell would run these; here they are octets. */
		{ "/bin/x -f$sender $recipient", "\"$(id)\"@x", "\";sleep 66;\"@y",
		    { "/bin/x", "-f\"$(id)\"@x", "\";sleep 66;\"@y" } },
		{ "/bin/x $sender", "\"() { :;}; touch /tmp/p\"@x", "`id`@x",
		    { "/bin/x", "\"() { :;}; touch /tmp/p\"@x" } },
		{ "/bin/x $recipient", "", "\"${run{/bin/touch /tmp/p}}\"@l",
		    { "/bin/x", "\"${run{/bin/touch /tmp/p}}\"@l" } },
		{ "/bin/x ${user} ${extension} ${mailbox} ${domain}", "a@b", "u+e+f@d",
		    { "/bin/x", "u", "e+f", "u+e+f", "d" } },
		{ "/bin/x x${extension} $nexthop!$user", "a@b", "u@d", { "/bin/x", "x", "d!u" } },
		{ "/bin/x ${queue_id} ${size} $client_address", "a@b", "c@d",
		    { "/bin/x", ID, "1234", "192.0.2.1" } },
		{ "/bin/x ${sasl_username}", "a@b", "c@d", { "/bin/x", "alice" } },
		/* The null sender is a word that can be seen. */
		{ "/bin/x -f ${sender}", "", "c@d", { "/bin/x", "-f", "MAILER-DAEMON" } },
		{ "/bin/x -- ${recipient}", "", "-bd@d", { "/bin/x", "--", "-bd@d" } },
		{ "/bin/x $$sender", "", "c@d", { "/bin/x", "$sender" } },
	};
	const char *why;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char **v;
		size_t n = 0;

		ck_assert_msg(request(cases[i].via, cases[i].from, 1, &cases[i].to),
		    "%s", cases[i].via);
		v = told_args(&told, &a, &why);
		ck_assert_msg(v != NULL, "%s: %s", cases[i].via, why);
		for (; n < 5 && cases[i].args[n] != NULL; n++)
			ck_assert_str_eq(v[n], cases[i].args[n]);
		ck_assert_ptr_null(v[n]);
		done();
	}
}
END_TEST

START_TEST(no_options)
{
	static const struct {
		const char *via, *from, *to;
	} cases[] = {
		{ "/bin/x ${sender}", "-oQ/tmp@x", "c@d" },
		{ "/bin/x ${recipient}", "a@b", "-bd@d" },
		{ "/bin/x ${user}", "a@b", "-bd@d" },
		{ "/bin/x ${recipients}", "a@b", "-bd@d" },
	};
	const char *why;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ck_assert(request(cases[i].via, cases[i].from, 1, &cases[i].to));
		ck_assert_ptr_null(told_args(&told, &a, &why));
		ck_assert(str_starts(str_c(why), STR("5.1.3 ")));
		done();
	}
}
END_TEST

START_TEST(several)
{
	static const char *const to[] = { "a@d", "-b@d", "c@d" };
	const char *why;
	struct buf b;
	char **v;

	ck_assert(request("/bin/x -- ${recipients}", "s@x", 3, to));
	v = told_args(&told, &a, &why);
	ck_assert_ptr_nonnull(v);
	for (size_t i = 0; i < 3; i++)
		ck_assert_str_eq(v[2 + i], to[i]);
	ck_assert_ptr_null(v[5]);
	/* Nobody is shown the others. */
	buf_init(&b, 1000);
	told_head(&told, &b);
	ck_assert_str_eq(buf_cstr(&b), "Return-Path: <s@x>\n");
	buf_free(&b);
	v = told_env(&told, &nobody, &a);
	for (; *v != NULL; v++)
		ck_assert(!str_starts(str_c(*v), STR("RECIPIENT=")));
	done();
	/* Where it is run for each, several are broken. */
	ck_assert(!request("/bin/x ${recipient}", "s@x", 2, to));
	done();
}
END_TEST

static const char *
env_of(char **v, const char *name)
{
	size_t n = strlen(name);

	for (; *v != NULL; v++)
		if (strncmp(*v, name, n) == 0 && (*v)[n] == '=')
			return *v + n + 1;
	return NULL;
}

START_TEST(environment)
{
	static const char *const to[] = { "u+e@x.test" };
	struct buf b;
	char **v;

	(void)setenv("SECRET", "x", 1);
	(void)setenv("TZ", "UTC", 1);
	ck_assert(request("/bin/x", "a`id`@b.test", 1, to));
	v = told_env(&told, &lists, &a);
	ck_assert_ptr_null(env_of(v, "SECRET"));
	ck_assert_str_eq(env_of(v, "TZ"), "UTC");
	ck_assert_str_eq(env_of(v, "HOME"), "/home/l");
	ck_assert_str_eq(env_of(v, "LOGNAME"), "lists");
	ck_assert_ptr_nonnull(env_of(v, "PATH"));
	ck_assert_str_eq(env_of(v, "QUEUE_ID"), ID);
	ck_assert_str_eq(env_of(v, "CLIENT_ADDRESS"), "192.0.2.1");
	ck_assert_str_eq(env_of(v, "SASL_USERNAME"), "alice");
	ck_assert_str_eq(env_of(v, "DOMAIN"), "x.test");
	for (const char *p = env_of(v, "SENDER"); *p != '\0'; p++)
		ck_assert(strchr("`$(){};\" ", *p) == NULL);
	for (const char *p = env_of(v, "RECIPIENT"); *p != '\0'; p++)
		ck_assert(strchr("`$(){};\" ", *p) == NULL);
	buf_init(&b, 1000);
	told_head(&told, &b);
	ck_assert(str_starts(buf_str(&b), STR("Return-Path: <")));
	ck_assert_ptr_nonnull(strstr(buf_cstr(&b), ">\nDelivered-To: "));
	buf_free(&b);
	done();
}
END_TEST

/* What a runner that was taken over could ask. */
START_TEST(broken)
{
	static const char *const to[] = { "c@d" };

	ck_assert(request("/bin/x", "a@b", 1, to));
	m.command = c->route_n;
	ck_assert(!told_read(c, &m, &a, &told));
	m.command = 0;
	m.via = STR("pipe:/bin/sh");
	ck_assert(!told_read(c, &m, &a, &told));
	m.via = str_c(c->routes[0].via);
	m.kind = SPAWN_ALIAS;
	ck_assert(told_read(c, &m, &a, &told) && told.way == NULL);
	m.rcpt_n = 2;
	m.rcpts[1] = m.rcpts[0];
	ck_assert(!told_read(c, &m, &a, &told));
	m.rcpt_n = 1;
	m.kind = SPAWN_COMMAND;
	m.id = STR("../../etc/passwd");
	ck_assert(!told_read(c, &m, &a, &told));
	m.id = STR(ID);
	m.sender = STR("a@b\nX: y");
	ck_assert(!told_read(c, &m, &a, &told));
	m.sender = STR("a\0b@c");
	ck_assert(!told_read(c, &m, &a, &told));
	m.sender = STR("");
	m.rcpts[0] = STR("");
	ck_assert(!told_read(c, &m, &a, &told));
	m.rcpts[0] = STR("c@d");
	m.login = STR("a\nb");
	ck_assert(!told_read(c, &m, &a, &told));
	m.login = STR("");
	m.client = STR("a\0b");
	ck_assert(!told_read(c, &m, &a, &told));
	m.client = STR("");
	ck_assert(told_read(c, &m, &a, &told));
	done();
}
END_TEST

/* A route that leads elsewhere runs nothing. */
START_TEST(no_program)
{
	arena_init(&a, 1 << 20);
	c = must_parse("route x { via = mx }\n");
	m = (struct msg_spawn){ .via = STR("mx"), .id = STR(ID),
		.rcpts = { STR("a@b") }, .rcpt_n = 1 };
	ck_assert(!told_read(c, &m, &a, &told));
	done();
}
END_TEST

UNIT_MAIN("told", arguments, no_options, several, environment, broken, no_program)
