/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_DKIM_H
#define CONF_DKIM_H

/* dkim -- the part of the configuration about signing; see conf/conf.h. */

#include "conf/pattern.h"
#include "conf/types.h"

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
	struct conf_strs authors;	/* patterns of addresses in From; none: by the domain */
	struct conf_strs headers;	/* fields that are signed, too */
	int forms;		/* CONF_DKIM_* */
	int64_t expire;		/* ms that a signature is good; 0: for ever */
	bool reports;		/* a failure may be reported (RFC 6651) */
	bool only_published;	/* it signs while DNS has it */
	bool arc;		/* it seals what of others is passed on, too (RFC 8617) */
	/* meaning: seconds since 1970; INT64_MIN and INT64_MAX where unsaid */
	int64_t from, to;
	struct pattern *patterns;	/* of authors */
	struct str *more;	/* views of headers */
};

#define CONF_DKIM_HEADERS_MAX 32

/* So many sign one message at most. */
#define CONF_DKIM_KEYS_MAX 8

/* Keys, by their numbers in conf.dkim, in the order of the file. */
struct conf_dkim_keys {
	size_t v[CONF_DKIM_KEYS_MAX], n;
	size_t more;	/* so many others are for it, too */
	const struct conf_dkim *off;	/* one that is for it, but does not sign now; or NULL */
};

/*
 * The keys for what is from LOCAL@DOMAIN (in ASCII) that sign at NOW.  A key with
 * patterns is for whom one of them fits; one without is for its domain, or for what
 * is below where no key without patterns is nearer.
 */
void conf_dkim_choose(const struct conf *c, struct str local, struct str domain, int64_t now,
    struct conf_dkim_keys *keys);
/* RFC 6376 3.1: labels with dots between; a year is one. */
bool conf_dkim_is_selector(struct str s);
/* True if S may be one of those fields. */
bool conf_dkim_is_field(struct str s);
/* True if some key signs bodies in the simple form. */
bool conf_dkim_any_simple(const struct conf *c);
/* True if D signs at NOW. */
bool conf_dkim_is_on(const struct conf_dkim *d, int64_t now);

#endif
