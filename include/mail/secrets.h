/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_SECRETS_H
#define MAIL_SECRETS_H

/*
 * secrets -- a line of a secrets file of E-MailRelay:
 *
 *	server TYPE USER SECRET			who may log in here
 *	server none RANGE KEYWORD		who need not
 *	client TYPE USER SECRET [SELECTOR]	what we log in with elsewhere
 *
 * TYPE is plain (user and secret are xtext, RFC 3461 4), plain:b (both are
 * base64), md5, sha1 or sha256 (the secret is a state of that HMAC, in base64,
 * or of MD5 as eight decimal numbers with dots between), or for a client oauth
 * and oauth:b (the secret is all that XOAUTH2 says).  "=" is an empty text.
 * RANGE is one of lib/ip_range.h.  Files of old versions have TYPE first, and
 * say cram-md5, apop and login.
 */

#include "lib/arena.h"
#include "lib/hmac_state.h"
#include "lib/ip_range.h"
#include "mail/account.h"

enum secrets_type { SECRETS_PLAIN, SECRETS_STATE, SECRETS_OAUTH, SECRETS_NONE };

struct secrets_line {
	bool client;
	enum secrets_type type;
	struct str user;	/* a C string, too; SECRETS_NONE: nothing */
	struct str secret;	/* as it is; what is said; the keyword; SECRETS_STATE: nothing */
	struct hmac_state state;	/* SECRETS_STATE */
	struct ip_range range;	/* SECRETS_NONE */
	struct str selector;	/* empty: none */
};

/*
 * Reads LINE, without its end; what L has is in A.  1: L is one; 0: it is
 * blank or a comment; -1: it is none, and *WHY says what is wrong.
 */
int secrets_parse(struct str line, struct arena *a, struct secrets_line *l,
    const char **why) MUST_USE;
/*
 * What L says in the words of mail/account.h, if it is a user's who may log
 * in here; false: it is something else.
 */
bool secrets_account(const struct secrets_line *l, struct arena *a, struct account *account);

#endif
