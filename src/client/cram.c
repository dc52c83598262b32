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

static void
add(struct buf *b, struct str user, unsigned char mac[MD5_SIZE])
{
	buf_add(b, user);
	buf_addc(b, ' ');
	hex_add(b, str_n((const char *)mac, MD5_SIZE));
	mem_wipe(mac, MD5_SIZE);
}

int
cram_md5_add(struct buf *b, struct str user, struct str password,
    struct str challenge)
{
	unsigned char mac[MD5_SIZE];

	if (hmac_md5(password, challenge, mac) < 0)
		return -1;
	add(b, user, mac);
	return 0;
}

void
cram_md5_add_of(struct buf *b, struct str user,
    const unsigned char state[HMAC_STATE_SIZE], struct str challenge)
{
	unsigned char mac[MD5_SIZE];

	hmac_md5_of_state(state, challenge, mac);
	add(b, user, mac);
}
