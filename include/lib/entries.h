/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LIB_ENTRIES_H
#define LIB_ENTRIES_H

/* entries -- what is in a directory, one by one. */

#include <dirent.h>

#include "lib/attr.h"

struct entries {
	/* Of the directory, for calls like fstatat(); it is open as long as this is. */
	int fd;
	/* Why it was not read to its end: an errno, or 0. */
	int error;
	DIR *d;
};

/*
 * Begins to read the directory PATH in DIR ("." is DIR itself, which stays where it
 * is); no link may stand for it.  -1: errno, and there is nothing to close.
 */
int entries_open(struct entries *l, int dir, const char *path) MUST_USE;
/* The next but "." and "..", in no order, valid until the next call.  NULL: no more. */
const struct dirent *entries_next(struct entries *l);
/*
 * -1: errno, not all could be read.  Otherwise errno is as it was, so that it may still
 * say what went wrong on the way.
 */
int entries_close(struct entries *l) MUST_USE;

#endif
