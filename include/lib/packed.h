/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LIB_PACKED_H
#define LIB_PACKED_H

/*
 * packed -- octets in the forms that zlib knows, unpacked as a stream, and packed.
 *
 * What is unpacked is foreign: there is no bound on what a few octets may become
 * but the room that the caller gives each time, and where he stops.
 */

#include "lib/buf.h"

enum packed_form {
	PACKED_GZIP,	/* RFC 1952, with its header and its sum */
	PACKED_RAW	/* RFC 1951 alone, as files in a zip have it */
};

enum packed_state {
	PACKED_MORE,	/* it goes on: there was no more room, or *IN is used up */
	PACKED_END,	/* that was all of it; *IN is what stands behind */
	PACKED_BROKEN,	/* it is not of that form */
	PACKED_NO_MEMORY
};

struct packed;

/* NULL: there is no memory. */
struct packed *packed_open(enum packed_form form) MUST_USE;
void packed_close(struct packed *p);	/* NULL is fine */
/*
 * Takes octets off *IN, and puts what they become to OUT, at most ROOM octets;
 * *GOT is how many.  After anything but PACKED_MORE it may only be closed.
 */
enum packed_state packed_next(struct packed *p, struct str *in, char *out,
    size_t room, size_t *got) MUST_USE;

/*
 * Adds TEXT as one file of gzip, which has neither a name nor a time: the same
 * text becomes the same octets.
 */
void packed_gzip(struct buf *b, struct str text);

#endif
