/* SPDX-License-Identifier: GPL-3.0-or-later */

/* token_answer -- what the server of a token says. */

#include "http/token_answer.h"
#include "unit.h"

/* What the server of a token says (RFC 6749 5.1, 5.2). */
START_TEST(tokens)
{
	static const struct {
		const char *text;
		bool ok;
		const char *token, *error;
		int64_t seconds;
	} cases[] = {
		{ "{\"access_token\":\"a.b\",\"expires_in\":3599,\"token_type\":\"Bearer\"}", true, "a.b", "", 3599 },
		{ "{\"access_token\":\"x\",\"expires_in\":\"60\"}", true, "x", "", 60 },
		{ "{\"access_token\":\"x\",\"expires_in\":\"soon\"}", true, "x", "", 0 },
		{ "{\"access_token\":5,\"expires_in\":null}", true, "", "", 0 },
		{ "{\"error\":\"invalid_grant\",\"error_description\":\"gone\"}", true, "", "invalid_grant", 0 },
		{ "{}", true, "", "", 0 }, { "[]", false, "", "", 0 }, { "", false, "", "", 0 },
		{ "\"x\"", false, "", "", 0 }, { "{\"access_token\":\"a\"", false, "", "", 0 },
		{ "{\"access_token\":\"a\",\"access_token\":\"b\"}", false, "", "", 0 },
		{ "<html>", false, "", "", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct token_answer t;
		struct arena a;

		arena_init(&a, 1 << 16);
		ck_assert_msg(token_answer_read(str_c(cases[i].text), &a, &t) == cases[i].ok, "case %zu", i);
		ck_str(t.token, str_c(cases[i].token));
		ck_str(t.error, str_c(cases[i].error));
		ck_assert_int_eq(t.seconds, cases[i].seconds);
		arena_free(&a);
	}
}
END_TEST

UNIT_MAIN("http/token_answer", tokens)
