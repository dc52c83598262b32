/* SPDX-License-Identifier: GPL-3.0-or-later */

/* confine -- calls that a session and a helper may make, and those they may not. */

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/build.h"
#include "lib/confine.h"
#include "lib/proc.h"
#include "logfile.h"

static struct confine *
make(enum confine_role role, enum confine_mode mode)
{
	struct confine *c;
	struct buf error;

	buf_init(&error, 1024);
	c = confine_new(role, mode, &error);
	ck_assert_msg(c != NULL, "%s", buf_cstr(&error));
	buf_free(&error);
	return c;
}

/* Of a child, which may not ask for it. */
static pid_t parent;

/* How a child under ROLE and MODE ended that called FN. */
static int
under(enum confine_role role, enum confine_mode mode, void (*fn)(void))
{
	struct confine *c = make(role, mode);
	int status;
	pid_t pid;

	parent = getpid();
	pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
			_exit(98);
		confine_calls(c);
		fn();
		_exit(7);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	confine_free(c);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void
runs_a_program(void)
{
	char *const argv[] = { (char[]){ "true" }, NULL };

	(void)execv("/bin/true", argv);
}

static void
forks(void)
{
	(void)!fork();
}

static void
connects(void)
{
	(void)socket(AF_INET, SOCK_STREAM, 0);
}

static void
maps_code(void)
{
	if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
		_exit(1);
}

static void
makes_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)mprotect(p, 4096, PROT_READ | PROT_EXEC);
}

static void
lets_go(void)
{
	(void)flock(0, LOCK_UN);
}

static void
appends(void)
{
	(void)fcntl(0, F_SETFL, O_APPEND);
}

static void
locks_for_all(void)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	(void)fcntl(0, F_OFD_SETLK, &l);
}

/* Whoever closes that socket last, somewhere else, would wait for its peer. */
static void
lingers(void)
{
	const struct linger l = { 1, 1 << 30 };
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0)
		(void)setsockopt(pair[0], SOL_SOCKET, SO_LINGER, &l, sizeof(l));
}

static void
narrows(void)
{
	const int one = 1;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0)
		(void)setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &one, sizeof(one));
}

/* The number is that of a time-out, the level another. */
static void
holds_back(void)
{
	const struct timeval t = { .tv_sec = 1 };
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0)
		(void)setsockopt(pair[0], IPPROTO_TCP, SO_SNDTIMEO, &t, sizeof(t));
}

static void
catches_it(void)
{
	(void)signal(SIGSYS, SIG_IGN);
}

static void
blocks_it(void)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	runs_a_program();
}

static void
kills(void)
{
	(void)kill(parent, 0);
}

static void
panics(void)
{
	panic("a bug");
}

static void
works(void)
{
	const struct timeval t = { .tv_sec = 1 };
	char *p = malloc(1 << 20);
	int pair[2];

	if (!p || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0 ||
	    setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)) < 0 ||
	    setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t)) < 0 ||
	    fcntl(pair[0], F_SETFL, O_RDWR | O_NONBLOCK) < 0 ||
	    send(pair[0], "x", 1, 0) != 1 || recv(pair[1], p, 1, 0) != 1)
		_exit(1);
	free(p);
	log_info(NULL, "still here");
}

static void
opens(void)
{
	(void)!open("/dev/null", O_RDONLY);
}

static void
asks_another(void)
{
	int pair[2];

	(void)!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair);
}

static void
computes(void)
{
	char *p = malloc(1 << 20);
	struct timespec now;

	if (!p || clock_gettime(CLOCK_MONOTONIC, &now) < 0 || getrandom(p, 32, 0) != 32)
		_exit(1);
	free(p);
	log_info(NULL, "still here");
}

START_TEST(a_session)
{
	void (*const deadly[])(void) = { runs_a_program, forks, connects, kills, blocks_it,
		lets_go, appends, locks_for_all, lingers, narrows, holds_back };
	void (*const unchecked[])(void) = { maps_code, makes_code, catches_it };

	to_file();
	ck_assert_int_eq(under(CONFINE_SESSION, CONFINE_ENFORCE, works), 7);
	ck_assert_int_eq(under(CONFINE_SESSION, CONFINE_ENFORCE, panics), 128 + SIGABRT);
	for (size_t i = 0; i < ARRAY_LEN(deadly); i++)
		ck_assert_int_eq(under(CONFINE_SESSION, CONFINE_ENFORCE, deadly[i]), 128 + SIGSYS);
	/* A sanitizer does these things itself. */
	for (size_t i = 0; i < ARRAY_LEN(unchecked) && !BUILD_ASAN; i++)
		ck_assert_int_eq(under(CONFINE_SESSION, CONFINE_ENFORCE, unchecked[i]), 128 + SIGSYS);
	log_reset();
	unlink(path);
}
END_TEST

START_TEST(says_which)
{
	struct buf b, want;

	to_file();
	ck_assert_int_eq(under(CONFINE_SESSION, CONFINE_ENFORCE, runs_a_program), 128 + SIGSYS);
	buf_init(&want, 200);
	buf_addf(&want, "killed: system call %d is not one that this process may make", SYS_execve);
	b = written();
	ck_assert_msg(strstr(buf_cstr(&b), buf_cstr(&want)) != NULL, "%s", buf_cstr(&b));
	buf_free(&b);
	buf_free(&want);
	log_reset();
}
END_TEST

static void
is_owner(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0)
		(void)fcntl(pair[0], F_SETOWN, parent);
}

static void
forks_a_sibling(void)
{
	_Atomic pid_t shown = 0, own = 0;
	pid_t pid = proc_fork_sibling(&shown, &own);

	if (pid == 0)
		_exit(shown == 0 && own == getpid() ? 0 : 1);
	if (pid < 0 || shown != pid || own != 0)
		_exit(1);
}

static void
forks_when_childless(void)
{
	_Atomic pid_t shown = 0, own = 0;

	proc_childless();
	if (geteuid() != 0 && (proc_fork_sibling(&shown, &own) >= 0 || errno != EAGAIN))
		_exit(1);
}

static void
limits_others(void)
{
	(void)prlimit(parent, RLIMIT_NPROC, NULL, NULL);
}

START_TEST(an_acceptor)
{
	void (*const fine[])(void) = { works, forks_a_sibling, forks_when_childless };
	void (*const deadly[])(void) = { runs_a_program, forks, connects, kills, is_owner };
	int status;

	to_file();
	for (size_t i = 0; i < ARRAY_LEN(fine); i++)
		ck_assert_int_eq(under(CONFINE_ACCEPTOR, CONFINE_ENFORCE, fine[i]), 7);
	/* The sibling was ours. */
	ck_assert_int_gt(wait(&status), 0);
	ck_assert_int_eq(status, 0);
	for (size_t i = 0; i < ARRAY_LEN(deadly); i++)
		ck_assert_int_eq(under(CONFINE_ACCEPTOR, CONFINE_ENFORCE, deadly[i]), 128 + SIGSYS);
	if (!BUILD_ASAN) {
		/* A bug is said and is a crash, but not by a signal that others could be sent. */
		ck_assert_int_eq(under(CONFINE_ACCEPTOR, CONFINE_ENFORCE, panics), 128 + SIGILL);
		ck_assert_int_eq(under(CONFINE_ACCEPTOR, CONFINE_ENFORCE, limits_others), 128 + SIGSYS);
	}
	ck_assert_int_eq(under(CONFINE_SESSION, CONFINE_ENFORCE, is_owner), 128 + SIGSYS);
	log_reset();
	unlink(path);
}
END_TEST

static void *
thread(void *arg)
{
	return arg;
}

static void
starts_a_thread(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, thread, NULL) != 0 || pthread_join(t, NULL) != 0)
		_exit(1);
}

static void
becomes_another(void)
{
	(void)!setresuid(65534, 65534, 65534);
}

START_TEST(a_helper)
{
	void (*const fine[])(void) = { works, forks, connects, kills, starts_a_thread };
	void (*const deadly[])(void) = { runs_a_program, becomes_another };

	to_file();
	for (size_t i = 0; i < ARRAY_LEN(fine); i++)
		ck_assert_int_eq(under(CONFINE_HELPER, CONFINE_ENFORCE, fine[i]), 7);
	for (size_t i = 0; i < ARRAY_LEN(deadly); i++)
		ck_assert_int_eq(under(CONFINE_HELPER, CONFINE_ENFORCE, deadly[i]), 128 + SIGSYS);
	log_reset();
	unlink(path);
}
END_TEST

/* It computes and answers; it opens nothing, starts nothing, and asks nobody. */
START_TEST(a_signer)
{
	void (*const deadly[])(void) = { forks, connects, kills, runs_a_program, asks_another };

	to_file();
	ck_assert_int_eq(under(CONFINE_SIGNER, CONFINE_ENFORCE, computes), 7);
	/* A sanitizer looks into /proc. */
	if (!BUILD_ASAN)
		ck_assert_int_eq(under(CONFINE_SIGNER, CONFINE_ENFORCE, opens), 128 + SIGSYS);
	for (size_t i = 0; i < ARRAY_LEN(deadly); i++)
		ck_assert_int_eq(under(CONFINE_SIGNER, CONFINE_ENFORCE, deadly[i]), 128 + SIGSYS);
	log_reset();
	unlink(path);
}
END_TEST

START_TEST(modes)
{
	/* The kernel notes it, and makes the call. */
	ck_assert_int_eq(under(CONFINE_SESSION, CONFINE_LOG, connects), 7);
	ck_assert_int_eq(under(CONFINE_SESSION, CONFINE_OFF, connects), 7);
	ck_assert(!confine_is_lenient());
	setenv("LD_PRELOAD", "", 1);
	ck_assert(!confine_is_lenient());
	setenv("LD_PRELOAD", "/lib/x.so", 1);
	ck_assert(confine_is_lenient());
	ck_assert_int_eq(under(CONFINE_SESSION, CONFINE_ENFORCE, connects), 7);
}
END_TEST

static void
cannot(void)
{
	struct confine *c = make(CONFINE_SESSION, CONFINE_ENFORCE);

	/* Neither root nor PR_SET_NO_NEW_PRIVS. */
	if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
		_exit(1);
	confine_calls(c);
}

/* P-07: no sandbox, no process. */
START_TEST(fails_loudly)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		to_file();
		cannot();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 71);
}
END_TEST

UNIT_MAIN("lib/confine", a_session, says_which, an_acceptor, a_helper, a_signer, modes,
    fails_loudly)
