/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef AUTH_RADIUS_H
#define AUTH_RADIUS_H

/* radius -- the packets of RFC 2865, as far as a password needs them. */

#include "lib/buf.h"

#define RADIUS_PACKET_MAX 4096
#define RADIUS_RANDOM 16
/* RFC 2865 5.1, 5.2. */
#define RADIUS_USER_MAX 253
#define RADIUS_PASSWORD_MAX 128

struct radius_request {
	unsigned char id;
	unsigned char random[RADIUS_RANDOM];	/* the Request Authenticator */
	const char *secret;
	const char *identifier;			/* NAS-Identifier */
	const char *client;			/* Calling-Station-Id */
	const char *user, *password;
};

/* Adds the Access-Request R, with a Message-Authenticator; false: it cannot be one. */
bool radius_put(struct buf *b, const struct radius_request *r) MUST_USE;

enum radius_answer {
	RADIUS_ACCEPT,
	RADIUS_REJECT,
	RADIUS_CHALLENGE,
	RADIUS_BARE,	/* without a Message-Authenticator: it may be anybody's */
	RADIUS_NOTHING	/* no answer of who knows the secret to this request */
};

/*
 * What PACKET, which anybody may have sent, says to R.  It says nothing with a
 * wrong Message-Authenticator or Response Authenticator, a wrong length or
 * anything behind it; and without the former, with which the latter can be
 * forged (CVE-2024-3596), it says no more than that.
 */
enum radius_answer radius_get(struct str packet, const struct radius_request *r) MUST_USE;

#endif
