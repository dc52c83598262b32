/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * main -- the program barid-sign: the private keys of TLS, and nothing else.
 *
 * It is handed the keys on descriptor 4, as the mail user, and from then on
 * signs handshakes for sessions, which have no key (net/tls_sign.c).  Requests
 * come as packets on descriptor 3, each with the way to answer.  As many workers as
 * there are processors take them from there as they come: so a long RSA key
 * does not hold up everybody.  A worker can open no file, has nothing but the
 * channel and the log, and makes few system calls.
 *
 * The channel belongs to certificates, not to a process: when they change, the
 * master makes another and starts another of us.  Who was forked before asks
 * here yet, and when the last of those is gone the channel ends, and we do.
 * A worker that crashes is the end of all: the next ones have another layout.
 */

#include "sign.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "conf/conf.h"
#include "ipc/channel.h"
#include "ipc/frame.h"
#include "lib/clock.h"
#include "lib/confine.h"
#include "lib/helper.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/proc.h"

#define CHANNEL_FD HELPER_FD
#define KEYS_FD (HELPER_FD + 1)
#define WORKERS_MAX 4
#define WORKER_FILES 16
#define WORKER_MEMORY ((uint64_t)256 << 20)
/* A request is some two hundred octets. */
#define REQUEST_MAX 1024
/* Of refusals, in the log: a flood is one already. */
#define SAY_EVERY_MS 1000

static struct helper_signals came;

struct sign {
	struct conf *conf;
	struct keys keys;
	struct confine *calls;
	int nothing;		/* a ruleset without a file, or -1 */
	pid_t workers[WORKERS_MAX];	/* 0: a free place */
	size_t wanted;
};

/* ---- a worker ------------------------------------------------------------------- */

struct worker {
	const struct keys *keys;
	struct turns turns;
	struct buf request, answer;
	int64_t said_ms;
};

static void
refuse(struct worker *w, pid_t who, const char *why)
{
	int64_t now = clock_ms();

	if (w->said_ms != 0 && now - w->said_ms < SAY_EVERY_MS)
		return;
	w->said_ms = now;
	log_warn(NULL, "nothing is signed for process %d: %s", (int)who, why);
}

/* One request.  False: there will be no more. */
static bool
serve(struct worker *w)
{
	const char *why = "it asked too often";
	int reply, got;
	pid_t who;

	got = channel_recv_from(CHANNEL_FD, &w->request, &reply, &who);
	if (got <= 0)
		return got == 0;
	if (reply < 0)
		return true;
	if (!turns_take(&w->turns, who, clock_ms()) ||
	    !sign_answer(w->keys, buf_str(&w->request), &w->answer, &why))
		refuse(w, who, why);
	else if (channel_send(reply, buf_str(&w->answer), -1) < 0 && errno != EPIPE)
		log_warn(NULL, "cannot answer: %s", strerror(errno));
	close(reply);
	return true;
}

static void
confine(const struct sign *s)
{
	proc_default(SIGCHLD);
	proc_default(SIGUSR1);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	confine_files(s->nothing);
	if (s->nothing >= 0)
		close(s->nothing);
	proc_limit(WORKER_FILES, 0, 0);
	proc_alone(WORKER_MEMORY);
	confine_calls(s->calls);
}

static void
work(const struct sign *s)
{
	struct worker *w = mem_alloc(sizeof(*w));
	sigset_t none;

	w->keys = &s->keys;
	buf_init(&w->request, REQUEST_MAX);
	buf_init(&w->answer, FRAME_MAX);
	sigemptyset(&none);
	while (!came.term) {
		struct pollfd p = { .fd = CHANNEL_FD, .events = POLLIN };
		if (ppoll(&p, 1, NULL, &none) > 0 && !serve(w))
			break;
	}
	buf_free(&w->request);
	buf_free(&w->answer);
	mem_free(w);
}

/* ---- their parent ------------------------------------------------------------------ */

static void
start_workers(struct sign *s)
{
	/* They cannot connect to a logger. */
	log_before_fork();
	for (size_t i = 0; i < s->wanted; i++) {
		pid_t pid = fork();
		if (pid == 0) {
			confine(s);
			work(s);
			proc_child_exit(0);
		}
		if (pid < 0)
			log_error(NULL, "cannot fork a worker: %s", strerror(errno));
		s->workers[i] = pid < 0 ? 0 : pid;
	}
}

static void
end_workers(struct sign *s)
{
	for (size_t i = 0; i < WORKERS_MAX; i++)
		if (s->workers[i] > 0)
			(void)kill(s->workers[i], SIGTERM);
	/* Those that are left of an earlier log are ended too. */
	memset(s->workers, 0, sizeof(s->workers));
}

/* False: one crashed. */
static bool
reap(struct sign *s)
{
	bool fine = true;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (size_t i = 0; i < WORKERS_MAX; i++)
			if (s->workers[i] == pid)
				s->workers[i] = 0;
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
			continue;
		fine = false;
		if (WIFSIGNALED(status))
			log_error(NULL, "a worker (pid %d) died of signal %d (%s)", (int)pid,
			    WTERMSIG(status), strsignal(WTERMSIG(status)));
	}
	return fine;
}

static bool
any_worker(const struct sign *s)
{
	for (size_t i = 0; i < WORKERS_MAX; i++)
		if (s->workers[i] > 0)
			return true;
	return false;
}

/* Returns when nobody can ask any more, or at the end; the exit code. */
static int
loop(struct sign *s)
{
	int code = EX_OK;
	sigset_t none;

	sigemptyset(&none);
	start_workers(s);
	while (!came.term && code == EX_OK && any_worker(s)) {
		(void)ppoll(NULL, 0, NULL, &none);
		if (came.chld) {
			came.chld = 0;
			code = reap(s) ? EX_OK : EX_SOFTWARE;
		}
		/* Their log is open before they are confined, and never after. */
		if (came.usr1 && code == EX_OK) {
			came.usr1 = 0;
			log_reopen();
			end_workers(s);
			start_workers(s);
		}
	}
	end_workers(s);
	while (waitpid(-1, NULL, 0) > 0)
		;
	return code;
}

/* ---- start --------------------------------------------------------------------------- */

static size_t
workers_wanted(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > WORKERS_MAX ? WORKERS_MAX : (size_t)n;
}

static void
load(struct sign *s, const char *path)
{
	struct confine_dir none = { .fd = -1 };
	struct buf error;

	buf_init(&error, 16384);
	if (!(s->conf = conf_inherit(path, false, &error)))
		fatal(EX_CONFIG, "%s", buf_cstr(&error));
	conf_forget_secrets(s->conf);
	conf_forget_backends(s->conf);
	(void)conf_open_log(s->conf);
	s->wanted = workers_wanted();
	struct proc_user user = proc_user(s->conf->user);
	proc_confine(&user, NULL);
	keys_take_fd(&s->keys, KEYS_FD);
	if (s->conf->sandbox == CONFINE_OFF)
		s->nothing = -1;
	else if ((s->nothing = confine_rules(&none, 0)) < 0 && errno != ENOSYS &&
	    errno != EOPNOTSUPP)
		log_warn(NULL, "keys are not kept from files: Landlock: %s", strerror(errno));
	s->calls = confine_new(CONFINE_SIGNER, (enum confine_mode)s->conf->sandbox, &error);
	if (!s->calls)
		fatal(EX_OSERR, "sandbox: %s", buf_cstr(&error));
	confine_now(CONFINE_HELPER, (enum confine_mode)s->conf->sandbox);
	buf_free(&error);
}

int
main(int argc, char **argv)
{
	struct sign *s = mem_alloc(sizeof(*s));
	const char *path = helper_begin(argc, argv, "sign", 2);
	int code;

	load(s, path);
	helper_signals(&came);
	code = loop(s);
	keys_free(&s->keys);
	confine_free(s->calls);
	conf_free(s->conf);
	mem_free(s);
	return code;
}
