/* SPDX-License-Identifier: GPL-3.0-or-later */

/* usage -- what maildirsize says, when it is believed, and who writes it. */

#include "mailbox/usage.h"

#include <utime.h>

#include "lib/clock.h"

#include "tmpbox.h"

static const struct usage_limit limit = { 1000, 10 };

/* The directory of bob. */
static int
open_bob(const struct tmpbox *t)
{
	int box = open(tmpbox_path(t, "bob"), O_RDONLY | O_DIRECTORY);

	ck_assert_int_ge(box, 0);
	return box;
}

static const char *
file_text(const struct tmpbox *t)
{
	static char p[8192];
	int fd = open(tmpbox_path(t, "bob/maildirsize"), O_RDONLY);
	ssize_t n = fd >= 0 ? read(fd, p, sizeof(p) - 1) : -1;

	if (fd >= 0)
		close(fd);
	p[n > 0 ? n : 0] = '\0';
	return n < 0 ? "none" : p;
}

START_TEST(has_room)
{
	static const struct {
		struct usage_limit l;
		struct usage u;
		uint64_t octets;
		bool fits;
	} cases[] = {
		{ { 0, 0 }, { UINT64_MAX, UINT64_MAX }, UINT64_MAX, true },
		{ { 10, 0 }, { 5, 100 }, 5, true },
		{ { 10, 0 }, { 5, 100 }, 6, false },
		{ { 10, 0 }, { 11, 0 }, 0, false },
		{ { 10, 0 }, { 0, 0 }, UINT64_MAX, false },
		{ { 0, 3 }, { 99, 2 }, 99, true },
		{ { 0, 3 }, { 99, 3 }, 0, false },
		{ { 10, 3 }, { 0, 2 }, 11, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ck_assert_msg(usage_fits(&cases[i].l, &cases[i].u,
		    cases[i].octets) == cases[i].fits, "case %zu", i);
}
END_TEST

/* The fuller of the two, without an overflow. */
START_TEST(per_cent)
{
	ck_assert_uint_eq(usage_part(&(struct usage_limit){ 1000, 10 },
	    &(struct usage){ 899, 8 }), 89);
	ck_assert_uint_eq(usage_part(&(struct usage_limit){ 1000, 10 },
	    &(struct usage){ 0, 9 }), 90);
	ck_assert_uint_eq(usage_part(&(struct usage_limit){ 0, 0 },
	    &(struct usage){ 9, 9 }), 0);
	ck_assert_uint_eq(usage_part(&(struct usage_limit){ UINT64_MAX, 0 },
	    &(struct usage){ UINT64_MAX, 0 }), 100);
}
END_TEST

static const struct {
	const char *text;
	int known;
	uint64_t octets, messages;
	bool fits;
} files[] = {
	{ "1000S,10C\n500 5\n", 1, 500, 5, true },
	{ "10C,1000S\n500 5\n", 1, 500, 5, true },
	/* As Courier pads it. */
	{ "1000S,10C\n         500          5\n", 1, 500, 5, true },
	{ "1000S,10C,7X\n500 5\n100 1\n-300 -2\n", 1, 300, 4, true },
	{ "1000S,10C\n901 5\n", 1, 901, 5, false },
	{ "1000S,10C\n500 10\n", 1, 500, 10, false },
	/* Full, and not of one line. */
	{ "1000S,10C\n900 5\n1 1\n", 0, 0, 0, false },
	{ "1000S,10C\n", 0, 0, 0, false },
	{ "1000S,10C\n500 5", 0, 0, 0, false },
	{ "1000S,10C\n500\n", 0, 0, 0, false },
	{ "1000S,10C\n500 x\n", 0, 0, 0, false },
	{ "1000S,10C\n99999999999999999999 1\n", 0, 0, 0, false },
	{ "1000S,10C\n5 5\n-6 0\n", 0, 0, 0, false },
	{ "1000S,10C\n5 5\n0 -6\n", 0, 0, 0, false },
	{ "1000S\n500 5\n", 0, 0, 0, false },
	{ "2000S,10C\n500 5\n", 0, 0, 0, false },
	{ "\n500 5\n", 0, 0, 0, false },
	{ "1000S,,10C\n500 5\n", 0, 0, 0, false },
	{ "", 0, 0, 0, false },
};

START_TEST(reading)
{
	const struct usage_limit *l = &limit;
	struct tmpbox t;
	struct usage u;
	bool fits;
	int box;

	tmpbox_begin(&t);
	tmpbox_make(&t, "bob");
	box = open_bob(&t);
	ck_assert_int_eq(usage_look(box, l, 100, &u, &fits), 0);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		int known;

		tmpbox_file(&t, "bob/maildirsize", str_c(files[i].text));
		known = usage_look(box, l, 100, &u, &fits);
		ck_assert_msg(known == files[i].known, "file %zu", i);
		if (known == 0)
			continue;
		ck_assert_uint_eq(u.octets, files[i].octets);
		ck_assert_uint_eq(u.messages, files[i].messages);
		ck_assert(fits == files[i].fits);
	}
	close(box);
	tmpbox_end(&t);
}
END_TEST

/* What was full a quarter of an hour ago may have room; and what is no file says nothing. */
START_TEST(not_believed)
{
	struct utimbuf old = { clock_wall() - 901, clock_wall() - 901 };
	struct tmpbox t;
	struct usage u;
	struct buf b;
	bool fits;
	int box;

	tmpbox_begin(&t);
	tmpbox_make(&t, "bob");
	box = open_bob(&t);
	tmpbox_file(&t, "bob/maildirsize", STR("1000S,10C\n1000 1\n"));
	ck_assert_int_eq(usage_look(box, &limit, 1, &u, &fits), 1);
	ck_assert(!fits);
	ck_assert_int_eq(utime(tmpbox_path(&t, "bob/maildirsize"), &old), 0);
	ck_assert_int_eq(usage_look(box, &limit, 1, &u, &fits), 0);
	buf_init(&b, 6000);
	buf_adds(&b, "1000S,10C\n");
	while (b.n <= 5120)
		buf_adds(&b, "0 0\n");
	tmpbox_file(&t, "bob/maildirsize", buf_str(&b));
	ck_assert_int_eq(usage_look(box, &limit, 1, &u, &fits), 0);
	buf_free(&b);
	ck_assert_int_eq(unlink(tmpbox_path(&t, "bob/maildirsize")), 0);
	ck_assert_int_eq(symlink("/etc/passwd",
	    tmpbox_path(&t, "bob/maildirsize")), 0);
	ck_assert_int_eq(usage_look(box, &limit, 1, &u, &fits), 0);
	ck_assert_int_eq(unlink(tmpbox_path(&t, "bob/maildirsize")), 0);
	ck_assert_int_eq(mkfifo(tmpbox_path(&t, "bob/maildirsize"), 0600), 0);
	ck_assert_int_eq(usage_look(box, &limit, 1, &u, &fits), 0);
	/* It is in the way of the count, and goes. */
	usage_add(box, 1, 1);
	ck_assert_str_eq(file_text(&t), "none");
	close(box);
	tmpbox_end(&t);
}
END_TEST

static void
make_folder(const struct tmpbox *t, const char *name, const char *cur)
{
	ck_assert_int_eq(mkdir(tmpbox_path(t, name), 0700), 0);
	ck_assert_int_eq(mkdir(tmpbox_path(t, cur), 0700), 0);
}

START_TEST(counting)
{
	struct tmpbox t;
	struct usage u;
	bool fits;
	int box;

	tmpbox_begin(&t);
	tmpbox_make(&t, "bob");
	make_folder(&t, "bob/.Sent", "bob/.Sent/cur");
	make_folder(&t, "bob/plain", "bob/plain/cur");
	box = open_bob(&t);
	ck_assert_int_eq(usage_ask(box, &limit, 1000, &u, &fits), 1);
	ck_assert(fits && u.octets == 0 && u.messages == 0);
	ck_assert_str_eq(file_text(&t), "1000S,10C\n0 0\n");
	/* By its name, by the file, in a folder; what is hidden, or no folder, does not count. */
	tmpbox_file(&t, "bob/new/1.a,S=100,W=110", STR("x"));
	tmpbox_file(&t, "bob/cur/2.b:2,S", STR("12345"));
	tmpbox_file(&t, "bob/.Sent/cur/3.c,S=7:2,", STR("x"));
	tmpbox_file(&t, "bob/cur/.hidden", STR("x"));
	tmpbox_file(&t, "bob/plain/cur/4.d", STR("x"));
	ck_assert_int_eq(usage_count(box, &u), 0);
	ck_assert_uint_eq(u.octets, 112);
	ck_assert_uint_eq(u.messages, 3);
	/* The file does not know, and is believed as long as it says that there is room. */
	ck_assert_int_eq(usage_ask(box, &limit, 900, &u, &fits), 1);
	ck_assert(fits && u.octets == 0);
	usage_add(box, 500, 1);
	ck_assert_int_eq(usage_ask(box, &limit, 889, &u, &fits), 1);
	ck_assert(!fits && u.octets == 112 && u.messages == 3);
	ck_assert_str_eq(file_text(&t), "1000S,10C\n112 3\n");
	ck_assert_uint_eq(tmpbox_count(&t, "bob/tmp", NULL), 0);
	close(box);
	tmpbox_end(&t);
}
END_TEST

/* One delivery into BOX under LIMIT, of one message that ID names. */
static struct maildir_delivery
delivery(const struct tmpbox *t, const char *id, FILE *f, size_t size)
{
	return (struct maildir_delivery){ .base = t->base, .mailbox = "bob",
		.id = id, .arrival = 1763683200, .hostname = "h",
		.fd = fileno(f), .size = size, .limit = { 100, 3 } };
}

/* Those that go together have room together, or not. */
START_TEST(deliveries)
{
	static const char *const ids[] = { "0651F0C3D2A1BF00041",
		"0651F0C3D2A1BF00042", "0651F0C3D2A1BF00043",
		"0651F0C3D2A1BF00044" };
	struct maildir_delivery d[4];
	struct maildir m;
	struct tmpbox t;
	struct usage was[4] = { { 0 } }, now[4] = { { 0 } };
	int errors[4];
	FILE *f = tmpfile();

	tmpbox_begin(&t);
	fputs("a: b\r\n\r\n0123456789012345678901\r\n", f);
	fflush(f);
	for (size_t i = 0; i < 4; i++) {
		d[i] = delivery(&t, ids[i], f, 32);
		d[i].was = &was[i];
		d[i].now = &now[i];
	}
	maildir_deliver_all(d, 4, errors);
	ck_assert_int_eq(errors[0], 0);
	ck_assert_int_eq(errors[1], 0);
	ck_assert_int_eq(errors[2], 0);
	ck_assert_int_eq(errors[3], MAILDIR_FULL);
	/* Each comes behind the one before it. */
	for (size_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(was[i].messages, i);
		ck_assert_uint_eq(was[i].octets, 29 * i);
		ck_assert_uint_eq(now[i].messages, i + 1);
		ck_assert_uint_eq(now[i].octets, 29 * (i + 1));
	}
	ck_assert_uint_eq(tmpbox_count(&t, "bob/new", NULL), 3);
	ck_assert_uint_eq(tmpbox_count(&t, "bob/tmp", NULL), 0);
	ck_assert_str_eq(file_text(&t), "100S,3C\n0 0\n29 1\n29 1\n29 1\n");
	/* One of those is there already, and counts once. */
	d[0].limit = (struct usage_limit){ 0, 0 };
	ck_assert_int_eq(maildir_deliver(&d[0]), 0);
	ck_assert_int_eq(maildir_deliver(&d[3]), -1);
	ck_assert_int_eq(errno, EDQUOT);
	ck_assert_str_eq(file_text(&t), "100S,3C\n87 3\n");
	/* Who deletes by POP3 makes room. */
	ck_assert_int_eq(maildir_open(&m, t.base, "bob"), 0);
	m.v[0].deleted = m.v[2].deleted = true;
	ck_assert_uint_eq(maildir_expunge(&m), 0);
	maildir_close(&m);
	ck_assert_str_eq(file_text(&t), "100S,3C\n87 3\n-58 -2\n");
	ck_assert_int_eq(maildir_deliver(&d[3]), 0);
	/* By octets, and where nobody has a limit nothing is written. */
	d[0].limit = (struct usage_limit){ 80, 0 };
	d[0].id = "0651F0C3D2A1BF00049";
	ck_assert_int_eq(maildir_deliver(&d[0]), -1);
	ck_assert_int_eq(unlink(tmpbox_path(&t, "bob/maildirsize")), 0);
	d[0].limit = (struct usage_limit){ 0, 0 };
	ck_assert_int_eq(maildir_deliver(&d[0]), 0);
	ck_assert_str_eq(file_text(&t), "none");
	fclose(f);
	tmpbox_end(&t);
}
END_TEST

UNIT_MAIN("mailbox/usage", has_room, per_cent, reading, not_believed, counting, deliveries)
