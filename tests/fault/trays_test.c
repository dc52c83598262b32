/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * trays -- one tray, and everybody who may do something with it at a time.
 *
 * Sessions, runners and readers are threads with a spool of their own each, and
 * only one of them runs: at each system call, and amid each write, the next
 * one may have its turn.  Every way in which they can alternate is gone through,
 * up to a number of times that one is put aside before its end ($TRAYS_MORE:
 * so many more, which takes minutes); and in some, one of them is killed at any
 * of his calls, so that his descriptors are closed and nothing else.  After each,
 * what was accepted must be there, whole, once, and nothing in bad/.
 */

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>

#include "lib/sys.h"
#include "queue/tray.h"

#include "sys_fault.h"
#include "queue/tmpspool.h"

#define ACTORS 3
#define STEPS 500
/* Descriptors that one opens. */
#define OPEN_MAX_EACH 32
/* More than is read at once with an envelope. */
#define TEXT_N 6000
#define TEXT_MAX (TEXT_N + 100)
#define NEXT 4000000000

struct actor {
	void (*act)(struct actor *a);
	struct queue *q;
	struct arena arena;
	pthread_t thread;
	sem_t go;
	bool ended;
	bool killed;
	int open[OPEN_MAX_EACH];	/* to be closed if it is; what it was given too */
	size_t open_n;
	char id[QUEUE_ID_SIZE];	/* that it deals with, or was told of */
	bool told;		/* it has done so */
	bool left;		/* it could not by then, and would try again */
	bool saw;
};

struct scenario {
	const char *name;
	void (*acts[ACTORS])(struct actor *a);
	unsigned most;		/* times that one is put aside */
	bool stays;		/* the session that brought the message lives on */
	bool one_acceptor;	/* which hands the tray out to one after the other */
	bool empty;		/* no message is there when they begin */
	bool kill;		/* the first one is killed, at one time or never */
};

struct world {
	const struct scenario *s;
	char dir[SCRATCH_SIZE];
	char text[TEXT_MAX];	/* of every message */
	size_t text_n;
	char id[QUEUE_ID_SIZE];	/* of the message that is there */
	struct actor actors[ACTORS];
	struct queue *before, *after;
	int acceptor;		/* its descriptor of the tray; -1: there is none */
	bool ours;
	unsigned bad;
	const char *wrong;	/* what one of them found */
	int line, error;
	sem_t back;
	/* At each step: whose turn it was, and of how many it could have been. */
	unsigned char turn[STEPS], choices[STEPS];
	unsigned steps, fixed, most;
};

static struct world w;

static _Thread_local struct actor *self;

/* What a check says when it fails: the way that led there. */
static const char *
way(void)
{
	static char s[STEPS + 200];
	size_t n = (size_t)snprintf(s, sizeof(s), "%s: ", w.s->name);

	for (unsigned i = 0; i < w.steps && n + 2 < sizeof(s); i++)
		s[n++] = (char)('0' + w.turn[i]);
	s[n] = '\0';
	return s;
}

/* Only the thread of the test may fail: the others say why, and end. */
static void
wrong(const char *what, int line)
{
	if (self == NULL)
		ck_abort_msg("%s: line %d: %s (%s)", way(), line, what,
		    strerror(errno));
	w.wrong = what;
	w.line = line;
	w.error = errno;
	self->ended = true;
	sem_post(&w.back);
	pthread_exit(NULL);
}

#define must(what) ((what) ? (void)0 : wrong(#what, __LINE__))

extern void __lsan_disable(void) __attribute__((weak));

/* ---- turns ------------------------------------------------------------------- */

static void
wait_for(sem_t *s)
{
	while (sem_wait(s) < 0)
		;
}

static void
step(void)
{
	if (self == NULL)
		return;
	sem_post(&w.back);
	wait_for(&self->go);
	if (!self->killed)
		return;
	for (size_t i = 0; i < self->open_n; i++)
		close(self->open[i]);
	self->open_n = 0;
	self->ended = true;
	sem_post(&w.back);
	pthread_exit(NULL);
}

/* What a kill closes. */
static void
note_open(int fd, bool is_open)
{
	struct actor *a = self;

	for (size_t i = 0; a != NULL && !is_open && i < a->open_n; i++)
		if (a->open[i] == fd) {
			a->open[i] = a->open[--a->open_n];
			return;
		}
	if (a != NULL && is_open) {
		must(a->open_n < OPEN_MAX_EACH);
		a->open[a->open_n++] = fd;
	}
}

static void *
live(void *arg)
{
	self = arg;
	/* Who is killed frees nothing. */
	if (w.s->kill && __lsan_disable)
		__lsan_disable();
	wait_for(&self->go);
	self->act(self);
	self->ended = true;
	sem_post(&w.back);
	return NULL;
}

/*
 * Whose turn it is: choice 0 is who had the last one, or the first that has not
 * ended; the others are those who may be put in his place, while MOST allows,
 * and that he is killed.
 */
static struct actor *
choose(struct actor *last, unsigned *aside)
{
	struct actor *v[ACTORS + 1];
	unsigned n = 0, c = 0, kill = 0;
	bool forced = last == NULL || last->ended;

	if (!forced)
		v[n++] = last;
	for (size_t i = 0; i < ACTORS; i++)
		if (w.actors[i].act != NULL && !w.actors[i].ended &&
		    &w.actors[i] != last)
			v[n++] = &w.actors[i];
	if (n == 0)
		return NULL;
	ck_assert_uint_lt(w.steps, STEPS);
	if (!forced && *aside == w.most)
		n = 1;
	/* The last choice. */
	if (w.s->kill && v[0] == &w.actors[0] && !forced) {
		kill = n;
		v[n++] = v[0];
	}
	if (w.steps < w.fixed)
		c = w.turn[w.steps];
	must(c < n);
	if (c > 0 && c != kill && !forced)
		(*aside)++;
	v[c]->killed = c > 0 && c == kill;
	w.turn[w.steps] = (unsigned char)c;
	w.choices[w.steps++] = (unsigned char)n;
	return v[c];
}

static void
run(void)
{
	struct actor *a = NULL;
	unsigned aside = 0;

	w.steps = 0;
	for (size_t i = 0; i < ACTORS; i++) {
		a = &w.actors[i];
		if (a->act != NULL)
			ck_assert_int_eq(pthread_create(&a->thread, NULL, live,
			    a), 0);
	}
	a = NULL;
	fault_step = step;
	while ((a = choose(a, &aside)) != NULL) {
		sem_post(&a->go);
		wait_for(&w.back);
		if (a->killed)
			queue_tray_use(a->q, -1, 0);
	}
	fault_step = NULL;
	for (size_t i = 0; i < ACTORS; i++)
		if (w.actors[i].act != NULL)
			pthread_join(w.actors[i].thread, NULL);
	ck_assert_msg(w.wrong == NULL, "%s: line %d: %s (%s)", way(), w.line,
	    w.wrong, strerror(w.error));
}

/* The next way to go: the last step that can be another one is.  False: none. */
static bool
another_way(void)
{
	while (w.steps > 0) {
		unsigned i = w.steps - 1;

		if (w.turn[i] + 1 < w.choices[i]) {
			w.turn[i]++;
			w.fixed = w.steps;
			return true;
		}
		w.steps--;
	}
	return false;
}

/* ---- the spool ------------------------------------------------------------------ */

static int
put(struct queue *q, char id[QUEUE_ID_SIZE])
{
	struct envelope_rcpt rcpts[2] = {
		{ .state = RCPT_QUEUED, .path = { STR("ann"), STR("b.test") } },
		{ .state = RCPT_QUEUED, .path = { STR("bob"), STR("b.test") } } };
	struct envelope e = { .arrival_us = clock_wall_us(),
		.from = { STR("sender"), STR("example.org") },
		.rcpts = rcpts, .rcpt_n = 2 };
	struct queue_msg *m;

	queue_id_new(e.id);
	memcpy(id, e.id, QUEUE_ID_SIZE);
	m = queue_begin(q, &e, false);
	if (queue_write(m, str_n(w.text, w.text_n)) < 0) {
		queue_abort(m);
		return -1;
	}
	return queue_commit(m);
}

static bool
seen(void *arg, const char *id, int64_t mtime, uint64_t size)
{
	struct actor *a = arg;

	(void)mtime;
	(void)size;
	if (id != NULL && strcmp(id, a->id) == 0)
		a->saw = true;
	return true;
}

/* The text of what is open, octet by octet, as somebody reads it who is slow. */
static bool
is_whole(const struct queue_file *f)
{
	char got[TEXT_MAX];
	size_t half = f->size / 2;

	return f->size == w.text_n &&
	    sys_pread(f->fd, got, half, f->text_at) == (ssize_t)half &&
	    sys_pread(f->fd, got + half, f->size - half,
		f->text_at + (off_t)half) == (ssize_t)(f->size - half) &&
	    memcmp(got, w.text, w.text_n) == 0;
}

/* True, and F is it, if A's message is there for him. */
static bool
load(struct actor *a, struct queue_file *f)
{
	const char *reason;

	if (queue_load(a->q, QUEUE_NEW, a->id, false, &a->arena, f, &reason) == 0)
		return true;
	must(errno == EAGAIN);
	a->left = true;
	return false;
}

/* ---- who does what ------------------------------------------------------------------ */

/* Its runner has delivered it. */
static void
remove_it(struct actor *a)
{
	struct queue_file f;

	memcpy(a->id, w.id, sizeof(a->id));
	queue_tray_hint(a->q, a->id, 1);
	a->left = false;
	if (!load(a, &f))
		return;
	must(is_whole(&f));
	queue_unload(&f);
	if (queue_remove(a->q, QUEUE_NEW, a->id) < 0) {
		must(errno == EAGAIN);
		a->left = true;
		return;
	}
	must(queue_sync_removals(a->q) == 0);
	a->told = true;
}

/* It cannot be delivered yet. */
static void
defer_it(struct actor *a)
{
	struct queue_attempt t = { .time = 7, .rcpt = 1, .status = "4.4.1",
		.reply = STR("450 later") };
	struct queue_file f;

	memcpy(a->id, w.id, sizeof(a->id));
	queue_tray_hint(a->q, a->id, 1);
	a->left = false;
	if (!load(a, &f))
		return;
	must(queue_note(&f, &t) == 0);
	must(queue_mark(&f, 0, RCPT_DONE) == 0);
	must(is_whole(&f));
	must(queue_defer(a->q, &f, NEXT) == 0);
	queue_unload(&f);
	a->told = true;
}

static void
hold_it(struct actor *a)
{
	memcpy(a->id, w.id, sizeof(a->id));
	queue_tray_hint(a->q, a->id, 1);
	must(queue_move(a->q, QUEUE_NEW, a->id, QUEUE_HOLD) == 0);
	a->told = true;
}

/* Its envelope is changed. */
static void
change_it(struct actor *a)
{
	struct queue_file f;

	memcpy(a->id, w.id, sizeof(a->id));
	queue_tray_hint(a->q, a->id, 1);
	a->left = false;
	if (!load(a, &f))
		return;
	f.env.route = STR("elsewhere");
	must(queue_rewrite(a->q, &f, NEXT) == 0);
	a->told = true;
}

static void bring(struct actor *a);

/* Nothing that was whole goes to bad/; what a killed session has left may. */
static void
to_bad(void *arg, const char *id)
{
	(void)arg;
	(void)id;
	must(w.actors[0].killed && w.actors[0].act == bring);
	w.bad++;
}

static void
mend(struct actor *a)
{
	must(queue_tray_mend(a->q, to_bad, NULL) >= 0);
}

/*
 * A session that has its tray already, or gets one: of its own acceptor, which has
 * come to be just now, or of the one who has had the tray all the time, when the
 * first session has ended.
 */
static void
bring(struct actor *a)
{
	bool ours = false;
	int fd = -1;

	if (w.s->one_acceptor && (a == &w.actors[0] || w.actors[0].ended)) {
		if (queue_tray_claim(w.acceptor, &w.ours)) {
			fd = dup(w.acceptor);
			note_open(fd, true);
			queue_tray_use(a->q, fd, 0);
		}
	} else if (!w.s->one_acceptor && !w.s->stays) {
		fd = queue_tray_open(a->q, 0);
		if (queue_tray_claim(fd, &ours))
			queue_tray_use(a->q, fd, 0);
		else
			sys_close(fd);
	}
	must(put(a->q, a->id) == 0);
	a->told = true;
	queue_tray_use(a->q, -1, 0);
}

/* Somebody reads what is in the queue, and misses nothing. */
static void
look(struct actor *a)
{
	struct queue_file f;
	const char *reason;

	memcpy(a->id, w.id, sizeof(a->id));
	must(queue_scan(a->q, QUEUE_NEW, seen, a) == 0);
	for (enum queue_place p = QUEUE_CUR; !a->saw && p <= QUEUE_HOLD; p++)
		if (queue_load(a->q, p, a->id, false, &a->arena, &f, &reason) ==
		    0) {
			a->saw = true;
			queue_unload(&f);
		}
	must(a->saw);
}

/* ---- before and after ---------------------------------------------------------------- */

static void
sweep(const char *place)
{
	char path[100];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "%s/%s", w.dir, place);
	d = opendir(path);
	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL)
		if (e->d_type == DT_REG)
			unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
}

/* As one who comes anew, and has heard nothing. */
static void
open_again(struct actor *a)
{
	/* It had a lock of the process, perhaps. */
	queue_close(a->q);
	a->q = opened_spool(w.dir, QUEUE_CREATE);
	/* The first one is a runner, where there is one. */
	if (a == &w.actors[0])
		must(queue_lock_runner(a->q, 0, false) == 0);
}

static void
before(void)
{
	static const char *const places[] = { "tmp", "new", "hold", "bad", "trays" };
	struct queue *q = w.before;
	char shard[] = "cur/XX", path[100];
	int fd;

	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		sweep(places[i]);
	memcpy(shard + 4, w.id + 11, 2);
	sweep(shard);
	must(queue_tray_make(q) == 0);
	w.acceptor = queue_tray_open(q, 0);
	w.ours = false;
	w.bad = 0;
	must(queue_tray_claim(w.acceptor, &w.ours));
	if (!w.s->empty) {
		queue_tray_use(q, dup(w.acceptor), 0);
		must(put(q, w.id) == 0);
		must(queue_tray(q) == 1);
		/* A way that is gone again must have the same steps. */
		memcpy(shard + 4, w.id + 11, 2);
		snprintf(path, sizeof(path), "%s/%s", w.dir, shard);
		must(mkdir(path, 0700) == 0 || errno == EEXIST);
		queue_tray_use(q, -1, 0);
	}
	fd = w.s->stays ? dup(w.acceptor) : -1;
	if (!w.s->one_acceptor) {
		close(w.acceptor);
		w.acceptor = -1;
	}
	for (size_t i = 0; i < ACTORS; i++) {
		struct actor *a = &w.actors[i];

		a->act = w.s->acts[i];
		if (a->act == NULL)
			continue;
		/* It takes the same steps as the last time. */
		if (w.s->kill)
			open_again(a);
		a->ended = a->told = a->left = a->saw = a->killed = false;
		a->open_n = 0;
		memset(a->id, 0, sizeof(a->id));
		arena_init(&a->arena, ENVELOPE_ARENA);
		if (a->act == bring && w.s->stays)
			queue_tray_use(a->q, fd, 0);
	}
}

static bool
is_in(struct queue *q, enum queue_place place, const char *id, bool changed)
{
	struct queue_attempt *last;
	const char *reason;
	struct queue_file f;
	struct arena a;
	bool found;

	arena_init(&a, ENVELOPE_ARENA);
	found = queue_load(q, place, id, true, &a, &f, &reason) == 0;
	if (found) {
		must(is_whole(&f));
		must(queue_notes(&f, &a, &last) == 0);
		must(w.actors[0].killed ||
		    (last[1].time == 7) == (place == QUEUE_CUR));
		must(str_eq(f.env.route, changed ? STR("elsewhere") : STR("")) ||
		    w.actors[0].killed);
		queue_unload(&f);
	} else if (place == QUEUE_BAD && errno == EBADMSG)
		found = true;
	else
		must(errno == ENOENT);
	arena_free(&a);
	return found;
}

/* Everywhere that ID is. */
static unsigned
where_is(struct queue *q, const char *id, bool changed)
{
	unsigned in = 0;

	for (enum queue_place p = QUEUE_NEW; p <= QUEUE_BAD; p++)
		if (p != QUEUE_DROP && is_in(q, p, id, changed))
			in |= 1U << p;
	return in;
}

/* A was killed before he was told, and his message is IN these places. */
static void
check_killed(const struct actor *a, unsigned in)
{
	if (a->act == bring || a->act == remove_it)
		must(in == 0 || in == 1U << QUEUE_NEW ||
		    (a->act == bring && in == 1U << QUEUE_BAD && w.bad == 1));
	else
		must(in == 1U << QUEUE_NEW || in == 1U << QUEUE_CUR ||
		    in == 1U << QUEUE_HOLD);
}

static void
check(const struct actor *a)
{
	struct queue *q = w.after;
	unsigned in;

	if (a->act != bring && a->act != remove_it && a->act != defer_it &&
	    a->act != hold_it && a->act != change_it)
		return;
	must(a->told || a->killed);
	in = where_is(q, a->id, a->act == change_it);
	if (!a->told)
		check_killed(a, in);
	else if (a->act == remove_it)
		must(in == 0);
	else if (a->act == defer_it)
		must(in == 1U << QUEUE_CUR);
	else if (a->act == hold_it)
		must(in == 1U << QUEUE_HOLD);
	else
		must(in == 1U << QUEUE_NEW);
}

static unsigned
entries(const char *place)
{
	char path[100];
	unsigned n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "%s/%s", w.dir, place);
	d = opendir(path);
	must(d != NULL);
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static bool
any(void *arg, const char *id, int64_t mtime, uint64_t size)
{
	(void)arg;
	(void)id;
	(void)mtime;
	(void)size;
	return true;
}

/* What was killed comes again: another process, which begins with a look at all. */
static void
start_again(struct actor *a)
{
	open_again(a);
	must(queue_scan(a->q, QUEUE_NEW, any, NULL) == 0);
}

static void
after(void)
{
	for (size_t i = 0; i < ACTORS; i++) {
		struct actor *a = &w.actors[i];

		if (a->act != NULL && a->killed)
			start_again(a);
		else if (a->act != NULL && a->left)
			a->act(a);
	}
	if (w.acceptor >= 0)
		close(w.acceptor);
	must(queue_tray_mend(w.after, to_bad, NULL) == 0);
	for (size_t i = 0; i < ACTORS; i++)
		if (w.actors[i].act != NULL)
			check(&w.actors[i]);
	for (size_t i = 0; i < ACTORS; i++)
		if (w.actors[i].act != NULL)
			arena_free(&w.actors[i].arena);
	must(entries("bad") == w.bad && w.bad <= 1);
	/* What somebody was making when he was killed is swept away another day. */
	must(entries("tmp") == 0 || w.actors[0].killed);
	must(entries("trays") == 1);
}

/* clang-format off */
static const struct scenario scenarios[] = {
	{ "removed and mended", { remove_it, mend }, .most = 2 },
	{ "deferred and mended", { defer_it, mend }, .most = 2 },
	{ "held and mended", { hold_it, mend }, .most = 2 },
	{ "changed and mended", { change_it, mend }, .most = 1 },
	{ "removed, the next one", { remove_it, bring }, .most = 2 },
	{ "removed, the next one of the same session", { remove_it, bring }, .most = 2, .stays = true },
	{ "deferred, the next one of the same session", { defer_it, bring }, .most = 2, .stays = true },
	{ "removed, mended, the next one", { remove_it, mend, bring }, .most = 1 },
	{ "removed, mended, the next one of the same session", { remove_it, mend, bring }, .most = 1, .stays = true },
	{ "deferred, mended, the next one", { defer_it, mend, bring }, .most = 1 },
	{ "held, mended, the next one", { hold_it, mend, bring }, .most = 1 },
	{ "deferred, looked for", { defer_it, look }, .most = 2 },
	{ "changed, looked for", { change_it, look }, .most = 1 },
	{ "held, looked for", { hold_it, look }, .most = 2 },
	{ "looked for amid the mending", { mend, look }, .most = 2 },
	{ "a runner killed who removes, mended", { remove_it, mend }, .most = 1, .kill = true },
	{ "a runner killed who removes, the next one", { remove_it, mend, bring }, .most = 0, .kill = true },
	{ "a runner killed who defers, the next one", { defer_it, mend, bring }, .most = 0, .kill = true },
	{ "a runner killed who defers, the next one of the same session", { defer_it, bring }, .most = 1, .stays = true, .kill = true },
	{ "a runner killed who holds, the next one", { hold_it, mend, bring }, .most = 0, .kill = true },
	{ "a runner killed who changes, mended", { change_it, mend }, .most = 0, .kill = true },
	{ "who mends is killed, removed, the next one", { mend, remove_it, bring }, .most = 0, .kill = true },
	{ "a session killed, mended, the next one", { bring, mend, bring }, .most = 0, .empty = true, .kill = true },
	{ "a session killed, the next one of its acceptor", { bring, mend, bring }, .most = 0, .empty = true, .one_acceptor = true, .kill = true },
};
/* clang-format on */

static void
go_through(const struct scenario *s)
{
	unsigned n = 0;

	const char *more = getenv("TRAYS_MORE");

	w.s = s;
	w.most = s->most + (more != NULL ? (unsigned)strtoul(more, NULL, 10) : 0);
	w.fixed = 0;
	do {
		before();
		run();
		after();
		n++;
	} while (another_way());
	if (more != NULL)
		fprintf(stderr, "%s: %u ways\n", s->name, n);
	ck_assert_msg(n > 20, "%s: only %u ways", s->name, n);
}

START_TEST(every_way)
{
	cpu_set_t one;

	/* Only one runs at a time: on one processor it is the next one sooner. */
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
	setenv("QUEUE_TRAYS", "1", 1);
	/* In memory it takes a third of the time. */
	scratch_begin_fast(w.dir);
	while (w.text_n < TEXT_N)
		w.text_n += (size_t)snprintf(w.text + w.text_n,
		    sizeof(w.text) - w.text_n, "what stands at %zu\r\n",
		    w.text_n);
	sem_init(&w.back, 0, 0);
	fault_fd = note_open;
	w.before = opened_spool(w.dir, QUEUE_CREATE);
	w.after = opened_spool(w.dir, QUEUE_CREATE);
	for (size_t i = 0; i < ACTORS; i++) {
		sem_init(&w.actors[i].go, 0, 0);
		w.actors[i].q = opened_spool(w.dir, QUEUE_CREATE);
	}
	/* The first one is a runner, where there is one. */
	must(queue_lock_runner(w.actors[0].q, 0, false) == 0);
	for (size_t i = 0; i < ARRAY_LEN(scenarios); i++)
		go_through(&scenarios[i]);
	for (size_t i = 0; i < ACTORS; i++)
		queue_close(w.actors[i].q);
	queue_close(w.before);
	queue_close(w.after);
	scratch_end(w.dir);
}
END_TEST

UNIT_MAIN("fault/trays", every_way)
