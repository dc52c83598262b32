/* SPDX-License-Identifier: GPL-3.0-or-later */

/* token_test -- what is asked of barid-http, when, and what comes of it. */

#include "unit.h"

#include "ipc/msg.h"
#include "runner/ask.h"
#include "runner/runner.h"
#include "runner/token.h"

static const char text[] =
    "upstream one { server a.test { } }\n"
    "upstream two {\n"
    "  server b.test { }\n"
    "  server c.test { user = u password = p } }\n";

/* Stands for the helper: what it was asked, and how to answer. */
static unsigned asked;
static struct buf question;
static void (*answer_fn)(void *arg, struct str answer);
static void *answer_arg;

void
ask_start(struct runner *r, int helper, struct str packet, int64_t ms,
    void (*fn)(void *arg, struct str answer), void *arg)
{
	ck_assert_ptr_nonnull(r);
	ck_assert_int_eq(helper, r->http);
	ck_assert_int_gt(ms, 0);
	asked++;
	buf_init(&question, 10000);
	buf_add(&question, packet);
	answer_fn = fn;
	answer_arg = arg;
}

/* Nothing here asks that way. */
void
ask_start_with(struct runner *r, int helper, struct str packet, struct str more,
    int pass, int64_t ms, void (*fn)(void *arg, struct str answer), void *arg)
{
	(void)more;
	ck_assert_int_eq(pass, -1);
	ask_start(r, helper, packet, ms, fn, arg);
}

static void
answer(bool ok, const char *words, uint64_t seconds)
{
	struct msg_token_result m = { .ok = ok, .text = str_c(words),
		.seconds = seconds };
	struct buf b;

	buf_init(&b, 10000);
	msg_token_result_put(&b, &m);
	buf_free(&question);
	answer_fn(answer_arg, buf_str(&b));
	buf_free(&b);
}

static void
asked_for(const char *upstream, uint64_t server, const char *refused)
{
	struct msg_token m;

	ck_assert(msg_token_get(buf_str(&question), &m));
	ck_str(m.upstream, str_c(upstream));
	ck_assert_uint_eq(m.server, server);
	ck_str(m.refused, str_c(refused));
}

START_TEST(tokens)
{
	struct runner r = { 0 };
	struct buf error;
	const struct conf_server *s;

	buf_init(&error, 10000);
	r.conf = conf_parse("test", str_c(text), &error);
	ck_assert_msg(r.conf != NULL, "%s", buf_cstr(&error));
	s = &r.conf->upstreams[1].servers[1];
	ck_assert_ptr_null(token_get(&r, s));
	ck_assert(!token_is_given(s));

	/* However many wait, it is asked for once. */
	token_ask(&r, s);
	token_ask(&r, s);
	ck_assert_uint_eq(asked, 1);
	asked_for("two", 1, "");
	answer(true, "first", 3600);
	ck_assert_str_eq(token_get(&r, s), "first");
	/* That is one server's. */
	ck_assert_ptr_null(token_get(&r, &r.conf->upstreams[0].servers[0]));

	token_refused(&r, s);
	ck_assert_ptr_null(token_get(&r, s));
	token_refused(&r, s);
	token_ask(&r, s);
	asked_for("two", 1, "first");
	answer(false, "invalid_grant", 0);
	ck_assert_ptr_null(token_get(&r, s));
	/* What was refused is not forgotten with that. */
	token_ask(&r, s);
	asked_for("two", 1, "first");
	answer(true, "second", 0);
	ck_assert_str_eq(token_get(&r, s), "second");
	token_ask(&r, s);
	asked_for("two", 1, "");
	buf_free(&question);
	/* No answer at all. */
	answer_fn(answer_arg, STR(""));
	ck_assert_ptr_null(token_get(&r, s));
	ck_assert_uint_eq(asked, 4);
	token_free_all(&r);
	conf_free(r.conf);
	buf_free(&error);
}
END_TEST

UNIT_MAIN("runner/token", tokens)
