/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_DMARC_REPORT_H
#define MAIL_DMARC_REPORT_H

/*
 * dmarc_report -- an aggregate report of DMARC as it is sent (RFC 9990): the
 * XML, and the message that brings it.  Pure.
 *
 * What is read by its name is named as RFC 7489 has it as well, and in an order
 * that fits both.
 */

#include "mail/dmarc_row.h"

struct dmarc_report {
	struct str domain;	/* whom it is about */
	struct str id;		/* letters and digits: one for each report to DOMAIN */
	int64_t begin, end;	/* seconds since 1970 */
	struct str submitter;	/* the domain of who reports */
	struct str org;		/* who reports, in words */
	struct str from;	/* its address */
	struct str contact;	/* more words on that, or empty */
	struct str generator;	/* "barid 1.0" */
	struct dmarc record;	/* as it is published */
	uint64_t left_out;	/* messages that have no row */
};

/* Adds the XML, in three parts: its head, then each row, then its end. */
void dmarc_report_begin(struct buf *b, const struct dmarc_report *r);
void dmarc_report_row(struct buf *b, const struct dmarc_row *row, uint64_t count);
void dmarc_report_end(struct buf *b);

/* RFC 9990 3.5.2: "receiver!domain!begin!end!id.xml.gz" */
void dmarc_report_file_name(struct buf *b, const struct dmarc_report *r);
/*
 * Adds the message, with its header: to TO, which are addresses with ", " between
 * them; written at NOW; PACKED is the XML in gzip.
 */
void dmarc_report_message(struct buf *b, const struct dmarc_report *r, struct str to,
    int64_t now, struct str packed);

#endif
