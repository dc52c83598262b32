/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Channels: packets, descriptors, calls, and senders who mean harm. */

#include "ipc/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ipc/frame.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "unit.h"

static int fds[2];
static struct buf b;

static void
setup(void)
{
	ck_assert_int_eq(channel_pair(fds), 0);
	buf_init(&b, FRAME_MAX);
}

static void
teardown(void)
{
	close(fds[0]);
	close(fds[1]);
	buf_free(&b);
}

/* How many descriptors this process has open. */
static int
open_fds(void)
{
	int n = 0;

	for (int i = 0; i < 200; i++)
		if (fcntl(i, F_GETFD) >= 0)
			n++;
	return n;
}

START_TEST(packets)
{
	int pass = 7;
	char *big = mem_alloc(FRAME_MAX + 1);

	setup();
	ck_assert(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
	ck_assert_int_eq(channel_recv(fds[1], &b, &pass), 0);
	ck_assert_int_eq(pass, -1);
	ck_assert_int_eq(channel_send(fds[0], STR("one"), -1), 0);
	ck_assert_int_eq(channel_send(fds[0], STR("two"), -1), 0);
	ck_assert_int_eq(channel_send(fds[0], str_n(big, FRAME_MAX), -1), 0);
	ck_assert_int_eq(channel_recv(fds[1], &b, &pass), 1);
	ck_str(buf_str(&b), STR("one"));
	ck_assert_int_eq(channel_recv(fds[1], &b, &pass), 1);
	ck_str(buf_str(&b), STR("two"));
	ck_assert_int_eq(channel_recv(fds[1], &b, &pass), 1);
	ck_assert_uint_eq(b.n, FRAME_MAX);
	ck_assert_int_eq(pass, -1);
	ck_assert_int_eq(channel_send(fds[0], str_n(big, FRAME_MAX + 1), -1), -1);
	ck_assert_int_eq(errno, EMSGSIZE);
	ck_assert_int_eq(channel_send(fds[0], STR(""), -1), -1);
	mem_free(big);
	teardown();
}
END_TEST

START_TEST(full_and_end)
{
	int pass, n = 0;
	static char some[1000];

	setup();
	while (channel_send(fds[0], str_n(some, sizeof(some)), -1) == 0)
		ck_assert_int_lt(n++, 100000);
	ck_assert_int_eq(errno, EAGAIN);
	close(fds[0]);
	for (; n > 0; n--)
		ck_assert_int_eq(channel_recv(fds[1], &b, &pass), 1);
	ck_assert_int_eq(channel_recv(fds[1], &b, &pass), -1);
	ck_assert_int_eq(errno, EPIPE);
	fds[0] = fds[1];
	ck_assert_int_eq(channel_send(fds[0], STR("x"), -1), -1);
	ck_assert_int_eq(errno, EPIPE);
	ck_assert_int_eq(channel_recv(-1, &b, &pass), -1);
	ck_assert_int_eq(errno, EBADF);
	buf_free(&b);
}
END_TEST

START_TEST(passing)
{
	int pass, p[2], before;
	char c;

	setup();
	before = open_fds();
	ck_assert_int_eq(pipe(p), 0);
	ck_assert_int_eq(channel_send(fds[0], STR("take it"), p[1]), 0);
	close(p[1]);
	ck_assert_int_eq(channel_recv(fds[1], &b, &pass), 1);
	ck_str(buf_str(&b), STR("take it"));
	ck_assert_int_ge(pass, 0);
	ck_assert(fcntl(pass, F_GETFD) & FD_CLOEXEC);
	ck_assert_int_eq(write(pass, "x", 1), 1);
	ck_assert_int_eq(read(p[0], &c, 1), 1);
	close(pass);
	close(p[0]);
	ck_assert_int_eq(open_fds(), before);
	teardown();
}
END_TEST

/* Sends N octets with COUNT copies of descriptor 0, as no honest sender does. */
static void
send_raw(size_t n, size_t count)
{
	static char bytes[FRAME_MAX * 2];
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(64 * sizeof(int))];
	} c = { .bytes = { 0 } };
	struct iovec iov = { bytes, n };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (count > 0) {
		m.msg_control = c.bytes;
		m.msg_controllen = CMSG_SPACE(count * sizeof(int));

		struct cmsghdr *h = CMSG_FIRSTHDR(&m);

		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(count * sizeof(int));
		memset(CMSG_DATA(h), 0, count * sizeof(int));
	}
	ck_assert_int_eq(sendmsg(fds[0], &m, 0), (ssize_t)n);
}

/* P-09: whatever one sender does, the next one's packet arrives. */
START_TEST(harm)
{
	static const struct {
		size_t n, count;
	} cases[] = {
		{ 0, 0 }, { 0, 1 }, { 0, 2 }, { 5, 2 }, { 5, 3 }, { 5, 64 },
		{ FRAME_MAX + 1, 0 }, { FRAME_MAX + 1, 1 }, { 2 * FRAME_MAX, 40 },
	};
	int pass, before;

	setup();
	before = open_fds();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		send_raw(cases[i].n, cases[i].count);
		ck_assert_int_eq(channel_send(fds[0], STR("honest"), -1), 0);
		ck_assert_msg(channel_recv(fds[1], &b, &pass) == 0, "case %zu", i);
		ck_assert_int_eq(pass, -1);
		ck_assert_int_eq(channel_recv(fds[1], &b, &pass), 1);
		ck_str(buf_str(&b), STR("honest"));
		ck_assert_int_eq(open_fds(), before);
	}
	teardown();
}
END_TEST

/* Answers one call as HOW says; runs in a child. */
static void
serve(char how)
{
	int pass;

	while (channel_recv(fds[1], &b, &pass) == 0)
		usleep(1000);
	if (how == 'a') {
		buf_adds(&b, "!");
		if (channel_send(pass, buf_str(&b), -1) < 0)
			_exit(1);
	}
	if (how == 'd' && channel_send(pass, buf_str(&b), fds[1]) < 0)
		_exit(1);
	if (how == 's')	/* silent: keeps the answer's end open */
		pause();
	_exit(0);
}

START_TEST(calls)
{
	static const struct {
		char how;
		int error;
	} cases[] = { { 'a', 0 }, { 'x', EPIPE }, { 's', ETIMEDOUT } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf answer;
		pid_t pid;
		int rc, before;
		int64_t start = clock_ms();

		setup();
		buf_init(&answer, FRAME_MAX);
		pid = fork();
		if (pid == 0)
			serve(cases[i].how);
		before = open_fds();
		rc = channel_call(fds[0], STR("who"),
		    start + (cases[i].how == 's' ? 100 : 20000), &answer);
		if (cases[i].error == 0) {
			ck_assert_int_eq(rc, 0);
			ck_str(buf_str(&answer), STR("who!"));
			ck_assert_uint_le(answer.size, 4096);
		} else {
			ck_assert_int_eq(rc, -1);
			ck_assert_int_eq(errno, cases[i].error);
			ck_assert_int_lt(clock_ms() - start, 15000);
		}
		ck_assert_int_eq(open_fds(), before);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		buf_free(&answer);
		teardown();
	}
}
END_TEST

START_TEST(answers_with_a_descriptor)
{
	for (int how = 0; how < 2; how++) {
		int before, got = 99, rc;
		struct buf answer;
		pid_t pid;

		setup();
		buf_init(&answer, FRAME_MAX);
		pid = fork();
		if (pid == 0)
			serve(how == 0 ? 'd' : 'a');
		before = open_fds();
		rc = channel_call_for(fds[0], STR("who"), clock_ms() + 20000, &answer, &got);
		ck_assert_int_eq(rc, 0);
		if (how == 0) {
			ck_assert_int_eq(open_fds(), before + 1);
			ck_assert_int_eq(close(got), 0);
		} else {
			ck_assert_int_eq(got, -1);
		}
		ck_assert_int_eq(open_fds(), before);
		/* Who does not expect one does not keep it. */
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		pid = fork();
		if (pid == 0)
			serve('d');
		ck_assert_int_eq(channel_call(fds[0], STR("who"), clock_ms() + 20000, &answer), 0);
		ck_assert_int_eq(open_fds(), before);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		buf_free(&answer);
		teardown();
	}
}
END_TEST

START_TEST(call_of_a_full_channel)
{
	struct buf answer;
	static char some[1000];
	int64_t start = clock_ms();

	setup();
	buf_init(&answer, 100);
	while (channel_send(fds[0], str_n(some, sizeof(some)), -1) == 0)
		;
	ck_assert_int_eq(channel_call(fds[0], STR("x"), start + 50, &answer), -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
	close(fds[1]);
	ck_assert_int_eq(channel_call(fds[0], STR("x"), start + 20000, &answer), -1);
	ck_assert_int_eq(errno, EPIPE);
	fds[1] = fds[0];
	buf_free(&answer);
	buf_free(&b);
}
END_TEST

/* The kernel says who sent a packet, also of one that another process sends. */
START_TEST(senders)
{
	int pass, fd;
	pid_t who = 1, child;

	setup();
	ck_assert_int_eq(channel_send(fds[0], STR("before"), -1), 0);
	ck_assert_int_eq(channel_name_senders(fds[1]), 0);
	ck_assert_int_eq(channel_recv_from(fds[1], &b, &pass, &who), 1);
	ck_assert_int_eq(who, 0);
	ck_assert_int_eq(channel_send(fds[0], STR("mine"), -1), 0);
	ck_assert_int_eq(channel_recv_from(fds[1], &b, &pass, &who), 1);
	ck_assert_int_eq(who, getpid());
	if ((child = fork()) == 0)
		_exit(channel_send(fds[0], STR("his"), STDERR_FILENO) < 0);
	waitpid(child, NULL, 0);
	ck_assert_int_eq(channel_recv_from(fds[1], &b, &pass, &who), 1);
	ck_str(buf_str(&b), STR("his"));
	ck_assert_int_eq(who, child);
	/* The descriptor comes along as ever; two are still one too many. */
	ck_assert_int_ge(pass, 0);
	close(pass);
	fd = open_fds();
	ck_assert_int_eq(channel_recv_from(fds[1], &b, &pass, &who), 0);
	close(fds[0]);
	ck_assert_int_eq(channel_recv_from(fds[1], &b, &pass, &who), -1);
	ck_assert_int_eq(errno, EPIPE);
	ck_assert_int_eq(open_fds(), fd - 1);
	fds[0] = fds[1];
	teardown();
}
END_TEST

/* Who sends nonsense as fast as he can does not fill the log. */
START_TEST(complaints)
{
	char path[] = "/tmp/barid-channel-XXXXXX", text[4096];
	int fd = mkstemp(path);
	int64_t start = clock_ms(), lines = 0;
	struct buf target;
	ssize_t n;

	ck_assert_int_ge(fd, 0);
	buf_init(&target, 200);
	buf_addf(&target, "file:%s", path);
	ck_assert_int_eq(log_to(buf_cstr(&target)), 0);
	for (int i = 0; i < 1000; i++)
		channel_complain("a hint of nothing");
	log_reset();
	n = read(fd, text, sizeof(text) - 1);
	ck_assert_int_gt(n, 0);
	text[n] = '\0';
	ck_assert_ptr_nonnull(strstr(text, "error: a hint of nothing is broken\n"));
	for (ssize_t i = 0; i < n; i++)
		lines += text[i] == '\n';
	ck_assert_int_ge(lines, 1);
	ck_assert_int_le(lines, 1 + (clock_ms() - start) / 1000);
	(void)close(fd);
	(void)unlink(path);
	buf_free(&target);
}
END_TEST

/* Of one user only so many descriptors may be on their way: then a call waits until some were taken. */
static void
crowded_child(void)
{
	struct rlimit r = { .rlim_cur = 32, .rlim_max = 32 };
	struct str one = STR("one");
	int n = 0, way, pass;

	/* Who may anything is not counted. */
	if (geteuid() == 0)
		ck_assert(setgid(65534) == 0 && setuid(60000 + (uid_t)getpid() % 4000) == 0);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &r), 0);
	setup();
	while (channel_send(fds[0], one, fds[0]) == 0)
		ck_assert_int_lt(++n, 200);
	ck_assert_int_eq(errno, ETOOMANYREFS);
	ck_assert_int_eq(channel_ask(fds[0], one, clock_ms() + 20), -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(channel_recv(fds[1], &b, &pass), 1);
		close(pass);
	}
	way = channel_ask(fds[0], one, clock_ms() + 20);
	ck_assert_int_ge(way, 0);
	close(way);
	teardown();
}

START_TEST(crowded)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		crowded_child();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

UNIT_MAIN("channel", crowded, complaints, senders, packets, full_and_end, passing, harm, calls, answers_with_a_descriptor,
    call_of_a_full_channel)
