/* SPDX-License-Identifier: GPL-3.0-or-later */

/* parts -- the parts of messages, decoded, also of broken ones. */

#include "mail/parts.h"

#include "unit.h"

struct seen {
	struct buf text;
	size_t n, most;
};

/* "TYPE[BODY]" for each; "!" before that of the message itself. */
static bool
note(void *arg, const struct part *p)
{
	struct seen *s = arg;

	buf_adds(&s->text, p->top ? "!" : "");
	buf_add(&s->text, p->type);
	buf_addc(&s->text, '[');
	buf_add(&s->text, p->body);
	buf_addc(&s->text, ']');
	return ++s->n < s->most;
}

static void
look(const char *message, const char *want)
{
	struct seen s = { .most = 1000 };

	buf_init(&s.text, 65536);
	parts_each(str_c(message), note, &s);
	ck_str(buf_str(&s.text), str_c(want));
	buf_free(&s.text);
}

#define MIXED "Content-Type: multipart/mixed; boundary=b\r\n\r\nbefore\r\n"

START_TEST(bodies)
{
	look("Subject: x\r\n\r\nhello\r\n", "!text/plain[hello\r\n]");
	look("Subject: x\n\nhello\n", "!text/plain[hello\n]");
	look("Subject: x\r\n\r\n", "!text/plain[]");
	look("Subject: x\r\n", "");
	look("", "");
	look("Content-Type: Text/XML; charset=x\r\n\r\n<a>", "!text/xml[<a>]");
	look("Content-Type: nonsense\r\n\r\nx", "!text/plain[x]");
	look(MIXED "--b\r\n\r\none\r\n--b\r\nContent-Type: a/b\r\n\r\ntwo\r\n\r\n--b--\r\nafter\r\n",
	    "text/plain[one]a/b[two\r\n]");
	look(MIXED "--b\n\none\n--b\nContent-Type: a/b\n\ntwo", "text/plain[one]a/b[two]");
	look(MIXED "--b\r\n\r\n--b\r\nContent-Type: a/b\r\n--b--\r\n", "text/plain[]");
	look(MIXED "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nin\r\n--c--\r\n"
	           "--b\r\n\r\nout\r\n--b--\r\n",
	    "text/plain[in]text/plain[out]");
}
END_TEST

START_TEST(encodings)
{
	look("Content-Transfer-Encoding: base64\r\n\r\naGVs\r\n bG8!h\r\nIQ==\r\nxxxx", "!text/plain[hello!!]");
	look("Content-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\nignored", "!text/plain[hello]");
	look("Content-Transfer-Encoding: base64\r\n\r\naGVsbG", "!text/plain[hell]");
	look("Content-Transfer-Encoding: quoted-printable\r\n\r\na=3Db=\r\nc= \t\r\nd=zz=\r\n",
	    "!text/plain[a=bcd=zz]");
	look("Content-Transfer-Encoding: quoted-printable\r\n\r\n=4", "!text/plain[=4]");
	look("Content-Transfer-Encoding: 8bit\r\n\r\na=3D", "!text/plain[a=3D]");
	look(MIXED "--b\r\nContent-Transfer-Encoding: base64\r\n\r\naGVs\r\n--b\r\n\r\naGVs\r\n--b--",
	    "text/plain[hel]text/plain[aGVs]");
}
END_TEST

START_TEST(messages_within)
{
	/* Of it the header, and none of its parts. */
	look(MIXED "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: y\r\nContent-Type: "
	           "multipart/mixed; boundary=c\r\n\r\n--c\r\nContent-Type: message/delivery-status\r\n\r\nlie\r\n"
	           "--c--\r\n--b\r\n\r\nout\r\n--b--\r\n",
	    "message/rfc822[Subject: y\nContent-Type: multipart/mixed; boundary=c\n]text/plain[out]");
	/* It ends with its header, in three ways. */
	look(MIXED "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: y\r\n--b--\r\n",
	    "message/rfc822[Subject: y\n]");
	look(MIXED "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: y\r\n\r\n--b--\r\n",
	    "message/rfc822[Subject: y\n]");
	look(MIXED "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: y\r\n",
	    "message/rfc822[Subject: y\n]");
	look(MIXED "--b\r\nContent-Type: message/delivery-status\r\n\r\nStatus: 5.0.0\r\n--b--",
	    "message/delivery-status[Status: 5.0.0]");
}
END_TEST

START_TEST(bounds)
{
	struct seen s = { .most = 1000000 };
	struct buf message;

	buf_init(&message, 1 << 20);
	buf_init(&s.text, 1 << 20);
	buf_adds(&message, MIXED);
	for (int i = 0; i < 5000; i++)
		buf_adds(&message, "--b\r\n\r\nx\r\n");
	parts_each(buf_str(&message), note, &s);
	ck_assert_uint_eq(s.n, PARTS_MAX);
	s.n = 0;
	s.most = 3;
	parts_each(buf_str(&message), note, &s);
	ck_assert_uint_eq(s.n, 3);
	/* A header without an end. */
	buf_reset(&message);
	buf_reset(&s.text);
	for (int i = 0; i < 20000; i++)
		buf_adds(&message, "Subject: the same again\r\n");
	parts_each(buf_str(&message), note, &s);
	ck_assert_uint_eq(s.text.n, 0);
	buf_free(&s.text);
	buf_free(&message);
}
END_TEST

UNIT_MAIN("mail/parts", bodies, encodings, messages_within, bounds)
