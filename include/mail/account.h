/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_ACCOUNT_H
#define MAIL_ACCOUNT_H

/*
 * account -- a line of a file of users and what is stored of their passwords:
 *
 *	USER:SECRET		the user's own
 *	USER/APP:SECRET		an app password of USER, called APP
 *
 * SECRET is a hash of crypt(3), {PLAIN} and the password as it is, a key of
 * SCRAM (mail/scram_key.h), or {CRAM-MD5} and a state of HMAC-MD5 as Dovecot
 * writes it: in hexadecimal, the outer half first; likewise {CRAM-SHA1} and
 * {CRAM-SHA256}.  A field behind a hash is left alone.
 */

#include "lib/buf.h"
#include "lib/hmac_state.h"

struct account {
	struct str user;
	struct str app;		/* empty: the user's own */
	struct str secret;
};

/* Reads a line without its end.  False: it is blank, a comment, or none. */
bool account_parse(struct str line, struct account *a) MUST_USE;
/* True if SECRET is a password as it is; then PASSWORD has it. */
bool account_is_plain(struct str secret, struct str *password);
/* True if SECRET is a state of an HMAC; then STATE has it. */
bool account_is_state(struct str secret, struct hmac_state *state);
/* Adds the secret that STATE is. */
void account_add_state(struct buf *b, const struct hmac_state *state);
/*
 * True if NAME may be that of an app password: 1 to 64 octets of text, without
 * colons, slashes, quotes and backslashes.
 */
bool account_app_valid(struct str name);

#endif
