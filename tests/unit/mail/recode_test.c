/* SPDX-License-Identifier: GPL-3.0-or-later */

/* recode_test -- quoted-printable and base64 as they are written. */

#include "unit.h"

#include "mail/recode.h"

/* Lines of TEXT, cut in two at CUT, as a body that goes on behind its last line end. */
static void
recode(enum recode how, struct str text, size_t cut, struct buf *out)
{
	struct recoder r;

	recode_init(&r, how);
	for (size_t i = 0; i < text.n; i++) {
		size_t n = i < cut ? cut : text.n;
		struct str s = str_head(str_skip(text, i), n - i);
		ptrdiff_t lf = str_find(s, '\n');
		bool cr = lf > 0 && s.p[lf - 1] == '\r';

		if (lf < 0) {
			recode_add(&r, s, out);
			i += s.n - 1;
			continue;
		}
		recode_add(&r, str_head(s, (size_t)lf - cr), out);
		recode_line(&r, cr, out);
		i += (size_t)lf;
	}
	recode_end(&r, out);
}

#define LIT(s) { "" s, sizeof(s) - 1 }
#define S10 "0123456789"
#define S70 S10 S10 S10 S10 S10 S10 S10

START_TEST(tables)
{
	static const struct {
		enum recode how;
		struct str text, want;
	} cases[] = {
		{ RECODE_QP, LIT(""), LIT("") },
		{ RECODE_QP, LIT("a=b\r\n\tc"), LIT("a=3Db\r\n\tc") },
		{ RECODE_QP, LIT("\303\244\r\n"), LIT("=C3=A4\r\n") },
		{ RECODE_QP, LIT("a \r\nb\t"), LIT("a=20\r\nb=09") },
		{ RECODE_QP, LIT("a  \r\n \r\n"), LIT("a =20\r\n=20\r\n") },
		{ RECODE_QP, LIT("a\nb\n"), LIT("a=0Ab=0A") },
		{ RECODE_QP, LIT("a\001\177\0b"), LIT("a=01=7F=00b") },
		{ RECODE_QP, LIT("--b\r\n.\r\n-.x"),
		    LIT("=2D-b\r\n=2E\r\n=2D.x") },
		{ RECODE_QP, LIT(S70 "abcde\r\n"), LIT(S70 "abcde\r\n") },
		{ RECODE_QP, LIT(S70 "abcdef"), LIT(S70 "abcde=\r\nf") },
		{ RECODE_QP, LIT(S70 "abc=x"), LIT(S70 "abc=\r\n=3Dx") },
		{ RECODE_QP, LIT(S70 "abcde--b"),
		    LIT(S70 "abcde=\r\n=2D-b") },
		{ RECODE_QP, LIT(S70 "abcde "), LIT(S70 "abcde=\r\n=20") },
		{ RECODE_QP_LINES, LIT("=C3=A4 =\r\n=20 \r\n"),
		    LIT("=C3=A4 =\r\n=20 \r\n") },
		{ RECODE_QP_LINES, LIT("\303\244="), LIT("=C3=A4=") },
		{ RECODE_QP_LINES, LIT(S70 "abc=C3=A4 "),
		    LIT(S70 "abc=\r\n=C3=A4 ") },
		{ RECODE_QP_LINES, LIT(S70 "ab=C3=A4-"),
		    LIT(S70 "ab=C3=\r\n=A4-") },
		{ RECODE_QP_LINES, LIT("=\r\n=-\r\n--b"),
		    LIT("=\r\n=-\r\n=2D-b") },
		{ RECODE_BASE64, LIT(""), LIT("") },
		{ RECODE_BASE64, LIT("a"), LIT("YQ==") },
		{ RECODE_BASE64, LIT("a\r\nb\n\0"), LIT("YQ0KYgoA") },
		{ RECODE_BASE64, LIT(S10 S10 S10 S10 S10 "0123456a"),
		    LIT("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4"
			"OTAxMjM0NTY3ODkwMTIzNDU2\r\nYQ==") },
		{ RECODE_BASE64_LINES, LIT("QU JD\r\n-\303\244QQ=="),
		    LIT("QUJDQQ==") },
		{ RECODE_BASE64_LINES, LIT(S70 S70),
		    LIT(S70 "012345\r\n6789" S10 S10 S10 S10 S10 S10) },
		{ RECODE_NONE, LIT("--b\r\n\377"), LIT("--b\r\n\377") },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (size_t cut = 0; cut < cases[i].text.n + 1; cut++) {
			struct buf out;

			/* Lines come as such: a CR is with its LF. */
			if (cut > 0 && cases[i].text.p[cut - 1] == '\r')
				continue;
			buf_init(&out, 10000);
			recode(cases[i].how, cases[i].text, cut, &out);
			ck_str(buf_str(&out), cases[i].want);
			buf_free(&out);
		}
}
END_TEST

UNIT_MAIN("mail/recode", tables)
