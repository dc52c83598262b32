/* SPDX-License-Identifier: GPL-3.0-or-later */

/* auth_test -- AUTH in every form, submission, and what is completed there. */

#include "unit.h"

#include "encoded.h"
#include "mail/text.h"
#include "talk.h"

static struct buf in, got;

/* Both mechanisms, also in the clear. */
static void
begin(void)
{
	static const char *names[] = { "PLAIN", "LOGIN" };

	talk_begin();
	buf_init(&in, 64u << 20);
	buf_init(&got, 65536);
	talk_conf("");
	talk.conf->auth.without_tls = (struct conf_strs){ names, 2 };
}

static void
end(void)
{
	buf_free(&in);
	buf_free(&got);
	talk_remove();
}

static void
start(void)
{
	buf_reset(&in);
	buf_adds(&in, "EHLO x\r\n");
}

static void
check(const char *want)
{
	buf_adds(&in, "QUIT\r\n");
	ck_assert_str_eq(talk_codes(talk_say(buf_str(&in), TALK_LINES), &got),
	    want);
}

START_TEST(plain)
{
	static const struct {
		const char *p;
		size_t n;
		const char *code;
	} t[] = {
		{ "\0bob\0barid", 10, "235" },
		{ "bob\0bob\0barid", 13, "235" },
		{ "\0BOB\0barid", 10, "235" },
		{ "alice\0bob\0barid", 15, "535" },
		{ "\0bob\0wrong", 10, "535" },
		{ "\0bob\0Barid", 10, "535" },
		{ "\0bob\0", 5, "535" },
		{ "\0nosuch\0barid", 13, "535" },
		{ "\0\0barid", 7, "535" },
		{ "\0\0", 2, "535" },
		{ "\0\xff\0x", 4, "535" },
		{ "\0down\0x", 7, "454" },
		{ "\0hole\0x", 7, "454" },
		{ "bob", 3, "501" },
		{ "", 0, "501" },
		{ "\0bob", 4, "501" },
		{ "\0bob\0barid\0", 11, "501" },
		{ "\0b\nob\0barid", 11, "501" },
		{ "\0b\tob\0barid", 11, "501" },
	};

	begin();
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct buf want;

		buf_init(&want, 256);
		start();
		encoded_line(&in, t[i].n > 0 ? "AUTH PLAIN " : "AUTH PLAIN =", t[i].p, t[i].n);
		buf_addf(&want, "220 250 %s 221", t[i].code);
		check(buf_cstr(&want));
		start();
		buf_adds(&in, "AUTH plain\r\n");
		encoded_line(&in, "", t[i].p, t[i].n);
		buf_reset(&want);
		buf_addf(&want, "220 250 334 %s 221", t[i].code);
		check(buf_cstr(&want));
		buf_free(&want);
	}
	ck_assert_uint_eq(score_get(talk.score, COUNT_AUTH_OK), 6);
	ck_assert_str_eq(talk.env.slot->user, "bob");
	end();
}
END_TEST

START_TEST(login)
{
	begin();
	start();
	buf_adds(&in, "AUTH LOGIN\r\n");
	ADD("", "bob");
	ADD("", "barid");
	check("220 250 334 334 235 221");
	ck_assert_ptr_nonnull(strstr(buf_cstr(&talk.out),
	    "334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n235 2.7.0 "));
	start();
	ADD("AUTH LOGIN ", "bob");
	ADD("", "barid");
	check("220 250 334 235 221");
	start();
	ADD("AUTH LOGIN ", "bob");
	ADD("", "wrong");
	ADD("AUTH LOGIN ", "bob");
	buf_adds(&in, "*\r\n");
	ADD("AUTH LOGIN ", "bob");
	buf_adds(&in, "no base64\r\n");
	ADD("AUTH LOGIN ", "bob");
	ADD("", "bar\0id");
	buf_adds(&in, "AUTH LOGIN =\r\n");
	ADD("", "barid");
	check("220 250 334 535 334 501 334 501 334 501 334 535 221");
	/* A password that comes for nobody. */
	start();
	ADD("", "barid");
	check("220 250 500 221");
	end();
}
END_TEST

START_TEST(exchange)
{
	begin();
	start();
	buf_adds(&in, "AUTH\r\nAUTH CRAM-MD5\r\nAUTH PLAIN A\r\n"
	    "AUTH PLAIN AA=A\r\nAUTH PLAIN ====\r\nAUTH PLAIN \t=\r\n");
	check("220 250 501 504 501 501 501 501 221");
	start();
	buf_adds(&in, "AUTH PLAIN\r\n*\r\nAUTH LOGIN\r\nx\n");
	buf_add(&in, STR("AUTH PLAIN\r\nAAA\0A\r\n"));
	check("220 250 334 501 334 501 334 501 221");
	/* RFC 4954 4: one login, and none within a transaction. */
	start();
	ADD("AUTH PLAIN ", "\0bob\0barid");
	ADD("AUTH PLAIN ", "\0bob\0barid");
	buf_adds(&in, "EHLO y\r\nRSET\r\n");
	ADD("AUTH PLAIN ", "\0bob\0barid");
	buf_adds(&in, "MAIL FROM:<>\r\nRCPT TO:<u@ext.test>\r\n");
	check("220 250 235 503 250 250 503 250 250 221");
	start();
	buf_adds(&in, "MAIL FROM:<>\r\n");
	ADD("AUTH PLAIN ", "\0bob\0barid");
	buf_adds(&in, "RCPT TO:<u@ext.test>\r\n");
	check("220 250 250 503 554 221");
	end();
}
END_TEST

START_TEST(lengths)
{
	static const struct {
		size_t n;
		const char *want;
	} t[] = {
		{ 12286, "220 250 334 501 221" },
		{ 12287, "220 250 334 500 221" },
		{ 80000, "220 250 334 421" },
	};

	begin();
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		start();
		buf_adds(&in, "AUTH PLAIN\r\n");
		for (size_t k = 0; k < t[i].n; k++)
			buf_addc(&in, 'A');
		buf_adds(&in, "\r\n");
		check(t[i].want);
	}
	/* The client goes in the middle. */
	start();
	buf_adds(&in, "AUTH PLAIN\r\nAGJv");
	ck_assert_str_eq(talk_codes(talk_say(buf_str(&in), TALK_LINES), &got),
	    "220 250 334");
	end();
}
END_TEST

START_TEST(not_offered)
{
	begin();
	talk.conf->auth.without_tls.n = 0;
	start();
	ADD("AUTH PLAIN ", "\0bob\0barid");
	check("220 250 502 221");
	talk.conf->auth.without_tls.n = 1;
	start();
	buf_adds(&in, "AUTH LOGIN\r\n");
	check("220 250 538 221");
	ck_assert_ptr_nonnull(strstr(buf_cstr(&talk.out),
	    "250-AUTH PLAIN\r\n"));
	talk.env.auth = -1;
	start();
	ADD("AUTH PLAIN ", "\0bob\0barid");
	check("220 250 502 221");
	talk.env.auth = talk.auth[0];
	end();
}
END_TEST

START_TEST(enough)
{
	begin();
	start();
	for (int i = 0; i < 9; i++)
		ADD("AUTH PLAIN ", "\0bob\0wrong");
	check("220 250 535 535 535 535 535 535 535 421");
	end();
}
END_TEST

/* RFC 6409 4.3, 8. */
START_TEST(submission)
{
	struct talk_message m;
	const char *text;

	begin();
	talk.listen.service = SERVICE_SUBMISSION;
	start();
	buf_adds(&in, "MAIL FROM:<bob@example.test>\r\n");
	ADD("AUTH PLAIN ", "\0bob\0barid");
	buf_adds(&in, "MAIL FROM:<bob@example.test>\r\nRCPT TO:<u@ext.test>\r\n"
	    "DATA\r\nSubject: x\r\n\r\ntext\r\n.\r\n");
	check("220 250 530 235 250 250 354 250 221");
	talk_take(&m, QUEUE_NEW);
	text = buf_cstr(&m.text);
	ck_str(m.file.env.user, STR("bob"));
	ck_str(m.file.env.proto, STR("ESMTPA"));
	ck_assert_ptr_nonnull(strstr(text, "\r\nDate: "));
	ck_assert_ptr_nonnull(strstr(text, "\r\nFrom: <bob@example.test>\r\n"));
	ck_assert_ptr_nonnull(strstr(text, "\r\nMessage-ID: <"));
	ck_assert_ptr_nonnull(strstr(text, "@mx.example.test>\r\n"));
	ck_assert_ptr_nonnull(strstr(text, "Subject: x\r\n\r\ntext\r\n"));
	talk_drop(&m);
	/* What is there stays as it is. */
	start();
	ADD("AUTH PLAIN ", "\0bob\0barid");
	buf_adds(&in, "MAIL FROM:<bob@example.test>\r\nRCPT TO:<u@ext.test>\r\n"
	    "DATA\r\ndate: never\r\nFROM: me\r\nMessage-Id: <1@x>\r\n\r\n.\r\n");
	check("220 250 235 250 250 354 250 221");
	talk_take(&m, QUEUE_NEW);
	text = buf_cstr(&m.text);
	ck_assert_ptr_null(strstr(text, "\r\nDate:"));
	ck_assert_ptr_null(strstr(text, "\r\nFrom:"));
	ck_assert_ptr_null(strstr(text, "\r\nMessage-ID:"));
	ck_assert_ptr_nonnull(strstr(text,
	    "\r\ndate: never\r\nFROM: me\r\nMessage-Id: <1@x>\r\n\r\n"));
	talk_drop(&m);
	/* A text without a header gets one, and stays the body. */
	start();
	ADD("AUTH PLAIN ", "\0bob\0barid");
	buf_adds(&in, "MAIL FROM:<>\r\nRCPT TO:<u@ext.test>\r\n"
	    "DATA\r\nonly text\r\n.\r\n");
	check("220 250 235 250 250 354 250 221");
	talk_take(&m, QUEUE_NEW);
	text = buf_cstr(&m.text);
	ck_assert_ptr_nonnull(strstr(text, ">\r\n\r\nonly text\r\n"));
	ck_assert_ptr_null(strstr(text, "\r\nFrom:"));
	talk_drop(&m);
	talk.listen.service = SERVICE_SMTP;
	end();
}
END_TEST

/* sendmail -bs: whoever can run it may send, and it goes to drop/. */
START_TEST(local)
{
	struct talk_message m;

	begin();
	talk.env.to_drop = true;
	talk.env.local_user = "carol";
	start();
	buf_adds(&in, "AUTH PLAIN\r\nSTARTTLS\r\nMAIL FROM:<carol@example.test>\r\n"
	    "RCPT TO:<u@ext.test>\r\nDATA\r\nSubject: x\r\n\r\n.\r\n");
	check("220 250 502 502 250 250 354 250 221");
	ck_assert_ptr_null(strstr(buf_cstr(&talk.out), "AUTH"));
	talk_take(&m, QUEUE_NEW);
	ck_assert_uint_eq(m.n, 0);
	talk_drop(&m);
	talk_take(&m, QUEUE_DROP);
	ck_assert_uint_eq(m.n, 1);
	ck_str(m.file.env.client, STR("local carol"));
	ck_assert(str_starts(buf_str(&m.text),
	    STR("Received: from x (local user carol)\r\n\tby ")));
	ck_assert_ptr_nonnull(strstr(buf_cstr(&m.text), "\r\nDate: "));
	talk_drop(&m);
	talk.env.to_drop = false;
	talk.env.local_user = NULL;
	end();
}
END_TEST

UNIT_MAIN("smtpd/auth", plain, login, exchange, lengths, not_offered, enough,
    submission, local)
