/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_DMARC_ROW_H
#define MAIL_DMARC_ROW_H

/*
 * dmarc_row -- what an aggregate report says of messages that are alike in all
 * that it tells (RFC 9990 3.1.1), as a line of text: of one kind by its octets.
 */

#include "lib/buf.h"
#include "mail/dmarc.h"

/* What became of a message, as far as DMARC goes (RFC 9990 3.1.1.9). */
enum dmarc_disposition {
	DMARC_DONE_NONE,
	DMARC_DONE_PASS,	/* nothing, since it passed; else something would have */
	DMARC_DONE_QUARANTINE,
	DMARC_DONE_REJECT
};

/* Why a policy was not carried out as it is published (RFC 9990 3.1.6). */
enum dmarc_reason { DMARC_AS_PUBLISHED, DMARC_LOCAL_POLICY, DMARC_TRUSTED_FORWARDER,
	DMARC_TEST_MODE };
#define DMARC_REASONS 4

struct dmarc_signature {
	struct str domain, selector;
	struct str result;	/* RFC 8601 2.7.1 */
};

/* What a line may have; more are left out. */
#define DMARC_SIGNATURES_MAX 9

struct dmarc_row {
	struct str domain;		/* whose policy it is */
	bool rest;			/* messages without a row: nothing else is said */
	struct str source;		/* the client's address */
	enum dmarc_disposition disposition;
	enum dmarc_reason reason;
	bool dkim, spf;			/* passed, and aligned */
	struct str header_from;
	struct str envelope_from;	/* the domain of the sender, or empty */
	struct str spf_domain, spf_result;	/* RFC 8601 2.7.2; empty: nobody looked */
	struct dmarc_signature signatures[DMARC_SIGNATURES_MAX];
	size_t signature_n;
};

/* Octets of a line. */
#define DMARC_ROW_MAX 8192

/*
 * Adds the line of R, without a line's end.  Names are folded; an octet that has
 * no place in one becomes "?".  The domain of the policy is one (domain_valid()).
 */
void dmarc_row_add(struct buf *b, const struct dmarc_row *r);
/* What LINE says, as views of it; false: it is no such line. */
bool dmarc_row_parse(struct str line, struct dmarc_row *r) MUST_USE;
/* "pass" */
const char *dmarc_disposition_name(enum dmarc_disposition d);
/* "local_policy"; "" of the first */
const char *dmarc_reason_name(enum dmarc_reason r);

#endif
