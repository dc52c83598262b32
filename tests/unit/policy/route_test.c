/* SPDX-License-Identifier: GPL-3.0-or-later */

/* route -- the first route all of whose conditions hold. */

#include "policy/route.h"

#include "unit.h"

static const char text[] =
    "listen in { port = 25 tls = off } listen out { port = 26 tls = off }\n"
    "upstream a { server a { } } upstream b { server b { } }\n"
    "upstream c { server c { } } upstream d { server d { } }\n"
    "upstream e { server e { } } upstream f { server f { } }\n"
    "route \"*\" { via = a  sender = {\"<>\"}  listener = {in} }\n"
    "route \"x@to.test\" { via = b }\n"
    "route \"to.test\" { via = c  sender = {\"*@one.test\", \"two.test\"}  user = {\"app-*\"} }\n"
    "route \"to.test\" { via = d  user = {\"/(alice|bob)/\"} }\n"
    "route \"*\" { via = e  sender = {\"one.test\"} }\n"
    "route \"*\" { via = f  listener = {out, IN} }\n";

START_TEST(conditions)
{
	static const struct {
		const char *from, *user, *listener, *to, *via;
	} t[] = {
		{ "", "", "in", "u@any.test", "a" },
		{ "", "", "IN", "x@to.test", "a" },
		{ "", "", "out", "x@to.test", "b" },
		{ "", "", "out", "u@any.test", "f" },
		{ "s@one.test", "", "in", "X@to.test", "b" },
		{ "s@one.test", "app-1", "in", "u@to.test", "c" },
		{ "s@two.test", "APP-1", "in", "u@TO.test", "c" },
		/* Every kind of condition must hold. */
		{ "s@three.test", "app-1", "in", "u@to.test", "f" },
		{ "s@one.test", "web-1", "in", "u@to.test", "e" },
		{ "s@one.test", "alice", "in", "u@to.test", "d" },
		{ "s@three.test", "bob", "", "u@to.test", "d" },
		/* Nobody logged in: no pattern of users fits. */
		{ "s@three.test", "", "out", "u@to.test", "f" },
		{ "s@three.test", "", "", "u@to.test", NULL },
		{ "s@three.test", "", "other", "u@to.test", NULL },
	};
	struct buf error;
	struct conf *c;

	buf_init(&error, 10000);
	c = conf_parse("test.conf", str_c(text), &error);
	ck_assert_msg(c != NULL, "%s", buf_cstr(&error));
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct mail_facts f = { .user = str_c(t[i].user),
			.listener = str_c(t[i].listener) };
		const struct conf_route *r;
		struct path to = { STR(""), STR("") };

		(void)str_cut(str_c(t[i].from), '@', &f.from.local,
		    &f.from.domain);
		(void)str_cut(str_c(t[i].to), '@', &to.local, &to.domain);
		r = route_of(c, &f, &to);
		if (t[i].via == NULL)
			ck_assert_msg(r == NULL, "%zu", i);
		else
			ck_assert_msg(r != NULL && strcmp(r->via, t[i].via) == 0,
			    "%zu: %s", i, r != NULL ? r->via : "none");
	}
	buf_free(&error);
	conf_free(c);
}
END_TEST

UNIT_MAIN("policy/route", conditions)
