/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_PARTS_H
#define MAIL_PARTS_H

/* parts -- the parts of a message, decoded (RFC 2045, RFC 2046). */

#include "lib/buf.h"

/* Parts that are shown; those behind are not looked at. */
#define PARTS_MAX 100

struct part {
	struct str type;	/* "text/plain": folded, without parameters */
	/*
	 * Decoded, its line ends as they came.  Of a message/rfc822 or
	 * message/global: its header, and nothing in it is another part.
	 */
	struct str body;
	bool top;		/* it is the message itself */
};

/*
 * Calls FN with each part of MESSAGE that is no multipart, in their order, until it
 * returns false.  What P has is good during the call.  An encoding that is
 * broken is decoded as far as it makes sense.
 */
void parts_each(struct str message, bool (*fn)(void *arg, const struct part *p), void *arg);

#endif
