/* SPDX-License-Identifier: GPL-3.0-or-later */

/* homes_test -- how many accounts are asked for at once, and how long answers count. */

#include "runner/homes.h"

#include <time.h>

#include "ipc/msg.h"
#include "lib/clock.h"
#include "mailbox/forward.h"
#include "runner/ask.h"
#include "runner/job.h"
#include "runner/runner.h"
#include "with_conf.h"

#define ACCOUNTS 300
#define AT_ONCE 64

static const char text[] = "recipients { mailboxes = {\"system\"} }\n";

/* ---- what stands for the rest of the runner ------------------------------ */

static int64_t now = 1000000;

int64_t
clock_ms(void)
{
	return now;
}

int64_t
clock_wall_us(void)
{
	return now * 1000;
}

int64_t
clock_wall(void)
{
	return now / 1000;
}

bool
clock_local(int64_t seconds, struct tm *tm)
{
	time_t t = (time_t)seconds;

	return gmtime_r(&t, tm) != NULL;
}

void
clock_local_prepare(int64_t at)
{
	(void)at;
}

/* The questions on their way, in their order. */
static struct {
	void (*fn)(void *arg, struct str answer);
	void *arg;
} questions[ACCOUNTS];
static size_t open_n, asked;

void
ask_start(struct runner *r, int helper, struct str packet, int64_t ms,
    void (*fn)(void *arg, struct str answer), void *arg)
{
	struct msg_forward m;

	ck_assert_int_eq(helper, r->spawn);
	ck_assert_int_gt(ms, 0);
	ck_assert(msg_forward_get(packet, &m));
	ck_assert_uint_lt(open_n, AT_ONCE);
	questions[open_n].fn = fn;
	questions[open_n++].arg = arg;
	asked++;
}

/* An answer to the oldest of them: nobody has the file. */
static void
answer(void)
{
	struct msg_forward_result m = { .state = FORWARD_NONE };
	void (*fn)(void *arg, struct str answer) = questions[0].fn;
	void *arg = questions[0].arg;
	struct buf b;

	memmove(questions, questions + 1, --open_n * sizeof(*questions));
	buf_init(&b, 10000);
	msg_forward_result_put(&b, &m);
	fn(arg, buf_str(&b));
	buf_free(&b);
}

static bool due;

void
index_wait(struct index *x, uint32_t slot, int64_t at)
{
	(void)x;
	(void)slot;
	(void)at;
	due = true;
}

int64_t
once_now(const struct runner *r)
{
	(void)r;
	return clock_wall();
}

void
runner_wake(struct runner *r)
{
	(void)r;
}

static size_t freed;

void
job_free(struct job *j)
{
	(void)j;
	freed++;
}

/* ---- a message for many accounts ------------------------------------------ */

/* As expand.c does: true if all of N accounts is known, else J waits. */
static bool
look(struct runner *r, struct job *j, size_t n)
{
	const struct alias_list *list;
	const char *why;
	char user[20], waits[20] = "";

	due = false;
	homes_begin(r, j);
	for (size_t i = 0; i < n; i++) {
		snprintf(user, sizeof(user), "u%zu", i);
		if (homes_find(r, user, &list, &why) == HOME_WAIT)
			memcpy(waits, user, sizeof(user));
	}
	freed = 0;
	if (waits[0] != '\0')
		homes_wait(r, waits, j);
	else
		homes_end(r, j);
	/* What waits takes no place among those that are loaded. */
	ck_assert_uint_eq(freed, waits[0] != '\0');
	return waits[0] == '\0';
}

/* However long each answer takes, every account is asked for once. */
START_TEST(many)
{
	struct runner r = { .conf = with_conf(text), .count = 1, .spawn = 7 };
	struct job j = { .id = "0123456789ABCDEF012" }, other = { .id = "other" };

	homes_open(&r);
	ck_assert_ptr_nonnull(r.homes);
	while (!look(&r, &j, ACCOUNTS)) {
		ck_assert_uint_gt(open_n, 0);
		ck_assert_uint_le(open_n, AT_ONCE);
		while (!due) {
			now += 1000;
			homes_tick(&r);
			answer();
		}
	}
	ck_assert_uint_eq(asked, ACCOUNTS);
	ck_assert_uint_eq(open_n, 0);
	ck_assert_uint_eq(r.finishing, 0);

	/* They do so for that message alone, and no longer than it looks. */
	ck_assert(!look(&r, &other, 1));
	ck_assert_uint_eq(asked, ACCOUNTS + 1);
	answer();
	ck_assert(look(&r, &other, 1));
	ck_assert(look(&r, &j, 1));
	now += 5000;
	ck_assert(!look(&r, &j, 1));
	answer();
	ck_assert(due);

	/* What waited and never came back is forgotten, and the accounts with it. */
	now += 3600000;
	homes_tick(&r);
	ck_assert(!look(&r, &j, 1));
	homes_close(&r);
	conf_free(r.conf);
}
END_TEST

/* Of several runners each has its part of what may be asked at once. */
START_TEST(shares)
{
	struct runner r = { .conf = with_conf(text), .count = 4 };
	struct job j = { .id = "0123456789ABCDEF012" };

	homes_open(&r);
	ck_assert(!look(&r, &j, ACCOUNTS));
	ck_assert_uint_eq(open_n, AT_ONCE / 4);
	homes_close(&r);
	conf_free(r.conf);
}
END_TEST

UNIT_MAIN("runner/homes", many, shares)
