/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_COMMAND_H
#define MAIL_COMMAND_H

/* command -- a command line of SMTP or POP3, and the parameters of ESMTP. */

#include "lib/str.h"

struct command {
	struct str verb;	/* as sent; compare with str_ieq() */
	struct str arg;		/* what follows the first space, trailing space removed */
	bool has_arg;
};

/* Splits a line without its CRLF; an empty line gives an empty verb. */
struct command command_parse(struct str line);

/* RFC 5321 4.1.2 esmtp-param. */
struct param {
	struct str key;
	struct str value;
	bool has_value;
};

/*
 * Takes the next parameter from *REST.  1: P is set.  0: none is left.
 * -1: what is there is no parameter.
 */
int param_next(struct str *rest, struct param *p) MUST_USE;

#endif
