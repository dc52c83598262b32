/* SPDX-License-Identifier: GPL-3.0-or-later */

/* confine_files -- what can be opened, made and renamed below which directory. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "child.h"
#include "lib/confine.h"
#include "scratch.h"

static char root[SCRATCH_SIZE];
static int fill_dir, take_dir, other_dir;

static int
subdir(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	return open(path, O_RDONLY | O_DIRECTORY);
}

static void
put(int dir, const char *name)
{
	int fd = openat(dir, name, O_CREAT | O_WRONLY, 0600);

	ck_assert_int_ge(fd, 0);
	close(fd);
}

static bool
opens(int dir, const char *name, int flags)
{
	int fd = openat(dir, name, flags, 0600);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void
enter(void)
{
	const struct confine_dir dirs[] = { { fill_dir, CONFINE_FILL },
		{ take_dir, CONFINE_TAKE } };
	int rules = confine_rules(dirs, 2);

	if (rules < 0 && (errno == ENOSYS || errno == EOPNOTSUPP))
		_exit(77);
	must(rules >= 0);
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	confine_files(rules);
	close(rules);
}

static void
looks_around(void)
{
	enter();
	must(!opens(AT_FDCWD, "/etc/passwd", O_RDONLY) && errno == EACCES);
	must(!opens(AT_FDCWD, "/", O_RDONLY | O_DIRECTORY));
	must(!opens(other_dir, "there", O_RDONLY));
	must(!opens(other_dir, "more", O_WRONLY | O_CREAT));
	must(unlinkat(other_dir, "there", 0) < 0);
	/* No other message is read, or listed. */
	must(!opens(take_dir, "there", O_RDONLY));
	must(!opens(take_dir, "there", O_WRONLY));
	must(!opens(take_dir, ".", O_RDONLY | O_DIRECTORY));
	must(!opens(fill_dir, ".", O_RDONLY | O_DIRECTORY));
	must(!opens(fill_dir, "b", O_RDONLY));
	must(symlinkat("/etc", fill_dir, "link") < 0);
	/* What the spool's writer does. */
	must(opens(fill_dir, "a", O_WRONLY | O_CREAT | O_EXCL));
	must(renameat(fill_dir, "a", take_dir, "a") == 0);
	/* And from then on nothing: not even what it wrote itself. */
	must(unlinkat(take_dir, "a", 0) < 0 && errno == EACCES);
	must(unlinkat(take_dir, "there", 0) < 0 && errno == EACCES);
	must(opens(fill_dir, "c", O_WRONLY | O_CREAT | O_EXCL));
	must(renameat(fill_dir, "c", take_dir, "there") < 0);
	must(renameat(take_dir, "there", fill_dir, "there") < 0);
	must(renameat(take_dir, "there", take_dir, "d") < 0);
	must(renameat2(fill_dir, "c", take_dir, "there", RENAME_EXCHANGE) < 0);
	must(linkat(take_dir, "there", fill_dir, "there", 0) < 0);
	must(mkdirat(take_dir, "e", 0700) < 0);
	must(renameat(fill_dir, "b", other_dir, "b") < 0);
	must(opens(AT_FDCWD, "/etc/passwd", O_RDONLY) == false);
	_exit(7);
}

/* Twice: both hold. */
static void
narrows(void)
{
	const struct confine_dir one = { fill_dir, CONFINE_READ };
	int rules;

	enter();
	must(opens(fill_dir, "b", O_WRONLY));
	rules = confine_rules(&one, 1);
	must(rules >= 0);
	confine_files(rules);
	must(!opens(fill_dir, "b", O_WRONLY));
	must(!opens(fill_dir, "b", O_RDONLY));
	must(!opens(take_dir, "there", O_RDONLY));
	_exit(7);
}

static void
no_rules(void)
{
	confine_files(-1);
	must(opens(AT_FDCWD, "/etc/passwd", O_RDONLY));
	_exit(7);
}

static void
broken_rules(void)
{
	confine_files(fill_dir);
}

START_TEST(files)
{
	const struct confine_dir bad = { -1, CONFINE_READ };
	int r;

	scratch_begin(root);
	fill_dir = subdir("fill");
	take_dir = subdir("take");
	other_dir = subdir("other");
	put(take_dir, "there");
	put(other_dir, "there");
	put(fill_dir, "b");
	r = child_run(looks_around, 2);
	ck_assert(r == 7 || r == 77);
	if (r == 7) {
		ck_assert_int_eq(child_run(narrows, 2), 7);
		ck_assert_int_eq(child_run(broken_rules, -1), 71);
		ck_assert_int_eq(confine_rules(&bad, 1), -1);
		ck_assert_int_eq(errno, EBADF);
	}
	ck_assert_int_eq(child_run(no_rules, 2), 7);
	scratch_end(root);
}
END_TEST

START_TEST(not_where_a_library_was_put_in)
{
	const struct confine_dir dir = { 0, CONFINE_READ };

	setenv("LD_PRELOAD", "/lib/x.so", 1);
	ck_assert_int_eq(confine_rules(&dir, 1), -1);
	ck_assert_int_eq(errno, ENOSYS);
}
END_TEST

UNIT_MAIN("lib/confine_files", files, not_where_a_library_was_put_in)
