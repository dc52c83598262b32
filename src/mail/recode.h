/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_RECODE_H
#define MAIL_RECODE_H

/*
 * recode -- bodies put into quoted-printable and base64, as they stream by
 * (RFC 2045 6.7 and 6.8).
 *
 * Lines that are written have 76 octets at most, and none begins with a
 * hyphen or a dot: what was within a line becomes neither a delimiter nor
 * the end of a text.
 */

#include "lib/buf.h"

/* What is done to a body. */
enum recode {
	RECODE_NONE,
	RECODE_QP,		/* into quoted-printable */
	RECODE_BASE64,		/* into base64 */
	RECODE_QP_LINES,	/* is quoted-printable: bytes and lines made fit */
	RECODE_BASE64_LINES	/* is base64: lines made fit */
};

struct recoder {
	enum recode how;
	size_t column;
	char space;		/* QP: white space, which a line must not end with */
	unsigned atom;		/* QP_LINES: octets of "=XX" that are to come */
	unsigned char rest[3];	/* BASE64: octets that make no group yet */
	size_t rest_n;
};

void recode_init(struct recoder *r, enum recode how);
/* Octets of a body, without line ends. */
void recode_add(struct recoder *r, struct str s, struct buf *out);
/* A line of the body ends: with CRLF, or with LF alone. */
void recode_line(struct recoder *r, bool cr, struct buf *out);
/* The body ends; nothing is added behind the last line of quoted-printable. */
void recode_end(struct recoder *r, struct buf *out);

#endif
