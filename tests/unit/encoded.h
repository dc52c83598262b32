/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_ENCODED_H
#define TESTS_ENCODED_H

/* encoded -- lines with base64 in them, as a client sends them to log in. */

#include "lib/buf.h"
#include "mail/text.h"

/* Adds to IN a line: PREFIX and the base64 of N octets. */
static inline void
encoded_line(struct buf *in, const char *prefix, const char *p, size_t n)
{
	buf_adds(in, prefix);
	base64_add(in, str_n(p, n));
	buf_adds(in, "\r\n");
}

/* Of a literal, to the IN of the test. */
#define ADD(prefix, bytes) encoded_line(&in, prefix, bytes, sizeof(bytes) - 1)

#endif
