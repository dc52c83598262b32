/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * text -- base64, xtext and hexadecimal.
 *
 * The decoders are strict: one text for each meaning, so that what was
 * decoded and encoded again is what came.  A failed decoding leaves the
 * output as it was, but for bytes behind its end.
 */

#include "mail/text.h"

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char hex_lower[] = "0123456789abcdef";
static const char hex_upper[] = "0123456789ABCDEF";

void
base64_add(struct buf *b, struct str bytes)
{
	size_t n = (bytes.n + 2) / 3 * 4;
	char *to = buf_room(b, n);

	if (!to)
		return;
	for (size_t i = 0; i < bytes.n; i += 3) {
		size_t have = bytes.n - i < 3 ? bytes.n - i : 3;
		unsigned v = (unsigned)(unsigned char)bytes.p[i] << 16;

		if (have > 1)
			v |= (unsigned)(unsigned char)bytes.p[i + 1] << 8;
		if (have > 2)
			v |= (unsigned char)bytes.p[i + 2];
		*to++ = base64_digits[v >> 18];
		*to++ = base64_digits[v >> 12 & 63];
		*to++ = have > 1 ? base64_digits[v >> 6 & 63] : '=';
		*to++ = have > 2 ? base64_digits[v & 63] : '=';
	}
	buf_grew(b, n);
}

static int
base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/*
 * Decodes N digits (2, 3 or 4) at P to N - 1 bytes.  RFC 4648 3.5: bits
 * that do not count must be zero.
 */
static int
base64_group(const char *p, size_t n, char *to)
{
	unsigned v = 0;

	for (size_t i = 0; i < 4; i++) {
		int digit = i < n ? base64_value(p[i]) : 0;

		if (digit < 0)
			return -1;
		v = v << 6 | (unsigned)digit;
	}
	for (size_t i = 0; i < 3; i++, v <<= 8) {
		if (i < n - 1)
			to[i] = (char)(v >> 16 & 0xff);
		else if ((v >> 16 & 0xff) != 0)
			return -1;
	}
	return 0;
}

int
base64_decode(struct str s, struct buf *out)
{
	size_t n = s.n, done = 0;
	char *to;

	if (n == 0)
		return 0;
	if (n % 4 != 0)
		return -1;
	for (unsigned pad = 0; pad < 2 && s.p[n - 1] == '='; pad++)
		n--;
	to = buf_room(out, s.n / 4 * 3);
	if (!to)
		return -1;
	for (size_t i = 0; i < n; i += 4) {
		size_t digits = n - i < 4 ? n - i : 4;

		if (base64_group(s.p + i, digits, to + done) == -1)
			return -1;
		done += digits - 1;
	}
	buf_grew(out, done);
	return 0;
}

/* RFC 3461 4: xchar. */
static bool
is_xchar(char c)
{
	return c >= '!' && c <= '~' && c != '+' && c != '=';
}

void
xtext_add(struct buf *b, struct str bytes)
{
	for (size_t i = 0; i < bytes.n; i++) {
		unsigned char c = (unsigned char)bytes.p[i];

		if (is_xchar(bytes.p[i])) {
			buf_addc(b, bytes.p[i]);
		} else {
			char hex[3] = { '+', hex_upper[c >> 4],
				hex_upper[c & 15] };
			buf_add(b, str_n(hex, 3));
		}
	}
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Takes one octet from *S; its value, or -1. */
static int
xtext_octet(struct str *s)
{
	int high, low;

	if (is_xchar(s->p[0])) {
		low = (unsigned char)s->p[0];
		*s = str_skip(*s, 1);
		return low;
	}
	if (s->p[0] != '+' || s->n < 3)
		return -1;
	high = hex_value(s->p[1]);
	low = hex_value(s->p[2]);
	*s = str_skip(*s, 3);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

int
xtext_decode(struct str s, struct buf *out)
{
	size_t n = 0;
	char *to = buf_room(out, s.n);

	if (!to)
		return -1;
	while (s.n > 0) {
		int c = xtext_octet(&s);

		if (c < 0)
			return -1;
		to[n++] = (char)c;
	}
	buf_grew(out, n);
	return 0;
}

bool
xtext_valid(struct str s)
{
	while (s.n > 0) {
		int c = xtext_octet(&s);

		if (c < 0x20 || c == 0x7f)
			return false;
	}
	return true;
}

void
hex_add(struct buf *b, struct str bytes)
{
	char *to = buf_room(b, bytes.n * 2);

	if (!to)
		return;
	for (size_t i = 0; i < bytes.n; i++) {
		unsigned char c = (unsigned char)bytes.p[i];

		to[2 * i] = hex_lower[c >> 4];
		to[2 * i + 1] = hex_lower[c & 15];
	}
	buf_grew(b, bytes.n * 2);
}
