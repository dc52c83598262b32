/* SPDX-License-Identifier: GPL-3.0-or-later */

/* name -- mailboxes whose names or directories are not right (S-32). */

#include "tmpbox.h"

START_TEST(bad_names_reach_nothing)
{
	static const char *const names[] = { "", "..", "../x", "a/b", ".x" };
	struct maildir m;
	struct tmpbox t;

	tmpbox_begin(&t);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		ck_assert_int_eq(tmpbox_deliver(&t, names[i], 0, STR("a\r\n"),
		    STR("")), -1);
		ck_assert_int_eq(errno, EINVAL);
		ck_assert_int_eq(maildir_open(&m, t.base, names[i]), -1);
		ck_assert_int_eq(errno, EINVAL);
	}
	ck_assert_uint_eq(tmpbox_count(&t, "", NULL), 0);
	tmpbox_end(&t);
}
END_TEST

/* S-52: links and what others may write are refused, at every level. */
START_TEST(not_ours)
{
	static const char *const dirs[] = { "bob", "bob/tmp", "bob/new",
		"bob/cur" };
	struct maildir m;
	struct tmpbox t;

	tmpbox_begin(&t);
	ck_assert_int_eq(mkdir(tmpbox_path(&t, "bob"), 0700), 0);
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		bool reads = strcmp(dirs[i], "bob/cur") != 0;
		char path[512];

		memcpy(path, tmpbox_path(&t, dirs[i]), sizeof(path));
		rmdir(path);
		ck_assert_int_eq(symlink("/tmp", path), 0);
		if (reads)
			ck_assert_int_eq(tmpbox_deliver(&t, "bob", 0,
			    STR("a\r\n"), STR("")), -1);
		if (reads)
			ck_assert_int_eq(errno, EPERM);
		ck_assert_int_eq(maildir_open(&m, t.base, "bob"), -1);
		ck_assert_int_eq(errno, EPERM);
		ck_assert_int_eq(unlink(path), 0);
		ck_assert_int_eq(mkdir(path, 0777), 0);
		ck_assert_int_eq(chmod(path, 0770), 0);
		ck_assert_int_eq(maildir_open(&m, t.base, "bob"), -1);
		ck_assert_int_eq(errno, EPERM);
		ck_assert_int_eq(chmod(path, 0700), 0);
		if (geteuid() == 0) {
			ck_assert_int_eq(chown(path, 1234, -1), 0);
			ck_assert_int_eq(maildir_open(&m, t.base, "bob"), -1);
			ck_assert_int_eq(errno, EPERM);
			ck_assert_int_eq(chown(path, 0, -1), 0);
		}
	}
	ck_assert_int_eq(tmpbox_deliver(&t, "bob", 0, STR("a\r\n"), STR("")),
	    0);
	tmpbox_file(&t, "eve", STR("a file"));
	ck_assert_int_eq(tmpbox_deliver(&t, "eve", 0, STR("a\r\n"), STR("")),
	    -1);
	ck_assert_int_eq(errno, EPERM);
	tmpbox_end(&t);
}
END_TEST

START_TEST(arrival)
{
	static const struct {
		char name[40];
		int64_t want;
	} t[] = {
		{ "1700000000.M1P2.host,S=4:2,S", 1700000000 }, { "0.x", 0 },
		{ "x.1700000000", 0 }, { "1700000000", 0 }, { "-5.x", 0 },
		{ "99999999999999999999.x", 0 }, { ".x", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		char name[40];
		struct maildir_entry e = { .name = name };
		struct maildir m = { .v = &e, .n = 1 };

		memcpy(name, t[i].name, sizeof(name));
		ck_assert_int_eq(maildir_arrival(&m, 0), t[i].want);
	}
}
END_TEST

UNIT_MAIN("mailbox/name", arrival, bad_names_reach_nothing, not_ours)
