/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef IPC_FRAME_H
#define IPC_FRAME_H

/*
 * frame -- the bytes that processes send each other.
 *
 * A frame is a header (type, length) and fields, each with a tag and a
 * length.  A reader takes the fields in their order; anything unexpected
 * (another tag, a length that does not fit, bytes left over) sets a sticky
 * error, and it is the caller who closes that peer.  Nothing here is fatal.
 */

#include "lib/buf.h"

#define FRAME_MAX 65536

struct frame {
	unsigned type;
	struct str rest;	/* fields not yet taken */
	bool err;
};

/*
 * Empties B, which becomes the frame, and adds a header; fields follow;
 * frame_end() puts the length in.  Ask buf_ok() before sending: a frame above
 * FRAME_MAX is an error of B.
 */
void frame_begin(struct buf *b, unsigned type);
void frame_put(struct buf *b, unsigned tag, struct str value);
void frame_put_u64(struct buf *b, unsigned tag, uint64_t value);
void frame_end(struct buf *b);

/* -1 if BYTES is not exactly one frame. */
int frame_open(struct frame *f, struct str bytes) MUST_USE;
/* The same of a frame of TYPE: false if it is none, or another. */
bool frame_open_as(struct frame *f, struct str bytes, unsigned type) MUST_USE;
/* The next field, which must have TAG; empty and the error if not.  Views into the frame. */
struct str frame_get(struct frame *f, unsigned tag);
uint64_t frame_get_u64(struct frame *f, unsigned tag);
/* True if the next field has TAG: for repeated ones. */
bool frame_has(const struct frame *f, unsigned tag);
/* True if all went well and nothing is left. */
bool frame_close(const struct frame *f) MUST_USE;

#endif
