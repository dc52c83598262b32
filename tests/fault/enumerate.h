/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef FAULT_ENUMERATE_H
#define FAULT_ENUMERATE_H

/*
 * enumerate -- an operation, done again and again with the n-th system call
 * failing or being the last, for n = 1, 2, 3 ... until it comes through
 * unharmed; after each the world is looked at with the real calls.
 *
 * The operation runs in a child, which may die; what it was told
 * (acknowledged) it writes into memory that it shares with the test.  The
 * child also counts its descriptors.
 */

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scratch.h"
#include "sys_fault.h"
#include "unit.h"

/* More calls than this no operation makes. */
#define CALLS_MAX 500
#define LEAKED 78

/* What the child was told. */
struct told {
	int result;	/* of the operation; 0 (ok) or -1; -2: not known */
	char id[64];	/* of what it made */
	bool sync_failed;
};

struct variant {
	const char *name;
	enum fault_kind kind;
	int error;
};

static const struct variant variants[] = {
	{ "ENOSPC", FAULT_ERROR, ENOSPC },
	{ "EIO", FAULT_ERROR, EIO },
	{ "EMFILE", FAULT_ERROR, EMFILE },
	{ "short write, ENOSPC", FAULT_SHORT, ENOSPC },
	{ "EIO from then on", FAULT_STICKY, EIO },
	{ "EROFS from then on", FAULT_STICKY, EROFS },
	{ "killed before", FAULT_KILL_BEFORE, 0 },
	{ "killed amid", FAULT_KILL_AMID, 0 },
	{ "killed after", FAULT_KILL_AFTER, 0 },
};

/* An operation in a directory of its own. */
struct operation {
	void (*setup)(const char *dir);
	int (*run)(const char *dir, struct told *told);
	void (*check)(const char *dir, const struct told *told,
	    const struct variant *v);
};

static char where[100];	/* said when a check fails */

#define must(what) ck_assert_msg(what, "%s: %s", where, #what)

static inline unsigned
enumerate_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	while (d != NULL && readdir(d) != NULL)
		n++;
	if (d != NULL)
		closedir(d);
	return n;
}

/*
 * The child's part.  The first allocation of a message stays with the
 * spool's handle, so descriptors alone are counted.
 */
static inline void
enumerate_child(const struct operation *op, const char *dir,
    const struct variant *v, unsigned n, struct told *told)
{
	unsigned before = enumerate_fds();

	fault_arm(v->kind, n, v->error);
	told->result = op->run(dir, told);
	fault_disarm();
	told->sync_failed = fault.sync_failed;
	if (enumerate_fds() != before)
		_exit(LEAKED);
	_exit(fault.hit ? 1 : 0);
}

/* One turn; true if the fault did not come to pass any more. */
static inline bool
enumerate_once(const struct operation *op, const struct variant *v, unsigned n,
    struct told *told)
{
	char dir[SCRATCH_SIZE];
	int status;
	pid_t pid;

	snprintf(where, sizeof(where), "call %u, %s", n, v->name);
	scratch_begin_fast(dir);
	op->setup(dir);
	*told = (struct told){ .result = -2 };
	fflush(NULL);
	if ((pid = fork()) == 0)
		enumerate_child(op, dir, v, n, told);
	must(pid > 0 && waitpid(pid, &status, 0) == pid);
	must(WIFEXITED(status));
	must(WEXITSTATUS(status) != LEAKED);
	must(WEXITSTATUS(status) <= 1 || WEXITSTATUS(status) == FAULT_KILLED);
	if (WEXITSTATUS(status) == 0)
		must(told->result == 0);
	/* What may not be durable is never said to be (fsyncgate). */
	if (told->sync_failed)
		must(told->result == -1);
	op->check(dir, told, v);
	scratch_end(dir);
	return WEXITSTATUS(status) == 0;
}

/*
 * To fork takes a sanitizer's process ten times as long.  There one call in so many
 * is looked at, by each variant others: that all of them are in order is shown
 * without it, and what it looks for is the same after any of them.
 */
#if defined(__SANITIZE_ADDRESS__)
#define STEP 5
#else
#define STEP 1
#endif

static inline void
enumerate(const struct operation *op)
{
	struct told *told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ck_assert(told != MAP_FAILED);
	for (size_t i = 0; i < ARRAY_LEN(variants); i++) {
		unsigned n = 1 + (unsigned)i % STEP;

		while (!enumerate_once(op, &variants[i], n, told))
			must((n += STEP) < CALLS_MAX);
		must(STEP > 1 || n > 1);
	}
	munmap(told, sizeof(*told));
}

/* True if the operation goes on after the fault, and only one call failed. */
static inline bool
is_single(const struct variant *v)
{
	return v->kind == FAULT_ERROR || v->kind == FAULT_SHORT;
}

/* The test NAME of one operation. */
#define FAULT_TEST(name, setup, run, check)                             \
	START_TEST(name)                                                \
	{                                                               \
		const struct operation op = { setup, run, check };      \
		enumerate(&op);                                         \
	}                                                               \
	END_TEST

#endif
