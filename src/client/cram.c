/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * cram -- the answer to a CRAM-MD5 challenge (RFC 2195).
 *
 * The only file of the room that knows OpenSSL, for HMAC-MD5.  MD5 may be
 * switched off in the library (FIPS); this is then an error, never a guess.
 */

#include "engine.h"

#include <openssl/evp.h>

#include "lib/mem.h"
#include "mail/text.h"

int
cram_md5_add(struct buf *b, struct str user, struct str password,
    struct str challenge)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	size_t n = 0;

	if (!EVP_Q_mac(NULL, "HMAC", NULL, "MD5", NULL, password.p, password.n,
		(const unsigned char *)challenge.p, challenge.n, mac,
		sizeof(mac), &n))
		return -1;
	buf_add(b, user);
	buf_addc(b, ' ');
	hex_add(b, str_n((const char *)mac, n));
	mem_wipe(mac, sizeof(mac));
	return 0;
}
