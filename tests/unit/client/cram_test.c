/* SPDX-License-Identifier: GPL-3.0-or-later */

/* cram_test -- the digest, by the RFC's own example and by RFC 2202's. */

#include "unit.h"

#include "client/engine.h"

START_TEST(answers)
{
	static const struct {
		const char *user, *password, *challenge, *want;
	} cases[] = {
		/* RFC 2195 2 */
		{ "tim", "tanstaaftanstaaf",
		    "<1896.697170952@postoffice.reston.mci.net>",
		    "tim b913a602c7eda7a495b4e6e7334d3890" },
		/* RFC 2202 2, case 2 */
		{ "x", "Jefe", "what do ya want for nothing?",
		    "x 750c783e6ab0b503eaa86e310a5db738" },
		{ "", "", "", " 74e6f7298a9c2d168935f58c001bad88" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b;

		buf_init(&b, 1000);
		ck_assert_int_eq(cram_md5_add(&b, str_c(cases[i].user),
		    str_c(cases[i].password), str_c(cases[i].challenge)), 0);
		ck_str(buf_str(&b), str_c(cases[i].want));
		buf_free(&b);
	}
}
END_TEST

UNIT_MAIN("client/cram", answers)
