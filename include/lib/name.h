/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LIB_NAME_H
#define LIB_NAME_H

/* name -- what may be the name of a user, and so of a directory. */

#include "lib/str.h"

#define NAME_LEN_MAX 64

/*
 * 1 to 64 of A-Z a-z 0-9 . _ = + @ -, the first neither "." nor "-": one
 * component of a path, that no program takes for an option, a hidden file or
 * a way upwards (CONFORMANCE S-32).
 */
bool name_is_plain(struct str s);

#endif
