/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_UNIT_LIB_CHILD_H
#define TESTS_UNIT_LIB_CHILD_H

/* child -- runs a function in a process of its own and says how it ended. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

/* Checks in a child: Check's own do not reach the parent from there. */
#define must(what)                                                  \
	do {                                                        \
		if (!(what)) {                                      \
			dprintf(2, "line %d: %s: %s\n", __LINE__,   \
			    #what, strerror(errno));                \
			_exit(1);                                   \
		}                                                   \
	} while (0)

/*
 * The exit status of a child that ran FN(), 128 + the signal that ended it;
 * 0 if FN returned.  What it says on standard error goes to ERR (-1: nowhere).
 */
static inline int
child_run(void (*fn)(void), int err)
{
	const struct rlimit none = { 0, 0 };
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		int fd = err >= 0 ? err : open("/dev/null", O_WRONLY);

		setrlimit(RLIMIT_CORE, &none);
		if (dup2(fd, STDERR_FILENO) < 0)
			_exit(99);
		fn();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status)
				   : WEXITSTATUS(status);
}

#endif
