/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * loop_pool -- threads for calls that block, for the event loop.
 *
 * Work goes out by one list and comes back by another, both under one lock;
 * an eventfd wakes the loop when the second is no longer empty.  Where no
 * thread can be started the work is done at once by the caller: slower, and
 * never lost.  The threads take no signals.
 */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/loop.h"
#include "lib/mem.h"

struct job {
	loop_fn *work;
	loop_fn *done;
	void *arg;
	struct job *next;
};

struct job_list {
	struct job *first;
	struct job **last;
};

struct loop_pool {
	pthread_mutex_t lock;
	pthread_cond_t some;	/* there is work, or QUIT */
	struct job_list todo;	/* under LOCK */
	struct job_list finished;
	bool quit;
	struct loop_io *io;	/* the rest is the loop's thread's own */
	int wake;
	unsigned busy;
	unsigned wanted;
	unsigned running;
	pthread_t *threads;
};

static void
list_init(struct job_list *l)
{
	l->first = NULL;
	l->last = &l->first;
}

static void
list_add(struct job_list *l, struct job *j)
{
	j->next = NULL;
	*l->last = j;
	l->last = &j->next;
}

static struct job *
list_take(struct job_list *l)
{
	struct job *j = l->first;

	if (j == NULL)
		return NULL;
	l->first = j->next;
	if (l->first == NULL)
		l->last = &l->first;
	return j;
}

static void
finish(struct loop_pool *p, struct job *j)
{
	const uint64_t one = 1;
	bool first;

	pthread_mutex_lock(&p->lock);
	first = p->finished.first == NULL;
	list_add(&p->finished, j);
	pthread_mutex_unlock(&p->lock);
	/* Fails only if the counter is full: the loop is awake then. */
	if (first && write(p->wake, &one, sizeof(one)) < 0)
		return;
}

static void *
worker(void *arg)
{
	struct loop_pool *p = arg;
	struct job *j;

	for (;;) {
		pthread_mutex_lock(&p->lock);
		while (p->todo.first == NULL && !p->quit)
			pthread_cond_wait(&p->some, &p->lock);
		j = list_take(&p->todo);
		pthread_mutex_unlock(&p->lock);
		if (j == NULL)
			return NULL;
		j->work(j->arg);
		finish(p, j);
	}
}

/* Makes the DONE calls that are due; false if there was none. */
static bool
collect(struct loop_pool *p)
{
	struct job *j;

	pthread_mutex_lock(&p->lock);
	j = p->finished.first;
	list_init(&p->finished);
	pthread_mutex_unlock(&p->lock);
	if (j == NULL)
		return false;
	while (j != NULL) {
		struct job *next = j->next;

		p->busy--;
		j->done(j->arg);
		mem_free(j);
		j = next;
	}
	return true;
}

static void
on_wake(void *arg, bool readable, bool writable)
{
	struct loop_pool *p = arg;
	uint64_t count;

	(void)readable;
	(void)writable;
	if (read(p->wake, &count, sizeof(count)) < 0)
		return;
	collect(p);
}

struct loop_pool *
loop_pool_new(struct loop *l, unsigned threads)
{
	struct loop_pool *p = mem_alloc(sizeof(*p));

	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->some, NULL);
	list_init(&p->todo);
	list_init(&p->finished);
	p->wanted = threads;
	p->threads = mem_array(threads, sizeof(*p->threads));
	p->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->wake < 0)
		fatal(EX_OSERR, "eventfd: %s", strerror(errno));
	p->io = loop_io_new(l, p->wake, on_wake, p);
	loop_io_want(p->io, true, false);
	return p;
}

static void
start(struct loop_pool *p)
{
	sigset_t all, old;
	int r = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (p->running < p->wanted && r == 0) {
		r = pthread_create(
		    &p->threads[p->running], NULL, worker, p);
		if (r == 0)
			p->running++;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r != 0) {
		log_warn(NULL, "%u of %u threads started: %s", p->running,
		    p->wanted, strerror(r));
		p->wanted = p->running;
	}
}

void
loop_pool_run(struct loop_pool *p, loop_fn *work, loop_fn *done, void *arg)
{
	struct job *j = mem_alloc(sizeof(*j));

	*j = (struct job){ .work = work, .done = done, .arg = arg };
	p->busy++;
	if (p->running < p->wanted)
		start(p);
	if (p->running == 0) {
		j->work(j->arg);
		finish(p, j);
		return;
	}
	pthread_mutex_lock(&p->lock);
	list_add(&p->todo, j);
	pthread_mutex_unlock(&p->lock);
	/* Who wakes up does not find it locked; nobody but us ends the pool. */
	pthread_cond_signal(&p->some);
}

unsigned
loop_pool_busy(const struct loop_pool *p)
{
	return p->busy;
}

void
loop_pool_free(struct loop_pool *p)
{
	if (p == NULL)
		return;
	pthread_mutex_lock(&p->lock);
	p->quit = true;
	pthread_cond_broadcast(&p->some);
	pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->running; i++)
		pthread_join(p->threads[i], NULL);
	/* A DONE may hand in more work: it is done here. */
	p->running = p->wanted = 0;
	while (collect(p))
		;
	loop_io_free(p->io);
	close(p->wake);
	pthread_cond_destroy(&p->some);
	pthread_mutex_destroy(&p->lock);
	mem_free(p->threads);
	mem_free(p);
}
