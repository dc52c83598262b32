/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The keys that a message brings: what is taken can sign, what is not says why and
 * leaves nothing.
 *
 * Parsers: queue/own_keys.c.
 */

#include "fuzz.h"

#include "net/dkim_key.h"
#include "queue/own_keys.h"

static void
check_key(const struct own_key *k)
{
	unsigned char digest[SHA256_SIZE] = { 0 };
	struct buf signature;

	check(k->domain.n > 0 && k->selector.n > 0 && (k->signs || k->seals));
	check(k->more_n <= CONF_DKIM_HEADERS_MAX);
	for (size_t i = 0; i < k->more_n; i++)
		check(conf_dkim_is_field(k->more[i]));
	buf_init(&signature, 1024);
	/* What is no pair of halves may fail to sign, and does no more. */
	(void)!dkim_key_sign(k->key, digest, &signature);
	buf_free(&signature);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct own_keys keys;
	struct arena a;
	const char *why;

	arena_init(&a, 8 << 20);
	why = own_keys_read(str_n((const char *)data, n), INT64_C(1795305600), &a, &keys);
	check((why == NULL) == (keys.n > 0) && keys.n <= OWN_KEYS_MAX);
	for (size_t i = 0; i < keys.n; i++)
		check_key(&keys.v[i]);
	own_keys_free(&keys);
	arena_free(&a);
	return 0;
}
