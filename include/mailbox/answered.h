/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILBOX_ANSWERED_H
#define MAILBOX_ANSWERED_H

/*
 * answered -- whom a mailbox has answered by itself of late: a file for each,
 * in SPOOL/vacation/, which outlives everybody.  Blocks on the disk.
 */

#include <sys/types.h>

#include "lib/str.h"

#define ANSWERED_DIR "vacation"
/* Senders in one interval; whoever comes after that is not answered. */
#define ANSWERED_MAX 4096

/* The directory, made for OWNER where we are root.  -1: errno. */
int answered_dir(const char *spool, uid_t owner) MUST_USE;
/*
 * True if MAILBOX, a plain name, has not answered SENDER since INTERVAL seconds
 * before NOW; from now on it has, also after a power cut.  False, errno 0: it
 * has, or has answered too many; else the errno of what failed.
 */
bool answered_take(int dir, const char *mailbox, struct str sender, int64_t now,
    int64_t interval) MUST_USE;

#endif
