/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * proc -- what a process may do, and how it ends.
 *
 * Confinement is a list of steps each of which is checked, and whose result
 * is checked once more from outside: that root cannot be had again.  Nothing
 * here is undone.  The sandbox of system calls is not in this file.
 */

#include "lib/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#include "build.h"
#include "lib/buf.h"
#include "lib/log.h"

/* Linked only into a build that counts coverage. */
extern void __gcov_dump(void) __attribute__((weak));

struct proc_user
proc_user(const char *name)
{
	struct proc_user u = { .found = false };
	struct passwd pw, *found = NULL;
	struct buf b;
	char *room;
	int r;

	/* An entry can be long: grow while the room is what is missing. */
	buf_init(&b, 1024 * 1024);
	for (size_t n = 1024; (room = buf_room(&b, n)) != NULL; n *= 2) {
		do
			r = getpwnam_r(name, &pw, room, n, &found);
		while (r == EINTR);
		if (r != ERANGE)
			break;
	}
	if (found != NULL)
		u = (struct proc_user){ found->pw_uid, found->pw_gid, true };
	buf_free(&b);
	return u;
}

/* A user namespace that maps one user leaves nobody else to become. */
static bool
maps_others(void)
{
	unsigned long first, outside, count = 0;
	FILE *f = fopen("/proc/self/uid_map", "re");
	int fields;

	if (f == NULL)
		return true;
	fields = fscanf(f, "%lu %lu %lu", &first, &outside, &count);
	if (fields == 3 && count == 1 &&
	    fscanf(f, "%lu %lu %lu", &first, &outside, &count) == 3)
		count = 2;
	fclose(f);
	return fields != 3 || count > 1;
}

int
proc_group(const char *name, gid_t *gid)
{
	const struct group *g = getgrnam(name);

	if (g == NULL)
		return -1;
	*gid = g->gr_gid;
	return 0;
}

bool
proc_is_root(void)
{
	/* Asked once: what a process is mapped to does not change, and forks ask. */
	static int others = -1;

	if (others < 0)
		others = maps_others();
	return geteuid() == 0 && others;
}

static void
must(int r, const char *what)
{
	if (r < 0)
		fatal(EX_OSERR, "cannot confine this process: %s: %s", what,
		    strerror(errno));
}

static void
enter(const char *dir)
{
	if (chdir(dir) < 0 || chroot(".") < 0 || chdir("/") < 0)
		fatal(EX_OSERR, "cannot confine this process to %s: %s", dir,
		    strerror(errno));
}

static void
check_dropped(const struct proc_user *u)
{
	uid_t ruid, euid, suid;
	gid_t rgid, egid, sgid;

	must(getresuid(&ruid, &euid, &suid), "getresuid");
	must(getresgid(&rgid, &egid, &sgid), "getresgid");
	if (ruid != u->uid || euid != u->uid || suid != u->uid ||
	    rgid != u->gid || egid != u->gid || sgid != u->gid ||
	    getgroups(0, NULL) != 0)
		fatal(EX_OSERR, "this process kept rights of root");
	if (setuid(0) == 0 || seteuid(0) == 0 || setreuid(0, 0) == 0)
		fatal(EX_OSERR, "this process could become root again");
}

static void
become(const struct proc_user *u)
{
	if (u == NULL || !u->found || u->uid == 0)
		fatal(EX_CONFIG,
		    "this process must become a user that is not root");
	must(setgroups(0, NULL), "setgroups");
	must(setresgid(u->gid, u->gid, u->gid), "setresgid");
	must(setresuid(u->uid, u->uid, u->uid), "setresuid");
	check_dropped(u);
}

void
proc_confine(const struct proc_user *u, const char *chroot_dir)
{
	const struct rlimit none = { 0, 0 };

	if (proc_is_root()) {
		if (chroot_dir != NULL)
			enter(chroot_dir);
		become(u);
	}
	must(setrlimit(RLIMIT_CORE, &none), "RLIMIT_CORE");
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS");
	if (!BUILD_ASAN)
		must(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "PR_SET_DUMPABLE");
}

/*
 * Lowers RESOURCE to V; what is lower already stays, unless root asks.  One
 * call where that is so, since each session makes some.
 */
static void
lower(int resource, rlim_t v, const char *what)
{
	struct rlimit now = { v, v };

	if (setrlimit(resource, &now) == 0)
		return;
	must(getrlimit(resource, &now), what);
	if (now.rlim_max != RLIM_INFINITY && now.rlim_max < v)
		v = now.rlim_max;
	now.rlim_cur = now.rlim_max = v;
	must(setrlimit(resource, &now), what);
}

void
proc_limit(unsigned files, unsigned procs, uint64_t file_size)
{
	if (files > 0)
		lower(RLIMIT_NOFILE, files, "RLIMIT_NOFILE");
	if (procs > 0)
		lower(RLIMIT_NPROC, procs, "RLIMIT_NPROC");
	if (file_size > 0) {
		lower(RLIMIT_FSIZE, file_size, "RLIMIT_FSIZE");
		/* EFBIG can be answered; the signal cannot. */
		proc_ignore(SIGXFSZ);
	}
}

void
proc_many(void)
{
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };

	if (proc_is_root())
		(void)setrlimit(RLIMIT_NPROC, &all);
}

void
proc_childless(void)
{
	lower(RLIMIT_NPROC, 0, "RLIMIT_NPROC");
}

void
proc_memory(uint64_t memory)
{
	if (!BUILD_ASAN)
		lower(RLIMIT_DATA, memory, "RLIMIT_DATA");
}

void
proc_alone(uint64_t memory)
{
	proc_childless();
	proc_memory(memory);
}

unsigned
proc_files_max(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		return 256;
	if (r.rlim_cur < r.rlim_max) {
		struct rlimit all = { r.rlim_max, r.rlim_max };

		if (setrlimit(RLIMIT_NOFILE, &all) == 0)
			r = all;
	}
	return r.rlim_cur < UINT_MAX ? (unsigned)r.rlim_cur : UINT_MAX;
}

static void
close_span(unsigned first, unsigned last)
{
	unsigned end;

	if (close_range(first, last, 0) == 0)
		return;
	/* A kernel before 5.9. */
	end = proc_files_max();
	for (unsigned fd = first; fd <= last && fd < end; fd++)
		close((int)fd);
}

void
proc_close_from(int lowest, const int *keep, size_t keep_n)
{
	unsigned from = lowest > 0 ? (unsigned)lowest : 0;

	for (size_t i = 0; i < keep_n; i++) {
		unsigned fd = (unsigned)keep[i];

		if (keep[i] < 0 || fd < from)
			continue;
		if (fd > from)
			close_span(from, fd - 1);
		from = fd + 1;
	}
	close_span(from, UINT_MAX);
}

void
proc_fix_stdio(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		/* The lowest free descriptor is this one. */
		if (open("/dev/null", O_RDWR) != fd)
			_exit(EX_OSFILE);
	}
}

static volatile int *signal_flags[_NSIG];

static void
on_signal(int signo)
{
	*signal_flags[signo] = 1;
}

static void
set_action(int signo, void (*handler)(int))
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = handler;
	sigemptyset(&sa.sa_mask);
	/* No SA_RESTART: the flag is set to be noticed. */
	if (sigaction(signo, &sa, NULL) < 0)
		panic("sigaction(%d): %s", signo, strerror(errno));
}

void
proc_on_signal(int signo, volatile int *flag)
{
	if (flag == NULL) {
		proc_ignore(signo);
		return;
	}
	if (signo <= 0 || signo >= _NSIG)
		panic("proc_on_signal: no signal %d", signo);
	signal_flags[signo] = flag;
	set_action(signo, on_signal);
}

void
proc_ignore(int signo)
{
	set_action(signo, SIG_IGN);
}

void
proc_hold_signals(bool hold)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGPIPE);
	sigprocmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

void
proc_default(int signo)
{
	set_action(signo, SIG_DFL);
}

void
proc_child_exit(int code)
{
	if (__gcov_dump)
		__gcov_dump();
	_exit(code);
}
