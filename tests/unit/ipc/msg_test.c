/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Messages: each round trip, and each getter against every other's frame. */

#include "ipc/msg.h"

#include "lib/mem.h"
#include "unit.h"

static struct buf b;

static void
setup(void)
{
	buf_init(&b, FRAME_MAX);
}

START_TEST(hint)
{
	struct msg_hint in = { .id = STR("0123abcd") }, out;

	setup();
	for (; in.tray < 3; in.tray++) {
		buf_reset(&b);
		msg_hint_put(&b, &in);
		ck_assert(msg_hint_get(buf_str(&b), &out));
		ck_str(out.id, in.id);
		ck_assert_uint_eq(out.tray, in.tray);
	}
	buf_free(&b);
}
END_TEST

START_TEST(sign)
{
	struct msg_sign in = { STR("key\0id"), 0x0403, STR("cont\0ent") }, out;
	struct msg_sign_result r = { STR("0\x82") }, got;

	setup();
	msg_sign_put(&b, &in);
	ck_assert(msg_sign_get(buf_str(&b), &out));
	ck_str(out.key, in.key);
	ck_assert_uint_eq(out.scheme, in.scheme);
	ck_str(out.content, in.content);
	ck_assert(!msg_sign_result_get(buf_str(&b), &got));
	buf_reset(&b);
	msg_sign_result_put(&b, &r);
	ck_assert(msg_sign_result_get(buf_str(&b), &got));
	ck_str(got.signature, r.signature);
	ck_assert(!msg_sign_get(buf_str(&b), &out));
	buf_free(&b);
}
END_TEST

START_TEST(etrn)
{
	struct msg_etrn in = { STR("example.org") }, out;

	setup();
	msg_etrn_put(&b, &in);
	ck_assert(msg_etrn_get(buf_str(&b), &out));
	ck_str(out.domain, in.domain);
	buf_free(&b);
}
END_TEST

START_TEST(auth)
{
	struct msg_auth in = { STR("submission"), STR("PLAIN"), STR("alice"),
		STR("pa\0ss"), STR("<1@x>"), STR("192.0.2.1"),
		STR("pop3s"), STR("TLSv1.3") };
	struct msg_auth out;

	setup();
	msg_auth_put(&b, &in);
	ck_assert(msg_auth_get(buf_str(&b), &out));
	ck_str(out.service, in.service);
	ck_str(out.mechanism, in.mechanism);
	ck_str(out.user, in.user);
	ck_str(out.password, in.password);
	ck_str(out.challenge, in.challenge);
	ck_str(out.client, in.client);
	ck_str(out.listener, in.listener);
	ck_str(out.tls, in.tls);
	buf_free(&b);
}
END_TEST

START_TEST(auth_result)
{
	struct msg_auth_result out;

	setup();
	for (int v = AUTH_YES; v <= AUTH_MORE; v++) {
		struct msg_auth_result in = { (enum auth_verdict)v, STR("bob"),
			STR("phone"), STR("said"), STR("why") };

		msg_auth_result_put(&b, &in);
		ck_assert(msg_auth_result_get(buf_str(&b), &out));
		ck_assert_int_eq(out.verdict, v);
		ck_str(out.user, STR("bob"));
		ck_str(out.app, STR("phone"));
		ck_str(out.said, STR("said"));
		ck_str(out.why, STR("why"));
	}
	/* A verdict that does not exist never lets anybody in. */
	for (uint64_t v = 4; v != 0; v <<= 1) {
		frame_begin(&b, MSG_AUTH_RESULT);
		frame_put_u64(&b, 1, v);
		frame_put(&b, 2, STR("bob"));
		frame_put(&b, 3, STR(""));
		frame_put(&b, 4, STR(""));
		frame_put(&b, 5, STR(""));
		frame_end(&b);
		out.verdict = AUTH_YES;
		ck_assert(!msg_auth_result_get(buf_str(&b), &out));
		ck_assert_int_eq(out.verdict, AUTH_TEMPORARY);
	}
	out.verdict = AUTH_YES;
	ck_assert(!msg_auth_result_get(STR(""), &out));
	ck_assert_int_eq(out.verdict, AUTH_TEMPORARY);
	buf_free(&b);
}
END_TEST

START_TEST(control)
{
	struct msg_control *in = mem_alloc(sizeof(*in));
	struct msg_control *out = mem_alloc(sizeof(*out));

	setup();
	for (size_t n = 0; n <= CONTROL_IDS_MAX; n += 128) {
		in->op = CONTROL_HOLD;
		in->domain = STR("example.org");
		in->sender = STR("alice@");
		in->form = n + 1;
		in->recipient = STR("bob@");
		in->reason = STR("4.4");
		in->route = STR("up");
		in->states = 5;
		in->before_us = 6;
		in->after_us = 7;
		in->limit = 8;
		in->sort = 9;
		in->reverse = n == 0;
		in->by_sender = n > 0;
		in->at = 10;
		in->id_n = n;
		for (size_t i = 0; i < n; i++)
			in->ids[i] = STR("ABCDEFGHIJKLMNOPQRST");
		msg_control_put(&b, in);
		ck_assert(buf_ok(&b));
		ck_assert(msg_control_get(buf_str(&b), out));
		ck_assert_int_eq(out->op, CONTROL_HOLD);
		ck_str(out->domain, in->domain);
		ck_str(out->sender, in->sender);
		ck_assert_uint_eq(out->form, n + 1);
		ck_str(out->recipient, in->recipient);
		ck_str(out->reason, in->reason);
		ck_str(out->route, in->route);
		ck_assert_uint_eq(out->states, 5);
		ck_assert_uint_eq(out->before_us, 6);
		ck_assert_uint_eq(out->after_us, 7);
		ck_assert_uint_eq(out->limit, 8);
		ck_assert_uint_eq(out->sort, 9);
		ck_assert(out->reverse == (n == 0));
		ck_assert(out->by_sender == (n > 0));
		ck_assert_uint_eq(out->at, 10);
		ck_assert_uint_eq(out->id_n, n);
		if (n > 0)
			ck_str(out->ids[n - 1], in->ids[n - 1]);
	}
	/* One id too many is no message at all, rather than fewer ids. */
	in->id_n = CONTROL_IDS_MAX + 1;
	msg_control_put(&b, in);
	ck_assert(!buf_ok(&b));
	frame_begin(&b, MSG_CONTROL);
	frame_put_u64(&b, 1, CONTROL_DELETE);
	frame_put(&b, 2, STR(""));
	frame_put(&b, 3, STR(""));
	frame_put_u64(&b, 4, 0);
	for (int i = 0; i < CONTROL_IDS_MAX + 1; i++)
		frame_put(&b, 5, STR("x"));
	frame_end(&b);
	ck_assert(!msg_control_get(buf_str(&b), out));
	in->id_n = 0;
	for (int op = 0; op <= CONTROL_LAST + 1; op++) {
		in->op = (enum control_op)op;
		msg_control_put(&b, in);
		ck_assert(msg_control_get(buf_str(&b), out) ==
		    (op >= CONTROL_STATUS && op <= CONTROL_LAST));
	}
	buf_free(&b);
	mem_free(in);
	mem_free(out);
}
END_TEST

START_TEST(control_result)
{
	struct msg_control_result in = { true, 12345, STR("12345 held"), true }, out;

	setup();
	msg_control_result_put(&b, &in);
	ck_assert(msg_control_result_get(buf_str(&b), &out));
	ck_assert(out.ok);
	ck_assert(out.count == 12345);
	ck_str(out.text, in.text);
	ck_assert(out.more);
	in.more = in.ok = false;
	msg_control_result_put(&b, &in);
	ck_assert(msg_control_result_get(buf_str(&b), &out));
	ck_assert(!out.ok && !out.more);
	for (uint64_t odd = 0; odd < 2; odd++) {
		frame_begin(&b, MSG_CONTROL_RESULT);
		frame_put_u64(&b, 1, odd ? 1 : 2);
		frame_put_u64(&b, 2, 0);
		frame_put(&b, 3, STR(""));
		frame_put_u64(&b, 4, odd ? 2 : 1);
		frame_end(&b);
		out.ok = out.more = true;
		ck_assert(!msg_control_result_get(buf_str(&b), &out));
		ck_assert(!out.ok && !out.more);
	}
	buf_free(&b);
}
END_TEST

START_TEST(sts)
{
	struct msg_sts in = { STR("example.org"), STR("20261121") }, out;
	struct msg_sts_result r = { true, STR("a1"), STR("mode: none\n") }, got;

	setup();
	msg_sts_put(&b, &in);
	ck_assert(msg_sts_get(buf_str(&b), &out));
	ck_str(out.domain, in.domain);
	ck_str(out.id, in.id);
	for (int ok = 0; ok < 2; ok++) {
		r.ok = ok;
		msg_sts_result_put(&b, &r);
		ck_assert(msg_sts_result_get(buf_str(&b), &got));
		ck_assert_int_eq(got.ok, ok);
		ck_str(got.id, r.id);
		ck_str(got.text, r.text);
	}
	frame_begin(&b, MSG_STS_RESULT);
	frame_put_u64(&b, 1, 2);
	frame_put(&b, 2, STR(""));
	frame_put(&b, 3, STR(""));
	frame_end(&b);
	got.ok = true;
	ck_assert(!msg_sts_result_get(buf_str(&b), &got));
	ck_assert(!got.ok);
	buf_free(&b);
}
END_TEST

START_TEST(token)
{
	struct msg_token in = { STR("isp"), 3, STR("old") }, out;
	struct msg_token_result r = { true, 3600, STR("ya29.x") }, got;

	setup();
	msg_token_put(&b, &in);
	ck_assert(msg_token_get(buf_str(&b), &out));
	ck_str(out.upstream, in.upstream);
	ck_assert_uint_eq(out.server, 3);
	ck_str(out.refused, in.refused);
	for (int ok = 0; ok < 2; ok++) {
		r.ok = ok;
		msg_token_result_put(&b, &r);
		ck_assert(msg_token_result_get(buf_str(&b), &got));
		ck_assert_int_eq(got.ok, ok);
		ck_assert_uint_eq(got.seconds, 3600);
		ck_str(got.text, r.text);
	}
	frame_begin(&b, MSG_TOKEN_RESULT);
	frame_put_u64(&b, 1, 2);
	frame_put_u64(&b, 2, 1);
	frame_put(&b, 3, STR(""));
	frame_end(&b);
	got.ok = true;
	ck_assert(!msg_token_result_get(buf_str(&b), &got));
	ck_assert(!got.ok);
	buf_free(&b);
}
END_TEST

START_TEST(spawn)
{
	struct msg_spawn *in = mem_alloc(sizeof(*in)), *out = mem_alloc(sizeof(*out));
	struct msg_spawn_result r = { SPAWN_KILLED, 9, STR("no such user") }, got;

	*in = (struct msg_spawn){ .kind = SPAWN_HOME, .who = STR("joe"), .command = 3, .arrival = 5, .rcpt = 7, .via = STR("pipe:/bin/cat"),
		.id = STR("0123456789ABCDEF012"), .at = 300, .size = 1U << 31,
		.sender = STR("a@x"), .client = STR("192.0.2.1"),
		.login = STR("alice"), .rcpt_n = SPAWN_RCPTS_MAX };
	for (size_t i = 0; i < SPAWN_RCPTS_MAX; i++)
		in->rcpts[i] = STR("b@y");
	setup();
	msg_spawn_put(&b, in);
	ck_assert(msg_spawn_get(buf_str(&b), out));
	ck_assert_uint_eq(out->command, 3);
	ck_assert_uint_eq(out->kind, SPAWN_HOME);
	ck_str(out->who, STR("joe"));
	ck_assert_uint_eq(out->arrival, 5);
	ck_assert_uint_eq(out->rcpt, 7);
	ck_str(out->via, in->via);
	ck_str(out->id, in->id);
	ck_assert_uint_eq(out->at, 300);
	ck_assert_uint_eq(out->size, 1U << 31);
	ck_str(out->sender, in->sender);
	ck_str(out->client, in->client);
	ck_str(out->login, in->login);
	ck_assert_uint_eq(out->rcpt_n, SPAWN_RCPTS_MAX);
	ck_str(out->rcpts[99], in->rcpts[99]);
	/* Neither one too many nor none. */
	frame_put(&b, 9, STR("c@z"));
	frame_end(&b);
	ck_assert(!msg_spawn_get(buf_str(&b), out));
	in->rcpt_n = 0;
	msg_spawn_put(&b, in);
	ck_assert(!msg_spawn_get(buf_str(&b), out));
	msg_spawn_result_put(&b, &r);
	ck_assert(msg_spawn_result_get(buf_str(&b), &got));
	ck_assert_int_eq(got.end, SPAWN_KILLED);
	ck_assert_uint_eq(got.code, 9);
	ck_str(got.text, r.text);
	r.code = 256;
	msg_spawn_result_put(&b, &r);
	ck_assert(!msg_spawn_result_get(buf_str(&b), &got));
	r = (struct msg_spawn_result){ (enum spawn_end)(SPAWN_FAILED + 1), 0, STR("") };
	msg_spawn_result_put(&b, &r);
	ck_assert(!msg_spawn_result_get(buf_str(&b), &got));
	mem_free(in);
	mem_free(out);
	buf_free(&b);
}
END_TEST

/* How many getters take PACKET; which, in *TYPE. */
static int
taken_by(struct str packet, unsigned *type)
{
	struct msg_hint hint_m;
	struct msg_auth auth_m;
	struct msg_auth_result result_m;
	struct msg_control *control_m = mem_alloc(sizeof(*control_m));
	struct msg_control_result done_m;
	struct msg_sts sts_m;
	struct msg_sts_result policy_m;
	struct msg_token token_m;
	struct msg_token_result given_m;
	struct msg_spawn *spawn_m = mem_alloc(sizeof(*spawn_m));
	struct msg_spawn_result ended_m;
	int n = 0;

	if (msg_hint_get(packet, &hint_m))
		n++, *type = MSG_HINT;
	if (msg_auth_get(packet, &auth_m))
		n++, *type = MSG_AUTH;
	if (msg_auth_result_get(packet, &result_m))
		n++, *type = MSG_AUTH_RESULT;
	if (msg_control_get(packet, control_m))
		n++, *type = MSG_CONTROL;
	if (msg_control_result_get(packet, &done_m))
		n++, *type = MSG_CONTROL_RESULT;
	if (msg_sts_get(packet, &sts_m))
		n++, *type = MSG_STS;
	if (msg_sts_result_get(packet, &policy_m))
		n++, *type = MSG_STS_RESULT;
	if (msg_token_get(packet, &token_m))
		n++, *type = MSG_TOKEN;
	if (msg_token_result_get(packet, &given_m))
		n++, *type = MSG_TOKEN_RESULT;
	if (msg_spawn_get(packet, spawn_m))
		n++, *type = MSG_SPAWN;
	if (msg_spawn_result_get(packet, &ended_m))
		n++, *type = MSG_SPAWN_RESULT;
	mem_free(control_m);
	mem_free(spawn_m);
	return n;
}

START_TEST(only_its_own)
{
	struct msg_auth_result r = { .verdict = AUTH_YES,
		.user = STR("bob") };
	struct msg_hint h = { .id = STR("id") };
	unsigned type = 0;

	setup();
	msg_auth_result_put(&b, &r);
	ck_assert_int_eq(taken_by(buf_str(&b), &type), 1);
	ck_assert_uint_eq(type, MSG_AUTH_RESULT);
	/* Every prefix, and one field too many. */
	for (size_t i = 0; i < b.n; i++)
		ck_assert_int_eq(taken_by(str_n(b.p, i), &type), 0);
	msg_hint_put(&b, &h);
	frame_put(&b, 2, STR("more"));
	frame_end(&b);
	ck_assert_int_eq(taken_by(buf_str(&b), &type), 0);
	buf_free(&b);
}
END_TEST

UNIT_MAIN("msg", hint, sign, etrn, auth, auth_result, control, control_result, sts, token, spawn, only_its_own)
