/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * scheme -- the signature schemes that a server signs a handshake by.
 *
 * One table for both sides of the channel on which signatures are asked for:
 * who asks names a scheme by its code, who signs knows nothing but these.
 * No SHA-1, no DSA, nothing without a digest.
 */

#include "scheme.h"

#include <stddef.h>
#include <strings.h>

/* clang-format off */
static const struct scheme schemes[] = {
	{ 0x0403, "EC",      "SHA2-256", false, false },
	{ 0x0503, "EC",      "SHA2-384", false, false },
	{ 0x0603, "EC",      "SHA2-512", false, false },
	{ 0x0804, "RSA",     "SHA2-256", true,  false },
	{ 0x0805, "RSA",     "SHA2-384", true,  false },
	{ 0x0806, "RSA",     "SHA2-512", true,  false },
	{ 0x0401, "RSA",     "SHA2-256", false, true },
	{ 0x0501, "RSA",     "SHA2-384", false, true },
	{ 0x0601, "RSA",     "SHA2-512", false, true },
	{ 0x0807, "ED25519", NULL,       false, false },
	{ 0x0808, "ED448",   NULL,       false, false },
	{ 0x0809, "RSA-PSS", "SHA2-256", true,  false },
	{ 0x080a, "RSA-PSS", "SHA2-384", true,  false },
	{ 0x080b, "RSA-PSS", "SHA2-512", true,  false },
};
/* clang-format on */

const struct scheme *
scheme_by_code(uint64_t code)
{
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		if (schemes[i].code == code)
			return &schemes[i];
	return NULL;
}

/* OpenSSL knows a digest by several names: "SHA2-256", "SHA-256", "SHA256". */
static bool
is_digest(const char *ours, const char *theirs)
{
	if (!ours || !theirs || !theirs[0])
		return !ours && (!theirs || !theirs[0]);
	if (strncasecmp(theirs, "SHA2-", 5) == 0)
		theirs += 5;
	else if (strncasecmp(theirs, "SHA-", 4) == 0)
		theirs += 4;
	else if (strncasecmp(theirs, "SHA", 3) == 0)
		theirs += 3;
	return strcasecmp(ours + 5, theirs) == 0;
}

const struct scheme *
scheme_for(const char *key, const char *digest, bool pss)
{
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
		const struct scheme *s = &schemes[i];

		if (strcasecmp(s->key, key) == 0 && is_digest(s->digest, digest) &&
		    (strcasecmp(key, "RSA") != 0 || s->pss == pss))
			return s;
	}
	return NULL;
}
