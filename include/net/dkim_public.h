/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_DKIM_PUBLIC_H
#define NET_DKIM_PUBLIC_H

/*
 * dkim_public -- whether a signature is that of a key which DNS has: RSA of
 * 1024 to 4096 bits (RFC 8301 3.2), or Ed25519 (RFC 8463).
 */

#include "lib/digest.h"

enum dkim_proof {
	DKIM_PROOF_GOOD,
	DKIM_PROOF_BAD,		/* another signed, or something else */
	DKIM_PROOF_NO_KEY	/* it cannot be used, whatever the signature is */
};

/*
 * KEY has the octets of "p=", SIGNATURE those of "b=" for what has this
 * DIGEST.  WHY is in words, static, where it is not good.
 */
enum dkim_proof dkim_public_check(bool rsa, struct str key,
    const unsigned char digest[SHA256_SIZE], struct str signature, const char **why) MUST_USE;

#endif
