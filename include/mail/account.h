/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_ACCOUNT_H
#define MAIL_ACCOUNT_H

/*
 * account -- a line of a file of users and what is stored of their passwords:
 *
 *	USER:SECRET		the user's own
 *	USER/APP:SECRET		an app password of USER, called APP
 *
 * SECRET is a hash of crypt(3), {PLAIN} and the password as it is, or a key of
 * SCRAM (mail/scram_key.h).  A field behind a hash is left alone.
 */

#include "lib/str.h"

struct account {
	struct str user;
	struct str app;		/* empty: the user's own */
	struct str secret;
};

/* Reads a line without its end.  False: it is blank, a comment, or none. */
bool account_parse(struct str line, struct account *a) MUST_USE;
/* True if SECRET is a password as it is; then PASSWORD has it. */
bool account_is_plain(struct str secret, struct str *password);
/*
 * True if NAME may be that of an app password: 1 to 64 octets of text, without
 * colons, slashes, quotes and backslashes.
 */
bool account_app_valid(struct str name);

#endif
