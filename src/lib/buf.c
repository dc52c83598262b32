/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * buf -- bytes that grow up to a cap.
 *
 * All arithmetic on sizes is in reserve().  Memory is never handed to
 * realloc(): it would leave the old bytes behind in the heap, and buf_wipe()
 * promises that there are none.  Growth doubles, so that the copies cost a
 * constant for each byte.
 */

#include "lib/buf.h"

#include "fmt.h"
#include "lib/log.h"
#include "lib/mem.h"

#define BUF_FIRST 64

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void
buf_init_in(struct buf *b, char *space, size_t n)
{
	*b = (struct buf){ .p = space, .size = n - 1, .max = n - 1 };
	space[0] = '\0';
}

void
buf_free(struct buf *b)
{
	mem_free(b->p);
	buf_init(b, b->max);
}

void
buf_reset(struct buf *b)
{
	b->err = false;
	buf_cut(b, 0);
}

void
buf_wipe(struct buf *b)
{
	if (b->p != NULL)
		mem_wipe(b->p, b->size + 1);
	buf_reset(b);
}

bool
buf_ok(const struct buf *b)
{
	return !b->err;
}

struct str
buf_str(const struct buf *b)
{
	return str_n(buf_cstr(b), b->n);
}

const char *
buf_cstr(const struct buf *b)
{
	return b->p != NULL ? b->p : "";
}

static void
resize(struct buf *b, size_t size)
{
	char *p = mem_room(size + 1);

	if (b->n > 0)
		memcpy(p, b->p, b->n);
	p[b->n] = '\0';
	if (b->p != NULL)
		mem_wipe(b->p, b->size + 1);
	mem_free(b->p);
	b->p = p;
	b->size = size;
}

/* Makes room for N more bytes; false and the error above the cap. */
static bool
reserve(struct buf *b, size_t n)
{
	size_t need, size;

	if (b->err || b->n > b->max || n > b->max - b->n) {
		b->err = true;
		return false;
	}
	need = b->n + n;
	if (b->p != NULL && need <= b->size)
		return true;
	size = b->size < BUF_FIRST ? BUF_FIRST : b->size;
	while (size < need && size <= b->max / 2)
		size *= 2;
	if (size < need || size > b->max)
		size = size < need ? need : b->max;
	resize(b, size);
	return true;
}

void
buf_add(struct buf *b, struct str s)
{
	bool own = b->p != NULL && s.p >= b->p && s.p <= b->p + b->n;
	size_t at = own ? (size_t)(s.p - b->p) : 0;

	if (s.n == 0 || !reserve(b, s.n))
		return;
	/* A part of B itself has moved with it. */
	memcpy(b->p + b->n, own ? b->p + at : s.p, s.n);
	b->n += s.n;
	b->p[b->n] = '\0';
}

void
buf_adds(struct buf *b, const char *s)
{
	buf_add(b, str_c(s));
}

void
buf_add_lower(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		buf_addc(b, char_lower(s.p[i]));
}

void
buf_addc(struct buf *b, char c)
{
	if (b->p != NULL && b->n < b->size && !b->err) {
		b->p[b->n++] = c;
		b->p[b->n] = '\0';
		return;
	}
	buf_add(b, str_n(&c, 1));
}

void
buf_vaddf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	size_t room = b->p != NULL ? b->size - b->n : 0;
	int len;

	va_copy(again, ap);
	len = fmt_put(room > 0 ? b->p + b->n : NULL,
	    room > 0 ? room + 1 : 0, fmt, ap);
	if (len < 0) {
		b->err = true;
		len = 0;
	}
	if (!reserve(b, (size_t)len)) {
		/* What was tried is not part of B. */
		if (room > 0)
			b->p[b->n] = '\0';
	} else {
		if ((size_t)len > room || room == 0)
			fmt_put(b->p + b->n, (size_t)len + 1, fmt, again);
		b->n += (size_t)len;
	}
	va_end(again);
}

void
buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(b, fmt, ap);
	va_end(ap);
}

void
buf_addu(struct buf *b, uint64_t v)
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	buf_add(b, str_n(digits + at, sizeof(digits) - at));
}

char *
buf_room(struct buf *b, size_t n)
{
	return reserve(b, n) ? b->p + b->n : NULL;
}

void
buf_grew(struct buf *b, size_t n)
{
	if (n > b->size - b->n)
		panic("buf_grew: %zu bytes written where %zu fit", n,
		    b->size - b->n);
	b->n += n;
	if (b->p != NULL)
		b->p[b->n] = '\0';
}

void
buf_drop(struct buf *b, size_t n)
{
	if (n > b->n)
		n = b->n;
	if (n == 0)
		return;
	b->n -= n;
	memmove(b->p, b->p + n, b->n + 1);
}

void
buf_cut(struct buf *b, size_t n)
{
	if (n < b->n)
		b->n = n;
	if (b->p != NULL)
		b->p[b->n] = '\0';
}
