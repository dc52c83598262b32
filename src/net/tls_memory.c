/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * tls_memory -- where OpenSSL has its memory from.
 *
 * Its own malloc() would give a session the holes in its parent's heap, and
 * each handshake copied some fifty pages for that.  lib/mem gives a forked
 * session pages that nobody else has.  Out of memory is the end of the
 * process, as everywhere.
 */

#include "net/tls.h"

#include <openssl/crypto.h>

#include "lib/mem.h"

static void *
take(size_t n, const char *file UNUSED, int line UNUSED)
{
	return mem_room(n);
}

static void
give(void *p, const char *file UNUSED, int line UNUSED)
{
	mem_free(p);
}

static void *
grow(void *p, size_t n, const char *file UNUSED, int line UNUSED)
{
	if (n > 0)
		return mem_grow(p, n, 1);
	mem_free(p);
	return NULL;
}

void
tls_use_our_memory(void)
{
	/* Where it is too late for that, all is slower and nothing else. */
	(void)CRYPTO_set_mem_functions(take, grow, give);
}
