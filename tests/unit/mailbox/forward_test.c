/* SPDX-License-Identifier: GPL-3.0-or-later */

/* forward -- the file .forward: whose it must be, and what it says (S-52). */

#include "mailbox/forward.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.h"
#include "unit.h"

static char dir[SCRATCH_SIZE];
static char path[120];
static struct buf text;
static const char *why;

static void
begin(void)
{
	scratch_begin(dir);
	(void)snprintf(path, sizeof(path), "%s/" FORWARD_NAME, dir);
	buf_init(&text, FORWARD_MAX);
}

static void
make(const char *what, mode_t mode)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(what, f), 0);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
}

static enum forward_state
look(void)
{
	buf_reset(&text);
	return forward_read(dir, geteuid(), &text, &why);
}

/* It is none, and REASON (NULL: none at all) says why. */
static void
is_none(const char *reason)
{
	ck_assert_int_eq(look(), FORWARD_NONE);
	if (reason == NULL)
		ck_assert_ptr_null(why);
	else
		ck_assert_msg(why != NULL && strstr(why, reason) != NULL,
		    "%s: %s", reason, why);
	ck_assert_uint_eq(text.n, 0);
}

static void
end(void)
{
	(void)unlink(path);
	ck_assert_int_eq(rmdir(dir), 0);
	buf_free(&text);
}

START_TEST(whose)
{
	char other[130];

	begin();
	(void)snprintf(other, sizeof(other), "%s/other", dir);
	is_none(NULL);
	make("bob\n", 0644);
	ck_assert_int_eq(look(), FORWARD_FOUND);
	ck_str(buf_str(&text), STR("bob\n"));
	ck_assert_int_eq(forward_read(dir, geteuid() + 1, &text, &why),
	    FORWARD_NONE);
	ck_assert_ptr_nonnull(why);
	make("bob\n", 0664);
	is_none("others can write it");
	make("bob\n", 0600);
	ck_assert_int_eq(link(path, other), 0);
	is_none("more than one name");
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(symlink("other", path), 0);
	is_none("symbolic link");
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(unlink(other), 0);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	is_none("no plain file");
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	is_none("no plain file");
	ck_assert_int_eq(rmdir(path), 0);
	make("bob\n", 0600);
	ck_assert_int_eq(truncate(path, FORWARD_MAX + 1), 0);
	is_none("32 KiB");
	make("bob\n", 0600);
	ck_assert_int_eq(chmod(dir, 0777), 0);
	is_none("everybody can write");
	ck_assert_int_eq(chmod(dir, 0700), 0);
	ck_assert_int_eq(forward_read("/nonexistent", geteuid(), &text, &why),
	    FORWARD_NONE);
	ck_assert_ptr_null(why);
	end();
}
END_TEST

START_TEST(says)
{
	static const struct {
		const char *text;
		size_t n;	/* SIZE_MAX: it is wrong */
	} rows[] = {
		{ "", 0 }, { "# nobody\n\n", 0 }, { "bob", 1 },
		{ "bob, \\carol\n\"|/bin/x a, b\"\n/var/x\n/var/x/", 5 },
		{ "bob,\n ann", 2 },
		{ ":include:/etc/passwd", SIZE_MAX }, { "\"bob", SIZE_MAX },
		{ "bob\n|", SIZE_MAX }, { "bob, a@@b", SIZE_MAX },
	};
	struct alias_list list;
	struct arena a;

	arena_init(&a, 1u << 20);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *wrong = forward_parse(str_c(rows[i].text), &a,
		    &list);

		ck_assert_msg((wrong != NULL) == (rows[i].n == SIZE_MAX),
		    "%s: %s", rows[i].text, wrong);
		ck_assert_uint_eq(list.n, wrong != NULL ? 0 : rows[i].n);
		for (size_t k = 0; k < list.n; k++)
			ck_assert(list.v[k].home);
	}
	arena_free(&a);
}
END_TEST

UNIT_MAIN("mailbox/forward", whose, says)
