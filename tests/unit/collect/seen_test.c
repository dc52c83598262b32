/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What is remembered of mailboxes elsewhere. */

#include "collect/seen.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.h"
#include "unit.h"

#define ONE "11111111111111111111111111111111"
#define TWO "22222222222222222222222222222222"
#define TREE "33333333333333333333333333333333"
#define DAY 86400

static char path[SCRATCH_SIZE];
static int dir;

static void
setup(void)
{
	scratch_begin(path);
	dir = scratch_open(path);
}

static void
teardown(void)
{
	unlinkat(dir, SEEN_FILE, 0);
	close(dir);
	ck_assert_int_eq(rmdir(path), 0);
}

static void
put(const char *text)
{
	int fd = openat(dir, SEEN_FILE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static const char *
text(void)
{
	static char b[1000];
	int fd = openat(dir, SEEN_FILE, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, b, sizeof(b) - 1);

	ck_assert_int_ge(n, 0);
	b[n] = '\0';
	close(fd);
	return b;
}

START_TEST(remembers)
{
	struct seen *s;

	setup();
	s = seen_open(dir);
	ck_assert_ptr_null(seen_find(s, ONE));
	ck_assert_int_eq(seen_add(s, ONE, SEEN_TAKEN, 1000), 0);
	ck_assert_int_eq(seen_add(s, TWO, SEEN_REFUSED, 2000), 0);
	/* A later word counts. */
	ck_assert_int_eq(seen_add(s, TWO, SEEN_TAKEN, 3000), 0);
	seen_close(s);
	s = seen_open(dir);
	ck_assert_uint_eq(seen_count(s), 2);
	ck_assert_int_eq(seen_find(s, ONE)->since, 1000);
	ck_assert_int_eq(seen_find(s, TWO)->kind, SEEN_TAKEN);
	ck_assert_int_eq(seen_find(s, TWO)->since, 3000);
	seen_close(s);
	teardown();
}
END_TEST

/* A crash, or somebody with an editor: what is no line does not count, and the next one is whole. */
START_TEST(torn)
{
	struct seen *s;

	setup();
	put(ONE " T 1000 0\nnonsense\n" TWO " X 1 0\n1234 T 1 0\n" TWO " T -1 0\n" TREE " T 30");
	s = seen_open(dir);
	ck_assert_uint_eq(seen_count(s), 1);
	ck_assert_int_eq(seen_add(s, TWO, SEEN_TAKEN, 5), 0);
	seen_close(s);
	s = seen_open(dir);
	ck_assert_uint_eq(seen_count(s), 2);
	ck_assert_ptr_null(seen_find(s, TREE));
	seen_find(s, ONE)->listed = seen_find(s, TWO)->listed = true;
	ck_assert_int_eq(seen_settle(s, 6), 0);
	seen_close(s);
	ck_assert_uint_eq(strlen(text()), strlen(ONE " T 1000 0\n" TWO " T 5 0\n"));
	teardown();
}
END_TEST

START_TEST(forgets)
{
	struct seen *s;

	setup();
	put(ONE " T 1000 0\n" TWO " T 1000 0\n" TREE " T 1000 0\n");
	s = seen_open(dir);
	seen_find(s, ONE)->listed = true;
	seen_forget(s, TREE);
	ck_assert_int_eq(seen_settle(s, DAY), 0);
	seen_close(s);
	ck_assert(strstr(text(), TWO " T 1000 86400\n") != NULL && strstr(text(), TREE) == NULL);

	/* Not listed yet, and listed again. */
	s = seen_open(dir);
	seen_find(s, ONE)->listed = true;
	ck_assert_int_eq(seen_settle(s, DAY + SEEN_FORGET - 1), 0);
	ck_assert_ptr_nonnull(seen_find(s, TWO));
	seen_close(s);
	s = seen_open(dir);
	seen_find(s, TWO)->listed = seen_find(s, ONE)->listed = true;
	ck_assert_int_eq(seen_settle(s, DAY + SEEN_FORGET), 0);
	seen_close(s);
	ck_assert(strstr(text(), TWO " T 1000 0\n") != NULL);

	put(TWO " T 1000 86400\n");
	s = seen_open(dir);
	ck_assert_int_eq(seen_settle(s, 10), 0);
	ck_assert_ptr_nonnull(seen_find(s, TWO));
	ck_assert_int_eq(seen_settle(s, DAY + SEEN_FORGET), 0);
	ck_assert_ptr_null(seen_find(s, TWO));
	/* The new file is the one that is added to. */
	ck_assert_int_eq(seen_add(s, ONE, SEEN_TAKEN, 7), 0);
	seen_close(s);
	ck_assert_str_eq(text(), ONE " T 7 0\n");
	teardown();
}
END_TEST

START_TEST(marks)
{
	char a[SEEN_MARK_LEN + 1], b[SEEN_MARK_LEN + 1];

	ck_assert(seen_mark("uidl", "ab", "c", STR("x"), a));
	ck_assert_uint_eq(strlen(a), SEEN_MARK_LEN);
	ck_assert(seen_mark("uidl", "ab", "c", STR("x"), b));
	ck_assert_str_eq(a, b);
	ck_assert(seen_mark("uidl", "a", "bc", STR("x"), b));
	ck_assert_str_ne(a, b);
	ck_assert(seen_mark("text", "ab", "c", STR("x"), b));
	ck_assert_str_ne(a, b);
}
END_TEST

START_TEST(not_there)
{
	setup();
	close(dir);
	ck_assert_ptr_null(seen_open(dir));
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(mkdirat(dir, SEEN_FILE, 0700), 0);
	ck_assert_ptr_null(seen_open(dir));
	ck_assert_int_eq(unlinkat(dir, SEEN_FILE, AT_REMOVEDIR), 0);
	teardown();
	seen_close(NULL);
}
END_TEST

UNIT_MAIN("collect/seen", remembers, torn, forgets, marks, not_there)
