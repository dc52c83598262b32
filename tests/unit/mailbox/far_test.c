/* SPDX-License-Identifier: GPL-3.0-or-later */

/* far -- a mailbox that another process has: the same as one of ours; what is believed of it. */

#include "tmpbox.h"

#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "ipc/channel.h"
#include "ipc/msg_box.h"
#include "lib/log.h"

/* Opens bob's mailbox in another process. */
static pid_t
open_far(const struct tmpbox *t, struct maildir *m)
{
	int ways[2];
	pid_t pid;

	ck_assert_int_eq(channel_pair(ways), 0);
	pid = fork();
	if (pid == 0) {
		close(ways[0]);
		maildir_serve(maildir_root(t->base, "bob"), ways[1]);
		_exit(0);
	}
	close(ways[1]);
	ck_assert_int_eq(maildir_open_at(m, ways[0]), 0);
	return pid;
}

static void
compare(struct maildir *a, struct maildir *b)
{
	struct buf x, y;
	uint64_t n, k;

	buf_init(&x, 1000);
	buf_init(&y, 1000);
	ck_assert_uint_eq(a->n, b->n);
	for (size_t i = 0; i < a->n; i++) {
		buf_reset(&x);
		buf_reset(&y);
		maildir_uidl(a, i, &x);
		maildir_uidl(b, i, &y);
		ck_str(buf_str(&x), buf_str(&y));
		ck_assert_int_eq(maildir_arrival(a, i), maildir_arrival(b, i));
		ck_assert_int_eq(maildir_size(a, i, &n), 0);
		ck_assert_int_eq(maildir_size(b, i, &k), 0);
		ck_assert_uint_eq(n, k);
	}
	buf_free(&x);
	buf_free(&y);
}

/* More than one packet has room for. */
START_TEST(as_near)
{
	struct maildir near, far;
	struct tmpbox t;
	char name[200];
	uint64_t size;
	int fd;

	tmpbox_begin(&t);
	tmpbox_make(&t, "bob");
	for (int i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "bob/%s/%d.M%dP%040d.host%s", i % 2 ? "new" : "cur",
		    1000 + i, i, i, i % 2 ? "" : ":2,S");
		tmpbox_file(&t, name, str_n("a\nb\nc\nd\n", (size_t)i % 8));
	}
	tmpbox_file(&t, "bob/new/odd name \n with all", STR("x"));
	ck_assert_int_eq(maildir_open(&near, t.base, "bob"), 0);
	flock(near.lock, LOCK_UN);
	pid_t pid = open_far(&t, &far);
	compare(&near, &far);
	ck_assert_int_ge(fd = maildir_read(&far, 7), 0);
	ck_assert_int_eq(maildir_count(&far, 7, fd, &size), 0);
	close(fd);
	ck_assert_int_ge(fd = maildir_read(&near, 7), 0);
	ck_assert_uint_eq(size, near.v[7].size);
	close(fd);
	/* All but one in a thousand. */
	for (size_t i = 0; i < far.n; i++)
		far.v[i].deleted = i % 1000 != 0;
	ck_assert_uint_eq(maildir_expunge(&far), 0);
	maildir_close(&far);
	maildir_close(&near);
	ck_assert_int_eq(maildir_open(&near, t.base, "bob"), 0);
	ck_assert_uint_eq(near.n, 4);
	maildir_close(&near);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	tmpbox_end(&t);
}
END_TEST

/* What is gone is so for that message alone; who is gone, for all. */
START_TEST(gone)
{
	struct maildir far;
	struct tmpbox t;
	uint64_t size;

	tmpbox_begin(&t);
	tmpbox_make(&t, "bob");
	tmpbox_file(&t, "bob/new/1.a", STR("x\n"));
	tmpbox_file(&t, "bob/new/2.b", STR("x\n"));
	tmpbox_file(&t, "bob/new/3.c", STR("x\n"));
	pid_t pid = open_far(&t, &far);
	ck_assert_int_eq(unlink(tmpbox_path(&t, "bob/new/2.b")), 0);
	ck_assert_int_eq(maildir_size(&far, 0, &size), 0);
	ck_assert_int_eq(maildir_size(&far, 1, &size), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(maildir_size(&far, 2, &size), 0);
	ck_assert_uint_eq(size, 3);
	ck_assert_int_eq(maildir_read(&far, 1), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(maildir_read(&far, 0), -1);
	far.v[0].deleted = far.v[2].deleted = true;
	ck_assert_uint_eq(maildir_expunge(&far), 2);
	ck_assert_uint_eq(tmpbox_count(&t, "bob/new", NULL), 2);
	maildir_close(&far);
	tmpbox_end(&t);
}
END_TEST

/* ---- answers that are none ------------------------------------------------------ */

/* One that answers every question with PACKET, and PASS. */
static pid_t
liar(struct str packet, int pass, int *way)
{
	struct pollfd p = { .events = POLLIN };
	int ways[2], reply;
	struct buf b;
	pid_t pid;

	ck_assert_int_eq(channel_pair(ways), 0);
	*way = ways[0];
	pid = fork();
	if (pid != 0) {
		close(ways[1]);
		return pid;
	}
	close(ways[0]);
	buf_init(&b, FRAME_MAX);
	for (p.fd = ways[1]; poll(&p, 1, -1) >= 0;) {
		if (channel_recv(p.fd, &b, &reply) < 0)
			_exit(0);
		if (reply < 0)
			continue;
		(void)!channel_send(reply, packet, pass);
		close(reply);
	}
	_exit(1);
}

static void
expect(struct msg_box_result r, int error)
{
	struct maildir m;
	struct buf b;
	int way;

	buf_init(&b, FRAME_MAX);
	msg_box_result_put(&b, &r);
	pid_t pid = liar(buf_str(&b), -1, &way);
	errno = 0;
	ck_assert_int_eq(maildir_open_at(&m, way), -1);
	ck_assert_int_eq(errno, error);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	buf_free(&b);
}

START_TEST(lies_about_the_list)
{
	static const char *const lines[] = { "", "x", "1.a", "1.a\n1.b", ".a\n", "1.\n", "1\n",
		"a.b\n", "-1.a\n", "99999999999999999999.a\n", "1.a b\n", "1.a\r\n", "1.\1\n",
		"1.0123456789012345678901234567890123456789012345678901234567890123456789x\n",
		"1.a\n2.b\n3.c\n" };

	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		expect((struct msg_box_result){ .n = 2, .lines = str_c(lines[i]) }, EPROTO);
	expect((struct msg_box_result){ .n = UINT64_MAX, .lines = STR("1.a\n") }, EPROTO);
	expect((struct msg_box_result){ .n = 1000001, .lines = STR("1.a\n") }, EPROTO);
	expect((struct msg_box_result){ .error = EBUSY }, EBUSY);
	expect((struct msg_box_result){ .error = UINT64_MAX }, EPROTO);
	expect((struct msg_box_result){ .n = 0, .lines = STR("1.a\n") }, EPROTO);
}
END_TEST

/* The list that says of itself what it says of the sizes: "1.a" is no size. */
START_TEST(lies_about_messages)
{
	struct msg_box_result r = { .n = 1, .lines = STR("1.a\n") };
	struct maildir m;
	uint64_t size;
	struct buf b;
	int way, fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	buf_init(&b, FRAME_MAX);
	msg_box_result_put(&b, &r);
	pid_t pid = liar(buf_str(&b), fds[0], &way);
	ck_assert_int_eq(maildir_open_at(&m, way), 0);
	ck_assert_int_eq(maildir_size(&m, 0, &size), -1);
	ck_assert_int_eq(errno, EPROTO);
	/* A pipe is no message. */
	ck_assert_int_eq(maildir_read(&m, 0), -1);
	ck_assert_int_eq(errno, EPROTO);
	maildir_close(&m);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	buf_free(&b);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

UNIT_MAIN("far", as_near, gone, lies_about_the_list, lies_about_messages)
