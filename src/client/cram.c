/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * cram -- the answer to a challenge of CRAM (RFC 2195), with MD5 or another
 * hash (mail/cram.h).
 *
 * MD5 may be switched off in OpenSSL (FIPS); this is then an error, never a
 * guess.
 */

#include "engine.h"

#include "lib/mem.h"
#include "mail/text.h"

static void
add(struct buf *b, struct str user, unsigned char *mac, size_t n)
{
	buf_add(b, user);
	buf_addc(b, ' ');
	hex_add(b, str_n((const char *)mac, n));
	mem_wipe(mac, n);
}

int
cram_add(struct buf *b, enum hmac_hash hash, struct str user,
    struct str password, struct str challenge)
{
	unsigned char mac[HMAC_SIZE_MAX];

	if (hmac(hash, password, challenge, mac) < 0)
		return -1;
	add(b, user, mac, hmac_size(hash));
	return 0;
}

void
cram_add_of(struct buf *b, const struct hmac_state *state, struct str user,
    struct str challenge)
{
	unsigned char mac[HMAC_SIZE_MAX];

	hmac_of_state(state, challenge, mac);
	add(b, user, mac, hmac_size(state->hash));
}
