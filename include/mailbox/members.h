/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILBOX_MEMBERS_H
#define MAILBOX_MEMBERS_H

/*
 * members -- the file of the members of a mailing list: an address a line.
 *
 *	alice@example.org
 *	bob@example.org		no-mail
 *
 * "no-mail" may send and gets nothing, "disabled" is none for now.  What
 * begins with "#" is a comment.  Blocks on the disk.
 */

#include "lib/buf.h"
#include "mail/path.h"

#define MEMBERS_OCTETS_MAX ((size_t)16 << 20)
#define MEMBERS_MAX 500000

struct member {
	struct path path;
	bool no_mail;
};

struct members;

/*
 * Reads the file at PATH.  What is wrong with a line is added to COMPLAINTS,
 * "FILE:LINE: what is wrong", and the line counts for nothing; so is that an
 * address stands there again.  NULL: it cannot be read, as is said there.
 */
struct members *members_load(const char *path, struct buf *complaints) MUST_USE;
void members_free(struct members *m);	/* NULL is fine */
size_t members_count(const struct members *m);
const struct member *members_at(const struct members *m, size_t i);
/* True if P, in whatever case, is one of them. */
bool members_have(const struct members *m, const struct path *p);

#endif
