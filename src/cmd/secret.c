/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * secret -- a password from the terminal, which does not show it, or from a pipe.
 *
 * The terminal is as it was before whatever ends or stops the process takes effect:
 * the signals are blocked, looked for beside what is typed, and let in after it.  Who
 * was only stopped asks again.
 */

#include "cmd.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

static const int ending[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP };

/* A line of standard input.  False: a signal came first, by SIGNALS, if that is not -1. */
static bool
read_line(int signals, struct buf *b)
{
	struct pollfd p[2] = { { .fd = signals, .events = POLLIN },
		{ .fd = STDIN_FILENO, .events = POLLIN } };
	char c = '\0';

	for (;;) {
		while (poll(p, ARRAY_LEN(p), -1) < 0 && errno == EINTR)
			;
		if (p[0].revents != 0)
			return false;
		if (read(STDIN_FILENO, &c, 1) != 1 || c == '\n')
			return true;
		buf_addc(b, c);
	}
}

/* The same from a terminal in state WAS, which is in it again. */
static bool
ask(const char *prompt, const struct termios *was, struct buf *b)
{
	struct termios quiet = *was;
	sigset_t set, old;
	int signals;
	bool got;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(ending); i++)
		sigaddset(&set, ending[i]);
	sigprocmask(SIG_BLOCK, &set, &old);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	fputs(prompt, stderr);
	got = read_line(signals, b);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, was);
	fputc('\n', stderr);
	if (signals >= 0)
		close(signals);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return got;
}

bool
cmd_read_secret(const char *prompt, struct buf *b)
{
	struct termios was;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &was) < 0)
		(void)read_line(-1, b);
	else
		while (!ask(prompt, &was, b))
			buf_wipe(b);
	return buf_ok(b) && b->n > 0 && !memchr(b->p, 0, b->n);
}
