/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_CRAM_H
#define MAIL_CRAM_H

/*
 * cram -- the mechanisms that answer a challenge with an HMAC of it: CRAM-MD5
 * (RFC 2195), and CRAM-SHA1, CRAM-SHA256 and CRAM-SHA512, which no RFC has but
 * E-MailRelay and Courier.
 */

#include "lib/digest.h"

/* "CRAM-SHA1", and so on. */
const char *cram_name(enum hmac_hash hash);
/* "SHA1": what E-MailRelay calls the hash alone. */
const char *cram_hash_name(enum hmac_hash hash);
/* The hash of the mechanism NAME, in any case; false: it is no CRAM, and HASH stays. */
bool cram_hash(struct str name, enum hmac_hash *hash);

#endif
