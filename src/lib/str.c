/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * str -- what can be asked of borrowed bytes.
 *
 * Nothing here allocates, keeps a view, or looks at the locale: letters are
 * those of ASCII, as every protocol of mail defines them.  The hash is
 * SipHash-1-3 (Aumasson and Bernstein, 2012) under a key drawn before main(),
 * so that processes that fork from one another agree on it, and a stranger
 * who chooses the keys cannot make them collide.
 */

#include "lib/str.h"

#include <errno.h>

#include "lib/random.h"
#include "utf8.h"

static uint64_t hash_key[2];

__attribute__((constructor)) static void
hash_seed(void)
{
	random_bytes(hash_key, sizeof(hash_key));
}

static inline unsigned char
fold(char c)
{
	return (unsigned char)char_lower(c);
}

bool
str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool
str_ieq(struct str a, struct str b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++) {
		if (fold(a.p[i]) != fold(b.p[i]))
			return false;
	}
	return true;
}

static int
by_length(struct str a, struct str b)
{
	return (a.n > b.n) - (a.n < b.n);
}

int
str_cmp(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n > 0 ? memcmp(a.p, b.p, n) : 0;

	return c != 0 ? c : by_length(a, b);
}

int
str_icmp(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;

	for (size_t i = 0; i < n; i++) {
		int c = fold(a.p[i]) - fold(b.p[i]);

		if (c != 0)
			return c;
	}
	return by_length(a, b);
}

bool
str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && str_eq(str_head(s, prefix.n), prefix);
}

bool
str_istarts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && str_ieq(str_head(s, prefix.n), prefix);
}

bool
str_ends(struct str s, struct str suffix)
{
	return s.n >= suffix.n && str_eq(str_skip(s, s.n - suffix.n), suffix);
}

bool
str_iends(struct str s, struct str suffix)
{
	return s.n >= suffix.n && str_ieq(str_skip(s, s.n - suffix.n), suffix);
}

ptrdiff_t
str_find(struct str s, char c)
{
	const char *at = s.n > 0 ? memchr(s.p, c, s.n) : NULL;

	return at != NULL ? at - s.p : -1;
}

ptrdiff_t
str_rfind(struct str s, char c)
{
	const char *at = s.n > 0 ? memrchr(s.p, c, s.n) : NULL;

	return at != NULL ? at - s.p : -1;
}

bool
str_cut(struct str s, char sep, struct str *head, struct str *tail)
{
	ptrdiff_t at = str_find(s, sep);

	if (at < 0) {
		*head = s;
		*tail = str_skip(s, s.n);
		return false;
	}
	*head = str_head(s, (size_t)at);
	*tail = str_skip(s, (size_t)at + 1);
	return true;
}

static bool
is_white(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str
str_trim(struct str s)
{
	while (s.n > 0 && is_white(s.p[0]))
		s = str_skip(s, 1);
	while (s.n > 0 && is_white(s.p[s.n - 1]))
		s.n--;
	return s;
}

struct str
str_word(struct str *s)
{
	struct str word;
	size_t n = 0;

	while (n < s->n && (s->p[n] == ' ' || s->p[n] == '\t'))
		n++;
	*s = str_skip(*s, n);
	n = 0;
	while (n < s->n && s->p[n] != ' ' && s->p[n] != '\t')
		n++;
	word = str_head(*s, n);
	*s = str_skip(*s, n);
	return word;
}

bool
str_has_ctl(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < 0x20 || c == 0x7f)
			return true;
	}
	return false;
}

bool
str_has_8bit(struct str s)
{
	size_t i = 0;

	/* Eight at a time: this runs over whole messages. */
	for (; s.n - i >= sizeof(uint64_t); i += sizeof(uint64_t)) {
		uint64_t w;

		memcpy(&w, s.p + i, sizeof(w));
		if (w & 0x8080808080808080u)
			return true;
	}
	for (; i < s.n; i++) {
		if ((unsigned char)s.p[i] & 0x80)
			return true;
	}
	return false;
}

bool
str_is_utf8(struct str s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	uint32_t cp;
	size_t len;

	for (size_t i = 0; i < s.n; i += len) {
		len = utf8_next(p + i, s.n - i, &cp);
		if (len == 0)
			return false;
	}
	return true;
}

int
str_u64(struct str s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;
	bool over = false;

	if (s.n == 0) {
		errno = EINVAL;
		return -1;
	}
	for (size_t i = 0; i < s.n; i++) {
		unsigned digit = (unsigned)((unsigned char)s.p[i] - '0');

		if (digit > 9) {
			errno = EINVAL;
			return -1;
		}
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, digit, &v))
			over = true;
	}
	if (over || v > max) {
		errno = ERANGE;
		return -1;
	}
	*out = v;
	return 0;
}

static inline uint64_t
rotl(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

static inline void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] = rotl(v[0], 32) + v[3];
	v[2] += v[1];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[2] = rotl(v[2], 32);
}

/* Folds the letters of eight bytes at once. */
static inline uint64_t
fold8(uint64_t w)
{
	const uint64_t ones = 0x0101010101010101u;
	uint64_t low = w & (ones * 0x7f);
	uint64_t ge_a = low + ones * (0x80 - 'A');
	uint64_t gt_z = low + ones * (0x80 - 'Z' - 1);
	uint64_t upper = ge_a & ~gt_z & ~w & (ones * 0x80);

	return w | upper >> 2;
}

static inline uint64_t
hash(struct str s, bool folded)
{
	uint64_t v[4] = { hash_key[0] ^ 0x736f6d6570736575u,
		hash_key[1] ^ 0x646f72616e646f6du,
		hash_key[0] ^ 0x6c7967656e657261u,
		hash_key[1] ^ 0x7465646279746573u };
	uint64_t w;

	for (; s.n >= sizeof(w); s = str_skip(s, sizeof(w))) {
		memcpy(&w, s.p, sizeof(w));
		if (folded)
			w = fold8(w);
		v[3] ^= w;
		sip_round(v);
		v[0] ^= w;
	}
	w = 0;
	if (s.n > 0)
		memcpy(&w, s.p, s.n);
	if (folded)
		w = fold8(w);
	/* The rest and its length: "a" and "a\0" differ. */
	w ^= (uint64_t)(s.n + 1) << 56;
	v[3] ^= w;
	sip_round(v);
	v[0] ^= w;
	v[2] ^= 0xff;
	sip_round(v);
	sip_round(v);
	sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t
str_hash(struct str s)
{
	return hash(s, false);
}

uint64_t
str_ihash(struct str s)
{
	return hash(s, true);
}
