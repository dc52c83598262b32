/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_REPLY_H
#define CONF_REPLY_H

/* reply -- a refusal as options say it: "550 5.7.1 text". */

#include "lib/arena.h"

struct conf_reply {
	int code;		/* 400 to 599 */
	const char *enhanced;	/* of the same class; 4.7.1 or 5.7.1 where none was said */
	const char *text;	/* "": none was said */
};

/* Reads TEXT; what R points to is in A.  NULL, or what was expected. */
const char *conf_reply_read(const char *text, struct arena *a, struct conf_reply *r) MUST_USE;

#endif
