/* SPDX-License-Identifier: GPL-3.0-or-later */

/* name -- what may be the name of a user (CONFORMANCE S-32). */

#include "lib/name.h"
#include "unit.h"

START_TEST(valid)
{
	static const struct {
		const char *name;
		bool valid;
	} rows[] = {
		{ "alice", true }, { "a", true }, { "A.b_c-d+e=f@g.h", true },
		{ "0123456789012345678901234567890123456789012345678901234567"
		  "890123", true },
		{ "0123456789012345678901234567890123456789012345678901234567"
		  "8901234", false },
		{ "", false }, { ".", false }, { "..", false },
		{ ".hidden", false }, { "-rf", false }, { "a/b", false },
		{ "../etc", false }, { "a b", false }, { "a\nb", false },
		{ "a%d", false }, { "\xc3\xa9", false }, { "a\\b", false },
		{ "a:b", false }, { "a,b", false }, { "*", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ck_assert_msg(name_is_plain(str_c(rows[i].name)) ==
		    rows[i].valid, "%s", rows[i].name);
	ck_assert(!name_is_plain(str_n("a\0b", 3)));
}
END_TEST

UNIT_MAIN("lib/name", valid)
