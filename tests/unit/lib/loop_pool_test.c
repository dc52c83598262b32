/* SPDX-License-Identifier: GPL-3.0-or-later */

/* loop_pool -- all work is done, and DONE is called where it should be. */

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "lib/loop.h"
#include "unit.h"

#define JOBS 5000

struct jobs {
	struct loop *loop;
	struct loop_pool *pool;
	pthread_t main;
	atomic_int worked;
	int done, again;
	bool ok;
};

static void
work(void *arg)
{
	struct jobs *j = arg;

	atomic_fetch_add(&j->worked, 1);
}

static void
done(void *arg)
{
	struct jobs *j = arg;

	j->ok = j->ok && pthread_equal(pthread_self(), j->main);
	j->done++;
	if (j->again > 0) {
		j->again--;
		loop_pool_run(j->pool, work, done, j);
	}
	if (loop_pool_busy(j->pool) == 0)
		loop_stop(j->loop);
}

static void
start(struct jobs *j, unsigned threads)
{
	*j = (struct jobs){ .loop = loop_new(), .main = pthread_self(),
		.ok = true };
	j->pool = loop_pool_new(j->loop, threads);
	ck_assert_uint_eq(loop_pool_busy(j->pool), 0);
}

static void
ck_all_done(struct jobs *j, int n)
{
	ck_assert(j->ok);
	ck_assert_int_eq(atomic_load(&j->worked), n);
	ck_assert_int_eq(j->done, n);
}

START_TEST(all_work_is_done)
{
	static const unsigned threads[] = { 0, 1, 4 };

	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		struct jobs j;

		start(&j, threads[i]);
		j.again = 100;
		for (int n = 0; n < JOBS; n++)
			loop_pool_run(j.pool, work, done, &j);
		loop_run(j.loop);
		ck_assert_uint_eq(loop_pool_busy(j.pool), 0);
		ck_all_done(&j, JOBS + 100);
		loop_pool_free(j.pool);
		loop_free(j.loop);
	}
}
END_TEST

START_TEST(free_waits_for_it)
{
	struct jobs j;

	start(&j, 3);
	j.again = 10;
	for (int n = 0; n < JOBS; n++)
		loop_pool_run(j.pool, work, done, &j);
	ck_assert_uint_eq(loop_pool_busy(j.pool), JOBS);
	loop_pool_free(j.pool);
	ck_all_done(&j, JOBS + 10);
	loop_free(j.loop);
	loop_pool_free(NULL);
}
END_TEST

START_TEST(free_without_work)
{
	struct jobs j;

	start(&j, 3);
	loop_pool_free(j.pool);
	loop_free(j.loop);
}
END_TEST

static int order[JOBS], order_n;

static void
note(void *arg)
{
	order[order_n++] = *(int *)arg;
}

static void
nothing(void *arg)
{
	(void)arg;
}

START_TEST(one_thread_keeps_order)
{
	static int numbers[JOBS];
	struct jobs j;

	start(&j, 1);
	for (int n = 0; n < JOBS; n++) {
		numbers[n] = n;
		loop_pool_run(j.pool, nothing, note, &numbers[n]);
	}
	loop_pool_free(j.pool);
	ck_assert_int_eq(order_n, JOBS);
	for (int n = 0; n < JOBS; n++)
		ck_assert_int_eq(order[n], n);
	loop_free(j.loop);
}
END_TEST

static void
look_at_signals(void *arg)
{
	struct jobs *j = arg;
	sigset_t set;

	pthread_sigmask(SIG_SETMASK, NULL, &set);
	if (sigismember(&set, SIGTERM) && sigismember(&set, SIGCHLD) &&
	    sigismember(&set, SIGHUP))
		atomic_fetch_add(&j->worked, 1);
}

START_TEST(threads_take_no_signals)
{
	struct jobs j;
	sigset_t set;

	start(&j, 2);
	loop_pool_run(j.pool, look_at_signals, done, &j);
	loop_run(j.loop);
	ck_all_done(&j, 1);
	pthread_sigmask(SIG_SETMASK, NULL, &set);
	ck_assert(!sigismember(&set, SIGTERM));
	loop_pool_free(j.pool);
	loop_free(j.loop);
}
END_TEST

UNIT_MAIN("lib/loop_pool", all_work_is_done, free_waits_for_it,
    free_without_work, one_thread_keeps_order, threads_take_no_signals)
