/* SPDX-License-Identifier: GPL-3.0-or-later */

/* How long what cannot be reached is left alone. */

#include "runner/dead.h"

#include "unit.h"

#define MINUTE 60000
#define NOW 1000000

static struct dead
born(void)
{
	struct dead d;

	dead_init(&d);
	return d;
}

static void
die(struct dead *d, enum outcome o, const int64_t *retry, size_t n, int64_t now)
{
	struct conf_times times = { .n = n };
	struct result why = result_words(o, "4.4.1", STR("no answer"));
	int64_t v[4];

	memcpy(v, retry, n * sizeof(*v));
	times.v = v;
	dead_set(d, &why, &times, now);
}

START_TEST(for_a_while)
{
	static const int64_t retry[] = { 3 * MINUTE, 30 * MINUTE };
	struct dead d = born();

	ck_assert(!dead_is(&d, NOW));
	ck_assert(!dead_remembered(&d, NOW));
	die(&d, TEMPFAIL, retry, 2, NOW);
	ck_assert(dead_is(&d, NOW));
	/* It is over when the first message comes back. */
	ck_assert(dead_is(&d, NOW + 2 * MINUTE));
	ck_assert(!dead_is(&d, NOW + 3 * MINUTE));
	ck_assert(dead_remembered(&d, NOW + 3 * MINUTE));
	ck_str(d.cause.result.text, STR("no answer"));
	dead_clear(&d);
	ck_assert(!dead_is(&d, NOW) && !dead_remembered(&d, NOW));
	dead_free(&d);
}
END_TEST

/* K7: each failure makes the next attempt later. */
START_TEST(longer_and_longer)
{
	static const int64_t retry[] = { 3 * MINUTE, 30 * MINUTE };
	struct dead d = born();
	int64_t now = NOW, last = 0;

	for (int i = 0; i < 200; i++) {
		die(&d, TEMPFAIL, retry, 2, now);
		ck_assert_int_ge(d.took, last);
		ck_assert_int_le(d.took, 10 * MINUTE);
		if (i == 1)
			ck_assert_int_eq(d.took, 2 * last);
		last = d.took;
		now = d.until;
		ck_assert(!dead_is(&d, now));
	}
	ck_assert_int_eq(last, 10 * MINUTE);
	/* An order to try it at once makes nothing good. */
	die(&d, TEMPFAIL, retry, 2, now);
	dead_try(&d);
	ck_assert(!dead_is(&d, now));
	die(&d, TEMPFAIL, retry, 2, now);
	ck_assert_int_eq(d.took, 10 * MINUTE);
	dead_clear(&d);
	die(&d, TEMPFAIL, retry, 2, now);
	ck_assert_int_lt(d.took, 3 * MINUTE);
	dead_free(&d);
}
END_TEST

/* Never much longer than the configuration waits, never nothing. */
START_TEST(bounds)
{
	static const int64_t quick[] = { 100, 200 }, slow[] = { 600 * MINUTE },
		even[] = { 2 * MINUTE, 2 * MINUTE };
	struct dead d = born();

	for (int i = 0; i < 100; i++)
		die(&d, TEMPFAIL, quick, 2, NOW);
	ck_assert_int_eq(d.took, 1000);
	dead_clear(&d);
	die(&d, TEMPFAIL, slow, 1, NOW);
	ck_assert_int_eq(d.took, 10 * MINUTE);
	dead_clear(&d);
	die(&d, TEMPFAIL, slow, 0, NOW);
	ck_assert_int_gt(d.took, 0);
	dead_clear(&d);
	for (int i = 0; i < 5; i++)
		die(&d, TEMPFAIL, even, 2, NOW);
	ck_assert_int_lt(d.took, 2 * MINUTE);
	die(&d, PERMFAIL, slow, 1, NOW);
	ck_assert_int_eq(d.took, MINUTE);
	dead_free(&d);
}
END_TEST

UNIT_MAIN("dead", for_a_while, longer_and_longer, bounds)
