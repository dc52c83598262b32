/* SPDX-License-Identifier: GPL-3.0-or-later */

/* proc_fork -- a child that is the caller's sibling. */

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/proc.h"

/* What the sibling does, whose parent is the caller of the test. */
static NORETURN void
works(const _Atomic pid_t *pids)
{
	char *p = malloc(100000);
	int n = p ? snprintf(p, 100, "%d %s", 42, "two") : -1;

	free(p);
	_exit(n == 6 && pids[0] == getpid() && pids[1] == getpid() ? 42 : 1);
}

START_TEST(forks_a_sibling)
{
	_Atomic pid_t *pids = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t middle;
	int status;

	ck_assert_ptr_ne((void *)(uintptr_t)pids, MAP_FAILED);
	middle = fork();
	if (middle == 0) {
		pid_t pid = proc_fork_sibling(&pids[0], &pids[1]);

		if (pid == 0)
			works(pids);
		_exit(pid > 0 && pids[0] == pid ? 7 : 1);
	}
	ck_assert_int_eq(waitpid(middle, &status, 0), middle);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	/* It is ours, and not that one's. */
	ck_assert_int_eq(waitpid(pids[0], &status, 0), pids[0]);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 42);
}
END_TEST

UNIT_MAIN("lib/proc_fork", forks_a_sibling)
