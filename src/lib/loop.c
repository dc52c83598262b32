/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * loop -- descriptors, timers and signals, on libevent's core.
 *
 * Nothing else of libevent is used, and no lock of it: only the thread that
 * runs the loop touches it.  A callback may free the object that called it;
 * nothing is touched after a callback returns.  A timer never fires early by
 * clock_ms(), which libevent's coarse clock alone does not promise.
 */

#include "lib/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <string.h>
#include <sysexits.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"

struct loop_signal {
	struct event ev;
	loop_fn *fn;
	void *arg;
	struct loop_signal *next;
};

struct loop {
	struct event_base *base;
	struct loop_signal *signals;
	bool stop;
};

struct loop_io {
	/* Two, so that a change of one direction is one epoll_ctl(2). */
	struct event read, write;
	bool want_read, want_write;
	loop_io_fn *fn;
	void *arg;
};

struct loop_timer {
	struct event ev;
	int64_t due;
	loop_fn *fn;
	void *arg;
};

static void
event_log(int severity, const char *text)
{
	if (severity >= EVENT_LOG_WARN)
		log_warn(NULL, "event loop: %s", text);
	else
		log_debug(NULL, "event loop: %s", text);
}

static void
event_fatal(int code)
{
	panic("event loop: error %d", code);
}

struct loop *
loop_new(void)
{
	struct event_config *config;
	struct loop *l = mem_alloc(sizeof(*l));

	event_set_log_callback(event_log);
	event_set_fatal_callback(event_fatal);
	config = event_config_new();
	if (config != NULL) {
		event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
		l->base = event_base_new_with_config(config);
		event_config_free(config);
	}
	if (l->base == NULL)
		fatal(EX_OSERR, "cannot start an event loop: %s",
		    strerror(errno));
	return l;
}

void
loop_free(struct loop *l)
{
	if (l == NULL)
		return;
	while (l->signals != NULL) {
		struct loop_signal *s = l->signals;

		l->signals = s->next;
		event_del(&s->ev);
		mem_free(s);
	}
	event_base_free(l->base);
	mem_free(l);
}

void
loop_run(struct loop *l)
{
	while (!l->stop) {
		if (event_base_loop(l->base, EVLOOP_NO_EXIT_ON_EMPTY) < 0)
			panic("event loop: %s", strerror(errno));
	}
	l->stop = false;
}

void
loop_stop(struct loop *l)
{
	/* libevent forgets a break that comes before its loop. */
	l->stop = true;
	event_base_loopbreak(l->base);
}

void
loop_once(struct loop *l, bool wait)
{
	int flags = EVLOOP_ONCE | (wait ? 0 : EVLOOP_NONBLOCK);

	if (event_base_loop(l->base, flags) < 0)
		panic("event loop: %s", strerror(errno));
}

static void
must_add(struct event *ev, const struct timeval *after)
{
	if (event_add(ev, after) < 0)
		fatal(EX_OSERR, "cannot wait for an event: %s",
		    strerror(errno));
}

static void
on_io(int fd, short what, void *arg)
{
	struct loop_io *io = arg;

	(void)fd;
	io->fn(io->arg, (what & EV_READ) != 0, (what & EV_WRITE) != 0);
}

struct loop_io *
loop_io_new(struct loop *l, int fd, loop_io_fn *fn, void *arg)
{
	struct loop_io *io = mem_alloc(sizeof(*io));

	io->fn = fn;
	io->arg = arg;
	if (event_assign(&io->read, l->base, fd, EV_READ | EV_PERSIST, on_io,
		io) < 0 ||
	    event_assign(&io->write, l->base, fd, EV_WRITE | EV_PERSIST, on_io,
		io) < 0)
		panic("event loop: cannot watch descriptor %d", fd);
	return io;
}

static void
want(struct event *ev, bool *now, bool then)
{
	if (*now == then)
		return;
	if (then)
		must_add(ev, NULL);
	else
		event_del(ev);
	*now = then;
}

void
loop_io_want(struct loop_io *io, bool read, bool write)
{
	want(&io->read, &io->want_read, read);
	want(&io->write, &io->want_write, write);
}

void
loop_io_free(struct loop_io *io)
{
	if (io == NULL)
		return;
	loop_io_want(io, false, false);
	mem_free(io);
}

static void
timer_add(struct loop_timer *t, int64_t ms)
{
	struct timeval after = { (time_t)(ms / 1000),
		(suseconds_t)(ms % 1000 * 1000) };

	must_add(&t->ev, &after);
}

static void
on_timer(int fd, short what, void *arg)
{
	struct loop_timer *t = arg;
	int64_t early = t->due - clock_ms();

	(void)fd;
	(void)what;
	if (early > 0)
		timer_add(t, early);
	else
		t->fn(t->arg);
}

struct loop_timer *
loop_timer_new(struct loop *l, loop_fn *fn, void *arg)
{
	struct loop_timer *t = mem_alloc(sizeof(*t));

	t->fn = fn;
	t->arg = arg;
	if (event_assign(&t->ev, l->base, -1, 0, on_timer, t) < 0)
		panic("event loop: cannot make a timer");
	return t;
}

void
loop_timer_set(struct loop_timer *t, int64_t ms)
{
	if (ms < 0)
		ms = 0;
	t->due = clock_ms() + ms;
	timer_add(t, ms);
}

void
loop_timer_clear(struct loop_timer *t)
{
	event_del(&t->ev);
}

void
loop_timer_free(struct loop_timer *t)
{
	if (t == NULL)
		return;
	event_del(&t->ev);
	mem_free(t);
}

static void
on_signal(int signo, short what, void *arg)
{
	struct loop_signal *s = arg;

	(void)signo;
	(void)what;
	s->fn(s->arg);
}

void
loop_signal(struct loop *l, int signo, loop_fn *fn, void *arg)
{
	struct loop_signal *s = mem_alloc(sizeof(*s));

	s->fn = fn;
	s->arg = arg;
	s->next = l->signals;
	l->signals = s;
	if (event_assign(&s->ev, l->base, signo, EV_SIGNAL | EV_PERSIST,
		on_signal, s) < 0)
		panic("event loop: cannot watch signal %d", signo);
	must_add(&s->ev, NULL);
}
