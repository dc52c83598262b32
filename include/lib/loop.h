/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LIB_LOOP_H
#define LIB_LOOP_H

/*
 * loop -- the event loop: descriptors, timers, signals, and work handed to
 * threads.  The only user of libevent.  Create it after the fork.  All
 * callbacks run in the thread that called loop_run().
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"

struct loop;
struct loop_io;
struct loop_timer;
struct loop_pool;

struct loop *loop_new(void) MUST_USE;
void loop_free(struct loop *l);
/* Returns after loop_stop(). */
void loop_run(struct loop *l);
void loop_stop(struct loop *l);
/* One turn; waits for an event if WAIT.  For tests and fuzzers. */
void loop_once(struct loop *l, bool wait);

typedef void loop_io_fn(void *arg, bool readable, bool writable);
/* Watches FD (borrowed) for nothing yet. */
struct loop_io *loop_io_new(struct loop *l, int fd, loop_io_fn *fn,
    void *arg) MUST_USE;
/* What to wait for from now on; costs nothing if unchanged. */
void loop_io_want(struct loop_io *io, bool read, bool write);
/* NULL is fine; also from its own callback. */
void loop_io_free(struct loop_io *io);

typedef void loop_fn(void *arg);
struct loop_timer *loop_timer_new(struct loop *l, loop_fn *fn,
    void *arg) MUST_USE;
/* Fires once, MS from now and not earlier; setting it again moves it. */
void loop_timer_set(struct loop_timer *t, int64_t ms);
void loop_timer_clear(struct loop_timer *t);
/* NULL is fine; also from its own callback. */
void loop_timer_free(struct loop_timer *t);

/* Calls FN in the loop when SIGNO arrives. */
void loop_signal(struct loop *l, int signo, loop_fn *fn, void *arg);

/*
 * A few threads for calls that block (fsync).  WORK runs in a thread, then
 * DONE in the loop; both get ARG.  Order is kept only within one thread.
 * The threads start with the first work; where none can be started, WORK runs
 * in loop_pool_run().
 */
struct loop_pool *loop_pool_new(struct loop *l, unsigned threads) MUST_USE;
void loop_pool_run(struct loop_pool *p, loop_fn *work, loop_fn *done,
    void *arg);
/* Work that was handed in and whose DONE has not run. */
unsigned loop_pool_busy(const struct loop_pool *p);
/* Waits for all work; the DONE calls that remain are made. */
void loop_pool_free(struct loop_pool *p);

#endif
