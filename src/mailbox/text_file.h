/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILBOX_TEXT_FILE_H
#define MAILBOX_TEXT_FILE_H

/* text_file -- files in which an administrator says where mail goes; of this room alone. */

#include <sys/stat.h>

#include "lib/buf.h"

/*
 * Opens PATH and looks at it: NULL, or what is wrong.  *FD is the caller's to close,
 * or -1.  A file that everybody can write is wrong, and what is no plain file.
 */
const char *text_file_open(const char *path, int *fd, struct stat *st);
/*
 * Reads all of FD into TEXT: NULL, or what is wrong.  Of more than TEXT takes it
 * stops, and buf_ok() is false.
 */
const char *text_file_read(int fd, struct buf *text);

#endif
