/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * password -- crypt(3) by libxcrypt, with its large work area on the heap
 * and wiped afterwards.
 */

#include "lib/password.h"

#include <crypt.h>

#include "lib/mem.h"

bool
password_matches(const char *password, const char *hash)
{
	struct crypt_data *data = mem_alloc(sizeof(*data));
	const char *got = crypt_r(password, hash, data);
	/* "*0" and "*1" are crypt's own no. */
	bool same = got && got[0] != '*' && strlen(got) == strlen(hash) &&
	    mem_same(got, hash, strlen(hash));

	mem_wipe(data, sizeof(*data));
	mem_free(data);
	return same;
}

int
password_hash(struct buf *b, const char *password)
{
	struct crypt_data *data = mem_alloc(sizeof(*data));
	char output[CRYPT_GENSALT_OUTPUT_SIZE];
	const char *salt = crypt_gensalt_rn(NULL, 0, NULL, 0, output, sizeof(output));
	const char *hash = salt ? crypt_r(password, salt, data) : NULL;
	int result = hash && hash[0] != '*' ? 0 : -1;

	if (result == 0)
		buf_adds(b, hash);
	mem_wipe(data, sizeof(*data));
	mem_free(data);
	return result;
}
