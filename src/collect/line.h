/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef COLLECT_LINE_H
#define COLLECT_LINE_H

/* line -- the connection to a server. */

#include "conf/conf.h"
#include "lib/stream.h"
#include "net/tls.h"

struct line {
	int fd;			/* -1: none */
	struct tls *tls;	/* NULL: none yet */
	struct stream_fd plain;
	struct stream stream;
};

/* Connects to O's server.  False, and WHY says why. */
bool line_open(struct line *l, const struct conf *c, const struct conf_collect *o,
    struct buf *why) MUST_USE;
/* The handshake; what was read before is dropped.  False, and WHY says why. */
bool line_secure(struct line *l, struct tls_ctx *ctx, const struct conf_collect *o,
    int64_t deadline, struct buf *why) MUST_USE;
void line_close(struct line *l);

#endif
