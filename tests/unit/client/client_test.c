/* SPDX-License-Identifier: GPL-3.0-or-later */

/* client_test -- limits of input, order of replies, calls from events. */

#include "dialogue.h"

#include <signal.h>

static const struct client_rcpt to[] = {
	{ .path = PATH("b", "y.test") },
};

static struct dialogue plain = {
	.o = { .ehlo_name = "me" },
	.m = { .rcpts = to, .rcpt_n = 1, .read = dlg_read },
	.text = "",
};

static struct run
run_new(unsigned messages)
{
	struct run t = { .d = &plain, .cut = SIZE_MAX, .step = SIZE_MAX,
		.left = messages };

	buf_init(&t.sent, 1 << 20);
	buf_init(&t.log, 1 << 20);
	return t;
}

static void
run_free(struct run *t)
{
	client_free(t->c);
	buf_free(&t->sent);
	buf_free(&t->log);
}

START_TEST(free_null)
{
	client_free(NULL);
}
END_TEST

/* A line, or a reply, that never ends; and one that ends late. */
START_TEST(endless)
{
	static char junk[4096];
	struct run t = run_new(0);
	size_t n = 0;

	memset(junk, 'x', sizeof(junk));
	t.c = client_new(&plain.o, &dlg_events, &t);
	dlg_feed(&t, STR("220 "));
	while (t.log.n == 0 && n < 4 << 20) {
		dlg_feed(&t, str_n(junk, sizeof(junk)));
		n += sizeof(junk);
	}
	ck_assert_uint_le(n, (1 << 20) + sizeof(junk));
	ck_assert_str_eq(buf_cstr(&t.log), "close temp greeting 0 4.5.0"
	    " protocol error: a reply without end\n");
	run_free(&t);

	t = run_new(0);
	t.c = client_new(&plain.o, &dlg_events, &t);
	for (n = 0; n < 1000000 && t.log.n == 0; n++)
		dlg_feed(&t, STR("220-again\r\n"));
	ck_assert_uint_lt(n, 2000);
	ck_assert_str_eq(buf_cstr(&t.log), "close temp greeting 0 4.5.0"
	    " protocol error: not a reply: 220-again\n");
	run_free(&t);

	t = run_new(0);
	t.c = client_new(&plain.o, &dlg_events, &t);
	dlg_feed(&t, STR("220 "));
	for (n = 0; n < 100; n++)
		dlg_feed(&t, str_n(junk, sizeof(junk)));
	dlg_feed(&t, STR("\r\n"));
	ck_str(buf_str(&t.sent), STR("EHLO me\r\n"));
	run_free(&t);
}
END_TEST

/* The limit is that of a reply, not of a session. */
START_TEST(long_lived)
{
	static char junk[300000];
	struct run t = run_new(20);

	memset(junk, 'x', sizeof(junk));
	t.c = client_new(&plain.o, &dlg_events, &t);
	dlg_feed(&t, STR("220 hi\r\n"));
	dlg_feed(&t, STR("250-x\r\n250 SIZE\r\n"));
	for (int i = 0; i < 20; i++) {
		dlg_feed(&t, i ? STR("250 rset\r\n550 ") : STR("550 "));
		dlg_feed(&t, str_n(junk, sizeof(junk)));
		dlg_feed(&t, STR("\r\n"));
	}
	ck_assert_uint_eq(t.left, 0);
	ck_assert(client_ready(t.c));
	run_free(&t);
}
END_TEST

/* A reply is not taken before its command has left the house. */
START_TEST(too_early)
{
	struct run t = run_new(1);

	t.c = client_new(&plain.o, &dlg_events, &t);
	client_input(t.c, STR("220 hi\r\n"));
	ck_str(client_output(t.c), STR("EHLO me\r\n"));
	client_sent(t.c, 8);
	ck_str(client_output(t.c), STR("\n"));
	client_input(t.c, STR("250 x\r\n"));
	ck_assert_str_eq(buf_cstr(&t.log), "close temp ehlo 0 4.5.0 protocol"
	    " error: a reply before the command\n");
	ck_assert_uint_eq(client_output(t.c).n, 0);
	run_free(&t);

	/* All in one piece, as a server would that knows its lines. */
	t = run_new(1);
	t.c = client_new(&plain.o, &dlg_events, &t);
	dlg_feed(&t, STR("220 hi\r\n250 x\r\n250 ok\r\n250 ok\r\n354 go\r\n"));
	ck_assert_str_eq(buf_cstr(&t.log), "close temp ehlo 0 4.5.0 protocol"
	    " error: a reply before the command\n");
	run_free(&t);

	/* The final reply to one message is none to the next. */
	t = run_new(2);
	t.c = client_new(&plain.o, &dlg_events, &t);
	dlg_feed(&t, STR("220 hi\r\n"));
	for (int i = 0; i < 3; i++)
		dlg_feed(&t, STR("250 ok\r\n"));
	dlg_feed(&t, STR("354 go\r\n"));
	dlg_feed(&t, STR("250 one\r\n250 two\r\n"));
	ck_assert_str_eq(buf_cstr(&t.log), "ready\nrcpt 0 ok text 250 one\n"
	    "end\nclose temp text 0 4.5.0 protocol error: a reply to"
	    " nothing\n");
	run_free(&t);
}
END_TEST

static void
send_on_end(void *arg)
{
	struct run *t = arg;

	dlg_end(arg);
	if (!client_ready(t->c) || t->left == 0)
		return;
	t->left--;
	client_send(t->c, &plain.m);
}

static void
secure_at_once(void *arg)
{
	struct run *t = arg;

	dlg_starttls(arg);
	client_secured(t->c, true, NULL);
}

static void
quit_on_rcpt(void *arg, size_t i, enum outcome o, enum client_step step,
    const struct reply *r, bool relayed)
{
	struct run *t = arg;

	dlg_rcpt(arg, i, o, step, r, relayed);
	if (t->left == 0)
		client_quit(t->c);
}

/*
 * What events may do: the handshake at once, the next message at the end of
 * one, QUIT from the last outcome, which leaves no more on_ready().
 */
START_TEST(from_events)
{
	static const struct client_events ev = { secure_at_once, dlg_ready,
		quit_on_rcpt, send_on_end, dlg_close };
	struct client_options o = { .ehlo_name = "me",
		.tls = CLIENT_TLS_MAY };
	struct run t = run_new(3);

	t.c = client_new(&o, &ev, &t);
	dlg_feed(&t, STR("220 hi\r\n"));
	dlg_feed(&t, STR("250-x\r\n250 STARTTLS\r\n"));
	dlg_feed(&t, STR("220 go\r\n"));
	dlg_feed(&t, STR("250 x\r\n"));
	dlg_feed(&t, STR("550 1\r\n"));
	dlg_feed(&t, STR("250 rset\r\n"));
	dlg_feed(&t, STR("550 2\r\n"));
	dlg_feed(&t, STR("250 rset\r\n"));
	dlg_feed(&t, STR("550 3\r\n"));
	dlg_feed(&t, STR("221 bye\r\n"));
	ck_str(buf_str(&t.sent), STR("EHLO me\r\nSTARTTLS\r\nEHLO me\r\n"
	    "MAIL FROM:<>\r\nRSET\r\nMAIL FROM:<>\r\nRSET\r\nMAIL FROM:<>\r\n"
	    "QUIT\r\n"));
	ck_assert_str_eq(buf_cstr(&t.log), "starttls\nready\n"
	    "rcpt 0 perm mail 550 1\nend\nrcpt 0 perm mail 550 2\nend\n"
	    "rcpt 0 perm mail 550 3\nend\nclose ok quit 221 bye\n");
	run_free(&t);
}
END_TEST

/* 100,000 messages that are refused unseen do not eat up the stack. */
START_TEST(no_recursion)
{
	struct run t = run_new(100000);

	plain.m.size = 10;
	buf_free(&t.log);
	buf_init(&t.log, 1 << 25);
	t.c = client_new(&plain.o, &dlg_events, &t);
	dlg_feed(&t, STR("220 hi\r\n"));
	dlg_feed(&t, STR("250-x\r\n250 SIZE 1\r\n"));
	ck_assert_uint_eq(t.left, 0);
	ck_assert(client_ready(t.c));
	plain.m.size = 0;
	run_free(&t);
}
END_TEST

/* After the end every call is without effect. */
START_TEST(afterwards)
{
	struct run t = run_new(1);
	size_t n;

	t.c = client_new(&plain.o, &dlg_events, &t);
	dlg_feed(&t, STR("554 no\r\n"));
	ck_str(buf_str(&t.sent), STR("QUIT\r\n"));
	n = t.log.n;
	dlg_feed(&t, STR("220 hi\r\n"));
	client_eof(t.c, "again");
	client_expired(t.c);
	client_secured(t.c, true, NULL);
	client_secured(t.c, false, NULL);
	client_quit(t.c);
	ck_assert_uint_eq(client_output(t.c).n, 0);
	ck_assert(!client_ready(t.c));
	ck_assert_int_eq(client_timeout(t.c), 0);
	ck_assert_uint_eq(t.log.n, n);
	run_free(&t);
}
END_TEST

static struct client *aborting;

static void
free_in_event(void *arg)
{
	(void)arg;
	client_free(aborting);
}

/* Mistakes of the caller's are bugs. */
START_TEST(send_unready)
{
	aborting = client_new(&plain.o, &dlg_events, NULL);
	client_send(aborting, &plain.m);
}
END_TEST

START_TEST(sent_too_much)
{
	aborting = client_new(&plain.o, &dlg_events, NULL);
	client_sent(aborting, 1);
}
END_TEST

START_TEST(bad_name)
{
	struct client_options o = { .ehlo_name = "x\r\nMAIL" };

	aborting = client_new(&o, &dlg_events, NULL);
}
END_TEST

START_TEST(freed_within)
{
	static const struct client_events ev = { NULL, free_in_event, NULL,
		NULL, NULL };

	aborting = client_new(&plain.o, &ev, NULL);
	client_input(aborting, STR("220 hi\r\n"));
	client_sent(aborting, client_output(aborting).n);
	client_input(aborting, STR("250 x\r\n"));
}
END_TEST

int
main(void)
{
	TCase *t = tcase_create("client/client");

	tcase_add_test(t, free_null);
	tcase_add_test(t, endless);
	tcase_add_test(t, long_lived);
	tcase_add_test(t, too_early);
	tcase_add_test(t, from_events);
	tcase_add_test(t, no_recursion);
	tcase_add_test(t, afterwards);
	if (unit_forks()) {
		tcase_add_test_raise_signal(t, send_unready, SIGABRT);
		tcase_add_test_raise_signal(t, sent_too_much, SIGABRT);
		tcase_add_test_raise_signal(t, bad_name, SIGABRT);
		tcase_add_test_raise_signal(t, freed_within, SIGABRT);
	}
	return unit_run("client/client", t);
}
