/* SPDX-License-Identifier: GPL-3.0-or-later */

/* store_key -- a key is a name in one directory, and nothing else. */

#include "queue/store.h"

#include "unit.h"

START_TEST(keys)
{
	static const char *const good[] = { "a", "0", "Z9", "a.b", "a..b", "a-_.+=@", "5f3e0000@host.example" };
	const struct str bad[] = { STR(""), STR("."), STR(".."), STR(".a"), STR("-a"), STR("_a"), STR("a/b"),
		STR("/a"), STR("../a"), STR("a b"), STR("a\n"), STR("a\0b"), STR("a\0"), STR("\xc3\xa4"), STR("a\\b"),
		STR("a:b"), STR("a%2fb"), STR("a*") };
	char key[STORE_KEY_MAX + 1];

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		ck_assert_msg(store_key_valid(str_c(good[i])), "%s", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(!store_key_valid(bad[i]), "row %zu", i);
	memset(key, 'k', sizeof(key));
	ck_assert(store_key_valid(str_n(key, STORE_KEY_MAX)));
	ck_assert(!store_key_valid(str_n(key, STORE_KEY_MAX + 1)));
}
END_TEST

UNIT_MAIN("queue/store_key", keys)
