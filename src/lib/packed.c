/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * packed -- zlib, which is used here alone.
 *
 * It counts by unsigned int; whoever has more gets it in turns.  A stream takes
 * 40 KB at most, whatever is in it.
 */

#include "lib/packed.h"

/* What it is given it does not write to. */
#define ZLIB_CONST
#include <zlib.h>

#include "lib/log.h"
#include "lib/mem.h"

/* For inflateInit2() and deflateInit2(): the largest window, with a header of gzip's or none. */
#define GZIP_WINDOW (MAX_WBITS + 16)
#define RAW_WINDOW (-MAX_WBITS)
#define TURN_MAX ((size_t)1 << 30)
#define MEMORY_LEVEL 8
#define PIECE 16384

struct packed {
	z_stream z;
};

static unsigned
turn(size_t n)
{
	return (unsigned)(n < TURN_MAX ? n : TURN_MAX);
}

struct packed *
packed_open(enum packed_form form)
{
	struct packed *p = mem_alloc(sizeof(*p));

	if (inflateInit2(&p->z, form == PACKED_GZIP ? GZIP_WINDOW : RAW_WINDOW) == Z_OK)
		return p;
	mem_free(p);
	return NULL;
}

void
packed_close(struct packed *p)
{
	if (p == NULL)
		return;
	(void)inflateEnd(&p->z);
	mem_free(p);
}

enum packed_state
packed_next(struct packed *p, struct str *in, char *out, size_t room, size_t *got)
{
	z_stream *z = &p->z;
	unsigned given = turn(in->n), space = turn(room);
	int r;

	z->next_in = (const Bytef *)in->p;
	z->avail_in = given;
	z->next_out = (Bytef *)out;
	z->avail_out = space;
	r = inflate(z, Z_NO_FLUSH);
	*in = str_skip(*in, given - z->avail_in);
	*got = space - z->avail_out;
	switch (r) {
	case Z_OK:
	case Z_BUF_ERROR:
		return PACKED_MORE;
	case Z_STREAM_END:
		return PACKED_END;
	case Z_MEM_ERROR:
		return PACKED_NO_MEMORY;
	default:
		return PACKED_BROKEN;
	}
}

void
packed_gzip(struct buf *b, struct str text)
{
	z_stream z = { .avail_in = 0 };
	char *room;
	int r = Z_OK;

	if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, MEMORY_LEVEL,
	        Z_DEFAULT_STRATEGY) != Z_OK)
		fatal(1, "out of memory");
	while (r != Z_STREAM_END && (room = buf_room(b, PIECE)) != NULL) {
		if (z.avail_in == 0) {
			z.next_in = (const Bytef *)text.p;
			z.avail_in = turn(text.n);
			text = str_skip(text, z.avail_in);
		}
		z.next_out = (Bytef *)room;
		z.avail_out = PIECE;
		r = deflate(&z, text.n == 0 ? Z_FINISH : Z_NO_FLUSH);
		buf_grew(b, PIECE - z.avail_out);
	}
	(void)deflateEnd(&z);
}
