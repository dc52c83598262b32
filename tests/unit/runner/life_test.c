/* SPDX-License-Identifier: GPL-3.0-or-later */

/* life -- N-16: the schedule of five days; C-14: clocks that jump. */

#include "runner/life.h"

#include "unit.h"

#define S INT64_C(1000)
#define MIN (60 * S)
#define HOUR (60 * MIN)
#define DAY (24 * HOUR)
#define YEAR (365 * DAY)
/* An hour of the year 2026. */
#define NOW (INT64_C(1795176000) * S)

static uint32_t none_below(uint32_t below) { return below - below; }
static uint32_t most_below(uint32_t below) { return below - 1; }

static uint32_t dice = 1;

static uint32_t
any_below(uint32_t below)
{
	dice = dice * 1103515245 + 12345;
	return (dice >> 16) % below;
}

static int64_t steps[] = { 3 * MIN, 3 * MIN, 9 * MIN, 15 * MIN, 30 * MIN,
	2 * HOUR };
static int64_t notices[] = { 4 * HOUR };
static const struct wall steady;

static struct conf_queue
queue(void)
{
	return (struct conf_queue){ .retry = { steps, ARRAY_LEN(steps) },
		.lifetime = 5 * DAY, .bounce_lifetime = DAY,
		.delay_notice = { notices, 1 } };
}

static struct envelope
envelope(int64_t arrival)
{
	return (struct envelope){ .from = { STR("a"), STR("b.example") },
		.arrival_us = arrival * 1000 };
}

/* RFC 2852: the sender is told when the time has come, and it is tried on. */
START_TEST(by_time)
{
	const struct conf_queue q = queue();
	struct envelope e = envelope(NOW);
	struct life l = life_of(&q, &e, &steady, NOW);
	int64_t times[LIFE_NOTICES_MAX];

	ck_assert_uint_eq(life_notices(&q, &e, &l, times).n, 1);
	e.by_us = (NOW + MIN) * 1000;
	e.by_mode = BY_RETURN;
	ck_assert_uint_eq(life_notices(&q, &e, &l, times).n, 1);
	e.by_mode = BY_NOTIFY;
	ck_assert_uint_eq(life_notices(&q, &e, &l, times).n, 2);
	ck_assert_int_eq(times[0], 4 * HOUR);
	ck_assert_int_eq(times[1], MIN);
	ck_assert_int_eq(life_look(&q, &e, &l, NOW), NOW + MIN);
	ck_assert_uint_eq(life_notices_due(&q, &e, &l, NOW), 0);
	ck_assert_uint_eq(life_notices_due(&q, &e, &l, NOW + MIN), 1);
	ck_assert_uint_eq(life_notices_due(&q, &e, &l, NOW + 4 * HOUR), 2);
	/* The next attempt is not behind it. */
	ck_assert_int_eq(life_next(&q, &e, &l, NOW, true, none_below),
	    NOW + MIN);
	/* What was over when it came is told of at the first attempt. */
	e.by_us = (NOW - DAY) * 1000;
	ck_assert_uint_eq(life_notices(&q, &e, &l, times).n, 2);
	ck_assert_int_eq(times[1], 1);
}
END_TEST

/* N-16: peer down for five days, whatever the jitter. */
START_TEST(five_days)
{
	uint32_t (*const randoms[])(uint32_t) = { none_below, most_below,
		any_below };
	const struct conf_queue q = queue();

	for (size_t i = 0; i < ARRAY_LEN(randoms); i++) {
		struct envelope e = envelope(NOW);
		struct life l = life_of(&q, &e, &steady, NOW);
		int64_t at = NOW, last = NOW, noticed = 0;
		unsigned n = 0;

		ck_assert_int_eq(l.end, NOW + 5 * DAY);
		for (; at < l.end; n++) {
			last = at;
			at = life_next(&q, &e, &l, at, noticed == 0,
			    randoms[i]);
			ck_assert_int_gt(at, last);
			/* The first retry at once, then never a long gap. */
			ck_assert_int_le(at - last, n == 0 ? 15 * MIN :
			    2 * HOUR + 12 * MIN);
			if (noticed == 0 && at >= NOW + 4 * HOUR)
				noticed = at;
		}
		/* The delay is told when it is time, the end is exact. */
		ck_assert_int_le(noticed, NOW + 4 * HOUR + MIN);
		ck_assert_int_eq(at, l.end);
		ck_assert_uint_ge(n, 64);
		ck_assert_uint_le(n, 68);
	}
}
END_TEST

START_TEST(lengths)
{
	struct conf_queue q = queue();
	struct envelope e = envelope(NOW);

	ck_assert_int_eq(life_of(&q, &e, &steady, NOW + DAY).begun, NOW);
	/* Of a null sender a shorter one, but never a longer one. */
	e.from = (struct path){ STR(""), STR("") };
	ck_assert_int_eq(life_of(&q, &e, &steady, NOW).end, NOW + DAY);
	q.bounce_lifetime = 9 * DAY;
	ck_assert_int_eq(life_of(&q, &e, &steady, NOW).end, NOW + 5 * DAY);
	/* It begins when it may be tried. */
	e = envelope(NOW);
	e.not_before_us = (NOW + 10 * DAY) * 1000;
	ck_assert_int_eq(life_of(&q, &e, &steady, NOW).begun, NOW + 10 * DAY);
	ck_assert_int_eq(life_of(&q, &e, &steady, NOW).end, NOW + 15 * DAY);
	e.not_before_us = (NOW - DAY) * 1000;
	ck_assert_int_eq(life_of(&q, &e, &steady, NOW).begun, NOW);
	/* A deadline is the end, earlier or later than the usual one. */
	ck_assert(!life_of(&q, &e, &steady, NOW).deadline);
	e.deadline_us = (NOW + HOUR) * 1000;
	ck_assert(life_of(&q, &e, &steady, NOW).deadline);
	ck_assert_int_eq(life_of(&q, &e, &steady, NOW).end, NOW + HOUR);
	e.deadline_us = (NOW + 30 * DAY) * 1000;
	ck_assert_int_eq(life_of(&q, &e, &steady, NOW).end, NOW + 30 * DAY);
	/* Attempts: its own word, else the configuration's. */
	ck_assert_uint_eq(life_attempts(&q, &e), 0);
	q.max_attempts = 7;
	ck_assert_uint_eq(life_attempts(&q, &e), 7);
	e.max_attempts = 2;
	ck_assert_uint_eq(life_attempts(&q, &e), 2);
}
END_TEST

START_TEST(next)
{
	const struct conf_queue q = queue();
	struct envelope e = envelope(NOW);
	struct life l = life_of(&q, &e, &steady, NOW);

	ck_assert_int_eq(life_next(&q, &e, &l, NOW, true, none_below),
	    NOW + 3 * MIN);
	/* At three hours the next one would be at five. */
	ck_assert_int_eq(life_next(&q, &e, &l, NOW + 3 * HOUR, false,
	    none_below), NOW + 5 * HOUR);
	ck_assert_int_eq(life_next(&q, &e, &l, NOW + 3 * HOUR, true,
	    none_below), NOW + 4 * HOUR);
	ck_assert_int_eq(life_next(&q, &e, &l, NOW + 4 * HOUR, true,
	    none_below), NOW + 5 * HOUR);
	/* The end, and beyond it. */
	ck_assert_int_eq(life_next(&q, &e, &l, l.end - 10 * MIN, true,
	    most_below), l.end);
	ck_assert_int_gt(life_next(&q, &e, &l, l.end + HOUR, true,
	    none_below), l.end + HOUR);
	/* Its own schedule, counted from when it may be tried. */
	e.retry = STR("60,600");
	e.not_before_us = (NOW + DAY) * 1000;
	l = life_of(&q, &e, &steady, NOW + DAY);
	ck_assert_int_eq(life_next(&q, &e, &l, NOW + DAY, false, none_below),
	    NOW + DAY + MIN);
	ck_assert_int_eq(life_next(&q, &e, &l, NOW + DAY + MIN, false,
	    none_below), NOW + DAY + 11 * MIN);
	e.retry = STR("86400");
	ck_assert_int_eq(life_next(&q, &e, &l, NOW + DAY, false, none_below),
	    NOW + 2 * DAY);
}
END_TEST

START_TEST(waits)
{
	struct envelope e = envelope(NOW);

	ck_assert_int_eq(life_waits(&e, 0, NOW), 0);
	/* What the spool says of others is not believed: see runner_learn(). */
	ck_assert_int_eq(life_waits(&e, NOW + YEAR, NOW), 0);
	e.not_before_us = (NOW + YEAR) * 1000;
	ck_assert_int_eq(life_waits(&e, 0, NOW), NOW + YEAR);
	ck_assert_int_eq(life_waits(&e, 0, NOW + YEAR), 0);
	e.not_before_us = 0;
	e.retry = STR("60,86400");
	ck_assert_int_eq(life_waits(&e, NOW + 20 * HOUR, NOW), NOW + 20 * HOUR);
	ck_assert_int_eq(life_waits(&e, 0, NOW), 0);
	ck_assert_int_eq(life_waits(&e, NOW, NOW), 0);
	ck_assert_int_lt(life_waits(&e, NOW + YEAR, NOW), NOW + 2 * DAY);
}
END_TEST

/* C-14: how old a message is taken for after what the clock did. */
START_TEST(jumps)
{
	static const struct {
		int64_t by[3];	/* an hour apart */
		int64_t arrival, now, begun;
	} t[] = {
		/* Nothing happened; and a clock that was wrong before us. */
		{ { 0 }, NOW - DAY, NOW, NOW - DAY },
		{ { 0 }, NOW + DAY, NOW, NOW },
		/* A day ahead: what was there is no older than before. */
		{ { DAY }, NOW - HOUR, NOW + DAY + HOUR, NOW + DAY - HOUR },
		{ { DAY }, NOW + DAY + MIN, NOW + DAY + HOUR, NOW + DAY + MIN },
		/* Ten years, and into the year 2038. */
		{ { 10 * YEAR }, NOW - 4 * DAY, NOW + 10 * YEAR,
		    NOW + 10 * YEAR - 4 * DAY },
		{ { INT64_C(2147483648) * S - NOW }, NOW - MIN,
		    INT64_C(2147483648) * S + MIN,
		    INT64_C(2147483648) * S - MIN },
		/* And back again: as if nothing had been, on both sides. */
		{ { 10 * YEAR, -10 * YEAR }, NOW - DAY, NOW + 3 * HOUR,
		    NOW - DAY },
		{ { 10 * YEAR, -10 * YEAR }, NOW + 10 * YEAR + MIN,
		    NOW + 3 * HOUR, NOW + MIN },
		{ { 10 * YEAR, -10 * YEAR }, NOW + 2 * HOUR, NOW + 3 * HOUR,
		    NOW + 2 * HOUR },
		/* An hour back: what it overlaps is taken for younger. */
		{ { -HOUR }, NOW - 2 * HOUR, NOW, NOW - 2 * HOUR },
		{ { -HOUR }, NOW - MIN, NOW - 30 * MIN, NOW - HOUR - MIN },
		{ { -HOUR }, NOW - MIN, NOW, NOW - MIN },
	};
	const struct conf_queue q = queue();

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct envelope e = envelope(t[i].arrival);
		struct wall w = { .n = 0 };
		int64_t clock = NOW;
		struct life l;

		for (size_t k = 0; k < 3 && t[i].by[k] != 0; k++) {
			wall_jumped(&w, clock, t[i].by[k]);
			clock += t[i].by[k] + HOUR;
		}
		l = life_of(&q, &e, &w, t[i].now);
		ck_assert_msg(l.begun == t[i].begun, "row %zu: %lld s", i,
		    (long long)((l.begun - t[i].begun) / S));
		ck_assert(t[i].now < l.end);
	}
}
END_TEST

/* A deadline moves along as well, but not beyond the usual end. */
START_TEST(deadlines)
{
	const struct conf_queue q = queue();
	struct envelope e = envelope(NOW - HOUR);
	struct wall w = { .n = 0 };

	wall_jumped(&w, NOW, DAY);
	e.deadline_us = (NOW + HOUR) * 1000;
	ck_assert_int_eq(life_of(&q, &e, &w, NOW + DAY).end,
	    NOW + DAY + HOUR);
	wall_jumped(&w, NOW + DAY, 50 * YEAR);
	ck_assert_int_eq(life_of(&q, &e, &w, NOW + DAY + 50 * YEAR).end,
	    NOW + DAY + 50 * YEAR + HOUR);
	/* One that is later than that stays what it is. */
	e.deadline_us = (NOW + 60 * YEAR) * 1000;
	ck_assert_int_eq(life_of(&q, &e, &w, NOW + DAY + 50 * YEAR).end,
	    NOW + 60 * YEAR);
	/* The clock was put right: a message of 1970 for tomorrow. */
	w.n = 0;
	wall_jumped(&w, DAY, NOW - DAY);
	e = envelope(HOUR);
	e.deadline_us = (NOW + DAY) * 1000;
	ck_assert_int_le(life_of(&q, &e, &w, NOW).end, NOW + 5 * DAY);
}
END_TEST

/* A clock that jumps all the time is remembered for its last jumps. */
START_TEST(many_jumps)
{
	struct wall w = { .n = 0 };

	for (int64_t i = 0; i < 100; i++)
		wall_jumped(&w, NOW + i * DAY, HOUR);
	ck_assert_uint_eq(w.n, WALL_JUMPS_MAX);
	ck_assert_int_eq(wall_recall(&w, NOW + 99 * DAY, NOW + 100 * DAY),
	    NOW + 99 * DAY + HOUR);
	ck_assert_int_eq(wall_recall(&w, NOW, NOW + 100 * DAY),
	    NOW + WALL_JUMPS_MAX * HOUR);
}
END_TEST

/* What is not tried is looked at for a notice, and for its deadline. */
START_TEST(looks)
{
	struct conf_queue q = queue();
	struct envelope e = envelope(NOW);
	struct life l = life_of(&q, &e, &steady, NOW);

	ck_assert_int_eq(life_look(&q, &e, &l, NOW), NOW + 4 * HOUR);
	ck_assert_int_eq(life_look(&q, &e, &l, NOW + 4 * HOUR), INT64_MAX);
	q.delay_notice.n = 0;
	ck_assert_int_eq(life_look(&q, &e, &l, NOW), INT64_MAX);
	e.deadline_us = (NOW + HOUR) * 1000;
	l = life_of(&q, &e, &steady, NOW);
	ck_assert_int_eq(life_look(&q, &e, &l, NOW), NOW + HOUR);
	q.delay_notice.n = 1;
	ck_assert_int_eq(life_look(&q, &e, &l, NOW), NOW + HOUR);
	ck_assert_int_eq(life_look(&q, &e, &l, NOW + DAY), NOW + HOUR);
}
END_TEST

/* Who was put off is tried again at the next point, without chance, or at the end. */
START_TEST(again)
{
	const struct conf_queue q = queue();
	struct envelope e = envelope(NOW);
	struct life l = life_of(&q, &e, &steady, NOW);

	ck_assert_int_eq(life_again(&q, &e, &l, NOW), NOW + 3 * MIN);
	ck_assert_int_eq(life_again(&q, &e, &l, NOW + 2 * MIN), NOW + 3 * MIN);
	ck_assert_int_eq(life_again(&q, &e, &l, NOW + 4 * MIN), NOW + 6 * MIN);
	ck_assert_int_eq(life_again(&q, &e, &l, l.end - MIN), l.end);
	e.retry = STR("60,7200");
	ck_assert_int_eq(life_again(&q, &e, &l, NOW + 2 * MIN), NOW + 2 * HOUR + MIN);
}
END_TEST

/* What is waited for must not become a report: another attempt is certain, and soon enough. */
START_TEST(patience)
{
	struct conf_queue q = queue();
	struct envelope e = envelope(NOW);
	struct life l = life_of(&q, &e, &steady, NOW);

	ck_assert(life_may_wait(&q, &e, &l, NOW, 0, HOUR));
	ck_assert(life_may_wait(&q, &e, &l, NOW + HOUR - S, 100, HOUR));
	ck_assert(!life_may_wait(&q, &e, &l, NOW + HOUR, 0, HOUR));
	ck_assert(!life_may_wait(&q, &e, &l, NOW + 5 * DAY, 0, 10 * DAY));
	/* The last attempt of so many. */
	e.max_attempts = 2;
	ck_assert(life_may_wait(&q, &e, &l, NOW, 1, HOUR));
	ck_assert(!life_may_wait(&q, &e, &l, NOW, 2, HOUR));
	e.max_attempts = 0;
	/* Half of a short life. */
	q.lifetime = 20 * MIN;
	l = life_of(&q, &e, &steady, NOW);
	ck_assert(life_may_wait(&q, &e, &l, NOW + 10 * MIN - 1, 0, HOUR));
	ck_assert(!life_may_wait(&q, &e, &l, NOW + 10 * MIN, 0, HOUR));
	/* No attempt is made at a deadline, nor, at worst, before this one: 3 min and a tenth. */
	q.lifetime = 5 * DAY;
	e.deadline_us = (NOW + 3 * MIN + 18 * S) * 1000;
	l = life_of(&q, &e, &steady, NOW);
	ck_assert(!life_may_wait(&q, &e, &l, NOW, 0, HOUR));
	e.deadline_us += 100000;
	l = life_of(&q, &e, &steady, NOW);
	ck_assert(life_may_wait(&q, &e, &l, NOW, 0, HOUR));
}
END_TEST

UNIT_MAIN("life", by_time, five_days, lengths, next, waits, looks, again, patience, jumps, deadlines,
    many_jumps)
