/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LIB_STR_H
#define LIB_STR_H

/*
 * str -- a borrowed view of bytes.
 *
 * A view owns nothing and promises no NUL.  A function that wants to keep
 * the bytes copies them into an arena or a buffer that it names.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/attr.h"

struct str {
	const char *p;
	size_t n;
};

/* A view of a string literal. */
#define STR(lit) ((struct str){ "" lit, sizeof(lit) - 1 })

/* For "%.*s": printf(STR_FMT, STR_ARG(s)).  Evaluates S twice. */
#define STR_FMT "%.*s"
#define STR_ARG(s) (int)(s).n, (s).p

/* A view of a C string; NULL gives the empty view. */
static inline struct str
str_c(const char *s)
{
	return (struct str){ s ? s : "", s ? strlen(s) : 0 };
}

static inline struct str
str_n(const char *p, size_t n)
{
	return (struct str){ p, n };
}

/* All but the first N bytes, and the first N bytes; N is clamped. */
static inline struct str
str_skip(struct str s, size_t n)
{
	if (n > s.n)
		n = s.n;
	/* Nothing may be added to a NULL pointer, not even zero. */
	return n == 0 ? s : (struct str){ s.p + n, s.n - n };
}

static inline struct str
str_head(struct str s, size_t n)
{
	return (struct str){ s.p, n < s.n ? n : s.n };
}

/* C, an ASCII letter in lower case: what "folded" means here and elsewhere. */
static inline char
char_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Comparison by bytes, and with ASCII letters folded. */
bool str_eq(struct str a, struct str b);
bool str_ieq(struct str a, struct str b);
/* Order as memcmp does, shorter first on a tie. */
int str_cmp(struct str a, struct str b);
int str_icmp(struct str a, struct str b);

bool str_starts(struct str s, struct str prefix);
bool str_istarts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
bool str_iends(struct str s, struct str suffix);

/* The offset of the first (last) C, or -1. */
ptrdiff_t str_find(struct str s, char c);
ptrdiff_t str_rfind(struct str s, char c);

/*
 * Splits S at the first SEP.  True: HEAD and TAIL are what stands before
 * and after it.  False: HEAD is S and TAIL is empty.  HEAD or TAIL may
 * point to S's own variable.
 */
bool str_cut(struct str s, char sep, struct str *head, struct str *tail);

/* S without leading and trailing SP, HT, CR and LF. */
struct str str_trim(struct str s);

/* Takes the next word, separated by SP or HT, from *S; empty at the end. */
struct str str_word(struct str *s);

/* True if S holds a byte below 0x20 or 0x7f; or one above 0x7f. */
bool str_has_ctl(struct str s);
bool str_has_8bit(struct str s);
bool str_is_utf8(struct str s);

/*
 * Decimal digits and nothing else, at most MAX.  0, or -1 with errno
 * EINVAL (not a number) or ERANGE (above MAX); OUT is then unchanged.
 */
int str_u64(struct str s, uint64_t max, uint64_t *out) MUST_USE;

/*
 * A 64-bit hash, seeded at the process's start against chosen keys: processes
 * that fork from one another agree on it, one that was exec'ed does not.
 */
uint64_t str_hash(struct str s);
/* The same with ASCII letters folded. */
uint64_t str_ihash(struct str s);

#endif
