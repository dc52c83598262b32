/* SPDX-License-Identifier: GPL-3.0-or-later */

/* facts_test -- each fact, alone, and wherever the text is cut. */

#include "unit.h"

#include "mail/facts.h"
#include "mail/limits.h"

#define LIT(s) { "" s, sizeof(s) - 1 }
#define HEAD "Subject: x\r\n\r\n"

static unsigned
facts_of(struct str text, size_t cut)
{
	struct facts f;

	facts_init(&f);
	facts_add(&f, str_head(text, cut));
	facts_add(&f, str_skip(text, cut));
	return facts_end(&f);
}

START_TEST(found)
{
	static const struct {
		struct str text;
		unsigned found;
	} cases[] = {
		{ LIT(""), 0 },
		{ LIT(HEAD), 0 },
		{ LIT(HEAD "one\r\n\r\ntwo\r\n"), 0 },
		{ LIT("Subject: \303\244\r\n\r\nx\r\n"), FACT_HEADER_8BIT },
		{ LIT(HEAD "\303\244\r\n"), FACT_BODY_8BIT },
		{ LIT("\200\r\n\r\n\200\r\n"),
		    FACT_HEADER_8BIT | FACT_BODY_8BIT },
		{ LIT(HEAD "x"), FACT_BARE },
		{ LIT(HEAD "x\r"), FACT_BARE },
		{ LIT(HEAD "x\n"), FACT_BARE },
		{ LIT("Subject: x\n\n\200\n"), FACT_BARE | FACT_BODY_8BIT },
		{ LIT(HEAD "x\ry\r\n"), FACT_BARE },
		{ LIT(HEAD "x\r\r\n"), FACT_BARE },
		{ LIT(HEAD "x\0y\r\n"), FACT_NUL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (size_t cut = 0; cut <= cases[i].text.n; cut++)
			ck_assert_uint_eq(facts_of(cases[i].text, cut),
			    cases[i].found);
}
END_TEST

/* RFC 5321 4.5.3.1.6: 1000 with CRLF, wherever that is. */
START_TEST(lines)
{
	static char text[2 * MAIL_LINE_MAX];

	for (size_t n = MAIL_LINE_MAX - 1; n <= MAIL_LINE_MAX + 1; n++) {
		unsigned want = n > MAIL_LINE_MAX ? FACT_LONG : 0;

		memset(text, 'x', n);
		memcpy(text + n, "\r\n", 2);
		for (size_t cut = 0; cut <= n + 2; cut++)
			ck_assert_uint_eq(facts_of(str_n(text, n + 2), cut),
			    want);
		ck_assert_uint_eq(facts_of(str_n(text, n), n / 2),
		    want | FACT_BARE);
	}
}
END_TEST

/* Beyond what is taken at all. */
START_TEST(huge)
{
	static char text[SMTP_TEXT_LINE_MAX + 3];

	for (size_t n = SMTP_TEXT_LINE_MAX; n <= SMTP_TEXT_LINE_MAX + 1; n++) {
		unsigned want = FACT_LONG |
		    (n > SMTP_TEXT_LINE_MAX ? FACT_HUGE : 0U);

		memset(text, 'x', n);
		memcpy(text + n, "\r\n", 2);
		ck_assert_uint_eq(facts_of(str_n(text, n + 2), 0), want);
		ck_assert_uint_eq(facts_of(str_n(text, n + 2), n), want);
		ck_assert_uint_eq(facts_of(str_n(text, n + 2), n + 1), want);
	}
}
END_TEST

UNIT_MAIN("mail/facts", found, lines, huge)
