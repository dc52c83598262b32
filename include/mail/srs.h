/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_SRS_H
#define MAIL_SRS_H

/*
 * srs -- the Sender Rewriting Scheme: reverse-paths of mail that is forwarded,
 * so that its next host believes them (SPF), and bounces find back.
 *
 *	SRS0=HHHH=TT=domain=local@ours	stands for local@domain
 *	SRS1=HHHH=host=...=@ours	stands for SRS0...@host, of a forwarder
 *
 * HHHH is a keyed hash, TT the day.  The same as what Mail::SRS, libsrs2 and
 * postsrsd make, so that a secret can be shared with them.  Pure.
 */

#include "mail/path.h"

#define SRS_SECRETS_MAX 16

struct srs {
	const char *const *secrets;	/* the first signs; each is believed */
	size_t secret_n;
	struct str domain;	/* of what is made */
	int64_t days;		/* for which it is believed, at most 512 */
};

enum srs_verdict {
	SRS_NONE,	/* it is no such address */
	SRS_FINE,
	SRS_FORGED,	/* its hash is not ours, or it is broken */
	SRS_EXPIRED
};

/* True if LOCAL begins as such an address does. */
bool srs_looks_so(struct str local);
/*
 * The address that stands for FROM, which is neither null nor of S's domain,
 * at NOW (seconds since 1970); in A.  -1: it would have more than the 64
 * octets that a local part may have (RFC 5321 4.5.3.1.1), or FROM has none.
 */
int srs_forward(const struct srs *s, const struct path *from, int64_t now,
    struct arena *a, struct path *out) MUST_USE;
/* What an address with LOCAL at our domain stands for; OUT is in A if it is fine. */
enum srs_verdict srs_reverse(const struct srs *s, struct str local,
    int64_t now, struct arena *a, struct path *out) MUST_USE;

#endif
