/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef POLICY_LOGIN_H
#define POLICY_LOGIN_H

/* login -- by which mechanisms a client may log in: pure functions. */

#include "conf/conf.h"
#include "lib/buf.h"

struct login_facts {
	bool tls;		/* the session is in TLS */
	bool tls_demanded;	/* the listener takes no login before */
	unsigned digests;	/* by CRAM with these (1 << HMAC_MD5 ...), ... */
	bool scram;		/* ... and by SCRAM, somebody can be proved */
	bool certified;		/* the client has shown a certificate that is somebody's */
};

/*
 * Whose account USER means: "alice@ours" is alice, since a domain of ours says
 * nothing about the account.  A view of USER.
 */
struct str login_account(const struct conf *c, struct str user);
/*
 * Whether a password may be said by MECHANISM now, whatever it is: in TLS, or
 * where the configuration wants it before and the listener does not mind
 * (RFC 8314 3.3).
 */
bool login_is_safe(const struct conf *c, const struct login_facts *f, struct str mechanism);
/*
 * The mechanisms of SASL on offer (mail/sasl.h), as bits: those of
 * auth.mechanisms that can let anybody in, and EXTERNAL where the client can be
 * let in by it.
 */
unsigned login_offers(const struct conf *c, const struct login_facts *f);
/* What would be on offer in TLS. */
unsigned login_offers_in_tls(const struct conf *c, const struct login_facts *f);
/* Adds " PLAIN LOGIN": the names of BITS, EXTERNAL and then in the order of auth.mechanisms. */
void login_list(const struct conf *c, unsigned bits, struct buf *b);
/* True if auth.mechanisms has NAME, which may be one of POP3's own. */
bool login_is_wanted(const struct conf *c, struct str name);

#endif
