/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LIB_UTF8_H
#define LIB_UTF8_H

/* utf8 -- one sequence of UTF-8, for str and for the log's sink. */

#include <stddef.h>
#include <stdint.h>

/*
 * The length of the well-formed sequence (RFC 3629: no overlong form, no
 * surrogate, nothing above U+10FFFF) that starts at P[0..N), its code point
 * in *CP; 0 if there is none.
 */
static inline size_t
utf8_next(const unsigned char *p, size_t n, uint32_t *cp)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len;
	uint32_t c;

	if (n == 0)
		return 0;
	if (p[0] < 0x80) {
		*cp = p[0];
		return 1;
	}
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (n < len)
		return 0;
	c = p[0] & (0xffu >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3fu);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*cp = c;
	return len;
}

#endif
