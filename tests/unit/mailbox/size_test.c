/* SPDX-License-Identifier: GPL-3.0-or-later */

/* size -- whose names are believed, and when: what is sent is what counts. */

#include "tmpbox.h"

#include <stdlib.h>

#define OURS "100.Q0651F0C3D2A1BF00042R0.mx.example"

/* The size of the only message, NAME with TEXT. */
static uint64_t
size_as(const char *name, struct str text)
{
	struct maildir m;
	struct tmpbox t;
	uint64_t size;

	tmpbox_begin(&t);
	tmpbox_make(&t, "bob");
	tmpbox_file(&t, name, text);
	ck_assert_int_eq(maildir_open(&m, t.base, "bob"), 0);
	ck_assert_uint_eq(m.n, 1);
	ck_assert_int_eq(maildir_size(&m, 0, &size), 0);
	maildir_close(&m);
	tmpbox_end(&t);
	return size;
}

START_TEST(names)
{
	static const struct {
		const char *name;
		uint64_t size;
	} t[] = {
		/* The text has 5 octets and is sent as 9: nobody else is believed. */
		{ "new/1.x", 9 }, { "new/1.x,S=5", 9 }, { "new/1.x,W=9", 9 },
		{ "new/1.x,W=8", 9 }, { "new/1.x,S=5,W=9", 9 },
		{ "cur/1.x,S=5,W=8:2,S", 9 }, { "new/1.x,S=6,W=8", 9 },
		{ "new/1.x,W=8,S=5", 9 }, { "new/1.x,S=,W=", 9 },
		{ "new/1.x,S=5,W=99999999999999999999", 9 },
		{ "cur/1.x:2,S=5,W=8", 9 }, { "new/x,S=5,W=10", 9 },
		/* Ours are, while the file is as long as it was. */
		{ "new/" OURS ",S=5,W=8", 8 }, { "cur/" OURS ",S=5,W=8:2,S", 8 },
		{ "new/" OURS ",S=4,W=8", 9 }, { "new/" OURS ",S=6,W=8", 9 },
		{ "new/" OURS ",S=5,W=4", 9 }, { "new/" OURS ",S=5,W=13", 9 },
		{ "new/" OURS ",S=5", 9 }, { "new/" OURS ",W=8", 9 },
		/* Not ours. */
		{ "new/100.M0651F0C3D2A1BF00042R0.mx,S=5,W=8", 9 },
		{ "new/100.Q0651F0C3D2A1BF00042.mx,S=5,W=8", 9 },
		{ "new/Q1R1.mx,S=5,W=8", 9 },
		{ "new/100.Q1Rx.mx,S=5,W=8", 9 },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		uint64_t size;
		char name[256];

		snprintf(name, sizeof(name), "bob/%s", t[i].name);
		size = size_as(name, STR("a\nb\nc"));
		ck_assert_msg(size == t[i].size, "%s: %llu", name,
		    (unsigned long long)size);
	}
}
END_TEST

/* A session reads so much for the names of others, and no more. */
START_TEST(limit)
{
	struct maildir m;
	struct tmpbox t;
	uint64_t size;
	char name[64];
	size_t wrong = 0;
	int fd;

	tmpbox_begin(&t);
	tmpbox_make(&t, "bob");
	/* A hole of 1 GB is not read. */
	tmpbox_file(&t, "bob/new/1.huge,S=1073741824,W=1073741900", STR(""));
	ck_assert_int_eq(truncate(tmpbox_path(&t,
	    "bob/new/1.huge,S=1073741824,W=1073741900"), 1073741824), 0);
	for (int i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "bob/new/%d.x,S=4,W=7", 1000 + i);
		tmpbox_file(&t, name, STR("a\nb\n"));
	}
	tmpbox_file(&t, "bob/new/9000.x,S=5,W=9", STR("a\nb\n"));
	ck_assert_int_eq(maildir_open(&m, t.base, "bob"), 0);
	ck_assert_uint_eq(m.n, 3002);
	ck_assert_int_eq(maildir_size(&m, 0, &size), 0);
	ck_assert_uint_eq(size, 1073741900);
	for (size_t i = 1; i <= 3000; i++) {
		ck_assert_int_eq(maildir_size(&m, i, &size), 0);
		ck_assert(size == 6 || size == 7);
		ck_assert(size == 7 || wrong == 0);
		wrong += size == 7;
	}
	ck_assert(wrong > 900 && wrong < 1100);
	/* What cannot be true is read all the same. */
	ck_assert_int_eq(maildir_size(&m, 3001, &size), 0);
	ck_assert_uint_eq(size, 6);
	/* And so is what is fetched; it stays. */
	ck_assert_int_ge(fd = maildir_read(&m, 3000), 0);
	ck_assert_int_eq(maildir_count(&m, 3000, fd, &size), 0);
	ck_assert_uint_eq(size, 6);
	close(fd);
	ck_assert_int_eq(maildir_size(&m, 3000, &size), 0);
	ck_assert_uint_eq(size, 6);
	maildir_close(&m);
	tmpbox_end(&t);
}
END_TEST

/* A name that changes meanwhile, and a file that goes. */
START_TEST(meanwhile)
{
	struct maildir m;
	struct tmpbox t;
	uint64_t size;
	char path[512];

	tmpbox_begin(&t);
	tmpbox_make(&t, "bob");
	tmpbox_file(&t, "bob/new/" OURS ",S=2,W=3", STR("a\n"));
	tmpbox_file(&t, "bob/new/200.Q1R0.mx,S=2,W=3", STR("a\n"));
	ck_assert_int_eq(maildir_open(&m, t.base, "bob"), 0);
	memcpy(path, tmpbox_path(&t, "bob/new/" OURS ",S=2,W=3"), sizeof(path));
	ck_assert_int_eq(rename(path,
	    tmpbox_path(&t, "bob/cur/" OURS ",S=2,W=3:2,S")), 0);
	ck_assert_int_eq(unlink(tmpbox_path(&t, "bob/new/200.Q1R0.mx,S=2,W=3")),
	    0);
	ck_assert_int_eq(maildir_size(&m, 0, &size), 0);
	ck_assert_uint_eq(size, 3);
	ck_assert_int_eq(maildir_size(&m, 1, &size), -1);
	ck_assert_int_eq(errno, ENOENT);
	maildir_close(&m);
	tmpbox_end(&t);
}
END_TEST

UNIT_MAIN("mailbox/size", names, limit, meanwhile)
