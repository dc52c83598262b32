/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LIB_BUF_H
#define LIB_BUF_H

/*
 * buf -- bytes that grow up to a hard cap, with a sticky error.
 *
 * Additions return nothing: an addition that would pass the cap is dropped
 * whole, and every later one too, and buf_ok() is then false.  Ask once,
 * before use.  There is always a NUL behind the last byte.  Nothing is
 * allocated before the first addition.  Out of memory is fatal().
 */

#include <stdarg.h>

#include "lib/str.h"

struct buf {
	char *p;
	size_t n;     /* bytes in use */
	size_t size;  /* bytes allocated, the spare NUL not counted */
	size_t max;   /* the cap */
	bool err;
};

void buf_init(struct buf *b, size_t max);
/* In SPACE, of N bytes with the NUL: nothing is allocated, nor to be freed. */
void buf_init_in(struct buf *b, char *space, size_t n);
/* Gives the memory back; B can be used again as after buf_init(). */
void buf_free(struct buf *b);
/* Empties B and clears the error, keeping the memory. */
void buf_reset(struct buf *b);
/* Overwrites every byte that B ever held, then empties it: for secrets. */
void buf_wipe(struct buf *b);

bool buf_ok(const struct buf *b) MUST_USE;
/* A view that is good until B changes. */
struct str buf_str(const struct buf *b);
/* The same as a C string; never NULL. */
const char *buf_cstr(const struct buf *b);

void buf_add(struct buf *b, struct str s);
void buf_adds(struct buf *b, const char *s);
/* S with ASCII letters folded. */
void buf_add_lower(struct buf *b, struct str s);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
void buf_vaddf(struct buf *b, const char *fmt, va_list ap) PRINTF(2, 0);
/* Decimal, without the price of a format. */
void buf_addu(struct buf *b, uint64_t v);

/*
 * Room for N more bytes to be written in place, or NULL (and the error)
 * above the cap; buf_grew() then says how many were written.
 */
char *buf_room(struct buf *b, size_t n) MUST_USE;
void buf_grew(struct buf *b, size_t n);

/* Removes the first N bytes; keeps only the first N bytes. */
void buf_drop(struct buf *b, size_t n);
void buf_cut(struct buf *b, size_t n);

#endif
