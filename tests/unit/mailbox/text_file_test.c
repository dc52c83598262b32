/* SPDX-License-Identifier: GPL-3.0-or-later */

/* text_file -- what is read, what is not believed, and what is too much. */

#include "mailbox/text_file.h"

#include <stdlib.h>
#include <unistd.h>

#include "unit.h"

START_TEST(all)
{
	char path[] = "/tmp/barid-text-XXXXXX";
	struct stat st;
	struct buf b;
	int made = mkstemp(path), fd;

	ck_assert_int_ge(made, 0);
	ck_assert_int_eq(write(made, "a: b\n", 5), 5);
	buf_init(&b, 100000);
	ck_assert_ptr_null(text_file_open(path, &fd, &st));
	ck_assert_uint_eq(st.st_size, 5);
	ck_assert_ptr_null(text_file_read(fd, &b));
	ck_str(buf_str(&b), STR("a: b\n"));
	close(fd);
	ck_assert_int_eq(fchmod(made, 0602), 0);
	ck_assert(strstr(text_file_open(path, &fd, &st), "everybody can write it") != NULL);
	close(fd);
	/* More than there is room for. */
	ck_assert_int_eq(fchmod(made, 0600), 0);
	ck_assert_int_eq(ftruncate(made, 200000), 0);
	ck_assert_ptr_null(text_file_open(path, &fd, &st));
	ck_assert_ptr_null(text_file_read(fd, &b));
	ck_assert(!buf_ok(&b));
	close(fd);
	close(made);
	unlink(path);
	ck_assert_str_eq(text_file_open(path, &fd, &st), "No such file or directory");
	ck_assert_int_eq(fd, -1);
	ck_assert_str_eq(text_file_open("/tmp", &fd, &st), "it is no plain file");
	close(fd);
	buf_free(&b);
}
END_TEST

UNIT_MAIN("mailbox/text_file", all)
