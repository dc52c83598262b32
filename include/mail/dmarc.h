/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_DMARC_H
#define MAIL_DMARC_H

/*
 * dmarc -- the records by which domains say what is to become of mail that they
 * did not send (RFC 9989).  Pure.
 */

#include "lib/str.h"

enum dmarc_policy { DMARC_NONE, DMARC_QUARANTINE, DMARC_REJECT };

struct dmarc {
	enum dmarc_policy policy;	/* of the domain itself */
	enum dmarc_policy below;	/* of its subdomains */
	bool testing;			/* "t=y": one step less is meant */
	char psd;			/* 'y', 'n' or 'u': is it a public suffix */
};

/* Reads the TXT record TEXT: false, it is none of DMARC. */
bool dmarc_parse(struct str text, struct dmarc *d) MUST_USE;
/* What it asks for: of mail from the domain, or from one below. */
enum dmarc_policy dmarc_asks(const struct dmarc *d, bool below);

/* Names that are looked up for one domain (RFC 9989 4.10). */
#define DMARC_WALK_MAX 8
/* The domain that is looked at after DOMAIN, of *LOOKED so far; empty: none. */
struct str dmarc_next(struct str domain, unsigned looked);

#endif
