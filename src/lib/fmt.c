/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * fmt -- vsnprintf() for the few directives that are in use here.
 *
 * Each line of the log and most texts of a session are put together by a
 * format.  The C library's way through it is long and touches eight pages,
 * which a forked session has to map one by one; it knows locales, wide
 * characters and floating point, of which there are none here.
 *
 * Known are %s, %.*s, %c, %% and %d, %i, %u, %x with l, ll, z and a width
 * with leading zeroes.  A format with anything else goes to vsnprintf() as a
 * whole, so that nobody has to know this list.
 */

#include "fmt.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

/* A width that needs no more than the digits' own space. */
#define WIDTH_MAX 20

enum size { INT, LONG, LONG_LONG, SIZE };

/* One directive. */
struct directive {
	char conversion;
	bool cut;		/* ".*" */
	size_t width;		/* filled up with zeroes */
	enum size size;
};

struct out {
	char *p;
	size_t max;
	size_t n;		/* what there is to write, in all */
};

/* A va_list may be an array: in a struct it can be passed on. */
struct args {
	va_list ap;
};

static const char *
get_size(const char *p, enum size *size)
{
	*size = INT;
	if (*p == 'z') {
		*size = SIZE;
		return p + 1;
	}
	if (*p != 'l')
		return p;
	*size = p[1] == 'l' ? LONG_LONG : LONG;
	return p + (p[1] == 'l' ? 2 : 1);
}

/* The directive behind a '%' at P; what follows it, or NULL: not known. */
static const char *
get_directive(const char *p, struct directive *d)
{
	*d = (struct directive){ 0 };
	if (*p == '0')
		for (p++; *p >= '0' && *p <= '9' && d->width <= WIDTH_MAX; p++)
			d->width = d->width * 10 + (size_t)(*p - '0');
	if (d->width > WIDTH_MAX)
		return NULL;
	if (p[0] == '.' && p[1] == '*') {
		d->cut = true;
		p += 2;
	}
	p = get_size(p, &d->size);
	d->conversion = *p;
	switch (*p) {
	case 'd':
	case 'i':
	case 'u':
	case 'x':
		return d->cut ? NULL : p + 1;
	case 's':
		return d->size == INT && d->width == 0 ? p + 1 : NULL;
	case 'c':
	case '%':
		return d->size == INT && d->width == 0 && !d->cut ? p + 1 : NULL;
	default:
		return NULL;
	}
}

static bool
is_known(const char *fmt)
{
	struct directive d;

	while ((fmt = strchr(fmt, '%')) != NULL)
		if ((fmt = get_directive(fmt + 1, &d)) == NULL)
			return false;
	return true;
}

static void
put(struct out *o, const char *p, size_t n)
{
	/* One byte is for the NUL. */
	size_t room = o->n + 1 < o->max ? o->max - o->n - 1 : 0;

	memcpy(o->p + (room > 0 ? o->n : 0), p, n < room ? n : room);
	o->n += n;
}

static void
put_string(struct out *o, const struct directive *d, struct args *a)
{
	int most = d->cut ? va_arg(a->ap, int) : -1;
	const char *s = va_arg(a->ap, const char *);

	if (s == NULL)
		s = "(null)";
	/* What is cut need not end with a NUL. */
	put(o, s, most < 0 ? strlen(s) : strnlen(s, (size_t)most));
}

static uint64_t
get_unsigned(const struct directive *d, struct args *a)
{
	switch (d->size) {
	case LONG:
		return va_arg(a->ap, unsigned long);
	case LONG_LONG:
		return va_arg(a->ap, unsigned long long);
	case SIZE:
		return va_arg(a->ap, size_t);
	case INT:
		break;
	}
	return va_arg(a->ap, unsigned);
}

static int64_t
get_signed(const struct directive *d, struct args *a)
{
	switch (d->size) {
	case LONG:
		return va_arg(a->ap, long);
	case LONG_LONG:
		return va_arg(a->ap, long long);
	case SIZE:
		return va_arg(a->ap, ssize_t);
	case INT:
		break;
	}
	return va_arg(a->ap, int);
}

static void
put_number(struct out *o, const struct directive *d, struct args *a)
{
	bool is_signed = d->conversion == 'd' || d->conversion == 'i';
	int64_t number = is_signed ? get_signed(d, a) : 0;
	uint64_t v = is_signed ? (uint64_t)number : get_unsigned(d, a);
	unsigned base = d->conversion == 'x' ? 16 : 10;
	char digits[WIDTH_MAX + 1];
	size_t at = sizeof(digits), width = d->width;

	if (number < 0) {
		v = 0 - v;
		put(o, "-", 1);
		width -= width > 0;
	}
	do
		digits[--at] = "0123456789abcdef"[v % base];
	while ((v /= base) > 0);
	while (sizeof(digits) - at < width)
		digits[--at] = '0';
	put(o, digits + at, sizeof(digits) - at);
}

static void
put_directive(struct out *o, const struct directive *d, struct args *a)
{
	char c;

	switch (d->conversion) {
	case 's':
		put_string(o, d, a);
		break;
	case 'c':
		c = (char)va_arg(a->ap, int);
		put(o, &c, 1);
		break;
	case '%':
		put(o, "%", 1);
		break;
	default:
		put_number(o, d, a);
		break;
	}
}

int
fmt_put(char *out, size_t max, const char *fmt, va_list ap)
{
	char none[1];
	struct out o = { .p = max > 0 ? out : none, .max = max };
	struct directive d;
	struct args a;
	const char *next;

	if (!is_known(fmt))
		return vsnprintf(out, max, fmt, ap);
	va_copy(a.ap, ap);
	while ((next = strchr(fmt, '%')) != NULL) {
		put(&o, fmt, (size_t)(next - fmt));
		fmt = get_directive(next + 1, &d);
		put_directive(&o, &d, &a);
	}
	put(&o, fmt, strlen(fmt));
	va_end(a.ap);
	if (max > 0)
		out[o.n < max ? o.n : max - 1] = '\0';
	return o.n <= INT_MAX ? (int)o.n : -1;
}
