/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * frame -- the bytes that processes send each other.
 *
 *	frame	type:2 zero:2 length:4 fields...
 *	field	tag:2 length:4 value
 *
 * Numbers are big-endian, LENGTH counts what follows it.  The reader trusts
 * nothing: whatever does not fit exactly sets the error, no octet outside
 * the frame is looked at, and after an error every getter gives nothing.
 */

#include "ipc/frame.h"

#define HEADER 8
#define FIELD 6

static void
add_be(struct buf *b, uint64_t v, unsigned octets)
{
	char out[8];

	for (unsigned i = 0; i < octets; i++)
		out[i] = (char)(v >> (8 * (octets - 1 - i)) & 0xff);
	buf_add(b, str_n(out, octets));
}

static uint64_t
get_be(const char *p, unsigned octets)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < octets; i++)
		v = v << 8 | (unsigned char)p[i];
	return v;
}

void
frame_begin(struct buf *b, unsigned type)
{
	buf_reset(b);
	add_be(b, type, 2);
	add_be(b, 0, 2);
	add_be(b, 0, 4);
}

void
frame_put(struct buf *b, unsigned tag, struct str value)
{
	add_be(b, tag, 2);
	add_be(b, value.n, 4);
	buf_add(b, value);
}

void
frame_put_u64(struct buf *b, unsigned tag, uint64_t value)
{
	add_be(b, tag, 2);
	add_be(b, 8, 4);
	add_be(b, value, 8);
}

void
frame_end(struct buf *b)
{
	if (!buf_ok(b) || b->n < HEADER || b->n > FRAME_MAX) {
		b->err = true;
		return;
	}
	for (unsigned i = 0; i < 4; i++)
		b->p[4 + i] = (char)((b->n - HEADER) >> (8 * (3 - i)) & 0xff);
}

int
frame_open(struct frame *f, struct str bytes)
{
	*f = (struct frame){ .rest = str_n("", 0), .err = true };
	if (bytes.n < HEADER || bytes.n > FRAME_MAX)
		return -1;
	if (get_be(bytes.p + 2, 2) != 0 ||
	    get_be(bytes.p + 4, 4) != bytes.n - HEADER)
		return -1;
	f->type = (unsigned)get_be(bytes.p, 2);
	f->rest = str_skip(bytes, HEADER);
	f->err = false;
	return 0;
}

bool
frame_open_as(struct frame *f, struct str bytes, unsigned type)
{
	return frame_open(f, bytes) == 0 && f->type == type;
}

bool
frame_has(const struct frame *f, unsigned tag)
{
	return !f->err && f->rest.n >= FIELD && get_be(f->rest.p, 2) == tag;
}

struct str
frame_get(struct frame *f, unsigned tag)
{
	struct str value;
	uint64_t n;

	if (!frame_has(f, tag))
		goto err;
	n = get_be(f->rest.p + 2, 4);
	if (n > f->rest.n - FIELD)
		goto err;
	value = str_n(f->rest.p + FIELD, (size_t)n);
	f->rest = str_skip(f->rest, FIELD + (size_t)n);
	return value;
err:
	f->err = true;
	f->rest = str_n("", 0);
	return str_n("", 0);
}

uint64_t
frame_get_u64(struct frame *f, unsigned tag)
{
	struct str value = frame_get(f, tag);

	if (f->err)
		return 0;
	if (value.n != 8) {
		f->err = true;
		f->rest = str_n("", 0);
		return 0;
	}
	return get_be(value.p, 8);
}

bool
frame_close(const struct frame *f)
{
	return !f->err && f->rest.n == 0;
}
