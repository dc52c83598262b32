/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * cram -- what the mechanisms that answer a challenge are called.
 *
 * Only names: what is said in them has mail/sasl.c for servers, and
 * client/mech.c for clients.
 */

#include "mail/cram.h"

#define PREFIX "CRAM-"

static const char *const names[HMAC_HASHES] = {
	[HMAC_MD5] = PREFIX "MD5",
	[HMAC_SHA1] = PREFIX "SHA1",
	[HMAC_SHA256] = PREFIX "SHA256",
	[HMAC_SHA512] = PREFIX "SHA512",
};

const char *
cram_name(enum hmac_hash hash)
{
	return names[hash];
}

const char *
cram_hash_name(enum hmac_hash hash)
{
	return names[hash] + strlen(PREFIX);
}

bool
cram_hash(struct str name, enum hmac_hash *hash)
{
	for (int i = 0; i < HMAC_HASHES; i++)
		if (str_ieq(name, str_c(names[i]))) {
			*hash = (enum hmac_hash)i;
			return true;
		}
	return false;
}
