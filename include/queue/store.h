/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef QUEUE_STORE_H
#define QUEUE_STORE_H

/*
 * store -- texts of messages that stand outside of the spool, under a key.
 *
 * The store is a directory where programs leave texts: as KEY.eml, or as gzip(1)
 * has it as KEY.eml.gz.  They are only read here, to be copied: no message is
 * accepted before its text is in the spool, and what becomes of the store then
 * does not matter to it.  Nothing there is trusted, neither what a name leads
 * to nor what is in it.  These calls block on the disk, and may be made by any
 * thread.
 */

#include <sys/types.h>

#include "lib/str.h"

#define STORE_KEY_MAX 200
/*
 * A text is not unpacked beyond this many times the octets that it has as gzip,
 * once it is larger than STORE_RATIO_FROM: mail does not pack so well.
 */
#define STORE_RATIO_MAX 200
#define STORE_RATIO_FROM (1u << 20)
/* For an owner: whoever. */
#define STORE_ANYBODY ((uid_t)-1)

/*
 * True if KEY has 1 to STORE_KEY_MAX letters, digits and "-_.+=@", and begins
 * with a letter or a digit: then it is safe in a file name.
 */
bool store_key_valid(struct str key);

struct store_text;

/*
 * Opens the text of KEY, which is valid, in the store at PATH.  It must be a
 * plain file with one name, of OWNER, and have no more than MOST octets when it
 * is unpacked.  NULL: errno; with WHY, ENOENT: there is no such text, EAGAIN: it
 * may still be written to, or EBADMSG: it may not be taken; without, the store
 * itself fails.
 */
struct store_text *store_open(const char *path, struct str key, uid_t owner,
    uint64_t most, const char **why) MUST_USE;
/*
 * Reads the next N octets of the text; fewer only at its end, where 0 means that
 * it was read whole, as it was when it was opened.  -1: errno; EBADMSG: it is
 * none, or EAGAIN: it is being written, as store_why() says.
 */
ssize_t store_read(struct store_text *t, char *p, size_t n) MUST_USE;
/* Static text, or NULL. */
const char *store_why(const struct store_text *t);
/* NULL is fine. */
void store_close(struct store_text *t);

/*
 * Removes up to MOST texts (1 at least) from the store at PATH that nobody wrote to since
 * BEFORE (seconds since 1970); what has no name of a text, and what is no plain
 * file, stays.  How many it were; -1: errno, whose reason may be one of them.
 */
int store_sweep(const char *path, int64_t before, unsigned most) MUST_USE;

#endif
