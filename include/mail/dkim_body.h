/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_DKIM_BODY_H
#define MAIL_DKIM_BODY_H

/* dkim_body -- the forms of a body that are signed (RFC 6376 3.4.3, 3.4.4), in pieces. */

#include "lib/str.h"

struct dkim_body {
	/* Takes the form, in views of the body or of nothing: good during the call. */
	void (*out)(void *arg, struct str piece);
	void *arg;
	bool simple;		/* only what stands at the end is changed; else relaxed */
	bool any_end;		/* a CR or LF alone ends a line as well */
	bool cr;		/* the last octet was one, and what it is is not known */
	bool space;		/* white space is held back, */
	uint64_t ends;		/* and behind so many line ends */
	bool some;		/* there was text */
};

void dkim_body_add(struct dkim_body *b, struct str piece);
/* After the last piece. */
void dkim_body_end(struct dkim_body *b);

#endif
