/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * hash -- CRC-32C and FNV-1a.
 *
 * The processor's instruction where there is one (SSE 4.2), else eight
 * tables that take eight bytes in one step ("slicing by 8", Kounavis and
 * Berry, 2005).  The tables are computed at their first use.
 */

#include "lib/hash.h"

#include <pthread.h>
#include <string.h>

#define POLYNOMIAL 0x82f63b78u	/* reflected */

static uint32_t table[8][256];

static void
table_fill(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int bit = 0; bit < 8; bit++)
			c = c & 1 ? c >> 1 ^ POLYNOMIAL : c >> 1;
		table[0][i] = c;
	}
	for (uint32_t i = 0; i < 256; i++) {
		for (int k = 1; k < 8; k++) {
			uint32_t c = table[k - 1][i];

			table[k][i] = c >> 8 ^ table[0][c & 0xff];
		}
	}
}

uint32_t
crc32c_portable(uint32_t crc, const void *p, size_t n)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	const unsigned char *s = p;

	pthread_once(&once, table_fill);
	crc = ~crc;
	for (; n >= 8; n -= 8, s += 8) {
		crc ^= (uint32_t)s[0] | (uint32_t)s[1] << 8 |
		    (uint32_t)s[2] << 16 | (uint32_t)s[3] << 24;
		crc = table[7][crc & 0xff] ^ table[6][crc >> 8 & 0xff] ^
		    table[5][crc >> 16 & 0xff] ^ table[4][crc >> 24] ^
		    table[3][s[4]] ^ table[2][s[5]] ^ table[1][s[6]] ^
		    table[0][s[7]];
	}
	for (; n > 0; n--, s++)
		crc = crc >> 8 ^ table[0][(crc ^ *s) & 0xff];
	return ~crc;
}

#if defined(__x86_64__)

__attribute__((target("sse4.2"))) static uint32_t
crc32c_sse42(uint32_t crc, const void *p, size_t n)
{
	const unsigned char *s = p;
	uint64_t wide = ~crc;

	for (; n >= 8; n -= 8, s += 8) {
		uint64_t w;

		memcpy(&w, s, sizeof(w));
		wide = __builtin_ia32_crc32di(wide, w);
	}
	crc = (uint32_t)wide;
	for (; n > 0; n--, s++)
		crc = __builtin_ia32_crc32qi(crc, *s);
	return ~crc;
}

uint32_t
crc32c(uint32_t crc, const void *p, size_t n)
{
	if (__builtin_cpu_supports("sse4.2"))
		return crc32c_sse42(crc, p, n);
	return crc32c_portable(crc, p, n);
}

#else

uint32_t
crc32c(uint32_t crc, const void *p, size_t n)
{
	return crc32c_portable(crc, p, n);
}

#endif

/* A times B modulo the polynomial; the highest bit is x^0. */
static uint32_t
multiply(uint32_t a, uint32_t b)
{
	uint32_t product = 0;

	for (; a != 0; a <<= 1) {
		if ((a & 0x80000000u) != 0)
			product ^= b;
		b = b & 1 ? b >> 1 ^ POLYNOMIAL : b >> 1;
	}
	return product;
}

/*
 * A checksum is linear in its octets: what the first part adds to it is its own
 * checksum times x^(8 N).
 */
uint32_t
crc32c_exchange(uint32_t whole, uint32_t was, uint32_t now, uint64_t n)
{
	uint32_t shift = 1u << 31;	/* x^0 */

	for (uint32_t power = 1u << 23; n > 0; n >>= 1) {	/* x^8 */
		if ((n & 1) != 0)
			shift = multiply(shift, power);
		power = multiply(power, power);
	}
	return whole ^ multiply(shift, was ^ now);
}

#define FNV1A_PRIME UINT64_C(0x100000001b3)

uint64_t
fnv1a(uint64_t h, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * FNV1A_PRIME;
	return h;
}

uint64_t
fnv1a_lower(uint64_t h, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)char_lower(s.p[i])) * FNV1A_PRIME;
	return h;
}
