/* SPDX-License-Identifier: GPL-3.0-or-later */

/* proc_fork -- the memory of a process that was made cheap to fork. */

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/build.h"
#include "lib/proc.h"

extern void __gcov_dump(void) __attribute__((weak));

/* In a table that needs relocating: it is RELRO. */
static const char *const words[] = { "one", "two", "three" };

/* The protection and the file of the mapping that P is in. */
static void
mapping_of(const void *p, char protection[5], char *file)
{
	FILE *f = fopen("/proc/self/maps", "re");
	unsigned long from, to;
	char line[512];
	bool found = false;

	ck_assert_ptr_nonnull(f);
	while (!found && fgets(line, sizeof(line), f)) {
		file[0] = '\0';
		ck_assert_int_ge(sscanf(line, "%lx-%lx %4s %*s %*s %*s %255s",
		    &from, &to, protection, file), 3);
		found = (uintptr_t)p >= from && (uintptr_t)p < to;
	}
	fclose(f);
	ck_assert(found);
}

START_TEST(shares)
{
	char before[5], after[5], file[256];

	mapping_of(words, before, file);
	proc_share_relro();
	mapping_of(words, after, file);
	ck_assert_str_eq(before, "r--p");
	ck_assert_str_eq(after, "r--p");
	if (BUILD_ASAN || __gcov_dump != NULL)
		ck_assert_str_ne(file, "/memfd:barid-relro");
	else
		ck_assert_str_eq(file, "/memfd:barid-relro");
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		ck_assert_uint_ge(strlen(words[i]), 3);
	/* Once more is no harm. */
	proc_share_relro();
	ck_assert_str_eq(words[2], "three");
}
END_TEST

/* What the sibling does, whose parent is the caller of the test. */
static NORETURN void
works(const _Atomic pid_t *pids)
{
	char *p = malloc(100000);
	int n = p ? snprintf(p, 100, "%d %s", 42, words[1]) : -1;

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
	proc_share_relro();
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

UNIT_MAIN("lib/proc_fork", shares, forks_a_sibling)
