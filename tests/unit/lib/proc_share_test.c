/* SPDX-License-Identifier: GPL-3.0-or-later */

/* proc_share -- the memory of a process that was made cheap to fork. */

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
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

/* Or this build is one that nothing is done in. */
static bool
is_shared(const char *file)
{
	if (BUILD_ASAN || __gcov_dump != NULL)
		return strcmp(file, "/memfd:barid-share") != 0;
	return strcmp(file, "/memfd:barid-share") == 0;
}

START_TEST(relro)
{
	char before[5], after[5], file[256];

	mapping_of(words, before, file);
	proc_share_pages();
	mapping_of(words, after, file);
	ck_assert_str_eq(before, "r--p");
	ck_assert_str_eq(after, "r--p");
	ck_assert(is_shared(file));
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		ck_assert_uint_ge(strlen(words[i]), 3);
	/* Once more is no harm. */
	proc_share_pages();
	ck_assert_str_eq(words[2], "three");
}
END_TEST

/* The heap and what libraries write: everyone has his own, and malloc() goes on. */
START_TEST(written)
{
	char protection[5], file[256];
	char *before = malloc(1000), *after[64];
	int status;
	pid_t pid;

	ck_assert_ptr_nonnull(before);
	memset(before, 'a', 1000);
	proc_share_pages();
	/* A variable of the C library. */
	mapping_of(stdout, protection, file);
	ck_assert_str_eq(protection, "rw-p");
	ck_assert(is_shared(file));
	mapping_of(before, protection, file);
	ck_assert_str_eq(protection, "rw-p");
	ck_assert(is_shared(file));
	for (size_t i = 0; i < 1000; i++)
		ck_assert_int_eq(before[i], 'a');

	pid = fork();
	if (pid == 0) {
		memset(before, 'b', 1000);
		_exit(malloc(200000) && before[999] == 'b' ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(before[0], 'a');
	/* Beyond what was there. */
	for (size_t i = 0; i < ARRAY_LEN(after); i++) {
		after[i] = malloc(50000);
		ck_assert_ptr_nonnull(after[i]);
		memset(after[i], 'c', 50000);
	}
	for (size_t i = 0; i < ARRAY_LEN(after); i++)
		free(after[i]);
	free(before);
	proc_share_pages();
}
END_TEST

UNIT_MAIN("lib/proc_share", relro, written)
