/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LIB_FILE_H
#define LIB_FILE_H

/* file -- files that are read whole. */

#include "lib/buf.h"

/*
 * Adds the file at FD to B, which is empty, from its begin to its end.  0, or -1 and
 * errno: EFBIG where it is more than B takes.
 */
int file_read(int fd, struct buf *b) MUST_USE;

#endif
