/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * fingerprint -- a SHA-256 as people write it.
 *
 * The algorithm is always said: what looks like an MD5 or SHA-1, which others
 * can make a second certificate for, is none.
 */

#include "lib/fingerprint.h"

#define DIGITS (FINGERPRINT_SIZE - 1)

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c;
	if (c >= 'a' && c <= 'f')
		return c;
	return c >= 'A' && c <= 'F' ? c - 'A' + 'a' : -1;
}

int
fingerprint_parse(struct str text, char hex[FINGERPRINT_SIZE])
{
	size_t n = 0;
	bool colons;

	if (!str_istarts(text, STR("sha256:")))
		return -1;
	text = str_skip(text, 7);
	colons = text.n > 2 && text.p[2] == ':';
	if (text.n != (colons ? DIGITS / 2 * 3 - 1 : DIGITS))
		return -1;
	for (size_t i = 0; i < text.n; i++) {
		int c = digit(text.p[i]);

		if (colons && i % 3 == 2) {
			if (text.p[i] != ':')
				return -1;
			continue;
		}
		if (c < 0)
			return -1;
		hex[n++] = (char)c;
	}
	hex[n] = '\0';
	return 0;
}
