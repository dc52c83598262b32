/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_DMARC_H
#define MAIL_DMARC_H

/*
 * dmarc -- the records by which domains say what is to become of mail that they
 * did not send (RFC 9989).  Pure.
 */

#include "lib/str.h"

enum dmarc_policy { DMARC_NONE, DMARC_QUARANTINE, DMARC_REJECT };

/* Of whom a policy is asked for. */
enum dmarc_who {
	DMARC_ITSELF,
	DMARC_BELOW,		/* a domain below that of the record */
	DMARC_MISSING,		/* one that DNS does not have */
	DMARC_WHO_N
};

struct dmarc {
	enum dmarc_policy policy[DMARC_WHO_N];
	bool testing;			/* "t=y" (or "pct=0"): one step less is meant */
	bool strict_dkim, strict_spf;	/* "adkim=s", "aspf=s": the very domain counts */
	char psd;			/* 'y', 'n' or 'u': is it a public suffix */
	bool says_nothing;		/* no policy that makes sense, and no place for reports */
	struct str rua;			/* where reports go; a view of the text, or empty */
};

/*
 * Reads the TXT record TEXT: false, it is none of DMARC.  One whose policies are
 * missing or broken asks for nothing, and without a URI in "rua" mail that goes by
 * it is not held against DMARC at all (RFC 9989 4.10.1).
 */
bool dmarc_parse(struct str text, struct dmarc *d) MUST_USE;
/* The only one of N TEXTS that is a record; false if none is, or several are. */
bool dmarc_parse_only(const struct str *texts, size_t n, struct dmarc *d) MUST_USE;
enum dmarc_policy dmarc_asks(const struct dmarc *d, enum dmarc_who who);
/* "none", "quarantine", "reject" */
const char *dmarc_policy_name(enum dmarc_policy p);

/* Names that are looked up for one domain (RFC 9989 4.10). */
#define DMARC_WALK_MAX 8
/* The domain that is looked at after DOMAIN, of *LOOKED so far; empty: none. */
struct str dmarc_next(struct str domain, unsigned looked);

#endif
