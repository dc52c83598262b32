/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILBOX_PERSON_H
#define MAILBOX_PERSON_H

/* person -- accounts of this host that get mail. */

#include <pwd.h>
#include <stdbool.h>

#include "lib/attr.h"

/* Whose uid is outside is no person, but part of the system. */
#define PERSON_UID_MIN 1000
#define PERSON_UID_MAX 60000

/*
 * The account NAME, as getpwnam(3) has it.  NULL, errno 0: there is none such,
 * or it is no person; or, where barid has no ROOT, another one than ours.  NULL
 * and another errno: nobody can say.
 */
const struct passwd *person_find(const char *name, bool root) MUST_USE;

#endif
