/* SPDX-License-Identifier: GPL-3.0-or-later */

/* again -- messages that others rename, write anew and remove while a session has the list. */

#include "mailbox/mailbox.h"

#include "tmpbox.h"

#define MANY 300

static struct tmpbox t;
static struct maildir m;

static const char *
path_of(char path[512], const char *sub, int n, const char *flags)
{
	snprintf(path, 512, "%s/bob/%s/%d.x,S=2%s", t.dir, sub, 100 + n, flags);
	return path;
}

static void
begin(int n)
{
	char path[512];

	tmpbox_begin(&t);
	tmpbox_make(&t, "bob");
	for (int i = 0; i < n; i++)
		tmpbox_file(&t, path_of(path, "new", i, "") + strlen(t.dir) + 1,
		    STR("x\n"));
	ck_assert_int_eq(maildir_open(&m, t.base, "bob"), 0);
	ck_assert_uint_eq(m.n, n);
}

static void
end(void)
{
	maildir_close(&m);
	tmpbox_end(&t);
}

static void
move(int n)
{
	char from[512], to[512];

	ck_assert_int_eq(rename(path_of(from, "new", n, ""),
	    path_of(to, "cur", n, ":2,S")), 0);
}

/* What the first look finds is found for all. */
START_TEST(all_at_once)
{
	struct maildir_entry *e;

	begin(MANY);
	for (int i = 0; i < MANY; i++)
		move(i);
	ck_assert_int_eq(maildir_find_again(&m, &m.v[MANY / 2]), 0);
	for (int i = 0; i < MANY; i++) {
		e = &m.v[i];
		ck_assert(!e->in_new && !e->gone && !e->other);
		ck_assert(str_ends(str_c(e->name), STR(":2,S")));
		ck_assert_int_eq(faccessat(m.cur_dir, e->name, F_OK, 0), 0);
	}
	end();
}
END_TEST

/* One that is gone is so until a directory has changed. */
START_TEST(gone)
{
	char path[512], away[512];

	begin(3);
	snprintf(away, sizeof(away), "%s/away", t.dir);
	ck_assert_int_eq(rename(path_of(path, "new", 1, ""), away), 0);
	ck_assert_int_eq(maildir_find_again(&m, &m.v[1]), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert(m.v[1].gone && !m.v[0].gone && !m.v[2].gone);
	/* As if it were long ago. */
	m.seen = true;
	m.v[1].gone = false;
	ck_assert_int_eq(maildir_find_again(&m, &m.v[1]), 0);
	m.v[1].gone = true;
	ck_assert_int_eq(rename(away, path_of(path, "cur", 1, ":2,")), 0);
	/* A coarse clock has the same time yet. */
	m.cur_time.tv_nsec ^= 1;
	ck_assert_int_eq(maildir_find_again(&m, &m.v[1]), 0);
	ck_assert(!m.v[1].in_new && !m.v[1].gone);
	end();
}
END_TEST

/* A file that was written anew is another one, which is shown, and removed once it was read. */
START_TEST(written_anew)
{
	char path[512];
	struct stat st;
	int fd;

	begin(3);
	for (int i = 0; i < 2; i++) {
		tmpbox_file(&t, path_of(path, "cur", i, ":2,S") + strlen(t.dir) + 1,
		    STR("y\n"));
		ck_assert_int_eq(unlink(path_of(path, "new", i, "")), 0);
		ck_assert_int_eq(maildir_find_again(&m, &m.v[i]), 0);
		ck_assert(m.v[i].other && !m.v[i].in_new && !m.v[2].other);
	}
	ck_assert_int_ge(fd = maildir_read(&m, 1), 0);
	ck_assert(fstat(fd, &st) == 0 && st.st_ino == m.v[1].inode && !m.v[1].other);
	close(fd);
	m.v[0].deleted = m.v[1].deleted = true;
	ck_assert_uint_eq(maildir_expunge(&m), 1);
	ck_assert_int_eq(access(path_of(path, "cur", 0, ":2,S"), F_OK), 0);
	ck_assert_int_ne(access(path_of(path, "cur", 1, ":2,S"), F_OK), 0);
	end();
}
END_TEST

/* What others have removed they have counted: it is taken off once. */
START_TEST(counted_once)
{
	char path[512], text[100] = "";
	FILE *f;

	begin(3);
	tmpbox_file(&t, "bob/maildirsize", STR("1000S\n6 3\n"));
	ck_assert_int_eq(unlink(path_of(path, "new", 0, "")), 0);
	move(1);
	m.v[0].deleted = m.v[1].deleted = true;
	ck_assert_uint_eq(maildir_expunge(&m), 0);
	ck_assert_ptr_nonnull(f = fopen(tmpbox_path(&t, "bob/maildirsize"), "r"));
	ck_assert_uint_gt(fread(text, 1, sizeof(text) - 1, f), 0);
	fclose(f);
	ck_assert_str_eq(text, "1000S\n6 3\n-2 -1\n");
	ck_assert_uint_eq(tmpbox_count(&t, "bob/new", NULL), 1);
	ck_assert_uint_eq(tmpbox_count(&t, "bob/cur", NULL), 0);
	end();
}
END_TEST

UNIT_MAIN("mailbox/again", all_at_once, gone, written_anew, counted_once)
