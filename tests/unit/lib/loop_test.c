/* SPDX-License-Identifier: GPL-3.0-or-later */

/* loop -- descriptors, timers, signals, and objects that free themselves. */

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/loop.h"
#include "unit.h"

struct seen {
	struct loop *loop;
	struct loop_io *io;
	struct loop_timer *timer;
	int64_t at;
	int reads, writes, calls;
	int fd;
};

static void
on_io(void *arg, bool readable, bool writable)
{
	struct seen *s = arg;
	char c;

	s->reads += readable;
	s->writes += writable;
	if (readable && read(s->fd, &c, 1) == 0)
		loop_stop(s->loop);
}

START_TEST(descriptors)
{
	struct seen s = { .loop = loop_new() };
	int fd[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	s.fd = fd[0];
	s.io = loop_io_new(s.loop, fd[0], on_io, &s);
	ck_assert_int_eq(write(fd[1], "abc", 3), 3);
	loop_once(s.loop, false);
	ck_assert_int_eq(s.reads + s.writes, 0);
	loop_io_want(s.io, true, false);
	loop_once(s.loop, false);
	ck_assert_int_eq(s.reads, 1);
	ck_assert_int_eq(s.writes, 0);
	loop_io_want(s.io, false, true);
	loop_io_want(s.io, false, true);
	loop_once(s.loop, true);
	ck_assert_int_eq(s.reads, 1);
	ck_assert_int_eq(s.writes, 1);
	loop_io_want(s.io, true, true);
	loop_once(s.loop, true);
	ck_assert_int_eq(s.reads, 2);
	ck_assert_int_eq(s.writes, 2);
	loop_io_want(s.io, false, false);
	loop_once(s.loop, false);
	ck_assert_int_eq(s.reads + s.writes, 4);
	loop_io_want(s.io, true, false);
	close(fd[1]);
	loop_run(s.loop);
	ck_assert_int_eq(s.reads, 4);
	loop_io_free(s.io);
	loop_io_free(NULL);
	close(fd[0]);
	loop_free(s.loop);
	loop_free(NULL);
}
END_TEST

static void
free_itself(void *arg, bool readable, bool writable)
{
	struct seen *s = arg;

	(void)readable;
	(void)writable;
	s->calls++;
	loop_io_free(s->io);
	s->io = NULL;
	close(s->fd);
}

START_TEST(freed_in_its_callback)
{
	struct seen s = { .loop = loop_new() };
	int fd[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	s.fd = fd[0];
	s.io = loop_io_new(s.loop, fd[0], free_itself, &s);
	ck_assert_int_eq(write(fd[1], "abc", 3), 3);
	/* Ready in both directions: the second call must not come. */
	loop_io_want(s.io, true, true);
	loop_once(s.loop, true);
	loop_once(s.loop, false);
	ck_assert_int_eq(s.calls, 1);
	close(fd[1]);
	loop_free(s.loop);
}
END_TEST

static void
on_timer(void *arg)
{
	struct seen *s = arg;

	s->calls++;
	s->at = clock_ms();
	loop_stop(s->loop);
}

START_TEST(timers_are_never_early)
{
	struct seen s = { .loop = loop_new() };

	s.timer = loop_timer_new(s.loop, on_timer, &s);
	for (int64_t ms = -1; ms < 30; ms += 3) {
		int64_t start = clock_ms();

		loop_timer_set(s.timer, ms);
		loop_run(s.loop);
		ck_assert_int_ge(s.at, start + ms);
	}
	ck_assert_int_eq(s.calls, 11);
	loop_timer_free(s.timer);
	loop_timer_free(NULL);
	loop_free(s.loop);
}
END_TEST

static int order[4], order_n;

static void
first(void *arg)
{
	(void)arg;
	order[order_n++] = 1;
}

static void
last(void *arg)
{
	order[order_n++] = 2;
	loop_stop(arg);
}

START_TEST(timers_in_order)
{
	struct loop *l = loop_new();
	struct loop_timer *a = loop_timer_new(l, last, l);
	struct loop_timer *b = loop_timer_new(l, first, NULL);
	struct loop_timer *never = loop_timer_new(l, last, l);
	struct loop_timer *moved = loop_timer_new(l, first, NULL);

	loop_timer_set(moved, 3600 * 1000);
	loop_timer_set(a, 60);
	loop_timer_set(b, 10);
	loop_timer_set(never, 5);
	loop_timer_clear(never);
	loop_timer_clear(never);
	/* Set again, it moves. */
	loop_timer_set(moved, 20);
	loop_run(l);
	ck_assert_int_eq(order_n, 3);
	ck_assert_int_eq(order[0], 1);
	ck_assert_int_eq(order[1], 1);
	ck_assert_int_eq(order[2], 2);
	loop_timer_free(a);
	loop_timer_free(b);
	loop_timer_free(never);
	loop_timer_free(moved);
	loop_free(l);
}
END_TEST

static void
timer_frees_itself(void *arg)
{
	struct seen *s = arg;

	s->calls++;
	loop_timer_free(s->timer);
	loop_stop(s->loop);
}

START_TEST(timer_freed_in_its_callback)
{
	struct seen s = { .loop = loop_new() };

	s.timer = loop_timer_new(s.loop, timer_frees_itself, &s);
	loop_timer_set(s.timer, 1);
	loop_run(s.loop);
	ck_assert_int_eq(s.calls, 1);
	loop_free(s.loop);
}
END_TEST

START_TEST(stopped_before_it_runs)
{
	struct loop *l = loop_new();

	loop_stop(l);
	loop_run(l);
	loop_free(l);
}
END_TEST

static void
raise_usr1(void *arg)
{
	(void)arg;
	raise(SIGUSR1);
}

START_TEST(signals)
{
	struct seen s = { .loop = loop_new() };
	struct loop_timer *t = loop_timer_new(s.loop, raise_usr1, NULL);

	loop_signal(s.loop, SIGUSR1, on_timer, &s);
	loop_signal(s.loop, SIGUSR2, on_timer, &s);
	for (int i = 1; i <= 3; i++) {
		loop_timer_set(t, 1);
		loop_run(s.loop);
		ck_assert_int_eq(s.calls, i);
	}
	raise(SIGUSR2);
	loop_run(s.loop);
	ck_assert_int_eq(s.calls, 4);
	loop_timer_free(t);
	loop_free(s.loop);
}
END_TEST

UNIT_MAIN("lib/loop", descriptors, freed_in_its_callback,
    timers_are_never_early, timers_in_order, timer_freed_in_its_callback,
    stopped_before_it_runs, signals)
