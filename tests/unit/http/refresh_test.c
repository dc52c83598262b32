/* SPDX-License-Identifier: GPL-3.0-or-later */

/* refresh -- when a policy is fetched anew, and that each comes out once. */

#include "http/refresh.h"

#include <stdlib.h>
#include <unistd.h>

#include "lib/clock.h"
#include "scratch.h"
#include "unit.h"

#define DAY 86400
#define NOW INT64_C(1795176000)

START_TEST(due)
{
	static const struct {
		int64_t age, unused, max_age;
		bool want;
	} t[] = {
		{ 0, 0, 7 * DAY, false },
		{ DAY - 1, 0, 7 * DAY, false },
		{ DAY, 0, 7 * DAY, true },
		{ 7 * DAY, 0, 7 * DAY, true },
		/* It is over: the next message asks for it. */
		{ 7 * DAY + 1, 0, 7 * DAY, false },
		/* A short life. */
		{ 1799, 0, 3600, false },
		{ 1800, 0, 3600, true },
		{ 0, 0, 1, true },
		/* In use, and not any more. */
		{ 2 * DAY, 30 * DAY, 365 * DAY, true },
		{ 2 * DAY, 30 * DAY + 1, 365 * DAY, false },
		/* Fetched by a clock that was wrong. */
		{ -5, 0, 7 * DAY, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct policy_file f = { .fetched = NOW - t[i].age,
			.used = NOW - t[i].unused };

		ck_assert_msg(refresh_is_due(&f, t[i].max_age, NOW) ==
		    t[i].want, "row %zu", i);
	}
}
END_TEST

static void
put(int dir, const char *domain, const char *mode, int64_t age)
{
	struct policy_file f = { .fetched = clock_wall() - age, .id = "1" };

	buf_init(&f.text, 1000);
	buf_addf(&f.text, "version: STSv1\nmode: %s\nmx: a.test\n"
	    "max_age: 604800\n", mode);
	ck_assert_int_eq(policies_put(dir, str_c(domain), &f), 0);
	buf_free(&f.text);
}

START_TEST(turns)
{
	char spool[SCRATCH_SIZE];
	unsigned seen = 0;
	struct refresh *r;
	const char *domain;
	int dir;

	scratch_begin(spool);
	dir = policies_dir(spool, true, geteuid());
	ck_assert_int_ge(dir, 0);
	put(dir, "a.test", "enforce", 2 * DAY);
	put(dir, "b.test", "testing", 3 * DAY);
	put(dir, "new.test", "enforce", 10);
	put(dir, "none.test", "none", 2 * DAY);
	put(dir, "over.test", "enforce", 8 * DAY);
	r = refresh_new(dir);
	ck_assert_int_eq(refresh_wait(r), 0);
	while ((domain = refresh_next(r)) != NULL) {
		ck_assert(domain[0] == 'a' || domain[0] == 'b');
		seen |= 1u << (domain[0] - 'a');
	}
	ck_assert_uint_eq(seen, 3);
	/* Not again before the next look. */
	ck_assert_int_gt(refresh_wait(r), 0);
	ck_assert_ptr_null(refresh_next(r));
	refresh_free(r);
	/* Without a directory there is nothing. */
	r = refresh_new(-1);
	ck_assert_ptr_null(refresh_next(r));
	refresh_free(r);
	refresh_free(NULL);
	close(dir);
	scratch_end(spool);
}
END_TEST

UNIT_MAIN("http/refresh", due, turns)
