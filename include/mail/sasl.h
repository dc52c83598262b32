/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_SASL_H
#define MAIL_SASL_H

/* sasl -- the messages of the plain SASL mechanisms (RFC 4616). */

#include "lib/buf.h"

struct sasl_plain {
	struct str user;
	struct str password;
};

/*
 * Decodes a base64 PLAIN message ("=" is the empty one) into BYTES, which
 * the caller wipes, and shows its parts.  0; -1 with errno EBADMSG: no
 * base64, or not exactly two NULs; or EPERM: an authorization identity that
 * is not the user itself, whose parts OUT shows all the same.
 */
int sasl_plain_parse(struct str base64, struct buf *bytes, struct sasl_plain *out) MUST_USE;

#endif
