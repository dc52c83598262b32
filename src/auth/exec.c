/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * exec -- a program that knows who may log in.
 *
 * It is given "user NUL password NUL" on its standard input and facts in its
 * environment; nothing of a client is ever an argument.  Its exit status is the
 * answer: 0 is yes, EX_TEMPFAIL and what the system or a signal makes of it is
 * nobody's no, anything else is no.  It has a process group of its own, which
 * is killed when time is up.
 */

#include "auth.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"

static volatile int child_ended;

/* Waits for the end of PID, at most until DEADLINE; its status, or -1. */
static int
await(pid_t pid, int64_t deadline)
{
	sigset_t block, before;
	int status, waited;

	sigemptyset(&block);
	sigaddset(&block, SIGCHLD);
	sigprocmask(SIG_BLOCK, &block, &before);
	while ((waited = waitpid(pid, &status, WNOHANG)) == 0) {
		int64_t left = deadline - clock_ms();
		struct timespec ts = { .tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000 };

		if (left <= 0)
			break;
		(void)ppoll(NULL, 0, &ts, &before);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return waited == pid ? status : -1;
}

static enum auth_verdict
verdict_of(const struct auth_question *q, int status)
{
	if (WIFSIGNALED(status))
		return auth_cannot(q, "it died of signal %d", WTERMSIG(status));
	switch (WEXITSTATUS(status)) {
	case EX_OK:
		return AUTH_YES;
	case EX_TEMPFAIL:
		return auth_cannot(q, "it says to try again later");
	case 126:
	case 127:
		/* A shell's word for a program that could not be run. */
		return auth_cannot(q, "it ended with status %d", WEXITSTATUS(status));
	default:
		return AUTH_NO;
	}
}

/* Its end of the pair is a socket: a program that reads nothing is no SIGPIPE. */
static void
give(int fd, const struct auth_question *q)
{
	struct buf b;

	buf_init(&b, FRAME_MAX * 2);
	buf_add(&b, str_n(q->user, strlen(q->user) + 1));
	buf_add(&b, str_n(q->password, strlen(q->password) + 1));
	(void)!send(fd, b.p, b.n, MSG_NOSIGNAL | MSG_DONTWAIT);
	buf_wipe(&b);
	buf_free(&b);
	shutdown(fd, SHUT_WR);
}

static pid_t
start(const struct auth_backend *b, const struct auth_question *q, int input)
{
	const char *name = strrchr(b->c.path, '/') + 1;
	struct arena a;
	pid_t pid;

	arena_init(&a, FRAME_MAX * 2);
	char *argv[] = { arena_cstr(&a, str_c(name)), NULL };
	char *env[] = {
		arena_printf(&a, "AUTH_USER=%s", q->user),
		arena_printf(&a, "AUTH_CLIENT=%s", q->client),
		arena_printf(&a, "AUTH_SERVICE=%s", q->service),
		arena_printf(&a, "AUTH_LISTENER=%s", q->listener),
		arena_printf(&a, "AUTH_TLS=%s", q->tls), NULL
	};
	pid = proc_start_group(b->c.path, argv, input, env);
	arena_free(&a);
	return pid;
}

enum auth_verdict
auth_exec(const struct auth_backend *b, const struct auth_question *q)
{
	int64_t deadline = clock_ms() + b->timeout_ms;
	enum auth_verdict verdict;
	int pair[2], status;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return auth_cannot(q, "%s", strerror(errno));
	proc_on_signal(SIGCHLD, &child_ended);
	pid = start(b, q, pair[1]);
	close(pair[1]);
	if (pid < 0) {
		verdict = auth_cannot(q, "it cannot be run: %s", strerror(errno));
		close(pair[0]);
		return verdict;
	}
	give(pair[0], q);
	status = await(pid, deadline);
	/* Whatever it left behind goes with it. */
	(void)kill(-pid, SIGKILL);
	if (status < 0) {
		(void)waitpid(pid, NULL, 0);
		verdict = auth_cannot(q, "it took longer than %lld s",
		    (long long)b->timeout_ms / 1000);
	} else {
		verdict = verdict_of(q, status);
	}
	close(pair[0]);
	return verdict;
}
