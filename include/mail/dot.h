/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_DOT_H
#define MAIL_DOT_H

/*
 * dot -- the transparency of message text (RFC 5321 4.5.2, RFC 1939 3).
 *
 * Reading is strict: only CRLF ends a line and only CRLF.CRLF ends the
 * text.  A bare CR, a bare LF or a NUL is noted, never taken for a line
 * end, so that a message cannot hold another one (smuggling).
 */

#include "lib/buf.h"

enum dot_fault { DOT_BARE_CR = 1, DOT_BARE_LF = 2, DOT_NUL = 4, DOT_LONG = 8 };

struct dot_decoder {
	unsigned state;
	unsigned faults;	/* of enum dot_fault, for the whole text */
	size_t line;		/* octets of the current line */
	bool done;		/* the final CRLF.CRLF was read */
};

void dot_decoder_init(struct dot_decoder *d);
/*
 * Decodes from IN and adds text, with its CRLFs and without the dots that
 * were stuffed, to OUT, until IN or the text ends.  Returns the octets of
 * IN that were taken; what stands behind the final dot is left.  Never adds
 * the terminating dot line.  Costs a scan for CR, LF and NUL.
 */
size_t dot_decode(struct dot_decoder *d, struct str in, struct buf *out);

struct dot_encoder {
	unsigned state;
};

void dot_encoder_init(struct dot_encoder *e);
/*
 * Adds TEXT in transparent form.  Bare CR and bare LF become CRLF, so that
 * nothing can be smuggled out.
 */
void dot_encode(struct dot_encoder *e, struct str text, struct buf *out);
/* Adds the CRLF that may be missing, and ".\r\n". */
void dot_encode_end(struct dot_encoder *e, struct buf *out);

#endif
