/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * store_key -- what may be the key of a text in the store.
 *
 * Apart from the store itself, so that who only reads settings is linked
 * without zlib.
 */

#include "queue/store.h"

static bool
is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9');
}

bool
store_key_valid(struct str key)
{
	if (key.n == 0 || key.n > STORE_KEY_MAX || !is_alnum(key.p[0]))
		return false;
	for (size_t i = 1; i < key.n; i++)
		if (!is_alnum(key.p[i]) &&
		    (key.p[i] == '\0' || strchr("-_.+=@", key.p[i]) == NULL))
			return false;
	return true;
}
