/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * proc_start -- helper programs: where they are, and how they start.
 *
 * posix_spawn() shares the parent's memory until the exec, so that a large
 * process starts a helper as fast as a small one, and reports an exec that
 * failed.  A helper inherits three standard descriptors, what it is given,
 * and nothing else: no handler, no descriptor, no variable, and of signals
 * only those are held back that would end it before it knows what they mean.
 */

#include "lib/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "build.h"
#include "lib/mem.h"

#ifndef BARID_LIBEXECDIR
#define BARID_LIBEXECDIR "/usr/local/libexec/barid"
#endif

extern char **environ;

static bool
is_inherited(const char *entry)
{
	static const char *const names[] = { "PATH=", "TZ=", "LANG=" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (str_starts(str_c(entry), str_c(names[i])))
			return true;
	}
	/* How a checked build reports must reach its helpers. */
	return BUILD_ASAN && strstr(entry, "SAN_OPTIONS=") != NULL;
}

static bool
same_name(const char *a, const char *b)
{
	size_t n = strcspn(a, "=");

	return strncmp(a, b, n) == 0 && b[n] == '=';
}

static bool
is_given(const char *entry, char *const env[])
{
	for (; env != NULL && *env != NULL; env++) {
		if (same_name(entry, *env))
			return true;
	}
	return false;
}

/* Pointers into ENVIRON and ENV; the array is the caller's to free. */
static char **
environment(char *const env[])
{
	size_t have = 0, given = 0, n = 0;
	char **e;

	while (environ != NULL && environ[have] != NULL)
		have++;
	while (env != NULL && env[given] != NULL)
		given++;
	e = mem_array(have + given + 1, sizeof(*e));
	for (size_t i = 0; i < have; i++) {
		if (is_inherited(environ[i]) && !is_given(environ[i], env))
			e[n++] = environ[i];
	}
	for (size_t i = 0; i < given; i++)
		e[n++] = env[i];
	return e;
}

static int
set_signals(posix_spawnattr_t *attr, bool group)
{
	sigset_t all, held;
	int r;

	sigfillset(&all);
	sigemptyset(&held);
	/* A program that is not ours would never let them come. */
	if (!group) {
		sigaddset(&held, SIGHUP);
		sigaddset(&held, SIGUSR1);
		sigaddset(&held, SIGPIPE);
	}
	r = posix_spawnattr_setsigdefault(attr, &all);
	if (r == 0)
		r = posix_spawnattr_setsigmask(attr, &held);
	if (r == 0)
		r = posix_spawnattr_setflags(attr,
		    (short)(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
			(group ? POSIX_SPAWN_SETPGROUP : 0)));
	return r;
}

/*
 * Copies of FDS above the places that they will take, so that putting one
 * in its place cannot overwrite another.  What was copied is in *DONE.
 */
static int
copy_above(const int *fds, size_t n, int *copies, size_t *done)
{
	for (*done = 0; *done < n; (*done)++) {
		int fd = fcntl(fds[*done], F_DUPFD_CLOEXEC, 3 + (int)n);

		if (fd < 0)
			return errno;
		copies[*done] = fd;
	}
	return 0;
}

static int
set_files(posix_spawn_file_actions_t *files, int input, const int *copies,
    size_t n)
{
	int r = 0;

	if (input >= 0)
		r = posix_spawn_file_actions_adddup2(
		    files, input, STDIN_FILENO);
	for (size_t i = 0; i < n && r == 0; i++)
		r = posix_spawn_file_actions_adddup2(
		    files, copies[i], 3 + (int)i);
	if (r == 0)
		r = posix_spawn_file_actions_addclosefrom_np(
		    files, 3 + (int)n);
	return r;
}

/* GROUP: it leads a process group of its own, which 0 means by default. */
static pid_t
start(const char *program, char *const argv[], int input, const int *fds,
    size_t fd_n, char *const env[], bool group)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	char **e = environment(env);
	int *copies = mem_array(fd_n, sizeof(*copies));
	size_t copied = 0;
	pid_t pid = -1;
	int r;

	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attr);
	r = copy_above(fds, fd_n, copies, &copied);
	if (r == 0)
		r = set_signals(&attr, group);
	if (r == 0)
		r = set_files(&files, input, copies, fd_n);
	if (r == 0)
		r = posix_spawn(&pid, program, &files, &attr, argv, e);
	for (size_t i = 0; i < copied; i++)
		close(copies[i]);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	mem_free(copies);
	mem_free(e);
	if (r != 0) {
		errno = r;
		return -1;
	}
	return pid;
}

pid_t
proc_start(const char *program, char *const argv[], int input,
    const int *fds, size_t fd_n, char *const env[])
{
	return start(program, argv, input, fds, fd_n, env, false);
}

pid_t
proc_start_group(const char *program, char *const argv[], int input,
    char *const env[])
{
	return start(program, argv, input, NULL, 0, env, true);
}

/* OUT = DIR/NAME; false if it does not fit. */
static bool
join(char *out, size_t max, const char *dir, const char *name)
{
	int n = snprintf(out, max, "%s/%s", dir, name);

	return n > 0 && (size_t)n < max;
}

/* The directory of the running program, in OUT. */
static bool
program_dir(char *out, size_t max)
{
	ssize_t n = readlink("/proc/self/exe", out, max - 1);
	char *slash;

	if (n <= 0)
		return false;
	out[n] = '\0';
	slash = strrchr(out, '/');
	if (slash == NULL)
		return false;
	*slash = '\0';
	return true;
}

const char *
proc_helper(const char *name)
{
	static char path[PATH_MAX];
	char dir[PATH_MAX / 2], libexec[PATH_MAX / 2 + 32];
	/* A setgid program must not run what its caller names. */
	const char *env = secure_getenv("BARID_LIBEXEC");

	if (env != NULL && env[0] != '\0' &&
	    join(path, sizeof(path), env, name))
		return path;
	if (program_dir(dir, sizeof(dir)) &&
	    join(libexec, sizeof(libexec), dir, "../libexec/barid") &&
	    join(path, sizeof(path), libexec, name) && access(path, X_OK) == 0)
		return path;
	if (!join(path, sizeof(path), BARID_LIBEXECDIR, name))
		path[0] = '\0';
	return path;
}
