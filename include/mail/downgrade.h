/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_DOWNGRADE_H
#define MAIL_DOWNGRADE_H

/*
 * downgrade -- a message made fit for a host that cannot take it as it is:
 * 8-bit text, lines above 998 octets, binary (RFC 6152 3, RFC 3030 4).
 *
 * Bodies of leaves are put into quoted-printable (text) or base64 (the
 * rest), long header lines are folded, Content-Transfer-Encoding says so.
 * Nothing is lost: each part decodes to the octets that it had.
 *
 * What cannot be done: 8-bit octets in a header or outside of the parts;
 * any change within multipart/signed (RFC 1847 2.1); an encoding for a
 * message/partial, external-body or delivery-status; parts of an unknown
 * encoding or with a header that cannot be read.
 *
 * A DKIM-Signature is no obstacle.  RFC 6152 wants a message that is valid
 * and complete, and a signature that no longer verifies counts as none
 * (RFC 6376 6.1), so that the mail is better off than with a bounce.
 *
 * Two passes: the first makes the plan, whose memory is an octet for each
 * part, the second writes.  Both take the text in pieces of any size.
 */

#include "mail/mime.h"

/* Enough for any mailing; 100 KB of plan. */
#define DOWNGRADE_PARTS_MAX 100000

/* What the host takes. */
enum downgrade_to {
	DOWNGRADE_TO_7BIT,
	DOWNGRADE_TO_8BIT,	/* has 8BITMIME: lines and binary are the problem */
};
#define DOWNGRADE_TARGETS 2

struct downgrade_plan {
	struct buf parts;	/* for each part what is done to it */
	/* Why it cannot be done; static, NULL if it can. */
	const char *why_not[DOWNGRADE_TARGETS];
};

struct downgrade_scan {
	struct downgrade_plan *plan;
	struct mime_walk walk;
	struct mime_lines lines;
	bool binary;
	enum mime_line what;	/* of the line */
	size_t line;		/* its octets so far */
	unsigned line_flags;
	size_t word;		/* octets since it could be folded */
	bool in_space;		/* the last of them was white space */
	bool in_name;		/* its field has had no colon yet */
	struct mime_part leaf;	/* whose body is read */
	unsigned flags;		/* of the leaf */
	unsigned utf8;		/* state: octets that a character lacks */
	bool has_leaf;
	size_t leaf_at;
};

void downgrade_plan_init(struct downgrade_plan *p);
void downgrade_plan_free(struct downgrade_plan *p);

/* BINARY: CR, LF and NUL alone mean something (BODY=BINARYMIME). */
void downgrade_scan_begin(struct downgrade_scan *s, struct downgrade_plan *p, bool binary);
void downgrade_scan_add(struct downgrade_scan *s, struct str text);
/* Ends the scan; the plan is made. */
void downgrade_scan_end(struct downgrade_scan *s);

struct downgrade;

/* Writes as PLAN says, which must outlive it and be possible for TO. */
struct downgrade *downgrade_new(const struct downgrade_plan *plan, enum downgrade_to to) MUST_USE;
void downgrade_free(struct downgrade *d);	/* NULL is fine */
/* Adds the form of TEXT to OUT: at most 16 times as much and 2,000 octets. */
void downgrade_add(struct downgrade *d, struct str text, struct buf *out);
void downgrade_end(struct downgrade *d, struct buf *out);

#endif
