/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What is counted for reports, and what of it outlives its process. */

#include "check/dmarc_tally.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "scratch.h"
#include "unit.h"

static char path[SCRATCH_SIZE];
static int dir;
static char names[8][DMARC_TALLY_NAME];
static size_t name_n;

static void
setup(void)
{
	scratch_begin(path);
	dir = scratch_open(path);
}

static void
teardown(void)
{
	close(dir);
	scratch_end(path);
}

static void
on_name(void *arg, const char *name)
{
	(void)arg;
	ck_assert_uint_lt(name_n, ARRAY_LEN(names));
	strcpy(names[name_n++], name);
}

static size_t
list(void)
{
	name_n = 0;
	ck_assert_int_eq(dmarc_tally_list(dir, on_name, NULL), 0);
	return name_n;
}

static struct dmarc_tally *
opened(int64_t day, size_t rows)
{
	struct dmarc_tally *t = dmarc_tally_open(dir, day, rows, true);

	ck_assert_msg(t != NULL, "%s", strerror(errno));
	ck_assert_int_eq(dmarc_tally_day(t), day);
	return t;
}

static void
add(struct dmarc_tally *t, const char *line)
{
	ck_assert_int_eq(dmarc_tally_add(t, str_c(line)), 0);
}

/* What NAME has, as "LINE=COUNT;". */
static const char *
content(const char *name)
{
	static char text[4096];
	struct dmarc_day d;
	struct buf b;

	ck_assert_int_eq(dmarc_day_read(dir, name, &d), 0);
	buf_init_in(&b, text, sizeof(text));
	for (size_t i = 0; i < d.kind_n; i++)
		buf_addf(&b, STR_FMT "=%llu;", STR_ARG(d.kinds[i].line),
		    (unsigned long long)d.kinds[i].count);
	if (d.lost > 0)
		buf_addf(&b, "lost %llu", (unsigned long long)d.lost);
	dmarc_day_free(&d);
	return buf_cstr(&b);
}

static void
append(const char *name, const char *text)
{
	int fd = openat(dir, name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* The open file has only N octets. */
static void
cut(off_t n)
{
	int fd = openat(dir, DMARC_TALLY_OPEN, O_WRONLY | O_CLOEXEC);

	ck_assert_int_eq(ftruncate(fd, n), 0);
	close(fd);
}

START_TEST(counts)
{
	struct dmarc_tally *t = opened(20000, 100);

	add(t, "b.test 1");
	add(t, "a.test 2");
	add(t, "b.test 1");
	add(t, "a.test 1");
	ck_assert_str_eq(content(DMARC_TALLY_OPEN), "a.test 1=1;a.test 2=1;b.test 1=2;");
	/* As after a kill: nobody has closed anything. */
	dmarc_tally_close(t);
	t = opened(20000, 100);
	add(t, "b.test 1");
	add(t, "c.test 1");
	ck_assert_str_eq(content(DMARC_TALLY_OPEN),
	    "a.test 1=1;a.test 2=1;b.test 1=3;c.test 1=1;");
	ck_assert_uint_eq(list(), 0);
	dmarc_tally_close(t);
}
END_TEST

START_TEST(days)
{
	struct dmarc_tally *t;
	struct dmarc_day d;

	ck_assert_ptr_null(dmarc_tally_open(dir, 20000, 100, false));
	ck_assert_int_eq(errno, ENOENT);
	t = opened(20000, 100);
	add(t, "a.test 1");
	dmarc_tally_close(t);
	/* Another day ends it; and a clock that is set back begins one more of its day. */
	t = opened(20001, 100);
	ck_assert_uint_eq(list(), 1);
	ck_assert_int_eq(dmarc_tally_ends(names[0]), 20001 * DMARC_DAY_SECONDS);
	ck_assert_str_eq(content(names[0]), "a.test 1=1;");
	add(t, "b.test 1");
	dmarc_tally_close(t);
	t = opened(20000, 100);
	add(t, "c.test 1");
	ck_assert_int_eq(dmarc_tally_end(t), 0);
	ck_assert_uint_eq(list(), 3);
	ck_assert_ptr_null(dmarc_tally_open(dir, 20000, 100, false));
	/* Each has an id of its own. */
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(dmarc_day_read(dir, names[i], &d), 0);
		ck_assert_str_eq(names[i] + 11, d.id);
		ck_assert(i == 0 || strcmp(names[i] + 11, names[i - 1] + 11) != 0);
		dmarc_day_free(&d);
	}
	t = opened(20005, 100);
	dmarc_tally_close(t);
	ck_assert_ptr_null(dmarc_tally_open(dir, 20006, 100, false));
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_uint_eq(list(), 4);
}
END_TEST

/* A domain gets a quarter, and what has no row is counted as the rest. */
START_TEST(bounds)
{
	struct dmarc_tally *t = opened(20000, 8);
	char line[64];
	struct buf b;

	for (int i = 0; i < 5; i++) {
		buf_init_in(&b, line, sizeof(line));
		buf_addf(&b, "a.test %d", i);
		add(t, line);
	}
	add(t, "a.test 0");
	add(t, "b.test 1");
	ck_assert_str_eq(content(DMARC_TALLY_OPEN), "a.test *=3;a.test 0=2;a.test 1=1;b.test 1=1;");
	for (int i = 0; i < 1100; i++) {
		buf_init_in(&b, line, sizeof(line));
		buf_addf(&b, "d%d.test x", i);
		add(t, line);
	}
	dmarc_tally_close(t);
	t = opened(20000, 8);
	add(t, "e.test x");
	add(t, "a.test 7");
	add(t, "d1.test x");
	dmarc_tally_close(t);
	struct dmarc_day d;
	ck_assert_int_eq(dmarc_day_read(dir, DMARC_TALLY_OPEN, &d), 0);
	ck_assert_uint_eq(d.kind_n, 8 + 1000);
	ck_str(d.kinds[0].line, STR("a.test *"));
	ck_assert_uint_eq(d.kinds[0].count, 4);
	/* 1100 domains, of which five have a row and 999 a rest. */
	ck_assert_uint_eq(d.lost, 1100 - 5 - 999 + 1);
	dmarc_day_free(&d);
}
END_TEST

START_TEST(done)
{
	struct dmarc_tally *t = opened(20000, 100);

	add(t, "a.test 1");
	add(t, "b.test 1");
	add(t, "b.test *");
	add(t, "b.test.c 1");
	ck_assert_int_eq(dmarc_tally_end(t), 0);
	ck_assert_uint_eq(list(), 1);
	ck_assert_int_eq(dmarc_day_done(dir, names[0], STR("b.test")), 0);
	ck_assert_str_eq(content(names[0]), "a.test 1=1;b.test.c 1=1;");
	/* What a kill cut short is not done, and hides nothing. */
	append(names[0], "\n+ a.te");
	ck_assert_str_eq(content(names[0]), "a.test 1=1;b.test.c 1=1;");
	ck_assert_int_eq(dmarc_day_done(dir, names[0], STR("a.test")), 0);
	ck_assert_str_eq(content(names[0]), "b.test.c 1=1;");
	ck_assert_int_eq(dmarc_day_done(dir, "0000020000-0123456789abcdef", STR("a")), -1);
}
END_TEST

START_TEST(damaged)
{
	struct dmarc_tally *t = opened(20000, 100);
	struct dmarc_day d;

	add(t, "a.test 1");
	dmarc_tally_close(t);
	/* A line that was being written, and others that are none. */
	append(DMARC_TALLY_OPEN, "x\n\n12\n000000000x a.test 2\n0000000001 a\n0000000007 c.test 2\n00000000");
	t = opened(20000, 100);
	add(t, "a.test 3");
	add(t, "c.test 2");
	ck_assert_str_eq(content(DMARC_TALLY_OPEN), "a.test 1=1;a.test 3=1;c.test 2=8;");
	dmarc_tally_close(t);
	/* Without a first line there is nothing in it. */
	cut(20);
	ck_assert_int_eq(dmarc_day_read(dir, DMARC_TALLY_OPEN, &d), -1);
	ck_assert_int_eq(errno, EBADMSG);
	t = opened(20001, 100);
	ck_assert_uint_eq(list(), 0);
	ck_assert_str_eq(content(DMARC_TALLY_OPEN), "");
	/* It is filled by one process. */
	ck_assert_ptr_null(dmarc_tally_open(dir, 20001, 100, true));
	ck_assert_int_eq(errno, EAGAIN);
	dmarc_tally_close(t);
	/* A link is followed nowhere. */
	ck_assert_int_eq(unlinkat(dir, DMARC_TALLY_OPEN, 0), 0);
	ck_assert_int_eq(symlinkat("/etc/passwd", dir, DMARC_TALLY_OPEN), 0);
	ck_assert_ptr_null(dmarc_tally_open(dir, 20001, 100, true));
	ck_assert_int_eq(errno, ELOOP);
}
END_TEST

int
main(void)
{
	TCase *t = UNIT_CASE("dmarc_tally", counts, days, bounds, done, damaged);

	tcase_add_checked_fixture(t, setup, teardown);
	return unit_run("check/dmarc_tally", t);
}
