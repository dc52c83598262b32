/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Who is logged in: by token, until when, and how many at once. */

#include "admin/sessions.h"

#include "unit.h"

static struct sessions s;
static unsigned char id[SHA256_SIZE];

static const unsigned char *
id_of(unsigned n)
{
	char token[32];

	snprintf(token, sizeof(token), "token %u", n);
	ck_assert_int_eq(session_id(str_c(token), id), 0);
	return id;
}

static size_t
count(int64_t now)
{
	size_t n = 0;

	for (unsigned i = 0; i < 1000; i++)
		n += sessions_find(&s, id_of(i), now) != NULL;
	return n;
}

START_TEST(life)
{
	ck_assert_ptr_null(sessions_find(&s, id_of(1), 0));
	sessions_begin(&s, id_of(1), STR("alice"), 1000);
	ck_assert_str_eq(sessions_find(&s, id_of(1), 1000)->user, "alice");
	ck_assert_ptr_null(sessions_find(&s, id_of(2), 1000));
	/* The same token is nobody else's. */
	sessions_begin(&s, id_of(1), STR("bob"), 1000);
	ck_assert_str_eq(sessions_find(&s, id_of(1), 1000)->user, "alice");
	sessions_end(&s, id_of(2));
	ck_assert_uint_eq(count(1000), 1);
	sessions_end(&s, id_of(1));
	ck_assert_uint_eq(count(1000), 0);
	/* Who has no name, or one that does not fit. */
	sessions_begin(&s, id_of(1), STR(""), 1000);
	char name[SESSION_USER_MAX + 1];
	memset(name, 'a', sizeof(name));
	sessions_begin(&s, id_of(1), str_n(name, sizeof(name)), 1000);
	ck_assert_uint_eq(count(1000), 0);
	sessions_begin(&s, id_of(1), str_n(name, SESSION_USER_MAX), 1000);
	ck_assert_uint_eq(count(1000), 1);
}
END_TEST

START_TEST(ends)
{
	int64_t now = 5;

	sessions_begin(&s, id_of(1), STR("alice"), now);
	ck_assert_ptr_nonnull(sessions_find(&s, id_of(1), now + SESSION_IDLE_MS - 1));
	ck_assert_ptr_null(sessions_find(&s, id_of(1), now + SESSION_IDLE_MS));
	/* What is over is not used again. */
	sessions_touch(&s, id_of(1), now + SESSION_IDLE_MS);
	ck_assert_ptr_null(sessions_find(&s, id_of(1), now + SESSION_IDLE_MS));
	sessions_begin(&s, id_of(2), STR("alice"), now);
	for (int64_t t = 0; t < SESSION_LIFE_MS; t += SESSION_IDLE_MS / 2) {
		ck_assert_ptr_nonnull(sessions_find(&s, id_of(2), now + t));
		sessions_touch(&s, id_of(2), now + t);
	}
	ck_assert_ptr_null(sessions_find(&s, id_of(2), now + SESSION_LIFE_MS));
}
END_TEST

START_TEST(bounds)
{
	for (unsigned i = 0; i < 100; i++)
		sessions_begin(&s, id_of(i), STR("alice"), 1000 + i);
	ck_assert_uint_eq(count(2000), SESSIONS_PER_USER);
	ck_assert_ptr_nonnull(sessions_find(&s, id_of(99), 2000));
	ck_assert_ptr_null(sessions_find(&s, id_of(99 - SESSIONS_PER_USER), 2000));
	/* One that is used stays. */
	sessions_touch(&s, id_of(93), 1500);
	for (unsigned i = 100; i < 900; i++) {
		char user[16];

		snprintf(user, sizeof(user), "user%u", i);
		sessions_touch(&s, id_of(93), 1500 + i);
		sessions_begin(&s, id_of(i), str_c(user), 1500 + i);
	}
	ck_assert_uint_eq(count(3000), SESSIONS_MAX);
	ck_assert_str_eq(sessions_find(&s, id_of(93), 3000)->user, "alice");
	ck_assert_str_eq(sessions_find(&s, id_of(899), 3000)->user, "user899");
}
END_TEST

UNIT_MAIN("admin/sessions", life, ends, bounds)
