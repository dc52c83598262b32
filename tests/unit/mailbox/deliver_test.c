/* SPDX-License-Identifier: GPL-3.0-or-later */

/* deliver -- what stands in new/ afterwards, and what does not. */

#include "tmpbox.h"

#include <sys/syscall.h>

#define PREFIX STR("Return-Path: <s@t.example>\r\nDelivered-To: bob\r\n")

static void
slurp(const struct tmpbox *t, const char *dir, const char *name, struct buf *b)
{
	char path[300];
	ssize_t got;
	int fd;

	ck_assert_int_lt(snprintf(path, sizeof(path), "%s/%s", dir, name),
	    (int)sizeof(path));
	fd = open(tmpbox_path(t, path), O_RDONLY);
	ck_assert_int_ge(fd, 0);
	buf_reset(b);
	while ((got = read(fd, buf_room(b, 65536), 65536)) > 0)
		buf_grew(b, (size_t)got);
	close(fd);
}

/* What a rename with a flag fails with, as on NFS; 0: it does not. */
static int rename_error;

/* In place of libc's. */
int
renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	if (rename_error == 0 || flags == 0)
		return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
	errno = rename_error;
	return -1;
}

START_TEST(file_and_name)
{
	struct tmpbox t;
	struct stat st;
	struct buf b;
	char name[256];

	tmpbox_begin(&t);
	buf_init(&b, 1 << 20);
	ck_assert_int_eq(tmpbox_deliver(&t, "bob", 7,
	    STR("Return-Path: <old>\r\nSubject: x\r\n\r\n.\r\nbody\r\n"),
	    PREFIX), 0);
	ck_assert_uint_eq(tmpbox_count(&t, "bob/tmp", NULL), 0);
	ck_assert_uint_eq(tmpbox_count(&t, "bob/cur", NULL), 0);
	ck_assert_uint_eq(tmpbox_count(&t, "bob/new", name), 1);
	ck_assert_str_eq(name, "1763683200.Q0651F0C3D2A1BF00042R7."
	    "mail.example,S=64,W=70");
	slurp(&t, "bob/new", name, &b);
	ck_str(buf_str(&b), STR("Return-Path: <s@t.example>\n"
	    "Delivered-To: bob\nSubject: x\n\n.\nbody\n"));
	ck_assert_int_eq(stat(tmpbox_path(&t, "bob/new"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	buf_free(&b);
	tmpbox_end(&t);
}
END_TEST

static void
deliver_twice(int error)
{
	struct tmpbox t;
	char name[256];

	rename_error = error;
	tmpbox_begin(&t);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(tmpbox_deliver(&t, "bob", 0,
		    STR("a: b\r\n\r\nc\r\n"), PREFIX), 0);
		ck_assert_uint_eq(tmpbox_count(&t, "bob/new", name), 1);
		ck_assert_uint_eq(tmpbox_count(&t, "bob/tmp", NULL), 0);
		/* What a killed delivery left is in nobody's way. */
		tmpbox_file(&t, "bob/tmp/1763683200.Q0651F0C3D2A1BF00042R0."
		    "mail.example", STR("half"));
	}
	/* Another recipient is another message. */
	ck_assert_int_eq(tmpbox_deliver(&t, "bob", 1, STR("a: b\r\n\r\nc\r\n"),
	    PREFIX), 0);
	ck_assert_uint_eq(tmpbox_count(&t, "bob/new", name), 2);
	tmpbox_end(&t);
}

/* Also where there is no rename that replaces nothing. */
START_TEST(twice_is_once)
{
	deliver_twice(0);
	deliver_twice(EINVAL);
	deliver_twice(ENOSYS);
}
END_TEST

/* What a power cut left under the name of the message is replaced. */
static void
replace_torn(int error)
{
	static const char path[] = "bob/new/1763683200.Q0651F0C3D2A1BF00042R0."
	    "mail.example,S=8,W=11";
	struct tmpbox t;
	struct buf b;
	char name[256];

	rename_error = error;
	tmpbox_begin(&t);
	buf_init(&b, 1 << 20);
	tmpbox_make(&t, "bob");
	for (int i = 0; i < 4; i++) {
		if (i == 3)
			ck_assert_int_eq(symlink("/etc/passwd",
			    tmpbox_path(&t, path)), 0);
		else
			tmpbox_file(&t, path, i == 0 ? STR("")
			    : i == 1 ? STR("a: ") : STR("\0\0\0\0\0\0\0\0"));
		ck_assert_int_eq(tmpbox_deliver(&t, "bob", 0,
		    STR("a: b\r\n\r\nc\r\n"), STR("")), 0);
		ck_assert_uint_eq(tmpbox_count(&t, "bob/new", name), 1);
		slurp(&t, "bob/new", name, &b);
		ck_str(buf_str(&b), STR("a: b\n\nc\n"));
		ck_assert_int_eq(unlink(tmpbox_path(&t, path)), 0);
	}
	buf_free(&b);
	tmpbox_end(&t);
}

START_TEST(torn_one_is_replaced)
{
	replace_torn(0);
	replace_torn(EINVAL);
}
END_TEST

/* Another trouble is none that a rename without a flag is for. */
START_TEST(rename_fails)
{
	struct tmpbox t;

	tmpbox_begin(&t);
	rename_error = EIO;
	ck_assert_int_eq(tmpbox_deliver(&t, "bob", 0, STR("a: b\r\n\r\nc\r\n"), PREFIX), -1);
	ck_assert_int_eq(errno, EIO);
	ck_assert_uint_eq(tmpbox_count(&t, "bob/new", NULL), 0);
	ck_assert_uint_eq(tmpbox_count(&t, "bob/tmp", NULL), 0);
	tmpbox_end(&t);
}
END_TEST

START_TEST(large)
{
	struct buf in, out, got;
	struct tmpbox t;
	char name[256];

	tmpbox_begin(&t);
	buf_init(&in, 4 << 20);
	buf_init(&out, 4 << 20);
	buf_init(&got, 4 << 20);
	buf_adds(&in, "a: b\r\n\r\n");
	buf_adds(&out, "a: b\n\n");
	for (int i = 0; i < 40000; i++) {
		buf_addf(&in, "%d\rx\r\n", i);
		buf_addf(&out, "%d\rx\n", i);
	}
	ck_assert_int_eq(tmpbox_deliver(&t, "bob", 0, buf_str(&in), STR("")),
	    0);
	ck_assert_uint_eq(tmpbox_count(&t, "bob/new", name), 1);
	slurp(&t, "bob/new", name, &got);
	ck_assert_uint_eq(got.n, out.n);
	ck_assert_int_eq(memcmp(got.p, out.p, out.n), 0);
	buf_reset(&got);
	buf_addf(&got, ",S=%zu,W=%zu", out.n, in.n + 40000);
	ck_assert_msg(str_ends(str_c(name), buf_str(&got)), "%s", name);
	buf_free(&in);
	buf_free(&out);
	buf_free(&got);
	tmpbox_end(&t);
}
END_TEST

START_TEST(host_names)
{
	struct maildir_delivery d = { .mailbox = "bob",
		.id = "0651F0C3D2A1BF00042", .arrival = 1, .prefix = STR("x") };
	char name[256], host[300];
	struct tmpbox t;

	tmpbox_begin(&t);
	d.base = t.base;
	d.fd = open("/dev/null", O_RDONLY);
	d.hostname = "a/b:c,d\\e\nf";
	ck_assert_int_eq(maildir_deliver(&d), 0);
	tmpbox_count(&t, "bob/new", name);
	ck_assert_str_eq(name, "1.Q0651F0C3D2A1BF00042R0."
	    "a\\057b\\072c\\054d\\134e\\012f,S=1,W=3");
	memset(host, '/', sizeof(host) - 1);
	host[sizeof(host) - 1] = '\0';
	d.hostname = host;
	d.rcpt = 65535;
	ck_assert_int_eq(maildir_deliver(&d), 0);
	ck_assert_uint_eq(tmpbox_count(&t, "bob/new", NULL), 2);
	close(d.fd);
	tmpbox_end(&t);
}
END_TEST

/* The text is shorter than it was said to be: nothing is delivered. */
START_TEST(short_source)
{
	struct maildir_delivery d = { .mailbox = "bob",
		.id = "0651F0C3D2A1BF00042", .arrival = 1, .hostname = "h",
		.size = 10, .prefix = STR("x: y\r\n") };
	struct tmpbox t;

	tmpbox_begin(&t);
	d.base = t.base;
	d.fd = open("/dev/null", O_RDONLY);
	ck_assert_int_eq(maildir_deliver(&d), -1);
	ck_assert_int_eq(errno, EIO);
	ck_assert_uint_eq(tmpbox_count(&t, "bob/new", NULL), 0);
	ck_assert_uint_eq(tmpbox_count(&t, "bob/tmp", NULL), 0);
	close(d.fd);
	tmpbox_end(&t);
}
END_TEST

/* A Maildir by its path, under whatever name. */
START_TEST(by_path)
{
	struct maildir_delivery d = { .base = -1,
		.id = "0651F0C3D2A1BF00042", .arrival = 1, .hostname = "h",
		.prefix = STR("x: y\r\n") };
	struct tmpbox t;
	char path[4096];

	tmpbox_begin(&t);
	snprintf(path, sizeof(path), "%s", tmpbox_path(&t, ".all mail"));
	d.path = path;
	d.fd = open("/dev/null", O_RDONLY);
	ck_assert_int_eq(maildir_deliver(&d), 0);
	ck_assert_uint_eq(tmpbox_count(&t, ".all mail/new", NULL), 1);
	ck_assert_uint_eq(tmpbox_count(&t, ".all mail/cur", NULL), 0);
	snprintf(path, sizeof(path), "%s", tmpbox_path(&t, "none/below"));
	ck_assert_int_eq(maildir_deliver(&d), -1);
	ck_assert_int_eq(errno, ENOENT);
	snprintf(path, sizeof(path), "%s", tmpbox_path(&t, "link"));
	ck_assert_int_eq(symlink(".all mail", path), 0);
	ck_assert_int_eq(maildir_deliver(&d), -1);
	ck_assert_int_eq(errno, EPERM);
	close(d.fd);
	tmpbox_end(&t);
}
END_TEST

static dev_t
device(const struct tmpbox *t)
{
	struct stat st;

	ck_assert_int_eq(fstat(t->base, &st), 0);
	return st.st_dev;
}

/* Several at once: each has its own mailbox, and its own error. */
static void
deliver_together(bool ordered)
{
	static const struct {
		const char *box;
		int error;
	} to[] = { { "bob", 0 }, { "bob", 0 }, { "../bob", EINVAL },
		{ "../bob", EINVAL }, { "bob", 0 }, { "carl", 0 }, { "file", EPERM }, { "file", EPERM },
		{ "dan", EIO }, { "dan", 0 } };
	struct maildir_delivery d[ARRAY_LEN(to)];
	int errors[ARRAY_LEN(to)];
	struct tmpbox t;
	int fd;

	tmpbox_begin(&t);
	tmpbox_file(&t, "file", STR(""));
	tmpbox_file(&t, "text", STR("Subject: x\r\n\r\nbody\r\n"));
	fd = open(tmpbox_path(&t, "text"), O_RDONLY);
	for (size_t i = 0; i < ARRAY_LEN(to); i++)
		d[i] = (struct maildir_delivery){ .base = t.base,
			.mailbox = to[i].box, .id = "0651F0C3D2A1BF00042",
			.rcpt = i, .arrival = 1, .hostname = "h", .fd = fd,
			.size = to[i].error == EIO ? 1000 : 20,
			.prefix = STR("x: y\r\n") };
	/* As if one sync were enough here, or not: what it makes durable only a power cut shows. */
	for (size_t i = 0; i < ARRAY_LEN(to) && ordered; i++)
		d[i].journal = device(&t);
	maildir_deliver_all(d, ARRAY_LEN(to), errors);
	for (size_t i = 0; i < ARRAY_LEN(to); i++)
		ck_assert_int_eq(errors[i], to[i].error);
	ck_assert_uint_eq(tmpbox_count(&t, "bob/new", NULL), 3);
	ck_assert_uint_eq(tmpbox_count(&t, "carl/new", NULL), 1);
	ck_assert_uint_eq(tmpbox_count(&t, "dan/new", NULL), 1);
	ck_assert_uint_eq(tmpbox_count(&t, "bob/tmp", NULL), 0);
	ck_assert_uint_eq(tmpbox_count(&t, "dan/tmp", NULL), 0);
	close(fd);
	tmpbox_end(&t);
}

START_TEST(together)
{
	deliver_together(false);
	deliver_together(true);
}
END_TEST

/* The inode of the one message in BOX, and how many names it has. */
static ino_t
inode_of(const struct tmpbox *t, const char *box, nlink_t names)
{
	char name[256], dir[64], path[400];
	struct stat st;

	(void)snprintf(dir, sizeof(dir), "%s/new", box);
	ck_assert_uint_eq(tmpbox_count(t, dir, name), 1);
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	ck_assert_int_eq(stat(tmpbox_path(t, path), &st), 0);
	ck_assert_uint_eq(st.st_nlink, names);
	return st.st_ino;
}

static void
deliver_linked(bool ordered)
{
	static const char *const boxes[] = { "ann", "bob", "cat", "dan", "eve" };
	struct maildir_delivery d[5];
	struct maildir m;
	struct tmpbox t;
	struct buf b;
	ino_t inode;
	int errors[5];
	char name[256], path[300];
	FILE *f = tmpfile();

	tmpbox_begin(&t);
	buf_init(&b, 1 << 20);
	fputs("a: b\r\n\r\nc\r\n", f);
	fflush(f);
	for (size_t i = 0; i < 5; i++)
		d[i] = (struct maildir_delivery){ .base = t.base,
			.mailbox = boxes[i], .id = "0651F0C3D2A1BF00042",
			.rcpt = i, .arrival = 1763683200, .hostname = "h",
			.fd = fileno(f), .size = 11, .shares = true };
	/* Another text before it, one that does not, and the rest. */
	for (size_t i = 0; i < 5 && ordered; i++)
		d[i].journal = device(&t);
	d[3].prefix = STR("x: y\r\n");
	d[4].shares = false;
	for (int again = 0; again < 2; again++) {
		maildir_deliver_all(d, 5, errors);
		for (size_t i = 0; i < 5; i++)
			ck_assert_int_eq(errors[i], 0);
		inode = inode_of(&t, "ann", 3);
		ck_assert_uint_eq(inode_of(&t, "bob", 3), inode);
		ck_assert_uint_eq(inode_of(&t, "cat", 3), inode);
		ck_assert_uint_ne(inode_of(&t, "dan", 1), inode);
		ck_assert_uint_ne(inode_of(&t, "eve", 1), inode);
		for (size_t i = 0; i < 5; i++) {
			(void)snprintf(path, sizeof(path), "%s/tmp", boxes[i]);
			ck_assert_uint_eq(tmpbox_count(&t, path, NULL), 0);
		}
	}
	/* Who deletes it does so for himself. */
	ck_assert_int_eq(maildir_open(&m, t.base, "ann"), 0);
	m.v[0].deleted = true;
	ck_assert_uint_eq(maildir_expunge(&m), 0);
	maildir_close(&m);
	ck_assert_uint_eq(inode_of(&t, "bob", 2), inode);
	(void)tmpbox_count(&t, "cat/new", name);
	ck_assert_str_eq(name, "1763683200.Q0651F0C3D2A1BF00042R2.h,S=8,W=11");
	slurp(&t, "cat/new", name, &b);
	ck_str(buf_str(&b), STR("a: b\n\nc\n"));
	buf_free(&b);
	fclose(f);
	tmpbox_end(&t);
}

START_TEST(linked)
{
	deliver_linked(false);
	deliver_linked(true);
}
END_TEST

UNIT_MAIN("mailbox/deliver", linked, file_and_name, by_path, together, twice_is_once,
    torn_one_is_replaced, rename_fails, large, host_names,
    short_source)
