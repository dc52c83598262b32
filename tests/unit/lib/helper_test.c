/* SPDX-License-Identifier: GPL-3.0-or-later */

/* helper -- how a program begins that only barid(8) starts. */

#include "lib/helper.h"

#include <poll.h>
#include <signal.h>
#include <sysexits.h>

#include "child.h"

static const char *words;
static int channels;

/* What it exits with says what helper_begin() gave. */
static void
begin(void)
{
	char line[100], *rest = line, *argv[10];
	int argc = 0;

	for (int i = 0; i < channels; i++)
		if (dup2(STDERR_FILENO, HELPER_FD + i) < 0)
			_exit(98);
	for (int i = channels; i < 2; i++)
		close(HELPER_FD + i);
	snprintf(line, sizeof(line), "barid-test%s", words);
	while ((argv[argc] = strsep(&rest, " ")) != NULL)
		argc++;
	_exit(strcmp(helper_begin(argc, argv, "test", 2), "/a/path") == 0 ?
	    42 : 43);
}

static int
began(const char *arguments, int fd_n)
{
	words = arguments;
	channels = fd_n;
	return child_run(begin, -1);
}

START_TEST(only_barid_starts_it)
{
	ck_assert_int_eq(began(" -i 0 -n 1 -c /a/path", 2), 42);
	ck_assert_int_eq(began(" -i 0 -n 1 -c /a/path", 1), EX_USAGE);
	ck_assert_int_eq(began(" -i 0 -n 1 -c /a/path", 0), EX_USAGE);
	ck_assert_int_eq(began("", 2), EX_USAGE);
	ck_assert_int_eq(began(" -i 0 -n 1", 2), EX_USAGE);
	ck_assert_int_eq(began(" -c /a/path -z", 2), EX_USAGE);
	ck_assert_int_eq(began(" -c", 2), EX_USAGE);
}
END_TEST

static struct helper_signals got;

START_TEST(signals_wait_for_ppoll)
{
	const struct timespec now = { 0, 0 };
	sigset_t none;

	sigemptyset(&none);
	helper_signals(&got);
	raise(SIGPIPE);
	raise(SIGINT);
	raise(SIGHUP);
	raise(SIGTERM);
	raise(SIGCHLD);
	raise(SIGUSR1);
	ck_assert(!got.term && !got.chld && !got.usr1);
	(void)ppoll(NULL, 0, &now, &none);
	ck_assert(got.term && got.chld && got.usr1);
}
END_TEST

START_TEST(workers_are_reaped)
{
	const struct timespec longest = { 60, 0 };
	sigset_t none;
	pid_t pid;

	sigemptyset(&none);
	helper_signals(&got);
	ck_assert_int_ge(pid = fork(), 0);
	if (pid == 0)
		_exit(7);
	while (!got.chld)
		(void)ppoll(NULL, 0, &longest, &none);
	got.usr1 = 1;
	helper_heed(&got);
	ck_assert(!got.chld && !got.usr1);
	ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), -1);
}
END_TEST

UNIT_MAIN("lib/helper", only_barid_starts_it, signals_wait_for_ppoll, workers_are_reaped)
