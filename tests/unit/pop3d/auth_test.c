/* SPDX-License-Identifier: GPL-3.0-or-later */

/* auth_test -- capabilities, and who is let in how (RFC 1939, 2449, 3206, 5034). */

#include "unit.h"

#include "encoded.h"
#include "popper.h"

static struct buf in;

static void
start(void)
{
	buf_free(&in);
	buf_init(&in, 64u << 20);
}

static void
check(const char *want)
{
	const char *got = popper_answers(buf_str(&in));

	ck_assert_msg(strcmp(got, want) == 0, "%s\n  got %s, not %s:\n%s", buf_cstr(&in), got,
	    want, buf_cstr(&popper.out));
	ck_assert(!popper_marks.broken);
}

static void
say(const char *text, const char *want)
{
	start();
	buf_adds(&in, text);
	check(want);
}

static bool
said(const char *text)
{
	return strstr(buf_cstr(&popper.out), text) != NULL;
}

START_TEST(plain)
{
	static const struct {
		const char *p;
		size_t n;
		bool good;
		const char *says;
	} t[] = {
		{ "\0alice\0barid", 12, true, "+OK 0 messages" },
		{ "alice\0alice\0barid", 17, true, "+OK" },
		{ "\0ALICE\0barid", 12, true, "+OK" },
		/* Not in the list of names, but the authenticator knows: PAM, say. */
		{ "\0carol\0barid", 12, true, "+OK" },
		{ "bob\0alice\0barid", 15, false, "-ERR [AUTH]" },
		{ "\0alice\0wrong", 12, false, "-ERR [AUTH]" },
		{ "\0alice\0", 7, false, "-ERR [AUTH]" },
		{ "\0nobody\0barid", 13, false, "-ERR [AUTH]" },
		{ "\0\0barid", 7, false, "-ERR [AUTH]" },
		{ "\0odd\0barid", 10, false, "-ERR [AUTH]" },
		{ "\0down\0x", 7, false, "-ERR [SYS/TEMP]" },
		{ "\0hole\0x", 7, false, "-ERR [SYS/TEMP]" },
		{ "", 0, false, "-ERR this is no PLAIN" },
		{ "alice", 5, false, "-ERR this is no PLAIN" },
		{ "\0alice", 6, false, "-ERR this is no PLAIN" },
		{ "\0alice\0barid\0", 13, false, "-ERR this is no PLAIN" },
		{ "\0alice\0ba\0rid", 13, false, "-ERR this is no PLAIN" },
	};

	popper_begin();
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		start();
		encoded_line(&in, t[i].n > 0 ? "AUTH PLAIN " : "AUTH PLAIN =", t[i].p, t[i].n);
		buf_adds(&in, "STAT\r\n");
		check(t[i].good ? "+++" : "+--");
		ck_assert_msg(said(t[i].says), "%zu: %s", i, buf_cstr(&popper.out));
		start();
		buf_adds(&in, "auth plain\r\n");
		encoded_line(&in, "", t[i].p, t[i].n);
		buf_adds(&in, "STAT\r\n");
		check(t[i].good ? "+?++" : "+?--");
		ck_assert_msg(said(t[i].says), "%zu: %s", i, buf_cstr(&popper.out));
	}
	popper_end();
}
END_TEST

START_TEST(exchange)
{
	popper_begin();
	say("AUTH\r\nAUTH NTLM\r\nAUTH LOGIN\r\nAUTH PLAINER x\r\nAUTH PLAIN !\r\n"
	    "AUTH PLAIN A\r\nAUTH PLAIN ====\r\nAUTH PLAIN  =\r\nAUTH PLAIN *\r\nSTAT\r\n",
	    "+*---------");
	ck_assert(said("+OK mechanisms\r\nPLAIN\r\n.\r\n"));
	say("AUTH PLAIN\r\n*\r\nAUTH PLAIN\r\n%%%\r\nAUTH PLAIN\r\n\r\nSTAT\r\n", "+?-?-?--");
	start();
	buf_adds(&in, "AUTH PLAIN\r\n");
	buf_add(&in, STR("AA\0A\r\n"));
	buf_adds(&in, "AUTH PLAIN\r\nAA\rA\r\nCAPA\r\n");
	check("+?-?-*");
	/* The client goes in the middle, or says nothing more: no answer. */
	say("AUTH PLAIN\r\nAGFs", "+?");
	popper.silent = true;
	say("AUTH PLAIN\r\n", "+?");
	say("USER alice\r\n", "++");
	popper.silent = false;
	/* A second login there is not. */
	start();
	ADD("AUTH PLAIN ", "\0alice\0barid");
	ADD("AUTH PLAIN ", "\0Bob\0barid");
	buf_adds(&in, "USER Bob\r\nPASS barid\r\nUTF8\r\nSTLS\r\n");
	check("++-----");
	popper_end();
}
END_TEST

START_TEST(user_pass)
{
	popper_begin();
	say("PASS barid\r\nUSER alice\r\nPASS wrong\r\nPASS barid\r\nUSER alice\r\nPASS barid\r\n",
	    "+-+--++");
	/* The last name counts, and a bad one is none. */
	say("USER nobody\r\nUSER alice\r\nPASS barid\r\nSTAT\r\n", "+++++");
	say("USER alice\r\nUSER a\tb\r\nPASS barid\r\n", "++--");
	say("USER\r\nUSER \r\nPASS barid\r\nUSER nobody\r\nPASS barid\r\n", "+---+-");
	/* RFC 1939 7: blanks belong to the password. */
	say("USER alice\r\nPASS barid \r\nUSER alice\r\nPASS  barid\r\n", "++-+-");
	say("USER alice\r\nPASS \r\nUSER alice\r\nPASS\r\n", "++-+-");
	say("USER down\r\nPASS barid\r\nUSER hole\r\nPASS barid\r\nUSER alice\r\nPASS barid\r\n",
	    "++-+-++");
	/* A thousand names cost no more memory than one. */
	start();
	for (int i = 0; i < 20000; i++) {
		buf_adds(&in, "USER ");
		for (int n = 0; n < 250; n++)
			buf_addc(&in, 'u');
		buf_adds(&in, "\r\n");
	}
	buf_adds(&in, "USER alice\r\nPASS barid\r\n");
	(void)popper_say(buf_str(&in), POPPER_WHOLE);
	ck_assert(str_ends(buf_str(&popper.out),
	    STR("+OK and the password?\r\n+OK 0 messages\r\n")));
	popper_end();
}
END_TEST

/* Who fails and who does not exist look the same; the fifth time is the last. */
START_TEST(failures)
{
	struct buf first;

	popper_begin();
	buf_init(&first, 4096);
	say("USER alice\r\nPASS wrong\r\n", "++-");
	buf_add(&first, buf_str(&popper.out));
	say("USER nobody\r\nPASS wrong\r\n", "++-");
	ck_str(buf_str(&popper.out), buf_str(&first));
	start();
	for (int i = 0; i < 9; i++)
		buf_adds(&in, "USER alice\r\nPASS wrong\r\n");
	check("++-+-+-+-+-");
	ck_assert_uint_eq(score_get(popper.score, COUNT_AUTH_FAILED), 7);
	ck_assert_uint_eq(score_get(popper.score, COUNT_AUTH_OK), 0);
	/* What is not the client's fault does not count. */
	start();
	for (int i = 0; i < 40; i++)
		buf_adds(&in, "USER down\r\nPASS x\r\n");
	buf_adds(&in, "USER alice\r\nPASS barid\r\n");
	ck_assert_uint_eq(strlen(popper_answers(buf_str(&in))), 83);
	ck_assert_int_eq(popper_marks.v[82], '+');
	ck_assert_str_eq(popper.env.slot->user, "alice");
	ck_assert_uint_eq(score_get(popper.score, COUNT_AUTH_OK), 1);
	buf_free(&first);
	popper_end();
}
END_TEST

START_TEST(in_use)
{
	struct maildir m;

	popper_begin();
	ck_assert_int_eq(maildir_open(&m, popper.base, "alice"), 0);
	say("USER alice\r\nPASS barid\r\nSTAT\r\nUSER Bob\r\nPASS barid\r\nSTAT\r\n", "++--+++");
	ck_assert(said("-ERR [IN-USE]"));
	maildir_close(&m);
	say("USER alice\r\nPASS barid\r\nSTAT\r\n", "++++");
	/* A mailbox that cannot be opened: a file is in its place. */
	ck_assert_int_eq(close(openat(popper.base, "dave", O_CREAT | O_WRONLY, 0600)), 0);
	say("USER dave\r\nPASS barid\r\nSTAT\r\n", "++--");
	ck_assert(said("-ERR [SYS/TEMP]"));
	popper_end();
}
END_TEST

#define NO_CLEAR "auth { backends = {\"file:///nowhere\"} }\n"
#define ONLY_LOGIN "auth { backends = {\"file:///nowhere\"} without-tls = {\"LOGIN\"} " \
	"mechanisms = {\"LOGIN\"} }\n"

/* CONFORMANCE S-05: what is offered, and what is taken, agree. */
START_TEST(offers)
{
	static const struct {
		const char *conf;
		int tls;
		bool auth, user, sasl, listed;
	} t[] = {
		{ POPPER_CLEAR, LISTEN_TLS_STARTTLS, true, true, true, true },
		{ POPPER_CLEAR, LISTEN_TLS_OFF, true, true, true, true },
		{ POPPER_CLEAR, LISTEN_TLS_REQUIRED, true, false, false, false },
		{ POPPER_CLEAR, LISTEN_TLS_OFF, false, false, false, false },
		{ NO_CLEAR, LISTEN_TLS_STARTTLS, true, false, false, false },
		{ NO_CLEAR, LISTEN_TLS_OFF, true, false, false, false },
		{ ONLY_LOGIN, LISTEN_TLS_OFF, true, false, false, true },
	};

	popper_begin();
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		popper_conf(t[i].conf);
		popper.listen.tls = t[i].tls;
		popper.env.auth = t[i].auth ? popper.auth[0] : -1;
		say("CAPA\r\n", "+*");
		ck_assert_int_eq(said("\r\nUSER\r\n"), t[i].user);
		ck_assert_int_eq(said("\r\nSASL PLAIN\r\n"), t[i].sasl);
		ck_assert(!said("\r\nSTLS\r\n") && !said("APOP"));
		for (const char *p = "TOP\0UIDL\0RESP-CODES\0AUTH-RESP-CODE\0PIPELINING\0UTF8\0"
		    "EXPIRE NEVER\0"; *p; p += strlen(p) + 1) {
			char line[64];
			snprintf(line, sizeof(line), "\r\n%s\r\n", p);
			ck_assert_msg(said(line), "%s", p);
		}
		ck_assert(said("\r\nIMPLEMENTATION barid"));
		say("USER alice\r\nPASS barid\r\n", t[i].user ? "+++" : "+--");
		start();
		ADD("AUTH PLAIN ", "\0alice\0barid");
		check(t[i].sasl ? "++" : "+-");
		/* Nobody was asked for the password that did come. */
		say("AUTH PLAIN\r\n", t[i].sasl ? "+?" : "+-");
		say("AUTH\r\n", t[i].listed ? "+*" : "+-");
		ck_assert_int_eq(said("\r\nPLAIN\r\n"), t[i].sasl);
	}
	popper_end();
}
END_TEST

static char held[65536];

static void
hold(void)
{
	popper_mark();
}

/* What was a password is not left in the memory that the next line is read into. */
START_TEST(forgotten)
{
	struct pop3_session s;

	popper_begin();
	start();
	buf_adds(&in, "USER alice\r\nPASS secret-one\r\n");
	ADD("AUTH PLAIN ", "\0alice\0secret-two");
	buf_adds(&in, "AUTH PLAIN\r\n");
	ADD("", "\0alice\0secret-two");
	buf_adds(&in, "CAPA\r\n");
	buf_reset(&popper.out);
	popper.in = buf_str(&in);
	popper.pace = POPPER_WHOLE;
	popper.before_read = hold;
	pop3d_init(&s, &popper.env);
	stream_init(&s.stream, &popper_ops, NULL);
	pop3d_run(&s);
	popper.before_read = NULL;
	ck_assert_uint_ge(s.stream.in.size, in.n);
	memcpy(held, s.stream.in.p, in.n);
	ck_assert_ptr_null(memmem(held, in.n, "secret", 6));
	struct buf coded;
	buf_init(&coded, 256);
	base64_add(&coded, STR("\0alice\0secret-two"));
	ck_assert_ptr_null(memmem(held, in.n, coded.p, coded.n));
	ck_assert_ptr_nonnull(memmem(held, in.n, "SER alice", 9));
	buf_free(&coded);
	pop3d_end(&s);
	popper_end();
}
END_TEST

UNIT_MAIN("pop3d/auth", plain, exchange, user_pass, failures, in_use, offers, forgotten)
