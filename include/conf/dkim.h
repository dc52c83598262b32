/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_DKIM_H
#define CONF_DKIM_H

/* dkim -- the part of the configuration about signing; see conf/conf.h. */

#include "conf/types.h"
#include "lib/str.h"

struct conf;

/* The forms of header and body (RFC 6376 3.4): a bit for each that is simple. */
enum { CONF_DKIM_SIMPLE_BODY = 1, CONF_DKIM_SIMPLE_HEADER = 2 };

struct conf_dkim {
	const char *domain;	/* in ASCII, if it has such a form */
	struct conf_place place;
	const char *selector;
	const char *key;	/* path of a file in PEM form */
	const char *not_before;	/* "2026-12-01", "2026-12-01 08:00": UTC; "": unsaid */
	const char *not_after;
	bool subdomains;	/* for those as well that have no key of their own */
	int forms;		/* CONF_DKIM_* */
	int64_t expire;		/* ms that a signature is good; 0: for ever */
	bool reports;		/* a failure may be reported (RFC 6651) */
	bool arc;		/* it seals what of others is passed on, too (RFC 8617) */
	/* meaning: seconds since 1970; INT64_MIN and INT64_MAX where unsaid */
	int64_t from, to;
};

/*
 * The domain whose keys sign what is from DOMAIN (in ASCII): itself, or the
 * nearest above it that has a key for subdomains.  NULL: none is there.
 */
const char *conf_dkim_domain(const struct conf *c, struct str domain);
/* True if some key signs bodies in the simple form. */
bool conf_dkim_any_simple(const struct conf *c);
/* True if D is a key of DOMAIN, by conf_dkim_domain(), that signs at NOW. */
bool conf_dkim_signs(const struct conf_dkim *d, const char *domain, int64_t now);

#endif
