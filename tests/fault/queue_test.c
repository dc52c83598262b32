/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * queue -- every system call of the spool's operations, failing and last
 * (C-02, C-07, C-08).
 *
 * After each: all that is in new/, cur/, hold/, dead/ and drop/ is whole; a
 * message is in one place; what was acknowledged is there; what failed and
 * was not killed has left nothing (src/queue/README, "States").
 */

#include "enumerate.h"

#include <fcntl.h>
#include <sys/time.h>

#include "lib/clock.h"
#include "queue/counted.h"
#include "queue/dropped.h"
#include "queue/opened.h"
#include "queue/prefix.h"
#include "queue/tray.h"

#define LARGE 200000
#define NEXT 4000000000
/* In place of many more. */
#define TRAYS 3

static char
octet(size_t i)
{
	return i % 70 == 69 ? '\n' : i % 70 == 68 ? '\r' : (char)('a' + i % 23);
}

/* Octets that stand before the text at last, and are known then only; 0: none. */
static size_t late;

static int
put_late(struct queue_msg *m, struct envelope *e)
{
	char prefix[3000];

	for (size_t i = 0; i < late; i++)
		prefix[i] = octet(i);
	e->checks = STR("[{\"spf\":\"pass\"}]");
	return queue_prefix(m, e, str_n(prefix, late));
}

/* Writes a message of SIZE octets; its id goes to ID. */
static int
write_message(struct queue *q, size_t size, bool to_drop, char *id)
{
	struct envelope_rcpt rcpts[2] = {
		{ .state = RCPT_QUEUED, .path = { STR("a"), STR("b.example") } },
		{ .state = RCPT_QUEUED, .path = { STR("c"), STR("d.example") } },
	};
	struct envelope e = { .from = { STR("s"), STR("t.example") },
		.arrival_us = clock_wall_us(), .rcpts = rcpts, .rcpt_n = 2 };
	struct queue_msg *m;
	char piece[5000];

	queue_id_new(e.id);
	memcpy(id, e.id, sizeof(e.id));
	if ((m = queue_begin(q, &e, to_drop)) == NULL)
		return -1;
	if (late > 0)
		queue_reserve(m, &e);
	for (size_t at = late; at < size; at += sizeof(piece)) {
		size_t n = size - at < sizeof(piece) ? size - at
		    : sizeof(piece);

		for (size_t i = 0; i < n; i++)
			piece[i] = octet(at + i);
		if (queue_write(m, str_n(piece, n)) < 0) {
			queue_abort(m);
			return -1;
		}
	}
	if (late > 0 && put_late(m, &e) < 0) {
		queue_abort(m);
		return -1;
	}
	return queue_commit(m);
}

/* ---- looking at the spool ------------------------------------------- */

struct look {
	struct queue *q;
	enum queue_place place;
	unsigned n;
	unsigned withdrawn;	/* names of what was taken back */
	char id[QUEUE_ID_SIZE];
	enum rcpt_state states[2];
	unsigned delays;
	uint64_t size;
	int64_t next;
	unsigned max_attempts;
	char route[100];
	char notes[2][100];
};

static void
check_text(const struct queue_file *f)
{
	char *p = malloc(f->size + 1);
	bool same = true;

	must(pread(f->fd, p, f->size, f->text_at) == (ssize_t)f->size);
	for (size_t i = 0; i < f->size; i++)
		same = same && p[i] == octet(i);
	must(same);
	free(p);
}

static bool
look_at(void *arg, const char *id, int64_t mtime, uint64_t size UNUSED)
{
	struct look *l = arg;
	struct queue_attempt *last;
	const char *reason;
	struct queue_file f;
	struct arena a;

	must(id != NULL);
	memcpy(l->id, id, sizeof(l->id));
	l->next = mtime;
	if (l->place == QUEUE_BAD) {
		l->n++;
		return true;
	}
	arena_init(&a, ENVELOPE_ARENA);
	if (queue_load(l->q, l->place, id, true, &a, &f, &reason) < 0) {
		must(errno == ENOENT && reason != NULL);
		l->withdrawn++;
		arena_free(&a);
		return true;
	}
	l->n++;
	check_text(&f);
	l->size = f.size;
	l->delays = f.env.delays;
	l->max_attempts = f.env.max_attempts;
	memcpy(l->route, f.env.route.n > 0 ? f.env.route.p : "",
	    f.env.route.n);
	must(queue_notes(&f, &a, &last) == 0);
	for (size_t i = 0; i < 2; i++) {
		l->states[i] = f.env.rcpts[i].state;
		memcpy(l->notes[i], last[i].reply.p, last[i].reply.n);
	}
	queue_unload(&f);
	arena_free(&a);
	return true;
}

/* True in the operations of who may remove nothing from new/. */
static bool confined;

static unsigned
look(struct queue *q, enum queue_place place, struct look *l)
{
	*l = (struct look){ .q = q, .place = place };
	must(queue_scan(q, place, look_at, l) == 0);
	must(l->withdrawn == 0 || (confined && place == QUEUE_NEW));
	return l->n;
}

static unsigned
count_files(const char *dir, const char *sub, const char *prefix)
{
	char path[300];
	struct dirent *e;
	unsigned n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "%s/%s", dir, sub);
	d = opendir(path);
	must(d != NULL);
	while ((e = readdir(d)) != NULL)
		n += e->d_name[0] != '.' &&
		    strncmp(e->d_name, prefix, strlen(prefix)) == 0;
	closedir(d);
	return n;
}

/* Looks at all places; the number of messages, and of each place in N. */
static unsigned
look_around(struct queue *q, const char *dir, unsigned n[6], struct look *l)
{
	struct look one;
	unsigned all = 0;

	for (enum queue_place p = QUEUE_NEW; p <= QUEUE_BAD; p++) {
		/* What sendmail began and a cut stopped is no message. */
		if (p == QUEUE_DROP && count_files(dir, "drop", "tmp.") > 0) {
			n[p] = count_files(dir, "drop", "0");
			continue;
		}
		n[p] = look(q, p, &one);
		all += n[p];
		if (n[p] > 0)
			*l = one;
	}
	/* Orphans are swept away; nothing needs a hand. */
	must(queue_clean(q, -10) >= 0);
	must(count_files(dir, "tmp", "") == 0);
	must(count_files(dir, "drop", "tmp.") == 0);
	return all;
}

/* ---- accept --------------------------------------------------------- */

static struct queue *opened;
static struct conf *stored_by;	/* whose store it has */

static void
setup_empty(const char *dir)
{
	opened = opened_spool(dir, QUEUE_CREATE);
}

static void
to_bad(void *arg UNUSED, const char *of)
{
	ck_assert_msg(false, "%s: %s goes to bad/", where, of);
}

/* With a tray for the message that comes. */
static void
setup_tray(const char *dir)
{
	bool ours = false;
	int fd;

	fault_disarm();
	setenv("QUEUE_TRAYS", "3", 1);
	opened = opened_spool(dir, QUEUE_CREATE);
	ck_assert_int_eq(queue_tray_make(opened), 0);
	fd = queue_tray_open(opened, 1);
	ck_assert_int_ge(fd, 0);
	ck_assert(queue_tray_claim(fd, &ours));
	queue_tray_use(opened, fd, 1);
}

static int
run_small(const char *dir UNUSED, struct told *told)
{
	return write_message(opened, 5000, false, told->id);
}

static int
run_large(const char *dir UNUSED, struct told *told)
{
	return write_message(opened, LARGE, false, told->id);
}

/* What is before the text is known behind it. */
static int
run_small_late(const char *dir, struct told *told)
{
	int r;

	late = 3000;
	r = run_small(dir, told);
	late = 0;
	return r;
}

static int
run_large_late(const char *dir, struct told *told)
{
	int r;

	late = 3000;
	r = run_large(dir, told);
	late = 0;
	return r;
}

/* As a session does it: what it gave its name it cannot take away. */
static int
run_confined(const char *dir, struct told *told)
{
	fault.kept = "/new";
	return run_small(dir, told);
}

static int
run_large_confined(const char *dir, struct told *told)
{
	fault.kept = "/new";
	return run_large(dir, told);
}

static int
run_drop(const char *dir UNUSED, struct told *told)
{
	return write_message(opened, 5000, true, told->id);
}

/* An abort in the middle of a large message. */
static int
run_abort(const char *dir UNUSED, struct told *told)
{
	struct envelope_rcpt r = { .state = RCPT_QUEUED,
		.path = { STR("a"), STR("b.example") } };
	struct envelope e = { .from = { STR("s"), STR("t.example") },
		.rcpts = &r, .rcpt_n = 1 };
	struct queue_msg *m;
	char piece[70000];
	int ok;

	queue_id_new(e.id);
	memcpy(told->id, e.id, sizeof(e.id));
	m = queue_begin(opened, &e, false);
	memset(piece, 'x', sizeof(piece));
	ok = queue_write(m, str_n(piece, sizeof(piece)));
	if (ok == 0)
		ok = queue_write(m, str_n(piece, sizeof(piece)));
	queue_abort(m);
	return ok;
}

static void
check_accepted(const char *dir, const struct told *told,
    const struct variant *v, enum queue_place place, uint64_t size)
{
	unsigned n[6], all;
	struct look l;
	bool left;

	/* Before the sweep: a call that failed has cleaned up behind it. */
	left = count_files(dir, "tmp", "") + count_files(dir, "drop", "tmp.");
	all = look_around(opened, dir, n, &l);
	if (told->result == 0)
		must(all == 1 && n[place] == 1);
	if (told->result == -1 && is_single(v))
		must(all == 0 && !left);
	/*
	 * Killed behind the rename, or with a disk that lets nothing be
	 * removed: it may be there though nobody was told, but whole.
	 */
	must(all <= 1 && n[place] == all);
	if (all == 1) {
		must(strcmp(l.id, told->id) == 0);
		must(l.size == size);
	}
	queue_close(opened);
}

static void
check_small(const char *dir, const struct told *told, const struct variant *v)
{
	check_accepted(dir, told, v, QUEUE_NEW, 5000);
}

static void
check_large(const char *dir, const struct told *told, const struct variant *v)
{
	check_accepted(dir, told, v, QUEUE_NEW, LARGE);
}

/* The name may stay then; the message is gone all the same. */
static void
check_withdrawn(const char *dir, const struct told *told, const struct variant *v,
    uint64_t size)
{
	unsigned names = count_files(dir, "new", "");

	confined = true;
	check_accepted(dir, told, v, QUEUE_NEW, size);
	confined = false;
	must(names <= 1);
	if (is_single(v))
		must(names == (told->result == 0 || told->sync_failed));
}

static void
check_confined(const char *dir, const struct told *told, const struct variant *v)
{
	check_withdrawn(dir, told, v, 5000);
}

static void
check_large_confined(const char *dir, const struct told *told,
    const struct variant *v)
{
	check_withdrawn(dir, told, v, LARGE);
}

static void
check_drop(const char *dir, const struct told *told, const struct variant *v)
{
	check_accepted(dir, told, v, QUEUE_DROP, 5000);
}

static void
check_abort(const char *dir, const struct told *told UNUSED, const struct variant *v UNUSED)
{
	unsigned n[6];
	struct look l;

	must(look_around(opened, dir, n, &l) == 0);
	queue_close(opened);
}

/* ---- a message that is there ---------------------------------------- */

static char id[QUEUE_ID_SIZE];

static void
setup_new(const char *dir)
{
	fault_disarm();
	opened = opened_spool(dir, QUEUE_CREATE);
	ck_assert_int_eq(write_message(opened, 5000, false, id), 0);
}

/* The same, in a tray. */
static void
setup_laid(const char *dir)
{
	setup_tray(dir);
	ck_assert_int_eq(write_message(opened, 5000, false, id), 0);
	ck_assert_uint_gt(queue_tray(opened), 0);
	queue_tray_hint(opened, id, queue_tray(opened));
}

static void
setup_cur(const char *dir)
{
	setup_new(dir);
	ck_assert_int_eq(queue_move(opened, QUEUE_NEW, id, QUEUE_CUR), 0);
}

static void
setup_hold(const char *dir)
{
	setup_new(dir);
	ck_assert_int_eq(queue_move(opened, QUEUE_NEW, id, QUEUE_HOLD), 0);
}

/* An attempt: one recipient delivered, one to be tried again. */
static int
attempt(enum queue_place place, bool defer)
{
	struct queue_attempt note = { .time = 1, .rcpt = 1, .status = "4.4.1",
		.reply = STR("450 later") };
	const char *reason;
	struct queue_file f;
	struct arena a;
	int r = -1;

	arena_init(&a, ENVELOPE_ARENA);
	if (queue_load(opened, place, id, false, &a, &f, &reason) == 0) {
		if (queue_mark(&f, 0, RCPT_DONE) == 0 &&
		    queue_note(&f, &note) == 0 && queue_note_delay(&f, 1) == 0)
			r = defer ? queue_defer(opened, &f, NEXT)
			    : queue_sync(&f);
		queue_unload(&f);
	}
	arena_free(&a);
	return r;
}

static int
run_defer_new(const char *dir UNUSED, struct told *told UNUSED)
{
	return attempt(QUEUE_NEW, true);
}

static int
run_defer_cur(const char *dir UNUSED, struct told *told UNUSED)
{
	return attempt(QUEUE_CUR, true);
}

static int
run_sync(const char *dir UNUSED, struct told *told UNUSED)
{
	return attempt(QUEUE_NEW, false);
}

static void
check_attempt(const char *dir, const struct told *told, bool deferred,
    bool from_cur)
{
	unsigned n[6];
	struct look l;

	must(look_around(opened, dir, n, &l) == 1);
	must(n[QUEUE_NEW] + n[QUEUE_CUR] == 1);
	must(!from_cur || n[QUEUE_CUR] == 1);
	must(l.states[0] == RCPT_QUEUED || l.states[0] == RCPT_DONE);
	must(l.states[1] == RCPT_QUEUED);
	must(l.delays <= 1);
	must(l.notes[1][0] == '\0' || strcmp(l.notes[1], "450 later") == 0);
	if (told->result == 0) {
		must(l.states[0] == RCPT_DONE && l.delays == 1);
		must(strcmp(l.notes[1], "450 later") == 0);
		must(!deferred || (n[QUEUE_CUR] == 1 && l.next == NEXT));
	}
	queue_close(opened);
}

static void
check_defer_new(const char *dir, const struct told *told,
    const struct variant *v UNUSED)
{
	check_attempt(dir, told, true, false);
}

static void
check_defer_cur(const char *dir, const struct told *told,
    const struct variant *v UNUSED)
{
	check_attempt(dir, told, true, true);
}

static void
check_sync(const char *dir, const struct told *told, const struct variant *v UNUSED)
{
	check_attempt(dir, told, false, false);
}

static int
run_remove(const char *dir UNUSED, struct told *told)
{
	if (queue_remove(opened, QUEUE_CUR, id) < 0)
		return -1;
	memcpy(told->id, "removed", 8);
	return queue_sync_removals(opened);
}

static void
check_remove(const char *dir, const struct told *told, const struct variant *v)
{
	unsigned n[6], all;
	struct look l;

	all = look_around(opened, dir, n, &l);
	if (strcmp(told->id, "removed") == 0)
		must(all == 0);
	else
		must(all == n[QUEUE_CUR] && (all == 1 || !is_single(v)));
	queue_close(opened);
}

/* Out of a tray, which then is for another message. */
static int
run_empty(const char *dir UNUSED, struct told *told)
{
	if (queue_remove(opened, QUEUE_NEW, id) < 0)
		return -1;
	memcpy(told->id, "removed", 8);
	return queue_sync_removals(opened);
}

static void
check_empty(const char *dir, const struct told *told, const struct variant *v UNUSED)
{
	unsigned n[6], all;
	struct look l;

	all = look_around(opened, dir, n, &l);
	if (strcmp(told->id, "removed") == 0)
		must(all == 0);
	must(all == n[QUEUE_NEW] && all <= 1);
	queue_tray_use(opened, -1, 0);
	/* Cut off amid the overwriting: that is ended by whoever comes next. */
	must(queue_tray_mend(opened, to_bad, NULL) == 0);
	must(look_around(opened, dir, n, &l) == all);
	queue_close(opened);
}

/* Trays are made, one for one that somebody has removed. */
static void
setup_missing(const char *dir)
{
	char path[300];

	setup_laid(dir);
	snprintf(path, sizeof(path), "%s/trays/02", dir);
	ck_assert_int_eq(unlink(path), 0);
}

static int
run_make(const char *dir UNUSED, struct told *told UNUSED)
{
	return queue_tray_make(opened);
}

static void
check_made(const char *dir, const struct told *told, const struct variant *v UNUSED)
{
	unsigned n[6];
	struct look l;

	must(look_around(opened, dir, n, &l) == 1 && n[QUEUE_NEW] == 1);
	if (told->result == 0)
		must(count_files(dir, "trays", "") == TRAYS);
	must(queue_tray_make(opened) == 0);
	must(count_files(dir, "trays", "") == TRAYS);
	queue_close(opened);
}

/* What is in one that nobody has, and is no message, is put away. */
static void
setup_torn(const char *dir)
{
	int fd;

	setup_laid(dir);
	fd = queue_tray_open(opened, 1);
	ck_assert_int_eq(pwrite(fd, "!", 1, 300), 1);
	close(fd);
	queue_tray_use(opened, -1, 0);
}

static void
ignored(void *arg UNUSED, const char *of UNUSED)
{
}

static void
one_to_bad(void *arg UNUSED, const char *of)
{
	ck_assert_str_eq(of, id);
}

static int
run_mend(const char *dir UNUSED, struct told *told UNUSED)
{
	return queue_tray_mend(opened, one_to_bad, NULL);
}

/* Its octets are kept, though it may be put away twice. */
static void
check_mended(const char *dir, const struct told *told, const struct variant *v UNUSED)
{
	unsigned bad;

	if (told->result == 0)
		must(count_files(dir, "bad", "") == 1);
	fault_disarm();
	must(queue_tray_mend(opened, ignored, NULL) == 0);
	bad = count_files(dir, "bad", "");
	must(bad == 1 || bad == 2);
	queue_close(opened);
}

static int
run_hold(const char *dir UNUSED, struct told *told UNUSED)
{
	return queue_move(opened, QUEUE_NEW, id, QUEUE_HOLD);
}

static int
run_release(const char *dir UNUSED, struct told *told UNUSED)
{
	return queue_move(opened, QUEUE_HOLD, id, QUEUE_CUR);
}

static int
run_dead(const char *dir UNUSED, struct told *told UNUSED)
{
	return queue_move(opened, QUEUE_CUR, id, QUEUE_DEAD);
}

static void
check_moved(const char *dir, const struct told *told, enum queue_place from,
    enum queue_place to)
{
	unsigned n[6];
	struct look l;

	must(look_around(opened, dir, n, &l) == 1);
	must(n[from] + n[to] == 1);
	if (told->result == 0)
		must(n[to] == 1);
	queue_close(opened);
}

static void
check_hold(const char *dir, const struct told *told, const struct variant *v UNUSED)
{
	check_moved(dir, told, QUEUE_NEW, QUEUE_HOLD);
}

static void
check_release(const char *dir, const struct told *told,
    const struct variant *v UNUSED)
{
	check_moved(dir, told, QUEUE_HOLD, QUEUE_CUR);
}

static void
check_dead(const char *dir, const struct told *told, const struct variant *v UNUSED)
{
	check_moved(dir, told, QUEUE_CUR, QUEUE_DEAD);
}

/* The envelope of a message with marks and notes is changed. */
static void
setup_attempted(const char *dir)
{
	setup_cur(dir);
	ck_assert_int_eq(attempt(QUEUE_CUR, true), 0);
}

static int
rewrite(enum queue_place place)
{
	const char *reason;
	struct queue_file f;
	struct arena a;
	int r = -1;

	arena_init(&a, ENVELOPE_ARENA);
	if (queue_load(opened, place, id, false, &a, &f, &reason) == 0) {
		f.env.route = STR("another");
		f.env.max_attempts = 7;
		r = queue_rewrite(opened, &f, NEXT + 1);
	}
	arena_free(&a);
	return r;
}

static int
run_rewrite(const char *dir UNUSED, struct told *told UNUSED)
{
	return rewrite(QUEUE_CUR);
}

static int
run_rewrite_laid(const char *dir UNUSED, struct told *told UNUSED)
{
	return rewrite(QUEUE_NEW);
}

static void
check_rewritten_laid(const char *dir, const struct told *told,
    const struct variant *v UNUSED)
{
	unsigned n[6];
	struct look l;

	must(look_around(opened, dir, n, &l) == 1 && n[QUEUE_NEW] == 1);
	must(l.max_attempts == (strcmp(l.route, "another") == 0 ? 7 : 0));
	if (told->result == 0)
		must(l.max_attempts == 7 && l.next == NEXT + 1);
	queue_close(opened);
}

static void
check_rewritten(const char *dir, const struct told *told,
    const struct variant *v UNUSED)
{
	unsigned n[6];
	struct look l;

	must(look_around(opened, dir, n, &l) == 1 && n[QUEUE_CUR] == 1);
	/* What was there stays, in the old file or the new one. */
	must(l.states[0] == RCPT_DONE && l.states[1] == RCPT_QUEUED);
	must(l.delays == 1 && strcmp(l.notes[1], "450 later") == 0);
	must(l.max_attempts == 7 || l.next == NEXT);
	must(l.max_attempts == (strcmp(l.route, "another") == 0 ? 7 : 0));
	if (told->result == 0)
		must(l.max_attempts == 7 && l.next == NEXT + 1);
	queue_close(opened);
}

/* Many at once: the flushes are shared, and each is whole all the same. */
#define MANY 8

static char ids[MANY][QUEUE_ID_SIZE];

static void
setup_many(const char *dir)
{
	fault_disarm();
	opened = opened_spool(dir, QUEUE_CREATE);
	for (size_t i = 0; i < MANY; i++) {
		ck_assert_int_eq(write_message(opened, 500, false, ids[i]), 0);
		ck_assert_int_eq(
		    queue_move(opened, QUEUE_NEW, ids[i], QUEUE_CUR), 0);
	}
}

static int
run_rewrite_many(const char *dir UNUSED, struct told *told UNUSED)
{
	struct queue_rewrite v[MANY];
	struct queue_file f[MANY];
	const char *reason;
	struct arena a;
	size_t n = 0;
	int r = 0;

	arena_init(&a, ENVELOPE_ARENA);
	for (size_t i = 0; i < MANY; i++) {
		if (queue_load(opened, QUEUE_CUR, ids[i], false, &a, &f[n],
			&reason) < 0) {
			r = -1;
			continue;
		}
		f[n].env.max_attempts = 7;
		v[n] = (struct queue_rewrite){ &f[n], NEXT, 0 };
		n++;
	}
	queue_rewrite_all(opened, v, n);
	for (size_t i = 0; i < n; i++)
		r = v[i].error != 0 ? -1 : r;
	arena_free(&a);
	return r;
}

static bool
is_changed(void *arg, const char *name, int64_t mtime, uint64_t size UNUSED)
{
	unsigned *n = arg;

	must(name != NULL);
	n[mtime == NEXT]++;
	return true;
}

static void
check_many(const char *dir, const struct told *told, const struct variant *v UNUSED)
{
	unsigned n[6], changed[2] = { 0 };
	struct look l;

	/* Each is looked into, and whole. */
	must(look_around(opened, dir, n, &l) == MANY && n[QUEUE_CUR] == MANY);
	must(queue_scan(opened, QUEUE_CUR, is_changed, changed) == 0);
	if (told->result == 0)
		must(changed[1] == MANY);
	queue_close(opened);
}

static int
run_hold_many(const char *dir UNUSED, struct told *told UNUSED)
{
	int r = 0;

	for (size_t i = 0; i < MANY; i++)
		r |= queue_move_early(opened, QUEUE_CUR, ids[i], QUEUE_HOLD);
	return queue_sync_moves(opened) < 0 ? -1 : r;
}

static void
check_hold_many(const char *dir, const struct told *told,
    const struct variant *v UNUSED)
{
	unsigned n[6];
	struct look l;

	must(look_around(opened, dir, n, &l) == MANY);
	must(n[QUEUE_CUR] + n[QUEUE_HOLD] == MANY);
	if (told->result == 0)
		must(n[QUEUE_HOLD] == MANY);
	queue_close(opened);
}

static int
run_next(const char *dir UNUSED, struct told *told UNUSED)
{
	return queue_set_next(opened, QUEUE_CUR, id, NEXT);
}

static void
check_next(const char *dir, const struct told *told, const struct variant *v UNUSED)
{
	unsigned n[6];
	struct look l;

	must(look_around(opened, dir, n, &l) == 1 && n[QUEUE_CUR] == 1);
	if (told->result == 0)
		must(l.next == NEXT);
	queue_close(opened);
}

/* ---- orders --------------------------------------------------------- */

static void
setup_ordered(const char *dir)
{
	setup_new(dir);
	ck_assert_int_eq(queue_order(opened, id, ORDER_NONE, ORDER_HOLD), 0);
}

static int
run_order(const char *dir UNUSED, struct told *told UNUSED)
{
	if (queue_order(opened, id, ORDER_NONE, ORDER_BOUNCE) < 0)
		return -1;
	return queue_sync_orders(opened);
}

static int
run_another_order(const char *dir UNUSED, struct told *told UNUSED)
{
	if (queue_order(opened, id, ORDER_HOLD, ORDER_BOUNCE) < 0)
		return -1;
	return queue_sync_orders(opened);
}

static int
run_no_order(const char *dir UNUSED, struct told *told UNUSED)
{
	if (queue_order(opened, id, ORDER_HOLD, ORDER_NONE) < 0)
		return -1;
	return queue_sync_orders(opened);
}

static void
count_order(void *arg, const char *name, enum queue_order o)
{
	unsigned *n = arg;

	must(strcmp(name, id) == 0);
	n[o]++;
}

/* The message stays as it is, and one order stands: FIRST until it is THEN. */
static void
check_orders(const char *dir, const struct told *told, enum queue_order first,
    enum queue_order then)
{
	unsigned n[6], orders[4] = { 0 };
	struct look l;

	must(look_around(opened, dir, n, &l) == 1 && n[QUEUE_NEW] == 1);
	must(queue_orders(opened, count_order, orders) == 0);
	orders[ORDER_NONE] = !(orders[1] + orders[2] + orders[3]);
	must(orders[first] + orders[then] == 1);
	if (told->result == 0)
		must(orders[then] == 1);
	must(queue_order_void(opened, id) == 0);
	must(count_files(dir, "orders", "") == 0);
	queue_close(opened);
}

static void
check_order(const char *dir, const struct told *told, const struct variant *v UNUSED)
{
	check_orders(dir, told, ORDER_NONE, ORDER_BOUNCE);
}

static void
check_another_order(const char *dir, const struct told *told,
    const struct variant *v UNUSED)
{
	check_orders(dir, told, ORDER_HOLD, ORDER_BOUNCE);
}

static void
check_no_order(const char *dir, const struct told *told,
    const struct variant *v UNUSED)
{
	check_orders(dir, told, ORDER_HOLD, ORDER_NONE);
}

/* ---- import --------------------------------------------------------- */

static void
setup_dropped(const char *dir)
{
	fault_disarm();
	opened = opened_spool(dir, QUEUE_CREATE);
	ck_assert_int_eq(write_message(opened, LARGE, true, id), 0);
}

/* A file that nobody has written to of late. */
static void
put_old(const char *dir, const char *name, struct str text)
{
	struct timeval then[2] = { { 1700000000, 0 }, { 1700000000, 0 } };
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT, 0644);
	ck_assert_int_eq(write(fd, text.p, text.n), (ssize_t)text.n);
	close(fd);
	ck_assert_int_eq(utimes(path, then), 0);
}

static void
setup_eml(const char *dir)
{
	fault_disarm();
	opened = opened_spool(dir, QUEUE_CREATE);
	put_old(dir, "drop/a.eml", STR("To: a@b.example, c@d.example\n"
	    "From: s@t.example\n\nbody\n"));
}

#define STORED_TEXT "Subject: s\r\n\r\nbody\r\n"

/* An envelope, and the text of STORED_TEXT in a store, as gzip. */
static void
setup_stored(const char *dir)
{
	static const unsigned char packed[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3,
		0x0b, 0x2e, 0x4d, 0xca, 0x4a, 0x4d, 0x2e, 0xb1, 0x52, 0x28, 0xe6,
		0xe2, 0x4a, 0xca, 0x4f, 0xa9, 0xe4, 0x02, 0, 0x97, 0x9e, 0xb1,
		0xc8, 0x11, 0, 0, 0 };
	char text[300];
	struct buf error;

	fault_disarm();
	opened = opened_spool(dir, QUEUE_CREATE);
	snprintf(text, sizeof(text), "%s/texts", dir);
	ck_assert_int_eq(mkdir(text, 0700), 0);
	put_old(dir, "texts/k.eml.gz", str_n((const char *)packed, sizeof(packed)));
	put_old(dir, "drop/a.eml", STR("To: a@b.example\nFrom: s@t.example\nX-Barid-Key: k\n\n"));
	snprintf(text, sizeof(text), "extract-headers = true\n"
	    "storage { address = \"dir:%s/texts\" }\n", dir);
	buf_init(&error, 4096);
	stored_by = conf_parse("test.conf", str_c(text), &error);
	ck_assert_msg(stored_by != NULL, "%s", buf_cstr(&error));
	buf_free(&error);
	queue_believe_settings(opened, stored_by);
}

static int
run_import(const char *dir UNUSED, struct told *told)
{
	int n = queue_import(opened, NULL, NULL);

	if (n == 1)
		memcpy(told->id, "taken", 6);
	return n < 0 ? -1 : 0;
}

/* Removes what is in new/ as a runner does that has delivered it; FREE: it can. */
static bool
see_delivered(void *arg, const char *name, int64_t mtime UNUSED, uint64_t size UNUSED)
{
	const bool *is_free = arg;
	char left[NAME_MAX + 1];
	const char *reason;
	struct queue_file f;
	struct arena a;
	struct buf b;

	arena_init(&a, ENVELOPE_ARENA);
	buf_init_in(&b, left, sizeof(left));
	if (queue_load(opened, QUEUE_NEW, name, false, &a, &f, &reason) == 0) {
		queue_dropped_as(&f.env, &b);
		must(b.n > 0 && buf_ok(&b));
		queue_unload(&f);
		must((queue_remove_dropped(opened, QUEUE_NEW, name, buf_cstr(&b)) == 0) == *is_free);
		must(*is_free || errno == EAGAIN);
	}
	arena_free(&a);
	return true;
}

/*
 * At the next start it is imported, once, whatever happened before; and whatever
 * another runner makes of it meanwhile.
 */
static void
check_import(const char *dir, const struct told *told, const struct variant *v UNUSED)
{
	int in_drop = (int)count_files(dir, "drop", ""), in_new;
	bool is_free = false;

	must((in_new = counted(opened, QUEUE_NEW)) >= 0);
	must(in_new + in_drop >= 1);
	if (strcmp(told->id, "taken") == 0)
		must(in_new == 1 && in_drop == 0);
	if (in_drop > 0)
		must(queue_scan(opened, QUEUE_NEW, see_delivered, &is_free) == 0);
	must(queue_import(opened, NULL, NULL) >= 0);
	must(counted(opened, QUEUE_NEW) == 1);
	must(count_files(dir, "drop", "") == 0);
	must(count_files(dir, "bad", "") == 0);
	must(queue_clean(opened, -10) >= 0);
	must(count_files(dir, "tmp", "") == 0);
	is_free = true;
	must(queue_scan(opened, QUEUE_NEW, see_delivered, &is_free) == 0);
	must(counted(opened, QUEUE_NEW) == 0);
	queue_close(opened);
}

static void
check_dropped(const char *dir, const struct told *told,
    const struct variant *v)
{
	struct queue *q = opened;
	struct look l;

	/* Its text too, which check_import() does not know of a .eml. */
	look(q, QUEUE_NEW, &l);
	check_import(dir, told, v);
}

static bool
see_stored(void *arg UNUSED, const char *name, int64_t mtime UNUSED, uint64_t size UNUSED)
{
	char text[sizeof(STORED_TEXT)];
	const char *reason;
	struct queue_file f;
	struct arena a;

	arena_init(&a, ENVELOPE_ARENA);
	must(queue_load(opened, QUEUE_NEW, name, true, &a, &f, &reason) == 0);
	must(f.size == sizeof(text) - 1);
	must(pread(f.fd, text, sizeof(text), f.text_at) == (ssize_t)sizeof(text) - 1);
	must(memcmp(text, STORED_TEXT, sizeof(text) - 1) == 0);
	must(f.env.rcpt_n == 1 && f.env.key.n == 0);
	queue_unload(&f);
	arena_free(&a);
	return true;
}

/* Never without its text: a message that is there has it, and all of it. */
static void
check_stored(const char *dir, const struct told *told, const struct variant *v)
{
	must(queue_scan(opened, QUEUE_NEW, see_stored, NULL) == 0);
	must(queue_import(opened, NULL, NULL) >= 0);
	must(queue_scan(opened, QUEUE_NEW, see_stored, NULL) == 0);
	check_import(dir, told, v);
	conf_free(stored_by);
}

static int
run_scan(const char *dir UNUSED, struct told *told UNUSED)
{
	if (counted(opened, QUEUE_NEW) < 0 || counted(opened, QUEUE_CUR) < 0 ||
	    queue_clean(opened, 1000) < 0)
		return -1;
	return 0;
}

/* A scan changes nothing. */
static void
check_scan(const char *dir, const struct told *told UNUSED, const struct variant *v UNUSED)
{
	unsigned n[6];
	struct look l;

	must(look_around(opened, dir, n, &l) == 1 && n[QUEUE_NEW] == 1);
	queue_close(opened);
}

FAULT_TEST(accept_small, setup_empty, run_small, check_small)
FAULT_TEST(accept_large, setup_empty, run_large, check_large)
FAULT_TEST(accept_small_late, setup_empty, run_small_late, check_small)
FAULT_TEST(accept_large_late, setup_empty, run_large_late, check_large)
FAULT_TEST(accept_confined, setup_empty, run_confined, check_confined)
FAULT_TEST(accept_large_confined, setup_empty, run_large_confined,
    check_large_confined)
FAULT_TEST(accept_drop, setup_empty, run_drop, check_drop)
FAULT_TEST(aborted, setup_empty, run_abort, check_abort)
FAULT_TEST(defer_new, setup_new, run_defer_new, check_defer_new)
FAULT_TEST(defer_cur, setup_cur, run_defer_cur, check_defer_cur)
FAULT_TEST(marks, setup_new, run_sync, check_sync)
FAULT_TEST(removal, setup_cur, run_remove, check_remove)
FAULT_TEST(hold, setup_new, run_hold, check_hold)
FAULT_TEST(release, setup_hold, run_release, check_release)
FAULT_TEST(dead, setup_cur, run_dead, check_dead)
FAULT_TEST(rewritten, setup_attempted, run_rewrite, check_rewritten)
FAULT_TEST(rewritten_many, setup_many, run_rewrite_many, check_many)
FAULT_TEST(hold_many, setup_many, run_hold_many, check_hold_many)
FAULT_TEST(schedule, setup_cur, run_next, check_next)
FAULT_TEST(order, setup_new, run_order, check_order)
FAULT_TEST(another_order, setup_ordered, run_another_order,
    check_another_order)
FAULT_TEST(no_order, setup_ordered, run_no_order, check_no_order)
FAULT_TEST(import_dropped, setup_dropped, run_import, check_dropped)
FAULT_TEST(import_eml, setup_eml, run_import, check_import)
FAULT_TEST(import_stored, setup_stored, run_import, check_stored)
FAULT_TEST(scan, setup_new, run_scan, check_scan)
FAULT_TEST(accept_tray, setup_tray, run_small, check_small)
FAULT_TEST(accept_tray_late, setup_tray, run_small_late, check_small)
FAULT_TEST(accept_tray_large, setup_tray, run_large, check_large)
FAULT_TEST(defer_laid, setup_laid, run_defer_new, check_defer_new)
FAULT_TEST(marks_laid, setup_laid, run_sync, check_sync)
FAULT_TEST(hold_laid, setup_laid, run_hold, check_hold)
FAULT_TEST(rewritten_laid, setup_laid, run_rewrite_laid, check_rewritten_laid)
FAULT_TEST(emptied, setup_laid, run_empty, check_empty)
FAULT_TEST(scan_laid, setup_laid, run_scan, check_scan)
FAULT_TEST(made, setup_missing, run_make, check_made)
FAULT_TEST(mended, setup_torn, run_mend, check_mended)

/* A directory below cur/ that was not there, and that another made meanwhile. */
START_TEST(shard_of_another)
{
	char dir[SCRATCH_SIZE];
	unsigned n = 0;
	int r;

	scratch_begin_fast(dir);
	setup_cur(dir);
	do {
		ck_assert_int_eq(queue_move(opened, QUEUE_CUR, id, QUEUE_HOLD), 0);
		fault_arm(FAULT_ERROR, ++n, ENOENT);
		r = queue_move(opened, QUEUE_HOLD, id, QUEUE_CUR);
		ck_assert(fault.hit);
		fault_disarm();
		if (r < 0)
			ck_assert_int_eq(
			    queue_move(opened, QUEUE_HOLD, id, QUEUE_CUR), 0);
		/* The calls before the rename do fail by it. */
	} while (r < 0 && n < 3);
	ck_assert_int_eq(r, 0);
	queue_close(opened);
	scratch_end(dir);
}
END_TEST

UNIT_MAIN("fault/queue", accept_small, accept_large, accept_small_late,
    accept_large_late, accept_tray_late, accept_confined,
    accept_large_confined, accept_drop, aborted,
    defer_new, defer_cur, marks, removal, hold, release, dead, rewritten,
    rewritten_many, hold_many,
    schedule, shard_of_another, order, another_order, no_order,
    import_dropped, import_eml, import_stored, scan, accept_tray, accept_tray_large,
    defer_laid, marks_laid, hold_laid, rewritten_laid, emptied, scan_laid,
    made, mended)
