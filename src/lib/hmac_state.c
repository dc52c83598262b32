/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * hmac_state -- HMAC-MD5 from the middle.
 *
 * OpenSSL's newer interface neither shows the state of a digest nor takes one,
 * so this uses the older one, which it calls deprecated and still has.
 */

#define OPENSSL_SUPPRESS_DEPRECATED

#include "lib/hmac_state.h"

#include <openssl/md5.h>

#include "lib/mem.h"

#define BLOCK 64

static void
put32(unsigned char *p, uint32_t n)
{
	for (int i = 0; i < 4; i++, n >>= 8)
		p[i] = (unsigned char)n;
}

static uint32_t
get32(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* The state behind a first block: KEY, each octet of it changed by PAD. */
static int
half(const unsigned char key[BLOCK], unsigned char pad, unsigned char *state)
{
	unsigned char block[BLOCK];
	MD5_CTX md;

	for (int i = 0; i < BLOCK; i++)
		block[i] = key[i] ^ pad;
	if (MD5_Init(&md) != 1 || MD5_Update(&md, block, BLOCK) != 1)
		return -1;
	put32(state, md.A);
	put32(state + 4, md.B);
	put32(state + 8, md.C);
	put32(state + 12, md.D);
	mem_wipe(block, sizeof(block));
	mem_wipe(&md, sizeof(md));
	return 0;
}

int
hmac_md5_state(struct str key, unsigned char state[HMAC_STATE_SIZE])
{
	unsigned char padded[BLOCK] = { 0 };
	int rc = 0;

	/* RFC 2104 2: a key that is too long is hashed. */
	if (key.n > BLOCK)
		rc = md5(key, STR(""), padded);
	else
		memcpy(padded, key.p, key.n);
	if (rc == 0)
		rc = half(padded, 0x36, state);
	if (rc == 0)
		rc = half(padded, 0x5c, state + HMAC_STATE_SIZE / 2);
	mem_wipe(padded, sizeof(padded));
	return rc;
}

/* MD5 of a block whose state is known, and TEXT behind it. */
static void
finish(const unsigned char *state, struct str text, unsigned char out[MD5_SIZE])
{
	MD5_CTX md;

	(void)MD5_Init(&md);
	md.A = get32(state);
	md.B = get32(state + 4);
	md.C = get32(state + 8);
	md.D = get32(state + 12);
	md.Nl = BLOCK * 8;
	(void)MD5_Update(&md, text.p, text.n);
	(void)MD5_Final(out, &md);
	mem_wipe(&md, sizeof(md));
}

void
hmac_md5_of_state(const unsigned char state[HMAC_STATE_SIZE], struct str text,
    unsigned char out[MD5_SIZE])
{
	unsigned char inner[MD5_SIZE];

	finish(state, text, inner);
	finish(state + HMAC_STATE_SIZE / 2, str_n((const char *)inner, sizeof(inner)), out);
	mem_wipe(inner, sizeof(inner));
}
