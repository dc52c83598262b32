/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tray -- messages in files that were there before. */

#include "tmptray.h"

#define NEXT 4000000000

/* Whatever is behind it from a longer one: it has this text and no notes. */
START_TEST(again_and_again)
{
	const struct str texts[] = { STR(TEXT1 "attempt: 1 0 4.4.1 - no\r\n"
		"and more and more\r\n"), STR(TEXT1), STR(TEXT1 "x\r\n") };
	struct queue_attempt *last;
	struct queue_file f;
	struct tmpspool t;

	begin(&t);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		lay(&t, texts[i]);
		queue_tray_hint(t.q, t.env.id, no + 1);
		tmpspool_load(&t, QUEUE_NEW, &f);
		check_text(&f, texts[i]);
		ck_assert_int_eq(queue_notes(&f, &t.a, &last), 0);
		ck_assert_int_eq(last[0].time, 0);
		queue_unload(&f);
		ck_assert_int_eq(queue_remove(t.q, QUEUE_NEW, t.env.id), 0);
		ck_assert_int_eq(queue_sync_removals(t.q), 0);
		ck_assert_int_eq(queue_remove(t.q, QUEUE_NEW, t.env.id), -1);
		ck_assert_int_eq(errno, ENOENT);
	}
	tmpspool_end(&t);
}
END_TEST

/* What was dealt with can be read by nobody who has the tray after it. */
START_TEST(wiped)
{
	struct tmpspool t;
	struct buf b;

	begin(&t);
	lay(&t, STR(TEXT1));
	queue_tray_hint(t.q, t.env.id, no + 1);
	ck_assert_int_eq(queue_remove(t.q, QUEUE_NEW, t.env.id), 0);
	buf_init(&b, 1 << 20);
	tmpspool_slurp(tray_path(&t), &b);
	ck_assert_uint_eq(b.n, 65536);
	for (size_t i = 0; i < b.n; i++)
		ck_assert_int_eq(b.p[i], '\0');
	buf_free(&b);
	tmpspool_end(&t);
}
END_TEST

/* What finds no place in the tray becomes a file. */
START_TEST(no_room)
{
	static char text[65536];
	struct seen s;
	struct tmpspool t;

	memset(text, 'x', sizeof(text));
	begin(&t);
	tmpspool_put(&t, str_n(text, sizeof(text)), false);
	ck_assert_uint_eq(queue_tray(t.q), 0);
	ck_assert(tmpspool_has(&t, "new", t.env.id));
	tmpspool_put(&t, STR(TEXT1), true);
	ck_assert(tmpspool_has(&t, "drop", t.env.id));
	lay(&t, STR(TEXT1));
	tmpspool_put(&t, STR(TEXT1), false);
	ck_assert_uint_eq(queue_tray(t.q), 0);
	ck_assert(tmpspool_has(&t, "new", t.env.id));
	ck_assert_uint_eq(count(t.q, QUEUE_NEW, &s), 3);
	tmpspool_end(&t);
}
END_TEST

START_TEST(one_each)
{
	unsigned at = no;
	struct tmpspool t;
	int a, b;

	begin(&t);
	a = take(t.q, &at);
	b = take(t.q, &at);
	ck_assert_int_ge(a, 0);
	ck_assert_int_ge(b, 0);
	ck_assert_int_eq(take(t.q, &at), -1);
	close(a);
	a = take(t.q, &at);
	ck_assert_int_ge(a, 0);
	close(a);
	close(b);
	/* Ours has a message, and stays taken when nobody holds it any more. */
	lay(&t, STR(TEXT1));
	queue_tray_use(t.q, -1, 0);
	a = take(t.q, &at);
	b = take(t.q, &at);
	ck_assert_int_ge(a, 0);
	ck_assert_int_ge(b, 0);
	ck_assert_int_eq(take(t.q, &at), -1);
	close(a);
	close(b);
	tmpspool_end(&t);
}
END_TEST

static void
left_empty(const struct tmpspool *t)
{
	char c = 'x';
	int fd = open(tray_path(t), O_RDONLY);

	ck_assert_int_eq(pread(fd, &c, 1, 0), 1);
	ck_assert_int_eq(c, '\0');
	close(fd);
	ck_assert_int_eq(octets(tray_path(t)), 65536);
}

/* It is a file of PLACE, at PATH; and its tray is for the next one. */
static void
left(struct tmpspool *t, enum queue_place place, const char *path)
{
	struct queue_file f;
	struct seen s;

	ck_assert_int_eq(access(path, F_OK), 0);
	left_empty(t);
	ck_assert_uint_eq(count(t->q, place, &s), 1);
	tmpspool_load(t, place, &f);
	check_text(&f, STR(TEXT1));
	queue_unload(&f);
}

START_TEST(deferred)
{
	struct queue_attempt a = { .time = 7, .rcpt = 1, .status = "4.4.1",
		.reply = STR("450 later") }, *last;
	struct queue_file f;
	struct tmpspool t;
	char path[300];

	begin(&t);
	lay(&t, STR(TEXT1));
	tmpspool_load(&t, QUEUE_NEW, &f);
	ck_assert_int_eq(queue_mark(&f, 0, RCPT_DONE), 0);
	ck_assert_int_eq(queue_note(&f, &a), 0);
	ck_assert_int_eq(queue_defer(t.q, &f, NEXT), 0);
	queue_unload(&f);
	snprintf(path, sizeof(path), "%s/cur/%.2s/%s", t.dir, t.env.id + 11,
	    t.env.id);
	left(&t, QUEUE_CUR, path);
	ck_assert_int_lt(octets(path), 1000);
	tmpspool_load(&t, QUEUE_CUR, &f);
	ck_assert_int_eq(f.env.rcpts[0].state, RCPT_DONE);
	ck_assert_int_eq(f.next, NEXT);
	ck_assert_int_eq(queue_notes(&f, &t.a, &last), 0);
	ck_str(last[1].reply, STR("450 later"));
	queue_unload(&f);
	tmpspool_end(&t);
}
END_TEST

START_TEST(moved)
{
	struct queue_attempt a = { .time = 7, .rcpt = 1, .status = "4.4.1",
		.reply = STR("450 later") }, *last;
	struct queue_file f;
	struct tmpspool t;
	char path[300];

	begin(&t);
	lay(&t, STR(TEXT1));
	queue_tray_hint(t.q, t.env.id, no + 1);
	ck_assert_int_eq(queue_set_next(t.q, QUEUE_NEW, t.env.id, NEXT), 0);
	ck_assert_int_eq(queue_move(t.q, QUEUE_NEW, t.env.id, QUEUE_HOLD), 0);
	memcpy(path, tmpspool_path(&t, "hold", t.env.id), 256);
	left(&t, QUEUE_HOLD, path);
	tmpspool_load(&t, QUEUE_HOLD, &f);
	ck_assert_int_eq(f.next, NEXT);
	ck_assert_int_eq(queue_note(&f, &a), 0);
	queue_unload(&f);
	tmpspool_load(&t, QUEUE_HOLD, &f);
	ck_assert_int_eq(queue_notes(&f, &t.a, &last), 0);
	ck_str(last[1].reply, STR("450 later"));
	queue_unload(&f);
	ck_assert_int_lt(octets(path), 1000);
	tmpspool_end(&t);
}
END_TEST

START_TEST(rewritten)
{
	struct queue_file f;
	struct tmpspool t;
	char path[300];

	begin(&t);
	lay(&t, STR(TEXT1));
	tmpspool_load(&t, QUEUE_NEW, &f);
	f.env.route = STR("elsewhere");
	ck_assert_int_eq(queue_rewrite(t.q, &f, NEXT), 0);
	memcpy(path, tmpspool_path(&t, "new", t.env.id), 256);
	left(&t, QUEUE_NEW, path);
	tmpspool_load(&t, QUEUE_NEW, &f);
	ck_str(f.env.route, STR("elsewhere"));
	queue_unload(&f);
	ck_assert_int_eq(queue_remove(t.q, QUEUE_NEW, t.env.id), 0);
	tmpspool_end(&t);
}
END_TEST

/* A spool of an older version, for whoever only looks. */
START_TEST(older)
{
	struct tmpspool t;
	struct queue *q;
	struct seen s;

	begin(&t);
	for (unsigned i = 0; i < 3; i++) {
		no = i;
		ck_assert_int_eq(unlink(tray_path(&t)), 0);
	}
	ck_assert_int_eq(rmdir(tmpspool_path(&t, "trays", "")), 0);
	q = another(&t);
	ck_assert_int_eq(take(q, &no), -1);
	ck_assert_int_eq(queue_tray_mend(q, put_away, NULL), 0);
	ck_assert_uint_eq(count(q, QUEUE_NEW, &s), 0);
	queue_close(q);
	tmpspool_end(&t);
}
END_TEST

/* What a runner has loaded is not wiped, nor does he who only looks keep it. */
START_TEST(in_use)
{
	struct queue_file f, seen;
	const char *reason;
	struct queue *owner, *looks;
	struct tmpspool t;

	begin(&t);
	lay(&t, STR(TEXT1));
	owner = another(&t);
	looks = another(&t);
	ck_assert_int_eq(queue_lock_runner(owner, 0, false), 0);
	ck_assert_int_eq(queue_load(owner, QUEUE_NEW, t.env.id, true, &t.a, &f,
	    &reason), 0);
	ck_assert_int_eq(queue_remove(t.q, QUEUE_NEW, t.env.id), -1);
	ck_assert_int_eq(errno, EAGAIN);
	check_text(&f, STR(TEXT1));
	ck_assert_int_eq(queue_load(looks, QUEUE_NEW, t.env.id, true, &t.a,
	    &seen, &reason), 0);
	queue_unload(&f);
	ck_assert_int_eq(queue_remove(owner, QUEUE_NEW, t.env.id), 0);
	queue_unload(&seen);
	queue_close(owner);
	queue_close(looks);
	tmpspool_end(&t);
}
END_TEST

/* Who reads by the number of a descriptor goes on with the file. */
START_TEST(read_on)
{
	struct queue_file f;
	struct tmpspool t;
	int number;

	begin(&t);
	lay(&t, STR(TEXT1));
	tmpspool_load(&t, QUEUE_NEW, &f);
	number = f.fd;
	ck_assert_int_eq(queue_defer(t.q, &f, NEXT), 0);
	ck_assert_int_eq(f.fd, number);
	check_text(&f, STR(TEXT1));
	queue_unload(&f);
	tmpspool_end(&t);
}
END_TEST

/* A file as well, for whoever died before he had wiped the tray: the file counts. */
START_TEST(in_both)
{
	static char octets_of[65536];
	struct queue *owner;
	struct queue_file f;
	struct tmpspool t;
	struct seen s;
	int fd;

	begin(&t);
	lay(&t, STR(TEXT1));
	fd = open(tray_path(&t), O_RDWR);
	ck_assert_int_eq(pread(fd, octets_of, sizeof(octets_of), 0), 65536);
	tmpspool_load(&t, QUEUE_NEW, &f);
	ck_assert_int_eq(queue_mark(&f, 0, RCPT_DONE), 0);
	ck_assert_int_eq(queue_defer(t.q, &f, NEXT), 0);
	queue_unload(&f);
	ck_assert_int_eq(pwrite(fd, octets_of, sizeof(octets_of), 0), 65536);
	/* Who only looks leaves it. */
	ck_assert_uint_eq(count(t.q, QUEUE_NEW, &s), 0);
	ck_assert_int_eq(pread(fd, octets_of, 1, 0), 1);
	ck_assert_int_eq(octets_of[0], 'b');
	owner = another(&t);
	ck_assert_int_eq(queue_lock_runner(owner, 0, false), 0);
	ck_assert_uint_eq(count(owner, QUEUE_NEW, &s), 0);
	ck_assert_int_eq(pread(fd, octets_of, 1, 0), 1);
	ck_assert_int_eq(octets_of[0], '\0');
	tmpspool_load(&t, QUEUE_CUR, &f);
	ck_assert_int_eq(f.env.rcpts[0].state, RCPT_DONE);
	queue_unload(&f);
	queue_close(owner);
	close(fd);
	tmpspool_end(&t);
}
END_TEST

/* Of the same id, and another message: neither is forgotten for the other. */
START_TEST(not_the_same)
{
	struct queue *owner;
	struct tmpspool t;
	struct seen s;
	FILE *other;

	begin(&t);
	lay(&t, STR(TEXT1));
	other = fopen(tmpspool_path(&t, "hold", t.env.id), "w");
	fprintf(other, "barid-1 env=0000100 sum=00000000 size=000000000000 "
	    "crc=00000000\nid: %s\n\n", t.env.id);
	fclose(other);
	owner = another(&t);
	ck_assert_int_eq(queue_lock_runner(owner, 0, false), 0);
	ck_assert_uint_eq(count(owner, QUEUE_NEW, &s), 1);
	ck_assert_str_eq(s.id, t.env.id);
	queue_close(owner);
	tmpspool_end(&t);
}
END_TEST

/* Somebody has it loaded when it leaves: it is wiped later, and before the file is gone. */
START_TEST(owed)
{
	struct queue_file f, seen;
	const char *reason;
	struct queue *owner;
	struct tmpspool t;
	struct seen s;

	begin(&t);
	lay(&t, STR(TEXT1));
	owner = another(&t);
	ck_assert_int_eq(queue_lock_runner(owner, 0, false), 0);
	ck_assert_int_eq(queue_load(owner, QUEUE_NEW, t.env.id, true, &t.a,
	    &seen, &reason), 0);
	tmpspool_load(&t, QUEUE_NEW, &f);
	ck_assert_int_eq(queue_defer(t.q, &f, NEXT), 0);
	queue_unload(&f);
	check_text(&seen, STR(TEXT1));
	ck_assert_int_eq(queue_remove(t.q, QUEUE_CUR, t.env.id), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_uint_eq(count(t.q, QUEUE_CUR, &s), 1);
	ck_assert_uint_eq(count(t.q, QUEUE_NEW, &s), 0);
	queue_unload(&seen);
	ck_assert_int_eq(queue_remove(t.q, QUEUE_CUR, t.env.id), 0);
	left_empty(&t);
	queue_close(owner);
	tmpspool_end(&t);
}
END_TEST

/* Fewer are used from now on: what is in the others is not forgotten. */
START_TEST(fewer)
{
	struct tmpspool t;
	struct queue *q;
	struct seen s;

	begin(&t);
	lay(&t, STR(TEXT1));
	setenv("QUEUE_TRAYS", "0", 1);
	q = another(&t);
	ck_assert_int_eq(take(q, &no), -1);
	ck_assert_uint_eq(count(q, QUEUE_NEW, &s), 1);
	ck_assert_int_eq(queue_remove(q, QUEUE_NEW, s.id), 0);
	queue_close(q);
	tmpspool_end(&t);
}
END_TEST

UNIT_MAIN("queue/tray", again_and_again, wiped, no_room, one_each, deferred,
    moved, rewritten, in_use, read_on, in_both, not_the_same, owed, fewer,
    older)
