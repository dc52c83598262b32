/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_FACTS_H
#define MAIL_FACTS_H

/*
 * facts -- what decides in which ways a text can be sent.
 *
 * A scan of the text in pieces of any size: costs about as much as copying
 * it, and keeps nothing but these flags.
 */

#include "lib/str.h"

enum {
	FACT_HEADER_8BIT = 1,	/* octets above 127 in the header of the message */
	FACT_BODY_8BIT = 2,	/*  and behind it */
	FACT_LONG = 4,		/* a line above MAIL_LINE_MAX octets */
	FACT_BARE = 8,		/* a CR or LF alone, or a last line without end */
	FACT_NUL = 16,
	FACT_HUGE = 32		/* a line above SMTP_TEXT_LINE_MAX octets */
};

struct facts {
	unsigned found;		/* FACT_* */
	bool in_body;
	bool cr;		/* the last octet was CR */
	size_t line;		/* octets of the line so far, its CR too */
};

void facts_init(struct facts *f);
void facts_add(struct facts *f, struct str text);
/* After the last piece: what was found. */
unsigned facts_end(struct facts *f);

#endif
