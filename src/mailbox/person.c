/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * person -- accounts of this host that get mail.
 *
 * Deliveries, .forward and POP3 ask here, so that mail is looked for where it
 * was put.
 */

#include "mailbox/person.h"

#include <errno.h>
#include <unistd.h>

/* getpwnam(3): these say no more than that there is nobody of that name. */
static bool
is_trouble(int error)
{
	return error != 0 && error != ENOENT && error != ESRCH &&
	    error != EBADF && error != EPERM;
}

/* Without root there is one account whose files we can be asked for. */
static bool
is_person(const struct passwd *pw, bool root)
{
	if (!root)
		return pw->pw_uid == geteuid();
	return pw->pw_uid >= PERSON_UID_MIN && pw->pw_uid <= PERSON_UID_MAX;
}

const struct passwd *
person_find(const char *name, bool root)
{
	const struct passwd *pw;

	errno = 0;
	pw = getpwnam(name);
	if (pw == NULL && is_trouble(errno))
		return NULL;
	errno = 0;
	return pw != NULL && is_person(pw, root) ? pw : NULL;
}
