/* SPDX-License-Identifier: GPL-3.0-or-later */

/* uidl -- unique ids: unique, the same for ever, and never used again. */

#include "tmpbox.h"

#include <sys/stat.h>
#include <time.h>

enum { MANY = 12, UIDL = 80 };

struct ids {
	char of[MANY][UIDL];
	char name[MANY][256];
	size_t n;
};

/* What a session sees of bob's mailbox. */
static struct ids
look(const struct tmpbox *t)
{
	struct ids ids = { .n = 0 };
	struct maildir m;
	struct buf b;

	buf_init(&b, 1000);
	ck_assert_int_eq(maildir_open(&m, t->base, "bob"), 0);
	ck_assert_uint_le(m.n, MANY);
	for (size_t i = 0; i < m.n; i++) {
		buf_reset(&b);
		maildir_uidl(&m, i, &b);
		ck_assert(b.n >= 1 && b.n <= 70);
		for (size_t k = 0; k < b.n; k++)
			ck_assert(b.p[k] >= 0x21 && b.p[k] <= 0x7e);
		for (size_t k = 0; k < i; k++)
			ck_assert_str_ne(ids.of[k], buf_cstr(&b));
		memcpy(ids.of[i], buf_cstr(&b), b.n + 1);
		snprintf(ids.name[i], sizeof(ids.name[i]), "%s/%s",
		    m.v[i].in_new ? "bob/new" : "bob/cur", m.v[i].name);
	}
	ids.n = m.n;
	maildir_close(&m);
	buf_free(&b);
	return ids;
}

static bool
has(const struct ids *ids, const char *uidl)
{
	for (size_t i = 0; i < ids->n; i++)
		if (strcmp(ids->of[i], uidl) == 0)
			return true;
	return false;
}

/* The one that FIRST did not have. */
static const char *
new_one(const struct ids *ids, const struct ids *first)
{
	for (size_t i = 0; i < ids->n; i++)
		if (!has(first, ids->of[i]))
			return ids->of[i];
	ck_abort_msg("there is no new one");
}

static void
rm(const struct tmpbox *t, const struct ids *ids, const char *uidl)
{
	for (size_t i = 0; i < ids->n; i++)
		if (strcmp(ids->of[i], uidl) == 0)
			ck_assert_int_eq(unlink(tmpbox_path(t, ids->name[i])), 0);
}

/* Makes a file that is younger than all: a file system's clock has ticks. */
static void
put(const struct tmpbox *t, const char *name)
{
	struct statx st = { 0 };
	uint64_t first = 0, now;

	do {
		tmpbox_file(t, "tick", STR("x"));
		ck_assert_int_eq(statx(t->base, "tick", 0,
		    STATX_BTIME | STATX_MTIME, &st), 0);
		if ((st.stx_mask & STATX_BTIME) == 0)
			st.stx_btime = st.stx_mtime;
		now = (uint64_t)st.stx_btime.tv_sec * 1000000000 +
		    st.stx_btime.tv_nsec;
		first = first == 0 ? now : first;
		ck_assert_int_eq(unlink(tmpbox_path(t, "tick")), 0);
	} while (now == first);
	tmpbox_file(t, name, STR("x"));
}

static void
move(const struct tmpbox *t, const char *from, const char *to)
{
	char path[512];

	memcpy(path, tmpbox_path(t, from), sizeof(path));
	ck_assert_int_eq(rename(path, tmpbox_path(t, to)), 0);
}

#define LONG_NAME \
	"bob/cur/8.012345678901234567890123456789012345678901234567890123456" \
	"78901234567890"

/* A name alone in its base: flags and the place do not count. */
START_TEST(names)
{
	struct ids first, then;
	struct tmpbox t;

	tmpbox_begin(&t);
	tmpbox_make(&t, "bob");
	put(&t, "bob/new/5.a,S=1");
	put(&t, "bob/cur/6.sp ace");
	put(&t, "bob/cur/7.\xc3\xa9");
	put(&t, LONG_NAME);
	put(&t, "bob/cur/:2,S");
	first = look(&t);
	ck_assert_uint_eq(first.n, 5);
	ck_assert(has(&first, "5.a"));
	move(&t, "bob/new/5.a,S=1", "bob/cur/5.a,S=1:2,RS");
	move(&t, "bob/cur/6.sp ace", "bob/new/6.sp ace");
	move(&t, "bob/cur/:2,S", "bob/cur/:2,");
	then = look(&t);
	for (size_t i = 0; i < first.n; i++)
		ck_assert_str_eq(first.of[i], then.of[i]);
	/* As they were given to clients before. */
	ck_assert(has(&first, "2a5e7e05a460235bb2ee534428695c06"));
	ck_assert(has(&first, "8d456e4d988ba88ff953bbb514fb2caa"));
	tmpbox_end(&t);
}
END_TEST

/* Whatever comes and goes, each message keeps what it had when first seen. */
START_TEST(twins)
{
	static const struct {
		const char *first, *second;
	} pairs[] = {
		{ "bob/new/9.x,S=1", "bob/new/9.x,S=2" },
		{ "bob/new/9.x,S=2", "bob/new/9.x,S=1" },
		{ "bob/new/9.x", "bob/cur/9.x:2,S" },
		{ "bob/cur/9.x:2,S", "bob/new/9.x" },
		{ "bob/cur/9.x:2,", "bob/cur/9.x:2,S" },
		{ "bob/cur/9.x:2,S", "bob/cur/9.x:2," },
		{ "bob/cur/x,S=2:2,S", "bob/new/x" },
	};

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		char lone[UIDL], second[UIDL], third[UIDL];
		struct ids one, two, again;
		struct tmpbox t;

		tmpbox_begin(&t);
		tmpbox_make(&t, "bob");
		put(&t, pairs[i].first);
		one = look(&t);
		memcpy(lone, one.of[0], UIDL);
		put(&t, pairs[i].second);
		two = look(&t);
		ck_assert_uint_eq(two.n, 2);
		ck_assert_msg(has(&two, lone), "%s", pairs[i].second);
		memcpy(second, new_one(&two, &one), UIDL);
		again = look(&t);
		ck_assert(has(&again, lone) && has(&again, second));
		/* The first goes: the second does not become it. */
		rm(&t, &again, lone);
		again = look(&t);
		ck_assert_uint_eq(again.n, 1);
		ck_assert_str_eq(again.of[0], second);
		/* It is flagged, and one of its old name comes again. */
		move(&t, again.name[0], "bob/cur/tmp");
		move(&t, "bob/cur/tmp", again.name[0]);
		put(&t, pairs[i].first);
		put(&t, pairs[i].second);
		again = look(&t);
		ck_assert_uint_eq(again.n, 3);
		ck_assert(has(&again, second));
		/* An id of its own goes with its message. */
		rm(&t, &again, second);
		again = look(&t);
		memcpy(third, new_one(&again, &two), UIDL);
		ck_assert(!has(&again, second));
		again = look(&t);
		ck_assert(has(&again, third) && !has(&again, second));
		tmpbox_end(&t);
	}
}
END_TEST

#define NUMBERED ",S=0123456789012345678901234567890123456789012345678901234567"
#define TOO_LONG NUMBERED NUMBERED NUMBERED NUMBERED

/* No room for a longer name: it has its id nevertheless. */
START_TEST(not_renamed)
{
	struct ids first, then;
	struct maildir m;
	struct tmpbox t;

	tmpbox_begin(&t);
	tmpbox_make(&t, "bob");
	put(&t, "bob/new/9.x" TOO_LONG);
	put(&t, "bob/cur/9.x" TOO_LONG ":2,S");
	put(&t, "bob/cur/9.x:2,");
	first = look(&t);
	ck_assert_uint_eq(first.n, 3);
	ck_assert(has(&first, "9.x"));
	then = look(&t);
	for (size_t i = 0; i < first.n; i++)
		ck_assert(has(&then, first.of[i]));
	/* One moves while a session has it: it is not taken for another. */
	ck_assert_int_eq(maildir_open(&m, t.base, "bob"), 0);
	for (size_t i = 0; i < m.n; i++)
		m.v[i].deleted = m.v[i].in_new;
	move(&t, "bob/new/9.x" TOO_LONG, "bob/cur/9.x" TOO_LONG ":2,R");
	ck_assert_uint_eq(maildir_expunge(&m), 0);
	maildir_close(&m);
	then = look(&t);
	ck_assert_uint_eq(then.n, 2);
	for (size_t i = 0; i < then.n; i++)
		ck_assert(has(&first, then.of[i]));
	tmpbox_end(&t);
}
END_TEST

/* Links to one file, and many of one base. */
START_TEST(links)
{
	char path[512];
	struct ids first, then;
	struct tmpbox t;

	tmpbox_begin(&t);
	tmpbox_make(&t, "bob");
	put(&t, "bob/new/9.x");
	for (int i = 0; i < 3; i++) {
		char name[64];

		memcpy(path, tmpbox_path(&t, "bob/new/9.x"), sizeof(path));
		snprintf(name, sizeof(name), "bob/cur/9.x:2,%c", 'R' + i);
		ck_assert_int_eq(link(path, tmpbox_path(&t, name)), 0);
		snprintf(name, sizeof(name), "bob/cur/9.x,S=%d", i);
		put(&t, name);
	}
	first = look(&t);
	ck_assert_uint_eq(first.n, 7);
	ck_assert(has(&first, "9.x"));
	then = look(&t);
	ck_assert_uint_eq(then.n, 7);
	for (size_t i = 0; i < first.n; i++)
		ck_assert(has(&then, first.of[i]));
	tmpbox_end(&t);
}
END_TEST

UNIT_MAIN("mailbox/uidl", names, twins, not_renamed, links)
