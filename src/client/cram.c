/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * cram -- the answer to a CRAM-MD5 challenge (RFC 2195).
 *
 * MD5 may be switched off in OpenSSL (FIPS); this is then an error, never a
 * guess.
 */

#include "engine.h"

#include "lib/digest.h"
#include "lib/mem.h"
#include "mail/text.h"

int
cram_md5_add(struct buf *b, struct str user, struct str password,
    struct str challenge)
{
	unsigned char mac[MD5_SIZE];

	if (hmac_md5(password, challenge, mac) < 0)
		return -1;
	buf_add(b, user);
	buf_addc(b, ' ');
	hex_add(b, str_n((const char *)mac, sizeof(mac)));
	mem_wipe(mac, sizeof(mac));
	return 0;
}
