/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef IPC_QUOTAS_H
#define IPC_QUOTAS_H

/*
 * quotas -- how much mail each account has sent in a time: the file "quotas"
 * of the spool, mapped by the master for all sessions, and by baridctl.
 *
 * A window begins with the first recipient and is over after its time; the
 * next one begins anew, as it does where the clock was set back by more.  The
 * file outlives barid; after a power cut it may be that of half a minute ago.
 * It has a fixed size: an account that finds no room is not counted.  There are
 * no locks.
 */

#include "lib/str.h"

#define QUOTAS_FILE "quotas"
#define QUOTAS_SLOTS 16384
#define QUOTAS_NAME_MAX 64

struct quotas;

/*
 * Opens the file in the directory DIR, and makes it (for UID and GID, if we
 * are root) where it is not there, or is no such file.  NULL: errno.
 */
struct quotas *quotas_open(int dir, unsigned uid, unsigned gid) MUST_USE;
void quotas_free(struct quotas *q);	/* NULL is fine */

struct quota_limit {
	uint64_t most;		/* in a window, at most QUOTAS_MOST */
	int64_t per;		/* seconds, at most QUOTAS_PER_MAX */
	uint64_t warning;	/* from so many on its owner is warned; 0: never */
};
#define QUOTAS_MOST ((uint64_t)1 << 24)
#define QUOTAS_PER_MAX ((int64_t)366 * 86400)

struct quota_use {
	char name[QUOTAS_NAME_MAX + 1];
	uint64_t used;
	int64_t until;		/* seconds since 1970, the end of the window */
	bool bitten;		/* something was refused in it */
};

enum quota_verdict {
	QUOTA_FREE,
	QUOTA_NEAR,	/* counted, and the first that is to be warned of */
	QUOTA_BITES,	/* not counted: the first one too many */
	QUOTA_SPENT	/* not counted: one more too many */
};

/* NAME as quota_use has it: of a long one its beginning, "~", and a hash of it, in ROOM. */
struct str quotas_name(struct str name, char room[QUOTAS_NAME_MAX + 1]);

/* Counts one for NAME (without case) at NOW; USE says how things stand then. */
enum quota_verdict quotas_take(struct quotas *q, struct str name, const struct quota_limit *l,
    int64_t now, struct quota_use *use) MUST_USE;
/* How NAME stands; false: it has sent nothing of late. */
bool quotas_find(struct quotas *q, struct str name, int64_t now, struct quota_use *use);
/* The same of the one in slot I; for I < QUOTAS_SLOTS. */
bool quotas_at(struct quotas *q, size_t i, int64_t now, struct quota_use *use);
/* NAME begins anew; false: there was nothing. */
bool quotas_clear(struct quotas *q, struct str name, int64_t now);

#endif
