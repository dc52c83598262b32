/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * program -- a program that knows recipients.
 *
 * It gets recipient, sender, client, our name, mechanism and login as
 * arguments, and says by its end what is to be done, by its output who gets
 * the mail: the way of E-MailRelay.  Nothing that begins with "-" is ever an
 * argument.  It has a process group of its own, which is killed when time is
 * up, and no standard input.
 */

#include "verify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/proc.h"

#define OUTPUT_MAX 4096
#define ARGS 6

/* ---- what it means ----------------------------------------------------------- */

struct msg_verify_result
program_meant(const struct asking *q, int code, struct str output)
{
	struct msg_verify_result r = { .verdict = VERIFY_NO };
	struct str first = output, second = STR("");

	(void)str_cut(output, '\n', &first, &second);
	(void)str_cut(second, '\n', &second, &output);
	first = str_trim(first);
	second = str_trim(second);
	switch (code) {
	case 0:
	case 1:
		r.verdict = VERIFY_YES;
		r.address = second;
		return r;
	case 3:
		r.verdict = VERIFY_LATER;
		r.text = first;
		r.why = second.n > 0 ? second : STR("the program says so");
		return r;
	case 100:
		r.verdict = VERIFY_ABORT;
		return r;
	case 126:
	case 127:
		/* A shell's word for what could not be run. */
		return cannot_say(q, "the program ended with status %d", code);
	default:
		r.text = first;
		r.why = second;
		return r;
	}
}

/* ---- running it --------------------------------------------------------------- */

static bool
is_option(struct str s)
{
	return s.n > 0 && s.p[0] == '-';
}

static char *
argument(const struct asking *q, struct str s, const char *otherwise)
{
	return s.n > 0 ? arena_cstr(q->a, s) : arena_cstr(q->a, str_c(otherwise));
}

static char **
arguments(const struct asking *q)
{
	const struct conf_strs *words = &q->whom->words;
	const struct msg_verify *m = q->about;
	char **v = arena_alloc(q->a, (words->n + ARGS + 1) * sizeof(*v));
	size_t n = 0;

	for (size_t i = 0; i < words->n; i++)
		v[n++] = arena_cstr(q->a, str_c(words->v[i]));
	v[n++] = argument(q, m->recipient, "");
	v[n++] = argument(q, m->sender, "");
	v[n++] = argument(q, m->client, "");
	v[n++] = argument(q, str_c(q->conf->hostname), "");
	v[n++] = argument(q, m->mechanism, "none");
	v[n++] = argument(q, m->login, "");
	v[n] = NULL;
	return v;
}

/* Starts it with its output in OUT: the pid, or -1. */
static pid_t
start(const struct asking *q, int out)
{
	char **argv = arguments(q), *env[] = { NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), was;
	pid_t pid;

	was = fcntl(1, F_DUPFD_CLOEXEC, 3);
	if (null < 0 || was < 0 || dup2(out, 1) < 0)
		return -1;
	pid = proc_start_group(argv[0], argv, null, env);
	(void)dup2(was, 1);
	close(was);
	close(null);
	return pid;
}

/* Reads what it writes until its end, and throws away what is too much; false: time is up. */
static bool
read_all(int fd, struct buf *b, int64_t deadline)
{
	char p[OUTPUT_MAX];
	ssize_t n = 1;

	while (n > 0) {
		struct pollfd w = { .fd = fd, .events = POLLIN };
		int64_t left = deadline - clock_ms();

		if (left <= 0 || poll(&w, 1, (int)left) == 0)
			return false;
		n = read(fd, p, sizeof(p));
		if (n > 0 && b->n + (size_t)n <= OUTPUT_MAX)
			buf_add(b, str_n(p, (size_t)n));
		else if (n < 0 && errno == EINTR)
			n = 1;
	}
	return true;
}

/* One that has closed its output may still take its time. */
static bool
await(pid_t pid, int *status, int64_t deadline)
{
	struct timespec short_while = { 0, 5 * 1000 * 1000 };
	pid_t got;

	while ((got = waitpid(pid, status, WNOHANG)) == 0 && clock_ms() < deadline)
		(void)nanosleep(&short_while, NULL);
	return got == pid;
}

static struct msg_verify_result
watch(const struct asking *q, pid_t pid, int out)
{
	struct msg_verify_result r;
	struct buf b;
	int status = 0;
	bool ended;

	buf_init(&b, OUTPUT_MAX);
	ended = read_all(out, &b, q->deadline) && await(pid, &status, q->deadline);
	/* Whatever it has left behind goes with it. */
	(void)kill(-pid, SIGKILL);
	if (!ended)
		r = cannot_say(q, "the program took too long");
	else if (WIFSIGNALED(status))
		r = cannot_say(q, "the program died of signal %d", WTERMSIG(status));
	else
		r = program_meant(q, WEXITSTATUS(status), arena_str(q->a, buf_str(&b)));
	buf_free(&b);
	return r;
}

struct msg_verify_result
ask_program(const struct asking *q)
{
	struct msg_verify_result r;
	int pipes[2];
	pid_t pid;

	if (is_option(q->about->recipient) || is_option(q->about->sender))
		return (struct msg_verify_result){ .verdict = VERIFY_NO,
			.text = STR("An address that begins with a hyphen") };
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return cannot_say(q, "%s", strerror(errno));
	pid = start(q, pipes[1]);
	if (pid < 0)
		r = cannot_say(q, "%s: %s", q->whom->words.v[0], strerror(errno));
	close(pipes[1]);
	if (pid >= 0)
		r = watch(q, pid, pipes[0]);
	close(pipes[0]);
	return r;
}
