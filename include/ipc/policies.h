/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef IPC_POLICIES_H
#define IPC_POLICIES_H

/*
 * policies -- the MTA-STS policies that were fetched, a file for each domain
 * in SPOOL/sts/.  barid-http writes them, the runners read them, and they
 * outlive both.  What a policy says is not looked at here.
 */

#include <sys/types.h>

#include "lib/buf.h"

#define POLICIES_DIR "sts"
#define POLICIES_ID_MAX 32
/* Octets of a policy that is kept. */
#define POLICIES_TEXT_MAX 32768

struct policy_file {
	int64_t fetched;	/* seconds since 1970 */
	int64_t used;		/* for the last time; to be put: 0 is now */
	char id[POLICIES_ID_MAX + 1];
	struct buf text;
};

/* The directory, made if MAKE, then for OWNER where we are root.  -1: errno. */
int policies_dir(const char *spool, bool make, uid_t owner) MUST_USE;
/* True if DOMAIN is a name that can have one. */
bool policies_can_have(struct str domain);
/*
 * Reads DOMAIN's into F, whose TEXT the caller frees, and notes that it was
 * used.  -1: ENOENT, EINVAL (no name of a domain), EBADMSG, or another errno.
 */
int policies_get(int dir, struct str domain, struct policy_file *f) MUST_USE;
/* The same, and it is no use. */
int policies_look(int dir, struct str domain, struct policy_file *f) MUST_USE;
/* Calls FN with each domain, and when its policy was used.  -1: errno. */
int policies_each(int dir, void (*fn)(void *arg, const char *domain, int64_t used),
    void *arg) MUST_USE;
/* Keeps F, whole or not at all.  Only one process may do so. */
int policies_put(int dir, struct str domain, const struct policy_file *f) MUST_USE;
/* Where there are more than MAX, forgets those whose last use is longest ago. */
int policies_trim(int dir, size_t max) MUST_USE;

#endif
