/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LIB_FILE_H
#define LIB_FILE_H

/* file -- files that are read and replaced whole. */

#include <sys/types.h>

#include "lib/buf.h"

/*
 * Adds the file at FD to B, which is empty, from its begin to its end.  0, or -1 and
 * errno: EFBIG where it is more than B takes.
 */
int file_read(int fd, struct buf *b) MUST_USE;
/*
 * Puts a file with CONTENT at PATH in the place of what is there, if that is a link in
 * its place, too.  Durable when it returns; whoever reads meanwhile has the one or
 * the other, whole.  It has MODE, and where we are root it is OWNER's and of GROUP
 * (-1: as it comes).  One at a time: ".NAME.barid" beside it is the other name that it needs.
 * -1: errno, and unless the disk failed at the very end nothing is changed.
 */
int file_replace(const char *path, struct str content, mode_t mode, uid_t owner,
    gid_t group) MUST_USE;

#endif
