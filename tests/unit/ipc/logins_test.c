/* SPDX-License-Identifier: GPL-3.0-or-later */

/* logins_test -- when passwords were last used, over restarts and in any file. */

#include "ipc/logins.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.h"
#include "unit.h"

static char path[SCRATCH_SIZE];
static int dir;

static void
begin(void)
{
	scratch_begin(path);
	dir = scratch_open(path);
}

static void
end(void)
{
	(void)unlinkat(dir, LOGINS_FILE, 0);
	(void)unlinkat(dir, "other", 0);
	close(dir);
	ck_assert_int_eq(rmdir(path), 0);
}

START_TEST(kept)
{
	struct logins *l, *look;
	unsigned char secret[LOGINS_SECRET_SIZE];

	begin();
	ck_assert_ptr_null(logins_look(dir));
	l = logins_open(dir, geteuid(), getegid());
	ck_assert_ptr_nonnull(l);
	memcpy(secret, logins_secret(l), sizeof(secret));
	ck_assert_int_eq(logins_last(l, STR("alice"), STR("")), 0);
	logins_note(l, STR("alice"), STR(""), 1000);
	logins_note(l, STR("Alice"), STR("phone"), 2000);
	ck_assert_int_eq(logins_last(l, STR("ALICE"), STR("")), 1000);
	look = logins_look(dir);
	ck_assert_ptr_nonnull(look);
	ck_assert_int_eq(logins_last(look, STR("alice"), STR("Phone")), 2000);
	ck_assert_int_eq(logins_last(look, STR("alice"), STR("desk")), 0);
	logins_note(l, STR("alice"), STR(""), 3000);
	ck_assert_int_eq(logins_last(look, STR("alice"), STR("")), 3000);
	/* Who may only look writes nothing. */
	logins_note(look, STR("bob"), STR(""), 1);
	logins_free(look);
	logins_free(l);
	l = logins_open(dir, geteuid(), getegid());
	ck_assert_mem_eq(secret, logins_secret(l), sizeof(secret));
	ck_assert_int_eq(logins_last(l, STR("alice"), STR("phone")), 2000);
	ck_assert_int_eq(logins_last(l, STR("bob"), STR("")), 0);
	logins_free(l);
	logins_free(NULL);
	end();
}
END_TEST

/* More users than there is room for: the newest are known. */
START_TEST(many)
{
	struct logins *l;
	char name[32];
	unsigned known = 0;

	begin();
	l = logins_open(dir, geteuid(), getegid());
	for (int i = 1; i <= 100000; i++) {
		snprintf(name, sizeof(name), "user%d", i);
		logins_note(l, str_c(name), STR(""), i);
		ck_assert_int_eq(logins_last(l, str_c(name), STR("")), i);
	}
	for (int i = 90001; i <= 100000; i++) {
		snprintf(name, sizeof(name), "user%d", i);
		known += logins_last(l, str_c(name), STR("")) == i;
	}
	ck_assert_uint_gt(known, 9000);
	logins_free(l);
	end();
}
END_TEST

/* What stands there and is not ours is never written to. */
START_TEST(foreign)
{
	struct logins *l;
	struct stat st;
	int fd;

	begin();
	fd = openat(dir, "other", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_eq(ftruncate(fd, 1 << 20), 0);
	ck_assert_int_eq(symlinkat("other", dir, LOGINS_FILE), 0);
	l = logins_open(dir, geteuid(), getegid());
	ck_assert_ptr_nonnull(l);
	logins_note(l, STR("alice"), STR(""), 1000);
	logins_free(l);
	ck_assert_int_eq(fstatat(dir, LOGINS_FILE, &st, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert(S_ISREG(st.st_mode));
	/* Another name of it; and one that was cut short. */
	ck_assert_int_eq(unlinkat(dir, "other", 0), 0);
	ck_assert_int_eq(linkat(dir, LOGINS_FILE, dir, "other", 0), 0);
	ck_assert_ptr_null(logins_look(dir));
	l = logins_open(dir, geteuid(), getegid());
	ck_assert_int_eq(logins_last(l, STR("alice"), STR("")), 0);
	logins_free(l);
	ck_assert_int_eq(fstat(fd, &st), 0);
	close(fd);
	snprintf(path + strlen(path), 20, "/" LOGINS_FILE);
	ck_assert_int_eq(truncate(path, 100), 0);
	path[strlen(path) - strlen("/" LOGINS_FILE)] = '\0';
	ck_assert_ptr_null(logins_look(dir));
	l = logins_open(dir, geteuid(), getegid());
	ck_assert_ptr_nonnull(l);
	logins_free(l);
	end();
}
END_TEST

UNIT_MAIN("ipc/logins", kept, many, foreign)
