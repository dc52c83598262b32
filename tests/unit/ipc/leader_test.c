/* SPDX-License-Identifier: GPL-3.0-or-later */

/* leader_test -- whose level ends last, and what is no name. */

#include "ipc/leader.h"

#include "unit.h"

START_TEST(last)
{
	static const char longest[] = "0123456789012345678901234567890123456789012345678901234567890123456789"
				      "01234567890123456789012345678901234567890";
	char name[LEADER_NAME_MAX + 1];
	struct leader l = { 0 };

	ck_assert(!leader_get(&l, 0, name));
	leader_note(&l, STR("alice"), 100);
	ck_assert(leader_get(&l, 99, name));
	ck_assert_str_eq(name, "alice");
	ck_assert(!leader_get(&l, 100, name));
	leader_note(&l, STR("bob"), 99);
	ck_assert(leader_get(&l, 50, name));
	ck_assert_str_eq(name, "alice");
	leader_note(&l, STR("bo"), 100);
	ck_assert(leader_get(&l, 50, name));
	ck_assert_str_eq(name, "bo");
	leader_note(&l, str_c(longest), 101);
	ck_assert(leader_get(&l, 50, name));
	ck_assert(strncmp(name, longest, LEADER_NAME_MAX) == 0 && strlen(name) == LEADER_NAME_MAX);
	leader_note(&l, STR("a\tb"), 200);
	ck_assert(leader_get(&l, 50, name));
	ck_assert_str_eq(name + LEADER_NAME_MAX, "");
}
END_TEST

/* Half a name, none, and one that no session of ours would write. */
START_TEST(broken)
{
	char name[LEADER_NAME_MAX + 1];
	struct leader l = { 0 };

	leader_note(&l, STR("alice@example.test"), 100);
	atomic_store(&l.words[1], 0);
	ck_assert(!leader_get(&l, 50, name));
	leader_note(&l, STR(""), 101);
	ck_assert(!leader_get(&l, 50, name));
	leader_note(&l, STR("bob"), 102);
	ck_assert(leader_get(&l, 50, name));
}
END_TEST

UNIT_MAIN("ipc/leader", last, broken)
