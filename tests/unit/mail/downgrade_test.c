/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * downgrade_test -- what is written, to the octet; e2e/downgrade.py has
 * what it means.
 */

#include "unit.h"

#include <signal.h>

#include "mail/downgrade.h"

#define CTE "Content-Transfer-Encoding: "
#define MULTI "Content-Type: multipart/mixed; boundary=b\r\n"
#define VERSION "MIME-Version: 1.0\r\n"
#define L10 "llllllllll"
#define L100 L10 L10 L10 L10 L10 L10 L10 L10 L10 L10
#define W10 "www wwwww "
#define W100 W10 W10 W10 W10 W10 W10 W10 W10 W10 W10

static void
scan(struct str text, struct downgrade_plan *plan)
{
	struct downgrade_scan s;

	downgrade_plan_init(plan);
	downgrade_scan_begin(&s, plan, false);
	downgrade_scan_add(&s, text);
	downgrade_scan_end(&s);
}

static void
write_all(const char *text, enum downgrade_to to, size_t piece, struct buf *out)
{
	struct downgrade_plan plan;
	struct downgrade *d;
	struct str rest = str_c(text);

	scan(rest, &plan);
	ck_assert_ptr_null(plan.why_not[to]);
	d = downgrade_new(&plan, to);
	for (; rest.n > 0; rest = str_skip(rest, piece))
		downgrade_add(d, str_head(rest, piece), out);
	downgrade_end(d, out);
	downgrade_free(d);
	downgrade_plan_free(&plan);
}

static const struct {
	const char *text, *want;
	enum downgrade_to to;
} cases[] = {
	{ "", "", DOWNGRADE_TO_7BIT },
	{ "\r\nx\r\n", "\r\nx\r\n", DOWNGRADE_TO_7BIT },
	{ VERSION CTE "8bit\r\n\r\n\303\244",
	    VERSION "Content-Type: text/plain; charset=utf-8\r\n" CTE
	    "quoted-printable\r\n\r\n=C3=A4", DOWNGRADE_TO_7BIT },
	{ VERSION CTE "8bit\r\n\r\n\303\244\r\n",
	    VERSION CTE "8bit\r\n\r\n\303\244\r\n", DOWNGRADE_TO_8BIT },
	{ "Subject: x\r\n\r\n\303\244\r\n",
	    "Subject: x\r\n" VERSION
	    "Content-Type: text/plain; charset=utf-8\r\n" CTE
	    "quoted-printable\r\n\r\n=C3=A4\r\n", DOWNGRADE_TO_7BIT },
	{ "Content-Type: text/html\r\nSubject: x\r\n\r\n\344 \r\n",
	    "Content-Type: text/html\r\nSubject: x\r\n" VERSION CTE
	    "quoted-printable\r\n\r\n=E4=20\r\n", DOWNGRADE_TO_7BIT },
	/* A delimiter takes the line end before it; a long label goes whole. */
	{ VERSION MULTI "\r\n--b\r\n" CTE "\r\n\t8bit\r\nX-A: y\r\n\r\n"
	    "\303\244\r\n\r\n--b\r\nContent-Type: image/x\r\n\r\n\200\r\n"
	    "--b\r\n" CTE "8bit\r\n\r\nx\r\n--b\r\n\r\n--b--\r\n",
	    VERSION MULTI "\r\n--b\r\nX-A: y\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n" CTE
	    "quoted-printable\r\n\r\n=C3=A4\r\n\r\n--b\r\n"
	    "Content-Type: image/x\r\n" CTE "base64\r\n\r\ngA==\r\n"
	    "--b\r\n" CTE "7bit\r\n\r\nx\r\n--b\r\n\r\n--b--\r\n",
	    DOWNGRADE_TO_7BIT },
	{ CTE "binary\r\nContent-Type: message/rfc822\r\n\r\n" CTE
	    "binary\r\n\r\n\200\r\n",
	    "Content-Type: message/rfc822\r\n" VERSION CTE "8bit\r\n\r\n" CTE
	    "8bit\r\n\r\n\200\r\n", DOWNGRADE_TO_8BIT },
	{ "X-A: " W100 W100 W100 W100 W100 W100 W100 W100 W100 W100
	    "\r\n\r\nx\r\n",
	    "X-A: " W100 W100 W100 W100 W100 W100 W100 W100
	    W10 W10 W10 W10 W10 W10 W10 W10 W10 "www\r\n"
	    " wwwww " W100 "\r\n\r\nx\r\n", DOWNGRADE_TO_8BIT },
	/* The colon stays with its name. */
	{ "X \t:" L100 L100 L100 L100 L100 L100 L100 L100 L100 L10 L10 " "
	    L100 "\r\n\r\nx\r\n",
	    "X \t:" L100 L100 L100 L100 L100 L100 L100 L100 L100 L10 L10 "\r\n "
	    L100 "\r\n\r\nx\r\n", DOWNGRADE_TO_8BIT },
};

START_TEST(octets)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (size_t piece = 1; piece < 2000;
		     piece += piece < 20 ? 1 : 199) {
			struct buf out;

			buf_init(&out, 1 << 20);
			write_all(cases[i].text, cases[i].to, piece, &out);
			ck_str(buf_str(&out), str_c(cases[i].want));
			buf_free(&out);
		}
}
END_TEST

/* Who was told that it cannot be done must not ask for it. */
START_TEST(impossible)
{
	struct downgrade_plan plan;

	scan(STR("Subject: \303\244\r\n\r\n"), &plan);
	(void)!downgrade_new(&plan, DOWNGRADE_TO_7BIT);
}
END_TEST

int
main(void)
{
	TCase *t = tcase_create("mail/downgrade");

	tcase_add_test(t, octets);
	if (unit_forks())
		tcase_add_test_raise_signal(t, impossible, SIGABRT);
	return unit_run("mail/downgrade", t);
}
