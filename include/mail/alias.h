/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_ALIAS_H
#define MAIL_ALIAS_H

/*
 * alias -- the text of aliases(5) files and of what they include: pure.
 *
 *	name: target, target, ...
 *
 * A line that begins with a blank goes on with the one before; what begins
 * with "#" is a comment, and empty lines are nothing.
 */

#include "mail/path.h"

enum alias_kind {
	ALIAS_ADDRESS,		/* an address, or a name of this host */
	ALIAS_PROGRAM,		/* |command */
	ALIAS_FILE,		/* /path */
	ALIAS_INCLUDE		/* :include:/path, a file of targets */
};

struct alias_target {
	enum alias_kind kind;
	struct str text;	/* without what says its kind */
	unsigned owner;		/* uid of whom the file is where it stands; set by the reader */
	bool home;		/* it stands in a .forward; likewise */
};

struct alias_list {
	struct alias_target *v;
	size_t n;
};

#define ALIAS_TARGETS_MAX 100000	/* of one list */
#define ALIAS_TARGET_LEN_MAX 4096

/*
 * Takes the next line off *TEXT, continuations joined, in A; *NUMBER counts
 * the lines of the file, and is that of LINE's first.  False: there is none.
 */
bool alias_line(struct str *text, struct arena *a, struct str *line,
    int *number, int *next);
/*
 * Splits "name: targets".  NAME is in A, without quotes.  NULL, or what is
 * wrong with it, static.
 */
const char *alias_split(struct str line, struct arena *a, struct str *name,
    struct str *targets) MUST_USE;
/*
 * Calls FN with each name that an alias for P can have, until it returns true:
 * the whole address, its local part, and what stands in that before one of
 * MARKS, each a character.
 */
bool alias_any(struct str marks, const struct path *p,
    bool (*fn)(void *arg, struct str name), void *arg);
/*
 * Takes the next target off *LIST into T, in A: NULL, and T->text is empty at
 * the end; or what is wrong with it, static.  That addresses are any is for
 * alias_address() to say.
 */
const char *alias_next(struct str *list, struct arena *a,
    struct alias_target *t) MUST_USE;
/*
 * Whom TEXT means, of a target that is an address: P, in A, without a domain where
 * it has none; "\\alice" is alice.  NULL, or why it is no address, static.
 */
const char *alias_address(struct str text, struct arena *a, struct path *p) MUST_USE;

#define ALIAS_PART_SIZE 17
/*
 * What a program or a file is known by among the targets of one alias or
 * .forward: digits that change with its text, so that the text itself need not
 * go around.
 */
void alias_part(const struct alias_target *t, char part[ALIAS_PART_SIZE]);
/* Whether PART, which is not empty, is one of a file; and of a .forward. */
bool alias_part_is_file(struct str part);
bool alias_part_is_home(struct str part);

#endif
