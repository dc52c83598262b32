/* SPDX-License-Identifier: GPL-3.0-or-later */

/* place -- moving, removing and scheduling messages. */

#include "tmpspool.h"

static void
file_of(const struct tmpspool *t, enum queue_place place, char *path)
{
	static const char *const names[] = { "new", "cur/XX", "hold", "dead",
		"drop", "bad" };
	char dir[8];

	memcpy(dir, names[place], strlen(names[place]) + 1);
	if (place == QUEUE_CUR)
		memcpy(dir + 4, t->env.id + 11, 2);
	memcpy(path, tmpspool_path(t, dir, t->env.id), 256);
}

START_TEST(everywhere)
{
	static const enum queue_place ways[] = { QUEUE_HOLD, QUEUE_CUR,
		QUEUE_DEAD, QUEUE_NEW, QUEUE_BAD, QUEUE_HOLD, QUEUE_HOLD,
		QUEUE_NEW, QUEUE_CUR, QUEUE_BAD };
	enum queue_place at = QUEUE_NEW;
	struct queue_file f;
	struct tmpspool t;
	char path[256];

	tmpspool_begin(&t);
	tmpspool_put(&t, STR(TEXT1), false);
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		ck_assert_int_eq(queue_move(t.q, at, t.env.id, ways[i]), 0);
		at = ways[i];
		tmpspool_load(&t, at, &f);
		queue_unload(&f);
		ck_assert_int_eq(queue_set_next(t.q, at, t.env.id,
		    (int64_t)i + 5000000000), 0);
		tmpspool_load(&t, at, &f);
		ck_assert_int_eq(f.next, (int64_t)i + 5000000000);
		queue_unload(&f);
		file_of(&t, at, path);
		ck_assert_int_eq(access(path, F_OK), 0);
	}
	ck_assert_int_eq(queue_remove(t.q, at, t.env.id), 0);
	ck_assert_int_eq(queue_sync_removals(t.q), 0);
	ck_assert_int_eq(queue_remove(t.q, at, t.env.id), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(queue_move(t.q, at, t.env.id, QUEUE_NEW), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(queue_set_next(t.q, at, t.env.id, 1), -1);
	ck_assert_int_eq(queue_move(t.q, at, t.env.id, QUEUE_CUR), -1);
	ck_assert_int_eq(errno, ENOENT);
	tmpspool_end(&t);
}
END_TEST

START_TEST(no_move_over_another)
{
	struct tmpspool t;

	tmpspool_begin(&t);
	tmpspool_put(&t, STR(TEXT1), false);
	tmpspool_file(tmpspool_path(&t, "hold", t.env.id), STR("x"));
	ck_assert_int_eq(queue_move(t.q, QUEUE_NEW, t.env.id, QUEUE_HOLD), -1);
	ck_assert_int_eq(errno, EEXIST);
	ck_assert(tmpspool_has(&t, "new", t.env.id));
	tmpspool_end(&t);
}
END_TEST

START_TEST(what_is_no_file_moves_too)
{
	struct tmpspool t;

	tmpspool_begin(&t);
	tmpspool_env(&t);
	ck_assert_int_eq(symlink("/etc/passwd",
	    tmpspool_path(&t, "new", t.env.id)), 0);
	ck_assert_int_eq(queue_move(t.q, QUEUE_NEW, t.env.id, QUEUE_BAD), 0);
	ck_assert_int_eq(unlink(tmpspool_path(&t, "bad", t.env.id)), 0);
	ck_assert_int_eq(mkfifo(tmpspool_path(&t, "new", t.env.id), 0600), 0);
	ck_assert_int_eq(queue_move(t.q, QUEUE_NEW, t.env.id, QUEUE_BAD), 0);
	tmpspool_end(&t);
}
END_TEST

START_TEST(bad_ids)
{
	static const char *const ids[] = { "", "..", "../../../etc/passwd",
		"0651F0C3D2A1BF0004/", "0651f0c3d2a1bf00042" };
	struct tmpspool t;

	tmpspool_begin(&t);
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		ck_assert_int_eq(queue_remove(t.q, QUEUE_NEW, ids[i]), -1);
		ck_assert_int_eq(errno, ENOENT);
		ck_assert_int_eq(queue_move(t.q, QUEUE_CUR, ids[i],
		    QUEUE_DEAD), -1);
		ck_assert_int_eq(queue_set_next(t.q, QUEUE_CUR, ids[i], 1),
		    -1);
	}
	tmpspool_end(&t);
}
END_TEST

UNIT_MAIN("queue/place", everywhere, no_move_over_another,
    what_is_no_file_moves_too, bad_ids)
