/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LIB_SUBDIR_H
#define LIB_SUBDIR_H

/* subdir -- a directory of ours within another, as the spool has some. */

#include <stdbool.h>
#include <sys/types.h>

#include "lib/attr.h"

/*
 * Opens the directory NAME in BASE, which no link may stand for.  MAKE: one that is
 * not there is made, mode 0700, and OWNER's where we are root.  -1: errno.
 */
int subdir_open(const char *base, const char *name, bool make, uid_t owner) MUST_USE;
/*
 * Says that directories which are made in DIR have nothing to do with one another, so
 * that the files in them may lie apart (ext4: chattr +T; the owner's or root's to say).
 * Where nobody wants to know nothing happens.
 */
void subdir_spread(int dir);

#endif
