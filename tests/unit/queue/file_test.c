/* SPDX-License-Identifier: GPL-3.0-or-later */

/* file -- loading, marking, deferring; and files that are none. */

#include "tmpspool.h"

static int
load(struct tmpspool *t, enum queue_place place, bool verify,
    struct queue_file *f, const char **reason)
{
	return queue_load(t->q, place, t->env.id, verify, &t->a, f, reason);
}

START_TEST(what_was_written_is_read)
{
	struct queue_file f;
	struct tmpspool t;

	tmpspool_begin(&t);
	tmpspool_put(&t, STR(TEXT1), false);
	tmpspool_load(&t, QUEUE_NEW, &f);
	ck_assert_str_eq(f.env.id, t.env.id);
	ck_assert_uint_eq(f.env.rcpt_n, 3);
	ck_str(f.env.client, t.env.client);
	ck_str(f.env.rcpts[2].path.local, STR("cyd"));
	ck_assert_uint_eq(f.size, sizeof(TEXT1) - 1);
	ck_assert(!f.changed && !f.torn);
	ck_assert_int_ge(f.next, clock_wall() - 60);
	queue_unload(&f);
	queue_unload(&f);
	tmpspool_end(&t);
}
END_TEST

START_TEST(marks_last)
{
	struct queue_file f;
	struct tmpspool t;

	tmpspool_begin(&t);
	tmpspool_put(&t, STR(TEXT1), false);
	tmpspool_load(&t, QUEUE_NEW, &f);
	ck_assert_int_eq(queue_mark(&f, 0, RCPT_QUEUED), 0);
	ck_assert(!f.changed);
	ck_assert_int_eq(queue_mark(&f, 0, RCPT_DONE), 0);
	ck_assert_int_eq(queue_mark(&f, 2, RCPT_FAILED), 0);
	ck_assert_int_eq(queue_note_delay(&f, 1), 0);
	ck_assert(f.changed);
	ck_assert_int_eq(queue_sync(&f), 0);
	ck_assert(!f.changed);
	ck_assert_int_eq(queue_sync(&f), 0);
	queue_unload(&f);
	tmpspool_load(&t, QUEUE_NEW, &f);
	ck_assert_int_eq(f.env.rcpts[0].state, RCPT_DONE);
	ck_assert_int_eq(f.env.rcpts[1].state, RCPT_QUEUED);
	ck_assert_int_eq(f.env.rcpts[2].state, RCPT_FAILED);
	ck_assert_uint_eq(f.env.delays, 1);
	ck_assert_int_eq(queue_note_delay(&f, 1000), 0);
	queue_unload(&f);
	tmpspool_load(&t, QUEUE_NEW, &f);
	ck_assert_uint_eq(f.env.delays, 99);
	queue_unload(&f);
	tmpspool_end(&t);
}
END_TEST

START_TEST(defer_moves_to_cur)
{
	const char *reason;
	struct queue_file f;
	struct tmpspool t;
	char shard[8] = "cur/";

	tmpspool_begin(&t);
	tmpspool_put(&t, STR(TEXT1), false);
	tmpspool_load(&t, QUEUE_NEW, &f);
	ck_assert_int_eq(queue_mark(&f, 1, RCPT_DONE), 0);
	ck_assert_int_eq(queue_defer(t.q, &f, 4000000000), 0);
	ck_assert_int_eq(f.place, QUEUE_CUR);
	ck_assert_int_eq(f.next, 4000000000);
	ck_assert(!f.changed);
	ck_assert_int_eq(queue_defer(t.q, &f, 4000000001), 0);
	queue_unload(&f);
	memcpy(shard + 4, t.env.id + 11, 3);
	shard[6] = '\0';
	ck_assert(tmpspool_has(&t, shard, t.env.id));
	ck_assert(!tmpspool_has(&t, "new", t.env.id));
	tmpspool_load(&t, QUEUE_CUR, &f);
	ck_assert_int_eq(f.next, 4000000001);
	ck_assert_int_eq(f.env.rcpts[1].state, RCPT_DONE);
	/* It went away under us. */
	ck_assert_int_eq(queue_remove(t.q, QUEUE_CUR, t.env.id), 0);
	f.place = QUEUE_NEW;
	ck_assert_int_eq(queue_defer(t.q, &f, 1), -1);
	ck_assert_int_eq(errno, ENOENT);
	queue_unload(&f);
	ck_assert_int_eq(load(&t, QUEUE_CUR, false, &f, &reason), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_ptr_null(reason);
	tmpspool_end(&t);
}
END_TEST

START_TEST(cut_at_each_byte)
{
	const char *reason;
	struct queue_file f;
	struct tmpspool t;
	struct buf b;

	tmpspool_begin_with(&t, "new", &b);
	for (size_t n = 0; n < b.n; n++) {
		ck_assert_int_eq(truncate(tmpspool_path(&t, "new", t.env.id),
		    (off_t)n), 0);
		tmpspool_write(&t, "new", str_n(b.p, n));
		ck_assert_int_eq(load(&t, QUEUE_NEW, false, &f, &reason), -1);
		ck_assert_int_eq(errno, EBADMSG);
		ck_assert_ptr_nonnull(reason);
		ck_assert_int_eq(f.fd, -1);
	}
	buf_free(&b);
	tmpspool_end(&t);
}
END_TEST

START_TEST(flipped_text)
{
	const char *reason;
	struct queue_file f;
	struct tmpspool t;
	struct buf b;

	tmpspool_begin_with(&t, "new", &b);
	/* Size, checksum, and all of the text. */
	for (size_t i = 38; i < b.n; i++) {
		if (i == 64)
			i = b.n - (sizeof(TEXT1) - 1);
		b.p[i] ^= 1;
		tmpspool_write(&t, "new", buf_str(&b));
		b.p[i] ^= 1;
		ck_assert_msg(load(&t, QUEUE_NEW, true, &f, &reason) == -1,
		    "octet %zu", i);
		ck_assert_int_eq(errno, EBADMSG);
		ck_assert_ptr_nonnull(reason);
	}
	tmpspool_write(&t, "new", buf_str(&b));
	tmpspool_load(&t, QUEUE_NEW, &f);
	queue_unload(&f);
	buf_free(&b);
	tmpspool_end(&t);
}
END_TEST

/* Its writer could not make it durable: it is none, but its name is there. */
START_TEST(taken_back)
{
	const char *reason;
	struct queue_file f;
	struct tmpspool t;
	struct buf b;
	char *crc;

	tmpspool_begin_with(&t, "new", &b);
	crc = tmpspool_crc(&b);
	*crc = '.';
	tmpspool_write(&t, "new", buf_str(&b));
	for (int verify = 0; verify < 2; verify++) {
		errno = 0;
		ck_assert_int_eq(load(&t, QUEUE_NEW, verify, &f, &reason), -1);
		ck_assert_int_eq(errno, ENOENT);
		ck_assert_ptr_nonnull(reason);
		ck_assert_int_eq(f.fd, -1);
	}
	/* Any other octet there is damage. */
	*crc = '-';
	tmpspool_write(&t, "new", buf_str(&b));
	ck_assert_int_eq(load(&t, QUEUE_NEW, false, &f, &reason), -1);
	ck_assert_int_eq(errno, EBADMSG);
	ck_assert_int_eq(queue_remove(t.q, QUEUE_NEW, t.env.id), 0);
	ck_assert_int_eq(load(&t, QUEUE_NEW, false, &f, &reason), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_ptr_null(reason);
	buf_free(&b);
	tmpspool_end(&t);
}
END_TEST

/* S-52, S-53: what is no file is neither opened for long nor followed. */
START_TEST(no_plain_file)
{
	const char *reason, *path;
	struct queue_file f;
	struct tmpspool t;

	tmpspool_begin(&t);
	tmpspool_put(&t, STR(TEXT1), false);
	path = tmpspool_path(&t, "new", t.env.id);
	ck_assert_int_eq(unlink(path), 0);
	for (int kind = 0; kind < 3; kind++) {
		if (kind == 0)
			ck_assert_int_eq(symlink("/dev/zero", path), 0);
		else if (kind == 1)
			ck_assert_int_eq(mkfifo(path, 0600), 0);
		else
			ck_assert_int_eq(mkdir(path, 0700), 0);
		ck_assert_int_eq(load(&t, QUEUE_NEW, true, &f, &reason), -1);
		ck_assert_int_eq(errno, EBADMSG);
		ck_assert_str_eq(reason, "it is not a plain file");
		ck_assert_int_eq(remove(path), 0);
	}
	ck_assert_int_eq(load(&t, QUEUE_NEW, true, &f, &reason), -1);
	ck_assert_int_eq(errno, ENOENT);
	memcpy(t.env.id, "../../etc/passwd", 17);
	ck_assert_int_eq(load(&t, QUEUE_NEW, true, &f, &reason), -1);
	ck_assert_int_eq(errno, ENOENT);
	tmpspool_end(&t);
}
END_TEST

START_TEST(name_is_not_the_id)
{
	const char *reason;
	struct queue_file f;
	struct tmpspool t;
	char old[256];

	tmpspool_begin(&t);
	tmpspool_put(&t, STR(TEXT1), false);
	memcpy(old, tmpspool_path(&t, "new", t.env.id), sizeof(old));
	t.env.id[18] = t.env.id[18] == '0' ? '1' : '0';
	ck_assert(queue_id_valid(str_c(t.env.id)));
	ck_assert_int_eq(rename(old, tmpspool_path(&t, "new", t.env.id)), 0);
	ck_assert_int_eq(load(&t, QUEUE_NEW, false, &f, &reason), -1);
	ck_assert_str_eq(reason, "its name is not its id");
	tmpspool_end(&t);
}
END_TEST

UNIT_MAIN("queue/file", what_was_written_is_read, marks_last,
    defer_moves_to_cur, cut_at_each_byte, flipped_text, no_plain_file, taken_back,
    name_is_not_the_id)
