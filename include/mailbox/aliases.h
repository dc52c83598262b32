/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILBOX_ALIASES_H
#define MAILBOX_ALIASES_H

/*
 * aliases -- the files of aliases(5), read with all that they include.
 *
 * Blocks on the disk; what was read never changes, so that many may look.
 */

#include "conf/types.h"
#include "lib/buf.h"
#include "mail/alias.h"

#define ALIASES_OCTETS_MAX ((size_t)16 << 20)	/* of all files together */
#define ALIASES_FILES_MAX 1000			/* with those included */

struct aliases;

/*
 * Reads FILES, and with FOLLOW what they include.  What is wrong is added to
 * COMPLAINTS, "FILE:LINE: what is wrong", a line each; a line that is wrong is
 * left out.  NULL: one of FILES cannot be read at all.  Of several aliases of
 * one name the first counts.
 */
struct aliases *aliases_load(const struct conf_strs *files, bool follow,
    struct buf *complaints) MUST_USE;
void aliases_free(struct aliases *a);	/* NULL is fine */
/*
 * Why aliases_load() would not take the file at PATH, beside others that have
 * *OCTETS, as far as is seen without reading it; NULL: it would, and its own
 * are added to *OCTETS.
 */
const char *aliases_why_not(const char *path, size_t *octets) MUST_USE;
/* True if a file that was read, or that was not there, is another now. */
bool aliases_changed(const struct aliases *a);
/*
 * What stands behind the alias of address P, of which mail/alias.h has the
 * names; MARKS are the subaddress signs.  And what is in the included file at
 * PATH.  Both are A's.  NULL: there is none; of PATH, WHY says what is wrong
 * with it.
 */
const struct alias_list *aliases_of(const struct aliases *a, struct str marks,
    const struct path *p);
const struct alias_list *aliases_include(const struct aliases *a,
    struct str path, const char **why);
/* Visits every alias: start with *AT = 0. */
bool aliases_next(const struct aliases *a, size_t *at, struct str *name,
    const struct alias_list **list);

#endif
