/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tray_mend -- trays that are made, and put in order. */

#include "tmptray.h"

/* What is no message goes to bad/, once nobody holds it; what is wiped in part is wiped. */
START_TEST(put_in_order)
{
	struct away away = { 0 };
	struct tmpspool t;
	struct seen s;
	char path[300];
	int fd;

	begin(&t);
	lay(&t, STR(TEXT1));
	memcpy(path, tray_path(&t), 256);
	fd = open(path, O_WRONLY);
	ck_assert_int_eq(pwrite(fd, "!", 1, 100), 1);
	ck_assert_uint_eq(count(t.q, QUEUE_NEW, &s), 0);
	ck_assert_int_eq(queue_tray_mend(t.q, put_away, NULL), 0);
	queue_tray_use(t.q, -1, 0);
	ck_assert_int_eq(queue_tray_mend(t.q, put_away, &away), 0);
	ck_assert_uint_eq(away.n, 1);
	/* By it the message is found that it was to be. */
	ck_assert_str_eq(away.id, t.env.id);
	ck_assert_uint_eq(count(t.q, QUEUE_BAD, &s), 1);
	close(fd);
	fd = open(path, O_WRONLY);
	ck_assert_int_eq(pwrite(fd, "-arid-1 env=", 12, 0), 12);
	close(fd);
	ck_assert_int_eq(queue_tray_mend(t.q, put_away, NULL), 0);
	fd = open(path, O_RDONLY);
	ck_assert_int_eq(pread(fd, path, 2, 0), 2);
	ck_assert_int_eq(path[0] | path[1], 0);
	close(fd);
	tmpspool_end(&t);
}
END_TEST

/* What is left of one has another name, where that one has its own already. */
START_TEST(put_beside)
{
	struct away away = { 0 };
	struct tmpspool t;
	struct seen s;
	int fd;

	begin(&t);
	for (unsigned i = 0; i < 2; i++) {
		lay(&t, STR(TEXT1));
		fd = open(tray_path(&t), O_WRONLY);
		if (i == 0)
			ck_assert_int_eq(pwrite(fd, "!", 1, 100), 1);
		else
			ck_assert_int_eq(pwrite(fd, "barid?", 6, 0), 6);
		close(fd);
		queue_tray_use(t.q, -1, 0);
		ck_assert_int_eq(queue_tray_mend(t.q, put_away, &away), 0);
		ck_assert_uint_eq(away.n, i + 1);
		no--;
		fd = take(t.q, &no);
		ck_assert_int_ge(fd, 0);
		queue_tray_use(t.q, fd, no);
	}
	ck_assert_uint_eq(count(t.q, QUEUE_BAD, &s), 2);
	tmpspool_end(&t);
}
END_TEST

/* What is missing is made, what is there stays. */
START_TEST(made)
{
	struct tmpspool t;
	struct seen s;
	char path[300];

	begin(&t);
	lay(&t, STR(TEXT1));
	snprintf(path, sizeof(path), "%s/trays/02", t.dir);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(queue_tray_make(t.q), 0);
	ck_assert_int_eq(octets(path), 65536);
	ck_assert_uint_eq(count(t.q, QUEUE_NEW, &s), 1);
	ck_assert_int_eq(access(tmpspool_path(&t, "tmp", "tray.02"), F_OK), -1);
	tmpspool_end(&t);
}
END_TEST

/* One that was cut off is not handed out before it is whole again. */
START_TEST(cut_off)
{
	struct tmpspool t;
	unsigned at;
	int fd;

	begin(&t);
	queue_tray_use(t.q, -1, 0);
	ck_assert_int_eq(truncate(tray_path(&t), 0), 0);
	at = no - 1;
	fd = take(t.q, &at);
	ck_assert_uint_ne(at, no);
	close(fd);
	ck_assert_int_eq(queue_tray_mend(t.q, put_away, NULL), 0);
	ck_assert_int_eq(octets(tray_path(&t)), 65536);
	at = no - 1;
	fd = take(t.q, &at);
	ck_assert_uint_eq(at, no);
	close(fd);
	tmpspool_end(&t);
}
END_TEST

UNIT_MAIN("queue/tray_mend", put_in_order, put_beside, made, cut_off)
