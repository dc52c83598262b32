/* SPDX-License-Identifier: GPL-3.0-or-later */

/* secret -- a password is not shown, and a terminal shows what is typed after it. */

#include "cmd/cmd.h"

#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#include "unit.h"

#define PROMPT "Secret? "

/* Of a terminal: who is asked there, and what it showed so far. */
static pid_t pid;
static int terminal, line;
static struct buf shown;

/* In the child: 0 if the answer is "sesame". */
static int
answered(void)
{
	struct buf b;
	bool good;

	buf_init(&b, 100);
	good = cmd_read_secret(PROMPT, &b) && str_eq(buf_str(&b), STR("sesame"));
	buf_free(&b);
	return good ? 0 : 1;
}

static bool
echoes(void)
{
	struct termios t;

	ck_assert_int_eq(tcgetattr(line, &t), 0);
	return (t.c_lflag & ECHO) != 0;
}

static void
begin(void)
{
	ck_assert_int_eq(openpty(&terminal, &line, NULL, NULL, NULL), 0);
	ck_assert(echoes());
	buf_init(&shown, 1000);
	if ((pid = fork()) == 0) {
		/* Check has its own of them. */
		for (int signo = 1; signo < NSIG; signo++)
			(void)signal(signo, SIG_DFL);
		close(terminal);
		_exit(login_tty(line) == 0 ? answered() : 2);
	}
}

/* Waits until the terminal has shown TEXT for the N-th time. */
static void
wait_for(const char *text, unsigned n)
{
	char c;

	while (n > 0) {
		ck_assert_int_eq(read(terminal, &c, 1), 1);
		buf_addc(&shown, c);
		n -= str_ends(buf_str(&shown), str_c(text));
	}
}

static void
type(const char *text)
{
	ck_assert_int_eq(write(terminal, text, strlen(text)), (ssize_t)strlen(text));
}

static int
end(void)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(echoes());
	ck_assert_ptr_null(strstr(buf_cstr(&shown), "sesame"));
	buf_free(&shown);
	close(terminal);
	close(line);
	return status;
}

START_TEST(hidden)
{
	begin();
	wait_for(PROMPT, 1);
	ck_assert(!echoes());
	type("sesame\n");
	wait_for("\n", 1);
	ck_assert_int_eq(end(), 0);
}
END_TEST

START_TEST(ended)
{
	static const struct {
		const char *text;
		int signo;
	} t[] = { { "ses\003", SIGINT }, { NULL, SIGTERM }, { NULL, SIGHUP } };

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		begin();
		wait_for(PROMPT, 1);
		if (t[i].text != NULL)
			type(t[i].text);
		else
			kill(pid, t[i].signo);
		int status = end();
		ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == t[i].signo);
	}
}
END_TEST

/* Nobody could let it go on here, so that the kernel does not stop it. */
START_TEST(stopped)
{
	begin();
	wait_for(PROMPT, 1);
	type("ses\032");
	wait_for(PROMPT, 1);
	ck_assert(!echoes());
	type("sesame\n");
	wait_for("\n", 1);
	ck_assert_int_eq(end(), 0);
}
END_TEST

START_TEST(piped)
{
	int fds[2], status;

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(write(fds[1], "sesame\nx", 8), 8);
	close(fds[1]);
	if ((pid = fork()) == 0)
		_exit(dup2(fds[0], 0) == 0 ? answered() : 2);
	close(fds[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

UNIT_MAIN("cmd/secret", hidden, ended, stopped, piped)
