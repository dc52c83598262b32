/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef COLLECT_SEEN_H
#define COLLECT_SEEN_H

/*
 * seen -- which messages of one mailbox were fetched, on the disk.
 *
 * A message is known by a mark: 32 hexadecimal digits of a hash of server, user
 * and UIDL, or of its text.  The file SEEN_FILE has a line for each, appended and
 * synced before the message is accepted, and written anew, without what may be
 * forgotten, at the end of a run that came to its end.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/str.h"

#define SEEN_FILE "seen"
#define SEEN_MARK_LEN 32
/* How long what the server does not list any more is remembered. */
#define SEEN_FORGET (30 * 86400)
/* Above this many, what is not listed any more is forgotten at once. */
#define SEEN_MAX 400000

enum seen_kind {
	SEEN_TAKEN = 'T',
	SEEN_REFUSED = 'R'	/* was no message that can be taken: not asked for again today */
};

struct seen_entry {
	char mark[SEEN_MARK_LEN + 1];
	enum seen_kind kind;
	int64_t since;		/* seconds since 1970 */
	int64_t missing;	/* since when it is not listed; 0: it is */
	bool listed;		/* in this run */
};

struct seen;

/* Reads what is in DIR, which stays the caller's; what is no line does not count.  NULL: errno. */
struct seen *seen_open(int dir) MUST_USE;
void seen_close(struct seen *s);	/* NULL is fine */
size_t seen_count(const struct seen *s);
/* NULL: it is not known. */
struct seen_entry *seen_find(const struct seen *s, const char *mark);
/* Durable when it returns; -1: errno, and it is not known. */
int seen_add(struct seen *s, const char *mark, enum seen_kind kind, int64_t now) MUST_USE;
/* It is not known from the next seen_settle() on. */
void seen_forget(struct seen *s, const char *mark);
/*
 * At the end of a run in which all was marked that is LISTED: the file is written
 * anew, if that is worth it.  -1: errno, and it is as it was.
 */
int seen_settle(struct seen *s, int64_t now) MUST_USE;

/* Writes the mark of KIND ("uidl", "text") of what the pieces are. */
bool seen_mark(const char *kind, const char *server, const char *user, struct str what,
    char mark[SEEN_MARK_LEN + 1]);

#endif
