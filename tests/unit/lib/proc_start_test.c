/* SPDX-License-Identifier: GPL-3.0-or-later */

/* proc_start -- what a helper gets and what it does not, and where it is. */

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/stat.h>

#include "child.h"
#include "lib/proc.h"

static char sh[] = "sh", dash_c[] = "-c";

/*
 * Runs SCRIPT with FDS; what it writes to standard output is in OUT.  The
 * result is its exit status.
 */
static int
run(const char *script, const int *fds, size_t fd_n, char *const env[],
    char *out, size_t size)
{
	char text[1000];
	char *argv[] = { sh, dash_c, text, NULL };
	int p[2], status, saved = dup(1);
	size_t n = 0;
	ssize_t got;
	pid_t pid;

	snprintf(text, sizeof(text), "%s", script);
	ck_assert_int_eq(pipe(p), 0);
	fcntl(saved, F_SETFD, FD_CLOEXEC);
	dup2(p[1], 1);
	close(p[1]);
	pid = proc_start("/bin/sh", argv, -1, fds, fd_n, env);
	dup2(saved, 1);
	close(saved);
	ck_assert_int_gt(pid, 0);
	while ((got = read(p[0], out + n, size - 1 - n)) > 0)
		n += (size_t)got;
	out[n] = '\0';
	close(p[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* S-54: what means "go on in another way" does not end who has no handler yet. */
START_TEST(begins_deaf)
{
	char out[100];

	ck_assert_int_eq(run("kill -HUP $$; kill -USR1 $$; kill -PIPE $$; exit 7", NULL, 0,
	    NULL, out, sizeof(out)), 7);
	/* And hears what it is to end of. */
	ck_assert_int_eq(run("sh -c 'kill -TERM $$'; exit $((100 + $?))",
	    NULL, 0, NULL, out, sizeof(out)), 243);
}
END_TEST

START_TEST(hears_when_it_can)
{
	static volatile int got;

	proc_hold_signals(true);
	ck_assert_int_eq(raise(SIGUSR1), 0);
	ck_assert_int_eq(raise(SIGHUP), 0);
	proc_ignore(SIGHUP);
	proc_on_signal(SIGUSR1, &got);
	ck_assert_int_eq(got, 0);
	proc_hold_signals(false);
	ck_assert_int_eq(got, 1);
}
END_TEST

START_TEST(gets_its_descriptors)
{
	enum { N = 20, FIRST = 3 + N - 3 };
	char out[1000], want[100] = "";
	int fds[N], p[3][2];

	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(pipe(p[i]), 0);
		p[i][0] = fcntl(p[i][0], F_DUPFD, 60);
		/* Each lies where another one goes. */
		ck_assert_int_eq(dup2(p[i][1], FIRST + i), FIRST + i);
		close(p[i][1]);
	}
	for (int i = 0; i < N - 3; i++)
		fds[i] = 2;
	fds[N - 3] = FIRST + 1;
	fds[N - 2] = FIRST + 2;
	fds[N - 1] = FIRST;
	ck_assert_int_eq(run("cd /proc/self/fd; echo a >20; echo b >21; "
	    "echo c >22; ls -v /proc/$$/fd", fds, N, NULL, out,
	    sizeof(out)), 0);
	for (int i = 0; i < 3 + N; i++)
		snprintf(want + strlen(want), sizeof(want) - strlen(want),
		    "%d\n", i);
	ck_assert_str_eq(out, want);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(read(p[i][0], out, 100), 2);
		ck_assert_int_eq(out[0], "cab"[i]);
		/* The caller's own are as they were. */
		ck_assert_int_ge(fcntl(FIRST + i, F_GETFD), 0);
	}
}
END_TEST

START_TEST(gets_no_descriptor)
{
	char out[1000];

	ck_assert_int_eq(dup2(2, 17), 17);
	ck_assert_int_eq(run("ls /proc/$$/fd", NULL, 0, NULL, out,
	    sizeof(out)), 0);
	ck_assert_str_eq(out, "0\n1\n2\n");
}
END_TEST

START_TEST(gets_its_input)
{
	char script[] = "read a; read b <&3; test \"$a\" = input && test \"$b\" = third";
	char *argv[] = { sh, dash_c, script, NULL };
	int input[2], third[2], status;
	pid_t pid;

	ck_assert_int_eq(pipe2(input, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(third, O_CLOEXEC), 0);
	ck_assert_int_eq(write(input[1], "input\n", 6), 6);
	ck_assert_int_eq(write(third[1], "third\n", 6), 6);
	pid = proc_start("/bin/sh", argv, input[0], third, 1, NULL);
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(gets_its_environment)
{
	char a[] = "BARID_X=1", lang[] = "LANG=xx", out[8000];
	char *env[] = { a, lang, NULL };

	setenv("SECRET", "s", 1);
	setenv("LANG", "C", 1);
	setenv("TZ", "UTC", 1);
	setenv("PATHOLOGY", "s", 1);
	setenv("LD_PRELOAD", "", 1);
	ck_assert_int_eq(run("echo \"$BARID_X,$LANG,$TZ,$SECRET,$PATHOLOGY\"; "
	    "test -n \"$PATH\" && test -z \"${LD_PRELOAD+set}\"", NULL, 0,
	    env, out, sizeof(out)), 0);
	ck_assert_str_eq(out, "1,xx,UTC,,\n");
}
END_TEST

START_TEST(gets_no_signal_state)
{
	char out[1000];
	sigset_t all;
	uint64_t internal = (uint64_t)3 << 31;
	uint64_t held = (uint64_t)1 << (SIGHUP - 1) |
	    (uint64_t)1 << (SIGUSR1 - 1) | (uint64_t)1 << (SIGPIPE - 1);
	char *rest;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	/* A shell that starts another program forgets what was held back. */
	ck_assert_int_eq(run("while read k v; do case $k in SigBlk:|SigIgn:) "
	    "echo $v;; esac; done </proc/$$/status", NULL, 0, NULL, out,
	    sizeof(out)), 0);
	ck_assert_uint_eq(strtoull(out, &rest, 16), held);
	/* The C library ignores two signals that only it knows. */
	ck_assert_uint_eq(strtoull(rest, NULL, 16) & ~internal, 0);
}
END_TEST

START_TEST(reports_what_failed)
{
	char *argv[] = { sh, NULL };
	int bad[] = { -1 };

	errno = 0;
	ck_assert_int_eq(proc_start("/nonexistent/x", argv, -1, NULL, 0, NULL),
	    -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(proc_start("/", argv, -1, NULL, 0, NULL), -1);
	ck_assert_int_eq(errno, EACCES);
	ck_assert_int_eq(proc_start("/bin/sh", argv, -1, bad, 1, NULL), -1);
	ck_assert_int_eq(proc_start("/bin/sh", argv, 999, NULL, 0, NULL), -1);
	ck_assert_int_eq(errno, EBADF);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}
END_TEST

START_TEST(finds_helpers)
{
	const char *fixed;
	char dir[PATH_MAX / 2], want[PATH_MAX];
	ssize_t n;

	setenv("BARID_LIBEXEC", "/some/where", 1);
	ck_assert_str_eq(proc_helper("barid-auth"), "/some/where/barid-auth");
	setenv("BARID_LIBEXEC", "", 1);
	fixed = proc_helper("no-such-helper");
	ck_assert(str_ends(str_c(fixed), STR("/barid/no-such-helper")));
	ck_assert_int_eq(fixed[0], '/');
	unsetenv("BARID_LIBEXEC");
	/* What lies beside the running program. */
	n = readlink("/proc/self/exe", dir, sizeof(dir) - 1);
	ck_assert_int_gt(n, 0);
	dir[n] = '\0';
	*strrchr(dir, '/') = '\0';
	snprintf(want, sizeof(want), "%s/../libexec/barid/no-such-helper",
	    dir);
	ck_assert_str_ne(proc_helper("no-such-helper"), want);
}
END_TEST

static int
status_of(const char *program, char *const argv[], char *const env[])
{
	pid_t pid = proc_start_group(program, argv, -1, env);
	int status = -1;

	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

/* A leader of a group, without descriptors and with no signal held back. */
START_TEST(in_a_group)
{
	char script[] = "[ \"$(cut -d' ' -f5 /proc/$$/stat)\" = $$ ] && "
			"[ ! -e /proc/$$/fd/7 ] && [ \"$FACT\" = 'a b' ]";
	char name[] = "sh", c[] = "-c", fact[] = "FACT=a b";
	char *argv[] = { name, c, script, NULL }, *env[] = { fact, NULL };
	/* Not by a shell, which has a mask of its own. */
	char grep[] = "grep", quiet[] = "-q", mask[] = "^SigBlk:.0*$",
	     of[] = "/proc/self/status";
	char *looks[] = { grep, quiet, mask, of, NULL };

	ck_assert_int_eq(dup2(0, 7), 7);
	ck_assert_int_eq(status_of("/bin/sh", argv, env), 0);
	ck_assert_int_eq(status_of("/bin/grep", looks, env), 0);
	close(7);
	ck_assert_int_lt(proc_start_group("/nonexistent", argv, -1, env), 0);
}
END_TEST

UNIT_MAIN("lib/proc_start", begins_deaf, hears_when_it_can, gets_its_descriptors, gets_no_descriptor,
    gets_its_input, gets_its_environment, gets_no_signal_state, reports_what_failed,
    finds_helpers, in_a_group)
