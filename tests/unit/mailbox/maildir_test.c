/* SPDX-License-Identifier: GPL-3.0-or-later */

/* maildir -- the view of POP3: order, sizes, renames, the lock. */

#include "tmpbox.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

static struct str
uidl(const struct maildir *m, size_t i, struct buf *b)
{
	buf_reset(b);
	maildir_uidl(m, i, b);
	return buf_str(b);
}

static struct str
text_of(struct maildir *m, size_t i, char to[100])
{
	int fd = maildir_read(m, i);
	ssize_t n;

	if (fd < 0)
		return STR("(gone)");
	n = read(fd, to, 100);
	close(fd);
	return str_n(to, (size_t)n);
}

START_TEST(order_and_sizes)
{
	struct maildir m;
	struct tmpbox t;
	struct buf b;
	uint64_t size;
	char text[100];

	tmpbox_begin(&t);
	buf_init(&b, 1000);
	tmpbox_make(&t, "bob");
	tmpbox_file(&t, "bob/cur/900.c:2,S", STR("c\n"));
	tmpbox_file(&t, "bob/new/1000.b", STR("one\ntwo"));
	tmpbox_file(&t, "bob/new/1000.a,S=5,W=77", STR("x"));
	tmpbox_file(&t, "bob/cur/nonumber", STR(""));
	tmpbox_file(&t, "bob/cur/99999999999999999999999.z", STR("\n"));
	tmpbox_file(&t, "bob/cur/.dot", STR("x"));
	ck_assert_int_eq(mkdir(tmpbox_path(&t, "bob/cur/5.dir"), 0700), 0);
	ck_assert_int_eq(symlink("/etc/passwd",
	    tmpbox_path(&t, "bob/cur/5.link")), 0);
	ck_assert_int_eq(maildir_open(&m, t.base, "bob"), 0);
	ck_assert_uint_eq(m.n, 5);
	ck_str(uidl(&m, 0, &b), STR("99999999999999999999999.z"));
	ck_str(uidl(&m, 1, &b), STR("nonumber"));
	ck_str(uidl(&m, 2, &b), STR("900.c"));
	ck_str(uidl(&m, 3, &b), STR("1000.a"));
	ck_str(uidl(&m, 4, &b), STR("1000.b"));
	ck_assert_int_eq(maildir_size(&m, 0, &size), 0);
	ck_assert_uint_eq(size, 2);
	ck_assert_int_eq(maildir_size(&m, 1, &size), 0);
	ck_assert_uint_eq(size, 0);
	ck_assert_int_eq(maildir_size(&m, 2, &size), 0);
	ck_assert_uint_eq(size, 3);
	ck_assert_int_eq(maildir_size(&m, 3, &size), 0);
	ck_assert_uint_eq(size, 3);
	ck_assert_int_eq(maildir_size(&m, 4, &size), 0);
	ck_assert_uint_eq(size, 10);
	ck_str(text_of(&m, 2, text), STR("c\n"));
	ck_str(text_of(&m, 4, text), STR("one\ntwo"));
	/* What arrives now is not seen. */
	tmpbox_file(&t, "bob/new/2000.new", STR("x"));
	ck_assert_uint_eq(m.n, 5);
	maildir_close(&m);
	maildir_close(&m);
	buf_free(&b);
	tmpbox_end(&t);
}
END_TEST

static void
move(const struct tmpbox *t, const char *from, const char *to)
{
	char path[512];

	memcpy(path, tmpbox_path(t, from), sizeof(path));
	ck_assert_int_eq(rename(path, tmpbox_path(t, to)), 0);
}

START_TEST(renamed_by_others)
{
	struct maildir m;
	struct tmpbox t;
	struct buf b;
	char text[100];
	uint64_t size;

	tmpbox_begin(&t);
	buf_init(&b, 1000);
	tmpbox_make(&t, "bob");
	tmpbox_file(&t, "bob/new/1.a,S=2", STR("a\n"));
	tmpbox_file(&t, "bob/new/2.b,S=2", STR("b\n"));
	tmpbox_file(&t, "bob/cur/3.c:2,", STR("c\n"));
	tmpbox_file(&t, "bob/cur/4.d:2,", STR("d\n"));
	ck_assert_int_eq(maildir_open(&m, t.base, "bob"), 0);
	move(&t, "bob/new/1.a,S=2", "bob/cur/1.a,S=2:2,RS");
	ck_str(text_of(&m, 0, text), STR("a\n"));
	ck_str(uidl(&m, 0, &b), STR("1.a"));
	move(&t, "bob/cur/1.a,S=2:2,RS", "bob/cur/1.a,S=2:2,");
	ck_str(text_of(&m, 0, text), STR("a\n"));
	move(&t, "bob/cur/3.c:2,", "bob/new/3.c");
	ck_assert_int_eq(maildir_size(&m, 2, &size), 0);
	ck_assert_uint_eq(size, 3);
	/* Removed by other means: that one only. */
	ck_assert_int_eq(unlink(tmpbox_path(&t, "bob/cur/4.d:2,")), 0);
	ck_assert_int_eq(maildir_read(&m, 3), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(maildir_size(&m, 3, &size), -1);
	ck_str(text_of(&m, 1, text), STR("b\n"));
	/* Deleted here while it was renamed there. */
	move(&t, "bob/new/2.b,S=2", "bob/cur/2.b,S=2:2,S");
	m.v[1].deleted = m.v[3].deleted = true;
	ck_assert_uint_eq(maildir_expunge(&m), 0);
	maildir_close(&m);
	ck_assert_int_eq(maildir_open(&m, t.base, "bob"), 0);
	ck_assert_uint_eq(m.n, 2);
	maildir_close(&m);
	buf_free(&b);
	tmpbox_end(&t);
}
END_TEST

START_TEST(expunge)
{
	struct maildir m;
	struct tmpbox t;

	tmpbox_begin(&t);
	tmpbox_make(&t, "bob");
	for (int i = 0; i < 20; i++) {
		char name[40];

		snprintf(name, sizeof(name), "bob/%s/%d.x",
		    i % 2 ? "new" : "cur", i + 100);
		tmpbox_file(&t, name, STR("x"));
	}
	ck_assert_int_eq(maildir_open(&m, t.base, "bob"), 0);
	ck_assert_uint_eq(maildir_expunge(&m), 0);
	for (size_t i = 0; i < m.n; i++)
		m.v[i].deleted = i % 3 == 0;
	ck_assert_uint_eq(maildir_expunge(&m), 0);
	maildir_close(&m);
	ck_assert_int_eq(maildir_open(&m, t.base, "bob"), 0);
	ck_assert_uint_eq(m.n, 13);
	ck_assert_str_eq(m.v[0].name, "101.x");
	/* What cannot be removed is counted. */
	ck_assert_int_eq(unlink(tmpbox_path(&t, "bob/new/101.x")), 0);
	ck_assert_int_eq(mkdir(tmpbox_path(&t, "bob/new/101.x"), 0700), 0);
	m.v[0].deleted = m.v[1].deleted = true;
	ck_assert_uint_eq(maildir_expunge(&m), 1);
	maildir_close(&m);
	tmpbox_end(&t);
}
END_TEST

START_TEST(in_two_steps)
{
	struct maildir m;
	struct tmpbox t;
	int root;

	tmpbox_begin(&t);
	root = maildir_root(t.base, "bob");
	ck_assert_int_ge(root, 0);
	ck_assert_int_eq(maildir_open_at(&m, root), 0);
	ck_assert_int_eq(m.dir, root);
	maildir_close(&m);
	/* It was taken. */
	ck_assert_int_eq(fcntl(root, F_GETFD), -1);
	ck_assert_int_eq(maildir_root(t.base, "../bob"), -1);
	ck_assert_int_eq(errno, EINVAL);
	errno = EPERM;
	ck_assert_int_eq(maildir_open_at(&m, -1), -1);
	ck_assert_int_eq(errno, EPERM);
	tmpbox_end(&t);
}
END_TEST

START_TEST(lock)
{
	struct maildir m, other;
	struct tmpbox t;
	int status, p[2];
	char c;
	pid_t pid;

	tmpbox_begin(&t);
	ck_assert_int_eq(maildir_open(&m, t.base, "bob"), 0);
	ck_assert_int_eq(maildir_open(&other, t.base, "bob"), -1);
	ck_assert_int_eq(errno, EBUSY);
	ck_assert_int_eq(maildir_open(&other, t.base, "eve"), 0);
	maildir_close(&other);
	maildir_close(&m);
	/* It is not stale after a kill. */
	ck_assert_int_eq(pipe(p), 0);
	if ((pid = fork()) == 0) {
		if (maildir_open(&m, t.base, "bob") == 0 &&
		    write(p[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	ck_assert_int_eq(read(p[0], &c, 1), 1);
	ck_assert_int_eq(maildir_open(&other, t.base, "bob"), -1);
	ck_assert_int_eq(errno, EBUSY);
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(maildir_open(&other, t.base, "bob"), 0);
	maildir_close(&other);
	close(p[0]);
	close(p[1]);
	tmpbox_end(&t);
}
END_TEST

/* A FIFO under a message's name does not hang the reader. */
START_TEST(no_plain_file)
{
	struct maildir m;
	struct tmpbox t;

	tmpbox_begin(&t);
	tmpbox_make(&t, "bob");
	tmpbox_file(&t, "bob/new/1.x", STR("x"));
	ck_assert_int_eq(maildir_open(&m, t.base, "bob"), 0);
	ck_assert_int_eq(unlink(tmpbox_path(&t, "bob/new/1.x")), 0);
	ck_assert_int_eq(mkfifo(tmpbox_path(&t, "bob/new/1.x"), 0600), 0);
	ck_assert_int_eq(maildir_read(&m, 0), -1);
	ck_assert_int_eq(unlink(tmpbox_path(&t, "bob/new/1.x")), 0);
	ck_assert_int_eq(symlink("/etc/passwd",
	    tmpbox_path(&t, "bob/new/1.x")), 0);
	ck_assert_int_eq(maildir_read(&m, 0), -1);
	maildir_close(&m);
	tmpbox_end(&t);
}
END_TEST

/* In the midst of a move that is a link and an unlink it is one message. */
START_TEST(linked_by_others)
{
	struct maildir m;
	struct tmpbox t;
	char path[512];

	tmpbox_begin(&t);
	tmpbox_make(&t, "bob");
	tmpbox_file(&t, "bob/new/1.a,S=2", STR("a\n"));
	memcpy(path, tmpbox_path(&t, "bob/new/1.a,S=2"), sizeof(path));
	ck_assert_int_eq(link(path, tmpbox_path(&t, "bob/cur/1.a,S=2:2,")), 0);
	ck_assert_int_eq(maildir_open(&m, t.base, "bob"), 0);
	ck_assert_uint_eq(m.n, 1);
	ck_assert_str_eq(m.v[0].name, "1.a,S=2:2,");
	maildir_close(&m);
	tmpbox_end(&t);
}
END_TEST

/* A new file under the base of one that is gone is another message. */
START_TEST(other_of_its_base)
{
	struct maildir m;
	struct tmpbox t;
	char text[100];

	tmpbox_begin(&t);
	tmpbox_make(&t, "bob");
	tmpbox_file(&t, "bob/new/1.a", STR("a\n"));
	tmpbox_file(&t, "bob/new/2.b", STR("b\n"));
	ck_assert_int_eq(maildir_open(&m, t.base, "bob"), 0);
	/* Both are there: the one that was listed is meant. */
	move(&t, "bob/new/1.a", "bob/new/1.a,S=2");
	tmpbox_file(&t, "bob/cur/1.a:2,S", STR("other\n"));
	ck_str(text_of(&m, 0, text), STR("a\n"));
	/* Only the other is there: it is not deleted for it. */
	tmpbox_file(&t, "bob/cur/2.b:2,S", STR("other\n"));
	ck_assert_int_eq(unlink(tmpbox_path(&t, "bob/new/2.b")), 0);
	m.v[0].deleted = m.v[1].deleted = true;
	ck_assert_uint_eq(maildir_expunge(&m), 1);
	ck_assert_int_eq(access(tmpbox_path(&t, "bob/cur/2.b:2,S"), F_OK), 0);
	ck_assert_int_eq(access(tmpbox_path(&t, "bob/cur/1.a:2,S"), F_OK), 0);
	ck_assert_int_ne(access(tmpbox_path(&t, "bob/new/1.a,S=2"), F_OK), 0);
	maildir_close(&m);
	tmpbox_end(&t);
}
END_TEST

UNIT_MAIN("mailbox/maildir", order_and_sizes, renamed_by_others, expunge, in_two_steps, lock,
    no_plain_file, linked_by_others, other_of_its_base)
