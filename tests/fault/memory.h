/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef FAULT_MEMORY_H
#define FAULT_MEMORY_H

/*
 * memory -- a heap whose n-th allocation fails, whoever asks for it: barid, a
 * library, the C library itself.
 *
 * A session runs in a child of its own; what it says to its client it says
 * into memory that it shares with the test.  Under a sanitizer, which has a
 * heap of its own, nothing fails.
 */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/build.h"
#include "lib/log.h"
#include "lib/stream.h"

/* More allocations than this no session makes. */
#define ALLOCATIONS_MAX 20000
#define SAID_MAX (1u << 20)

/* Shared with the child. */
struct memory {
	unsigned n;		/* allocations of the child */
	bool failed;
	size_t said_n;
	char said[SAID_MAX];
};

static struct memory *memory;
static unsigned memory_fail_at;	/* 0: none fails */
static bool memory_counts;

#if !BUILD_ASAN
/* The C library's own, by the names that it has for whoever replaces them. */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

static bool
memory_is_out(void)
{
	if (!memory_counts || ++memory->n != memory_fail_at)
		return false;
	memory->failed = true;
	errno = ENOMEM;
	return true;
}

void *
malloc(size_t n)
{
	return memory_is_out() ? NULL : __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
	return memory_is_out() ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *p, size_t n)
{
	return memory_is_out() ? NULL : __libc_realloc(p, n);
}

void *
reallocarray(void *p, size_t n, size_t size)
{
	size_t all;

	if (__builtin_mul_overflow(n, size, &all)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(p, all);
}
#endif

/* A client that has said all of IN at once, and that is then gone. */
static ssize_t
memory_read(void *ctx, void *p, size_t n, int64_t deadline)
{
	struct str *in = ctx;

	if (deadline == 0) {
		errno = ETIMEDOUT;
		return -1;
	}
	/* By lines: answers are flushed while there is memory. */
	if (str_find(*in, '\n') >= 0 && n > (size_t)str_find(*in, '\n') + 1)
		n = (size_t)str_find(*in, '\n') + 1;
	n = n < in->n ? n : in->n;
	memcpy(p, in->p, n);
	*in = str_skip(*in, n);
	return (ssize_t)n;
}

static ssize_t
memory_write(void *ctx, const void *p, size_t n, int64_t deadline)
{
	(void)ctx;
	(void)deadline;
	if (n > SAID_MAX - memory->said_n)
		panic("too much was said");
	memcpy(memory->said + memory->said_n, p, n);
	memory->said_n += n;
	return (ssize_t)n;
}

static const struct stream_ops memory_ops = { memory_read, memory_write };

/*
 * RUN in a child whose N-th allocation fails.  It ends as if nothing had been,
 * or by saying that it is out of memory; of a signal never.
 */
static void
memory_run(unsigned n, void (*run)(void))
{
	int status;
	pid_t pid;

	memory->n = 0;
	memory->failed = false;
	memory->said_n = 0;
	memory_fail_at = n;
	pid = fork();
	if (pid == 0) {
		memory_counts = true;
		run();
		memory_counts = false;
		_exit(EX_OK);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status), "allocation %u: signal %d", n,
	    WTERMSIG(status));
	ck_assert_msg(WEXITSTATUS(status) == EX_OK ||
	    (memory->failed && WEXITSTATUS(status) == EX_TEMPFAIL),
	    "allocation %u: exit %d", n, WEXITSTATUS(status));
}

static void
memory_begin(void)
{
	memory = mmap(NULL, sizeof(*memory), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert(memory != MAP_FAILED);
}

/* How often WORD begins a line of what was said. */
static unsigned
memory_said(struct str word)
{
	struct str line, rest = str_n(memory->said, memory->said_n);
	unsigned n = 0;

	while (str_cut(rest, '\n', &line, &rest))
		n += str_starts(line, word);
	return n;
}

#endif
