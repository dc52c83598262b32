/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_SCHEME_H
#define NET_SCHEME_H

/*
 * scheme -- how a server may sign in a handshake: the signature schemes of
 * RFC 8446 4.2.3 that TLS 1.2 and 1.3 have and that are not broken.
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"

struct scheme {
	uint16_t code;		/* as on the wire */
	const char *key;	/* the kind of key, by OpenSSL's name */
	const char *digest;	/* by OpenSSL's name; NULL: part of the scheme */
	bool pss;		/* of RSA: salt as long as the digest; else PKCS #1 1.5 */
	bool old;		/* for TLS 1.2 alone */
};

/* NULL: it is none of them. */
const struct scheme *scheme_by_code(uint64_t code) MUST_USE;
/* KEY in any case of letters; PSS says nothing of keys that are not RSA's. */
const struct scheme *scheme_for(const char *key, const char *digest, bool pss) MUST_USE;

#endif
