/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_SCRATCH_H
#define TESTS_SCRATCH_H

/*
 * scratch -- a directory of a test's own, for unit and fault tests and the
 * fuzzers.
 *
 * It is below /tmp whatever TMPDIR says: sockets are put there, whose paths
 * must be short.  A test that asserts what is left there ends it by itself,
 * with rmdir().
 */

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"

#define SCRATCH_SIZE 32

static inline void
scratch_make(char where[static SCRATCH_SIZE], const char *below)
{
	(void)!snprintf(where, SCRATCH_SIZE, "%s/barid-test-XXXXXX", below);
	if (mkdtemp(where) == NULL)
		panic("%s: %s", where, strerror(errno));
}

/* Makes one; its name is in WHERE. */
static inline void
scratch_begin(char where[static SCRATCH_SIZE])
{
	scratch_make(where, "/tmp");
}

/* The same in memory, where there is that: for what needs no disk, and is faster without. */
static inline void
scratch_begin_fast(char where[static SCRATCH_SIZE])
{
	scratch_make(where, access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
}

/* A descriptor of it, the caller's. */
static inline int
scratch_open(const char *where)
{
	int fd = open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		panic("%s: %s", where, strerror(errno));
	return fd;
}

static inline int
scratch_remove_one(const char *where, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(where);
}

/* Removes it with all that is in it; WHERE is "" then, of which nothing is removed. */
static inline void
scratch_end(char *where)
{
	if (where[0] == '\0')
		return;
	if (nftw(where, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
		panic("%s: %s", where, strerror(errno));
	where[0] = '\0';
}

#endif
