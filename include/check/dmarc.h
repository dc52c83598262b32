/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CHECK_DMARC_H
#define CHECK_DMARC_H

/*
 * dmarc -- whether a message is its author's domain's, and what that asks for
 * if it is not (RFC 9989).
 *
 * A pure function of the message's facts and of what DNS has; while something
 * of DNS is missing it says what, all at once, and is called again.
 */

#include "mail/dmarc.h"

/* A domain that SPF or DKIM has shown to be behind the message: a "pass" of theirs. */
struct dmarc_proof {
	struct str domain;	/* ASCII and lower case, as all domains here */
	bool by_dkim;
	bool undecided;		/* DNS does not say now whether it is one: a "temperror" */
};

/* Proofs that are looked at; more count for nothing. */
#define DMARC_PROOFS_MAX 9

struct dmarc_facts {
	struct str from;	/* the domain of the author */
	const struct dmarc_proof *proofs;
	size_t proof_n;
};

/* What is known of a name of DNS. */
enum dmarc_known {
	DMARC_UNASKED,
	DMARC_UNKNOWN,		/* DNS does not answer now */
	DMARC_ABSENT,		/* there is no record; or no such domain */
	DMARC_PRESENT
};

/* Names that one message may want, at most. */
#define DMARC_WANTS_MAX 64

struct dmarc_wants {
	struct {
		struct str domain;	/* a part of a domain of the facts */
		/* Whether there is such a domain (A, AAAA or MX); else the record of it. */
		bool existence;
	} v[DMARC_WANTS_MAX];
	size_t n;
};

/* What DNS has of DOMAIN: its record, into D, or (D is NULL) whether it is there. */
typedef enum dmarc_known (*dmarc_look)(void *arg, struct str domain, struct dmarc *d);

enum dmarc_result { DMARC_RESULT_NONE, DMARC_PASS, DMARC_FAIL, DMARC_TEMPERROR };

struct dmarc_verdict {
	enum dmarc_result result;
	/*
	 * Of DMARC_FAIL: what is to become of it.  Of DMARC_TEMPERROR: it would be refused
	 * (DMARC_REJECT), were it certain that what is undecided is no proof.
	 */
	enum dmarc_policy asks;
	enum dmarc_policy published;	/* before "t=y" made it less */
	struct str domain;		/* whose record it is; empty: there is none */
	bool by_spf, by_dkim;		/* which of them are aligned */
	struct dmarc record;
};

/* True: V is the verdict.  False: W has what is to be asked first, one name or more. */
bool dmarc_judge(const struct dmarc_facts *f, dmarc_look look, void *arg,
    struct dmarc_wants *w, struct dmarc_verdict *v) MUST_USE;

/*
 * Whose record holds for mail from DOMAIN, and whose organization it is (RFC
 * 9989 4.10): one half of the above.  PRESENT: HOLDER, which is DOMAIN, its
 * organization or the public suffix above, has RECORD; ABSENT: none has one.
 */
struct dmarc_found {
	struct str organization;
	struct str holder;
	struct dmarc record;
};
enum dmarc_known dmarc_discover(struct str domain, dmarc_look look, void *arg,
    struct dmarc_wants *w, struct dmarc_found *found) MUST_USE;

/* True if DOMAIN is OF or below it. */
bool dmarc_is_within(struct str domain, struct str of);

/* "pass": RFC 8601 2.7.2 */
const char *dmarc_result_name(enum dmarc_result r);

#endif
