/* SPDX-License-Identifier: GPL-3.0-or-later */

/* msg_name -- all four messages there and back, and what no side may say. */

#include "ipc/msg_name.h"

#include "unit.h"

static struct buf b;

START_TEST(iprev)
{
	static const struct {
		enum iprev result;
		const char *name;
		bool ok;
	} rows[] = {
		{ IPREV_PASS, "mail.example.org", true }, { IPREV_FAIL, "a_b.example", true },
		{ IPREV_PERMERROR, "", true }, { IPREV_TEMPERROR, "", true },
		{ IPREV_PASS, "", false }, { IPREV_FAIL, "a b", false },
		{ IPREV_PASS, "a..b", false }, { IPREV_PASS, ".a", false },
		{ IPREV_PASS, "a.", false }, { IPREV_PASS, "a\r\nb", false },
		{ IPREV_PASS, "a[1]", false }, { (enum iprev)IPREV_N, "a.b", false },
	};
	struct msg_iprev m = { STR("2001:db8::1") };
	struct msg_iprev_result r;

	buf_init(&b, FRAME_MAX);
	msg_iprev_put(&b, &m);
	m.address = STR("");
	ck_assert(msg_iprev_get(buf_str(&b), &m));
	ck_str(m.address, STR("2001:db8::1"));
	ck_assert(!msg_iprev_result_get(buf_str(&b), &r));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		buf_reset(&b);
		msg_iprev_result_put(&b, &(struct msg_iprev_result){ rows[i].result,
		    str_c(rows[i].name) });
		ck_assert_msg(msg_iprev_result_get(buf_str(&b), &r) == rows[i].ok, "%s",
		    rows[i].name);
		if (rows[i].ok) {
			ck_assert_int_eq(r.result, rows[i].result);
			ck_str(r.name, str_c(rows[i].name));
		}
	}
	buf_free(&b);
}
END_TEST

START_TEST(exists)
{
	struct msg_exists_result r = { EXISTS_NO, true };
	struct msg_exists m = { STR("a.example"), true };

	buf_init(&b, FRAME_MAX);
	msg_exists_put(&b, &m);
	m = (struct msg_exists){ STR(""), false };
	ck_assert(msg_exists_get(buf_str(&b), &m));
	ck_str(m.domain, STR("a.example"));
	ck_assert(m.at_all);
	buf_reset(&b);
	msg_exists_put(&b, &(struct msg_exists){ STR("b\xc3\xa4.example"), false });
	ck_assert(!msg_exists_get(buf_str(&b), &m));
	buf_reset(&b);
	msg_exists_result_put(&b, &r);
	r = (struct msg_exists_result){ EXISTS_YES, false };
	ck_assert(msg_exists_result_get(buf_str(&b), &r));
	ck_assert(r.result == EXISTS_NO && r.null_mx);
	buf_reset(&b);
	msg_exists_result_put(&b, &(struct msg_exists_result){ (enum exists)EXISTS_N, false });
	ck_assert(!msg_exists_result_get(buf_str(&b), &r));
	buf_free(&b);
}
END_TEST

UNIT_MAIN("ipc/msg_name", iprev, exists)
