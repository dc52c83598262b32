/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ADMIN_REQUEST_H
#define ADMIN_REQUEST_H

/*
 * request -- a request of HTTP/1.1 (RFC 9112), as strictly as it can be read.
 *
 * There is one on a connection, so that nothing can stand behind it and be
 * taken for another.  What two readers could understand in two ways is refused:
 * folded and repeated fields that matter, a body without a length or with a
 * transfer coding, bare CR and LF, octets of a path that would be decoded.
 */

#include "lib/arena.h"
#include "lib/stream.h"

#define REQUEST_LINE_MAX 8192	/* of the request line and of each field */
#define REQUEST_HEAD_MAX 32768
#define REQUEST_FIELDS_MAX 64
#define REQUEST_BODY_MAX 65536
#define REQUEST_PARAMS_MAX 64
/* Enough for all of it. */
#define REQUEST_ARENA_MAX ((size_t)1 << 20)

enum request_method { REQUEST_GET, REQUEST_HEAD, REQUEST_POST };

struct request_params {
	struct request_param {
		struct str name, value;
	} v[REQUEST_PARAMS_MAX];
	size_t n;
};

/* All of it in the arena; empty: it was not there. */
struct request {
	enum request_method method;
	struct str path;		/* "/queue"; letters, digits and -._~ between slashes */
	struct request_params query, form;
	/* Fields of the header. */
	struct str host, authorization, cookie, accept, origin, fetch_site, referer;
	struct str content_type, content_length, transfer_encoding, expect;
};

/*
 * Reads one until DEADLINE.  0; else the status that it is answered with, of 4xx
 * or 5xx; -1: the client has gone.
 */
int request_read(struct stream *s, int64_t deadline, struct arena *a,
    struct request *r) MUST_USE;

/* The value of the first NAME; empty: there is none. */
struct str request_param(const struct request_params *p, const char *name);
/* That of the cookie NAME. */
struct str request_cookie(const struct request *r, const char *name);

#endif
