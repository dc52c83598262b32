/* SPDX-License-Identifier: GPL-3.0-or-later */

/* How many connections a group of hosts may have: found by trial. */

#include "runner/window.h"

#include "unit.h"

#define MOST 20

static struct window
fresh(void)
{
	struct window w;

	window_init(&w, MOST);
	return w;
}

/* Delivers over all connections until there may be SIZE; says how many. */
static unsigned
grow_to(struct window *w, size_t size)
{
	unsigned n = 0;

	for (; w->size < size; n++)
		window_worked(w, w->size);
	return n;
}

/* N-14: a host that is dead costs one time-out. */
START_TEST(unknown)
{
	struct window w = fresh();

	ck_assert_uint_eq(w.size, 1);
	ck_assert(!window_failed(&w, false));
	ck_assert_uint_eq(w.size, 1);
	window_init(&w, 0);
	ck_assert_uint_eq(w.size, 1);
	window_ready(&w);
	ck_assert_uint_eq(w.size, 1);
}
END_TEST

START_TEST(grows)
{
	struct window w = fresh();
	size_t few;

	window_ready(&w);
	few = w.size;
	ck_assert_uint_gt(few, 1);
	ck_assert_uint_lt(few, MOST);
	/* A second session says nothing new. */
	window_ready(&w);
	ck_assert_uint_eq(w.size, few);
	ck_assert(!w.proven);
	/* Fewer connections than it may have are enough: no reason for more. */
	window_worked(&w, few - 1);
	ck_assert_uint_eq(w.size, few);
	ck_assert(w.proven);
	ck_assert_uint_eq(grow_to(&w, MOST), MOST - few);
	window_worked(&w, MOST);
	ck_assert_uint_eq(w.size, MOST);
}
END_TEST

START_TEST(limited)
{
	struct window w = fresh();

	window_ready(&w);
	grow_to(&w, 16);
	window_limit(&w, 3);
	ck_assert_uint_eq(w.size, 3);
	window_worked(&w, 3);
	ck_assert_uint_eq(w.size, 3);
	window_limit(&w, 0);
	ck_assert_uint_eq(w.size, 1);
	window_limit(&w, 2);
	ck_assert_uint_eq(grow_to(&w, 2), 1);
}
END_TEST

START_TEST(shrinks)
{
	struct window w = fresh();

	window_ready(&w);
	grow_to(&w, 16);
	ck_assert(!window_failed(&w, false));
	ck_assert_uint_eq(w.size, 8);
	/* The second in a row. */
	ck_assert(!window_failed(&w, false));
	ck_assert_uint_eq(w.size, 1);
}
END_TEST

/* They say 421: one, then one more with each message up to half of what failed. */
START_TEST(refused)
{
	struct window w = fresh();

	window_ready(&w);
	grow_to(&w, 16);
	ck_assert(!window_failed(&w, true));
	ck_assert_uint_eq(w.size, 1);
	/* A session is no reason to begin anew. */
	window_ready(&w);
	ck_assert_uint_eq(w.size, 1);
	ck_assert_uint_eq(grow_to(&w, 8), 7);
	ck_assert_uint_eq(grow_to(&w, 9), 8);
	ck_assert_uint_eq(grow_to(&w, 10), 9);
}
END_TEST

/* A peer that takes five and no more is asked for a sixth now and then. */
START_TEST(sawtooth)
{
	struct window w = fresh();
	unsigned delivered = 0, refusals = 0;

	window_ready(&w);
	while (delivered < 1000) {
		size_t used = w.size < 5 ? w.size : 5;

		if (w.size > 5) {
			refusals++;
			ck_assert(!window_failed(&w, true));
			continue;
		}
		window_worked(&w, used);
		delivered++;
	}
	ck_assert_uint_gt(refusals, 10);
	ck_assert_uint_lt(refusals, 100);
}
END_TEST

START_TEST(hopeless)
{
	struct window w = fresh();
	int n = 1;

	window_ready(&w);
	while (!window_failed(&w, false))
		n++;
	ck_assert_int_gt(n, 2);
	ck_assert_int_lt(n, 10);
	/* A message that was delivered makes good for all. */
	for (int i = 1; i < 4 * n; i++) {
		ck_assert(!window_failed(&w, false) || i < n);
		window_worked(&w, 1);
	}
	ck_assert(w.proven);
	window_again(&w);
	ck_assert_uint_eq(w.size, 1);
	ck_assert(w.proven && !w.known);
	ck_assert_uint_eq(w.failures, 0);
}
END_TEST

UNIT_MAIN("window", unknown, grows, limited, shrinks, refused, sawtooth, hopeless)
