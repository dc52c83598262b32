/* SPDX-License-Identifier: GPL-3.0-or-later */

/* proc -- confinement, limits, descriptors and signals, in children. */

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "child.h"
#include "lib/proc.h"
#include "scratch.h"

#define STDERR_OF_TEST 2

START_TEST(users)
{
	struct proc_user u = proc_user("root");

	ck_assert(u.found);
	ck_assert_int_eq(u.uid, 0);
	ck_assert(!proc_user("no such user here").found);
	ck_assert(!proc_user("").found);
}
END_TEST

static void
confine_as_anybody(void)
{
	uid_t uid = getuid();
	struct rlimit core;

	if (proc_is_root())
		must(setresuid(65534, 65534, 65534) == 0);
	uid = getuid();
	must(!proc_is_root());
	/* Who was root is not any more; a program that another user started is. */
	must(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
	proc_confine(NULL, "/nonexistent");
	must(getuid() == uid && geteuid() == uid);
	must(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	must(getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0);
#if !defined(__SANITIZE_ADDRESS__)
	must(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
#endif
	_exit(7);
}

START_TEST(without_root_it_stays_itself)
{
	ck_assert_int_eq(child_run(confine_as_anybody, STDERR_OF_TEST), 7);
}
END_TEST

static char jail[SCRATCH_SIZE];

static void
confine_as_root(void)
{
	const struct proc_user u = { 65534, 65533, true };
	gid_t groups[] = { 0, 1, 2 };
	uid_t r, e, s;
	gid_t rg, eg, sg;

	must(setgroups(3, groups) == 0);
	proc_confine(&u, jail);
	must(getresuid(&r, &e, &s) == 0);
	must(r == 65534 && e == 65534 && s == 65534);
	must(getresgid(&rg, &eg, &sg) == 0);
	must(rg == 65533 && eg == 65533 && sg == 65533);
	must(getgroups(0, NULL) == 0);
	must(setuid(0) < 0 && setgid(0) < 0);
	must(access("/marker", F_OK) == 0);
	must(access("/etc", F_OK) < 0);
	must(chroot("/") < 0);
	must(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	must(!proc_is_root());
	_exit(7);
}

static void
confine_without_jail(void)
{
	const struct proc_user u = { 65534, 65533, true };

	proc_confine(&u, NULL);
	must(access("/etc", F_OK) == 0);
	must(geteuid() == 65534);
	_exit(7);
}

static void
confine_to_root(void)
{
	const struct proc_user u = { 0, 0, true };

	proc_confine(&u, NULL);
}

static void
confine_to_nobody_known(void)
{
	const struct proc_user u = { 65534, 65533, false };

	proc_confine(&u, NULL);
}

static void
confine_to_no_directory(void)
{
	const struct proc_user u = { 65534, 65533, true };

	proc_confine(&u, "/nonexistent");
}

START_TEST(root_is_given_up)
{
	char marker[64];
	int fd;

	/* Needs root: it is what is given up. */
	if (!proc_is_root())
		return;
	scratch_begin(jail);
	ck_assert_int_eq(chmod(jail, 0755), 0);
	snprintf(marker, sizeof(marker), "%s/marker", jail);
	fd = open(marker, O_CREAT | O_WRONLY, 0644);
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(child_run(confine_as_root, STDERR_OF_TEST), 7);
	ck_assert_int_eq(child_run(confine_without_jail, STDERR_OF_TEST), 7);
	ck_assert_int_eq(child_run(confine_to_root, -1), 78);
	ck_assert_int_eq(child_run(confine_to_nobody_known, -1), 78);
	ck_assert_int_eq(child_run(confine_to_no_directory, -1), 71);
	scratch_end(jail);
}
END_TEST

static void
limit(void)
{
	struct rlimit r;

	proc_limit(0, 0, 0);
	proc_limit(50, 0, 100000);
	must(getrlimit(RLIMIT_NOFILE, &r) == 0);
	must(r.rlim_cur == 50 && r.rlim_max == 50);
	must(getrlimit(RLIMIT_FSIZE, &r) == 0);
	must(r.rlim_cur == 100000 && r.rlim_max == 100000);
	/* What is lower already stays. */
	must(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 40, 40 }) == 0);
	if (geteuid() != 0 || setresuid(65534, 65534, 65534) == 0)
		proc_limit(1000, 0, 0);
	must(getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur == 40);
	must(proc_files_max() == 40);
	proc_limit(0, 500000, 0);
	_exit(7);
}

static void
file_too_big(void)
{
	char name[] = "/tmp/barid-proc.XXXXXX";
	int fd = mkstemp(name);

	must(fd >= 0);
	unlink(name);
	proc_limit(0, 0, 10);
	must(write(fd, "0123456789", 10) == 10);
	must(write(fd, "x", 1) < 0 && errno == EFBIG);
	_exit(7);
}

static void
alone(void)
{
	struct rlimit r;

	/* Root is above this limit. */
	if (geteuid() == 0)
		must(setresuid(65534, 65534, 65534) == 0);
	proc_alone((uint64_t)1 << 30);
	must(getrlimit(RLIMIT_NPROC, &r) == 0 && r.rlim_max == 0);
#if !defined(__SANITIZE_ADDRESS__)
	must(getrlimit(RLIMIT_DATA, &r) == 0 && r.rlim_max == (rlim_t)1 << 30);
#endif
	must(fork() < 0 && errno == EAGAIN);
	_exit(7);
}

START_TEST(limits)
{
	ck_assert_int_eq(child_run(alone, STDERR_OF_TEST), 7);
	ck_assert_int_eq(child_run(limit, STDERR_OF_TEST), 7);
	ck_assert_int_eq(child_run(file_too_big, STDERR_OF_TEST), 7);
}
END_TEST

static void
raise_files(void)
{
	struct rlimit r;

	must(getrlimit(RLIMIT_NOFILE, &r) == 0);
	if (r.rlim_max > 200 || r.rlim_max == RLIM_INFINITY)
		r.rlim_max = 200;
	r.rlim_cur = 100;
	must(setrlimit(RLIMIT_NOFILE, &r) == 0);
	must(proc_files_max() == 200);
	must(getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur == 200);
	must(proc_files_max() == 200);
	_exit(7);
}

START_TEST(all_the_files_there_are)
{
	ck_assert_int_eq(child_run(raise_files, STDERR_OF_TEST), 7);
}
END_TEST

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void
close_most(void)
{
	const int keep[] = { -1, 1, 20, 21, 30, 40 };

	for (int fd = 10; fd < 50; fd++)
		must(dup2(0, fd) == fd || dup2(2, fd) == fd);
	proc_close_from(15, keep, ARRAY_LEN(keep));
	for (int fd = 10; fd < 50; fd++)
		must(is_open(fd) == (fd < 15 || fd == 20 || fd == 21 ||
		    fd == 30 || fd == 40));
	must(is_open(2));
	proc_close_from(12, NULL, 0);
	must(is_open(11) && !is_open(12) && !is_open(20) && !is_open(40));
	_exit(7);
}

static void
fix(void)
{
	struct stat st;

	proc_close_from(3, NULL, 0);
	close(0);
	close(1);
	proc_fix_stdio();
	must(is_open(0) && is_open(1) && is_open(2) && !is_open(3));
	must(fstat(0, &st) == 0 && S_ISCHR(st.st_mode));
	must(write(1, "x", 1) == 1);
	must(read(0, &st, 1) == 0);
	proc_fix_stdio();
	must(!is_open(3));
	_exit(7);
}

START_TEST(descriptors)
{
	ck_assert_int_eq(child_run(close_most, STDERR_OF_TEST), 7);
	ck_assert_int_eq(child_run(fix, STDERR_OF_TEST), 7);
}
END_TEST

static volatile int got_hup, got_term;

START_TEST(signals)
{
	int fds[2];
	char c;

	proc_on_signal(SIGHUP, &got_hup);
	proc_on_signal(SIGTERM, &got_term);
	proc_on_signal(SIGPIPE, NULL);
	raise(SIGHUP);
	ck_assert_int_eq(got_hup, 1);
	ck_assert_int_eq(got_term, 0);
	raise(SIGTERM);
	ck_assert_int_eq(got_term, 1);
	raise(SIGPIPE);
	/* A call that waits is interrupted, so that the flag is seen. */
	ck_assert_int_eq(pipe(fds), 0);
	proc_on_signal(SIGALRM, &got_hup);
	got_hup = 0;
	alarm(1);
	ck_assert_int_eq(read(fds[0], &c, 1), -1);
	ck_assert_int_eq(errno, EINTR);
	ck_assert_int_eq(got_hup, 1);
	proc_ignore(SIGTERM);
	got_term = 0;
	raise(SIGTERM);
	ck_assert_int_eq(got_term, 0);
	proc_default(SIGTERM);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

static void
no_such_signal(void)
{
	proc_on_signal(100000, &got_hup);
}

static void
not_to_be_caught(void)
{
	proc_on_signal(SIGKILL, &got_hup);
}

static void
by_default(void)
{
	proc_ignore(SIGTERM);
	proc_default(SIGTERM);
	raise(SIGTERM);
}

static void
exit_handler(void)
{
	_exit(1);
}

static void
child_ends(void)
{
	atexit(exit_handler);
	proc_child_exit(42);
}

START_TEST(ends)
{
	ck_assert_int_eq(child_run(no_such_signal, -1), 128 + SIGABRT);
	ck_assert_int_eq(child_run(not_to_be_caught, -1), 128 + SIGABRT);
	ck_assert_int_eq(child_run(by_default, -1), 128 + SIGTERM);
	ck_assert_int_eq(child_run(child_ends, -1), 42);
}
END_TEST

UNIT_MAIN("lib/proc", users, without_root_it_stays_itself, root_is_given_up,
    limits, all_the_files_there_are, descriptors, signals, ends)
