/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_WIRE_H
#define NET_WIRE_H

/* wire -- what lies under a TLS session: a socket, a deadline, its end. */

#include "lib/stream.h"

struct bio_st;
struct bio_method_st;

struct wire {
	struct stream_fd fd;
	int64_t deadline;	/* 0: never waits */
	int error;		/* errno of the last read or write; 0: none */
	bool eof;
};

void wire_init(struct wire *w, int fd);
/* How a BIO does it; NULL: no memory.  bio_method_st is OpenSSL's BIO_METHOD. */
struct bio_method_st *wire_method(void) MUST_USE;
/* A BIO over W, which stays where it is; NULL: no memory. */
struct bio_st *wire_bio(struct bio_method_st *m, struct wire *w) MUST_USE;

#endif
