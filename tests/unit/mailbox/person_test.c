/* SPDX-License-Identifier: GPL-3.0-or-later */

/* person -- whoever is no person, or not there, gets no mail. */

#include "mailbox/person.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "unit.h"

START_TEST(nobody)
{
	static const char *const names[] = { "no-such-account-here", "", "daemon" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		ck_assert_ptr_null(person_find(names[i], true));
		ck_assert_int_eq(errno, 0);
	}
	/* Whoever has all rights is not a person, either. */
	ck_assert_ptr_null(person_find("root", true));
}
END_TEST

/* Without root it is whoever we are, and no other. */
START_TEST(ourselves)
{
	const struct passwd *pw = getpwuid(geteuid()), *found;
	char name[256];

	if (pw == NULL)
		return;
	snprintf(name, sizeof(name), "%s", pw->pw_name);
	ck_assert_ptr_nonnull(found = person_find(name, false));
	ck_assert_uint_eq(found->pw_uid, geteuid());
	ck_assert_ptr_null(person_find(geteuid() == 2 ? "daemon" : "bin", false));
	ck_assert_int_eq(errno, 0);
}
END_TEST

UNIT_MAIN("person", nobody, ourselves)
