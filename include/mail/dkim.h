/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_DKIM_H
#define MAIL_DKIM_H

/*
 * dkim -- what of a message DKIM signs, and the field that says so (RFC 6376).
 *
 * A message is read once, in pieces, for all of its signatures; each is then
 * a field of its own.  Keys are none of its
 * business (net/dkim_key.h): it gives a digest and takes a signature.
 */

#include "lib/buf.h"
#include "lib/digest.h"

/* What one signature's field can take, an RSA key of 16,384 bits included. */
#define DKIM_FIELD_MAX 16384

struct dkim_text;

/*
 * EXACT: the octets leave as they are, and only CRLF ends a line; else CR and
 * LF alone do too, since they leave as CRLF (mail/dot.h), and so does a last
 * line without an end.  SIMPLE: somebody signs the body in its simple form, too.
 */
struct dkim_text *dkim_text_new(bool exact, bool simple) MUST_USE;
void dkim_text_free(struct dkim_text *t);	/* NULL is fine */
void dkim_text_add(struct dkim_text *t, struct str piece);
/*
 * After the last piece.  NULL, or why the message cannot be signed: its
 * header is broken, or has not exactly one From (RFC 6376 5.4) with an address.
 */
const char *dkim_text_end(struct dkim_text *t) MUST_USE;
/*
 * After NULL: the first address in From.  Its domain is in lower case and ASCII,
 * its local part without quotes; empty if that is none.
 */
struct str dkim_text_domain(const struct dkim_text *t);
struct str dkim_text_local(const struct dkim_text *t);

struct dkim_signer {
	struct str domain;	/* in ASCII, as everything here */
	struct str selector;
	const char *algorithm;	/* "rsa-sha256" */
	int64_t now;		/* seconds since 1970 */
	int64_t expires;	/* the same; 0: never */
	bool reports;		/* who finds it bad may report that (RFC 6651) */
	bool simple_header;	/* in the simple form (RFC 6376 3.4); else relaxed */
	bool simple_body;	/* the same; the text was read for that */
	const struct str *more;	/* names of fields that are signed, too, where they are */
	size_t more_n;
	unsigned instance;	/* of an ARC-Message-Signature (RFC 8617); 0: of DKIM-Signature */
};

/* The header that was read, without the blank line. */
struct str dkim_text_header(const struct dkim_text *t);

/*
 * Writes a DKIM-Signature up to its "b=" into FIELD, which is empty, and what
 * is to be signed into DIGEST.  -1: no digest can be made.
 */
int dkim_field_begin(const struct dkim_text *t, const struct dkim_signer *s, struct buf *field,
    unsigned char digest[SHA256_SIZE]) MUST_USE;
/* Adds the signature and the line end. */
void dkim_field_end(struct buf *field, struct str signature);

#endif
