/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CHECK_DMARC_TALLY_H
#define CHECK_DMARC_TALLY_H

/*
 * dmarc_tally -- how many messages of each kind came on a day, in a file that
 * outlives its process: what an aggregate report of DMARC is made of.
 *
 * A kind is a line (mail/dmarc_row.h).  One file is filled at a time, by one
 * process; when its day is over it gets another name, and nothing is counted in it
 * any more.  What a kill leaves behind is right; a power cut may lose what was
 * counted in the last seconds before it.
 */

#include <sys/types.h>

#include "lib/buf.h"

/* In the spool. */
#define DMARC_TALLY_DIR "dmarc"

#define DMARC_TALLY_ID 16
#define DMARC_TALLY_NAME 64

struct dmarc_tally;

#define DMARC_DAY_SECONDS 86400

/* Days since 1970, in UTC. */
static inline int64_t
dmarc_tally_day_of(int64_t seconds)
{
	return seconds / DMARC_DAY_SECONDS;
}

/*
 * Goes on with the file in DIR of DAY, or with MAKE begins one; one of another day
 * is ended (dmarc_tally_end()).  ROWS: kinds that it takes.  DIR is borrowed.
 * NULL: errno; ENOENT there is none, EAGAIN another process has it.
 */
struct dmarc_tally *dmarc_tally_open(int dir, int64_t day, size_t rows, bool make) MUST_USE;
void dmarc_tally_close(struct dmarc_tally *t);	/* NULL is fine */
int64_t dmarc_tally_day(const struct dmarc_tally *t);
/*
 * One more message of the kind LINE, whose first word is a domain.  Where there is
 * no room for another kind, or its domain has a quarter of all, it counts among
 * the rest of that domain ("DOMAIN *").  -1: errno, and it was not counted.
 */
int dmarc_tally_add(struct dmarc_tally *t, struct str line) MUST_USE;
/* The day of T is over: its file is one of dmarc_tally_list().  -1: errno; T is closed. */
int dmarc_tally_end(struct dmarc_tally *t) MUST_USE;

/* ---- reading ------------------------------------------------------------------------ */

/* Calls FN with the name of each file whose day is over, in no order.  -1: errno. */
int dmarc_tally_list(int dir, void (*fn)(void *arg, const char *name), void *arg) MUST_USE;
/* When the day of NAME, which is one of those, was over: seconds since 1970. */
int64_t dmarc_tally_ends(const char *name);
/* The file that is being filled. */
#define DMARC_TALLY_OPEN "open"

struct dmarc_kind {
	struct str line;
	uint64_t count;
};

struct dmarc_day {
	int64_t day;
	char id[DMARC_TALLY_ID + 1];	/* of this file alone: hexadecimal */
	uint64_t lost;			/* messages that are in no kind */
	struct dmarc_kind *kinds;	/* of domains that are not done; in order, by domain */
	size_t kind_n;
	struct buf text;
};
/* What the file NAME has; -1: errno, EBADMSG if it is none. */
int dmarc_day_read(int dir, const char *name, struct dmarc_day *d) MUST_USE;
void dmarc_day_free(struct dmarc_day *d);
/* DOMAIN is done: NAME, whose day is over, does not show it again.  0: that is durable. */
int dmarc_day_done(int dir, const char *name, struct str domain) MUST_USE;

#endif
