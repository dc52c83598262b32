/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Asking by the control socket: answers, of several packets, and whoever else listens there. */

#include "report/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "net/addr.h"

#include "scratch.h"
#include "unit.h"

static char dir[SCRATCH_SIZE], path[128];
static struct msg_control question;

static void
begin(void)
{
	scratch_begin(dir);
	snprintf(path, sizeof(path), "%s/control", dir);
	question = (struct msg_control){ .op = CONTROL_STATUS };
}

static void
end(void)
{
	scratch_end(dir);
}

static void
put(int fd, const char *text, bool more)
{
	struct msg_control_result r = { .ok = true, .count = 3, .text = str_c(text), .more = more };
	struct buf b;

	buf_init(&b, FRAME_MAX);
	msg_control_result_put(&b, &r);
	if (channel_send(fd, buf_str(&b), -1) < 0)
		_exit(1);
	buf_free(&b);
}

/* In a child: one client is asked what it wants and answered by SAY. */
static pid_t
serve(void (*say)(int fd))
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct addr a;
	char asked[512];

	ck_assert_int_eq(addr_unix(path, &a), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a.ss, a.len), 0);
	ck_assert_int_eq(listen(fd, 5), 0);
	pid_t pid = fork();
	if (pid == 0) {
		int client = accept(fd, NULL, NULL);

		if (recv(client, asked, sizeof(asked), 0) <= 0)
			_exit(1);
		say(client);
		_exit(0);
	}
	close(fd);
	return pid;
}

static void
say_two(int fd)
{
	put(fd, "one\n", true);
	put(fd, "two\n", false);
}

static void
say_one(int fd)
{
	put(fd, "one\n", false);
}

static void
say_nonsense(int fd)
{
	if (send(fd, "220 hello", 9, 0) < 0)
		_exit(1);
}

static void
say_nothing(int fd)
{
	char c;

	if (recv(fd, &c, 1, 0) > 0)
		_exit(1);
}

static void
joined(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

START_TEST(answers)
{
	struct msg_control_result r;
	char *text = NULL;
	size_t size = 0;
	struct buf b;

	begin();
	pid_t pid = serve(say_two);
	FILE *out = open_memstream(&text, &size);
	ck_assert_int_eq(control_read(dir, &question, out, &r), 0);
	fclose(out);
	ck_assert_str_eq(text, "one\ntwo\n");
	ck_assert(r.ok && r.count == 3 && r.text.n == 0);
	free(text);
	joined(pid);
	(void)unlink(path);

	pid = serve(say_one);
	buf_init(&b, FRAME_MAX);
	ck_assert_int_eq(control_ask(dir, &question, 10000, &b, &r), 0);
	ck_assert(!r.more && str_eq(r.text, STR("one\n")));
	buf_free(&b);
	joined(pid);
	end();
}
END_TEST

static void
say_no_more(int fd UNUSED)
{
}

/* Where barid-check is not reached it is said why. */
START_TEST(scans)
{
	const struct msg_scan m = { .id = STR("id"), .from = STR(""), .client = STR(""),
		.name = STR(""), .helo = STR(""), .login = STR("") };
	struct msg_scan_result r;
	int text = open("/dev/null", O_RDONLY | O_CLOEXEC), edited;
	struct buf b;

	begin();
	buf_init(&b, FRAME_MAX);
	ck_str(control_scan(dir, &m, text, 10000, &b, &r, &edited), STR("barid does not run"));
	pid_t pid = serve(say_one);
	ck_str(control_scan(dir, &m, text, 10000, &b, &r, &edited), STR("one"));
	joined(pid);
	(void)unlink(path);
	pid = serve(say_no_more);
	ck_str(control_scan(dir, &m, text, 10000, &b, &r, &edited),
	    STR("barid-check gives no answer"));
	joined(pid);
	ck_assert_int_eq(edited, -1);
	buf_free(&b);
	close(text);
	end();
}
END_TEST

START_TEST(nobody)
{
	struct msg_control_result r;
	struct buf b;

	begin();
	buf_init(&b, FRAME_MAX);
	ck_assert(!control_is_there(dir));
	ck_assert_int_eq(control_ask(dir, &question, 10000, &b, &r), -1);
	ck_assert_int_eq(errno, ENOENT);
	buf_free(&b);
	end();
}
END_TEST

START_TEST(somebody_else)
{
	struct msg_control_result r;
	struct buf b;

	begin();
	buf_init(&b, FRAME_MAX);
	pid_t pid = serve(say_nonsense);
	ck_assert_int_eq(control_ask(dir, &question, 10000, &b, &r), -1);
	ck_assert_int_eq(errno, EPROTO);
	joined(pid);
	(void)unlink(path);

	pid = serve(say_nothing);
	ck_assert_int_eq(control_ask(dir, &question, 1, &b, &r), -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
	joined(pid);
	buf_free(&b);
	end();
}
END_TEST

START_TEST(too_much)
{
	static char long_text[FRAME_MAX];
	struct msg_control_result r;
	struct buf b;

	begin();
	memset(long_text, 'x', sizeof(long_text));
	question.domain = str_n(long_text, sizeof(long_text));
	buf_init(&b, FRAME_MAX);
	pid_t pid = serve(say_nothing);
	ck_assert_int_eq(control_ask(dir, &question, 10000, &b, &r), -1);
	ck_assert_int_eq(errno, E2BIG);
	buf_free(&b);
	/* It was asked nothing. */
	int status;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_ne(status, 0);
	end();
}
END_TEST

UNIT_MAIN("report/control", answers, scans, nobody, somebody_else, too_much)
