/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_PATH_H
#define MAIL_PATH_H

/*
 * path -- a reverse-path or forward-path (RFC 5321 4.1.2), as a type.
 *
 * Only the functions here make one from text, so that what has not been
 * parsed cannot reach the spool, a file name, a shell or a log.
 *
 * LOCAL is the local part's meaning: quotes and backslashes are gone
 * ("a"@x is a@x).  DOMAIN keeps its case and, for an address literal, its
 * brackets.  Both empty: the null reverse-path <>.  LOCAL without DOMAIN:
 * <postmaster>, or a local name where PATH_BARE allows it.  No byte of
 * either is a control character.
 */

#include "lib/arena.h"
#include "lib/buf.h"

struct path {
	struct str local;
	struct str domain;
};

enum {
	PATH_NULL = 1,		/* <> is fine (MAIL FROM) */
	PATH_POSTMASTER = 2,	/* <postmaster> without a domain is fine (RCPT TO) */
	PATH_BARE = 4,		/* a local part without a domain is fine (sendmail) */
	PATH_NO_ANGLE = 8,	/* the angle brackets may be missing */
	PATH_UTF8 = 16,		/* UTF-8 in both parts (RFC 6531) */
	PATH_LOOSE = 32		/* any printable local part, one @ */
};

/*
 * Parses a path at the start of TEXT; a source route is checked and
 * dropped.  Copies go to A.  REST (may be NULL: then nothing may follow)
 * gets what stands behind the closing bracket: nothing, or a space and more.
 * NULL, or a short English
 * reason why it is none, in static storage.
 */
const char *path_parse(struct str text, unsigned flags, struct arena *a, struct path *out,
    struct str *rest) MUST_USE;
/* A mailbox without brackets, as in a header or a configuration file. */
const char *path_parse_addr(struct str text, unsigned flags, struct arena *a,
    struct path *out) MUST_USE;
/*
 * The same of one that was not parsed as it is: another domain or local part was
 * put into it.  NULL: what path_add() writes of it is read again as P, <> and bare
 * local parts included, and UTF-8.
 */
const char *path_check(const struct path *p) MUST_USE;

bool path_is_null(const struct path *p);
/* Domains without case, local parts with case. */
bool path_eq(const struct path *a, const struct path *b);
/* Adds local@domain, quoted where the grammar needs it; nothing for <>. */
void path_add(struct buf *b, const struct path *p);
/* The same as text in A. */
struct str path_str(struct arena *a, const struct path *p);
struct path path_copy(struct arena *a, const struct path *p);

/* RFC 5321 4.1.2 Domain (labels, no address literal); and an address literal. */
bool domain_valid(struct str d);
bool domain_is_literal(struct str d);
/* True if D is a subdomain of ABOVE. */
bool domain_is_below(struct str d, struct str above);
/*
 * Adds the domain of ADDR in ASCII and lower case; false: it has none that is valid, or
 * ADDR is no address (RFC 5322 3.4.1), whatever its local part looks like otherwise.
 */
bool address_domain(struct buf *b, struct str addr) MUST_USE;
/*
 * Adds D in the same way, without a final dot, where it is a name that hosts on the
 * Internet have: it has a dot, and does not end like an address.  False: B is as it was.
 */
bool domain_add_host(struct buf *b, struct str d) MUST_USE;

#endif
