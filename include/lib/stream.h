/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LIB_STREAM_H
#define LIB_STREAM_H

/*
 * stream -- blocking, buffered bytes in both directions, with deadlines and
 * line limits, over a socket, TLS, or memory.
 *
 * A session is straight-line code: it asks for a line and gets it, or the
 * reason why not.  A deadline is a point in time (clock_ms) for the whole
 * request, never a time-out for each read: a peer that sends a byte every
 * minute wins nothing.  Buffers are allocated at the first use.
 */

#include <sys/types.h>

#include "lib/buf.h"

/*
 * Where the bytes come from and go to.  Both wait at most until DEADLINE
 * (clock_ms; -1: for ever; 0: not at all).  > 0: that many bytes; 0: end of
 * file (read only); -1: errno, ETIMEDOUT at the deadline.  WRITE may write
 * less.
 */
struct stream_ops {
	ssize_t (*read)(void *ctx, void *buf, size_t n, int64_t deadline);
	ssize_t (*write)(
	    void *ctx, const void *buf, size_t n, int64_t deadline);
};

struct stream {
	const struct stream_ops *ops;
	void *ctx;
	struct buf in;		/* read, not yet consumed from IN_AT on */
	size_t in_at;
	struct buf out;		/* written, not yet flushed */
	size_t skipped;		/* octets of a long line thrown away so far */
	bool skip_cr;		/* the last of them was a CR */
	char begin[8];		/* what that line begins with */
	size_t begin_n;
	bool eof;
	int error;		/* errno of a failed read or write, sticky */
	uint64_t bytes_in;
	uint64_t bytes_out;
};

enum stream_result {
	STREAM_OK,
	STREAM_EOF,	/* the peer closed; a partial line is lost */
	STREAM_TIMEOUT,
	STREAM_ERROR,	/* s->error says which */
	STREAM_TOO_LONG,/* the line passed MAX and was skipped up to its CRLF */
	STREAM_FLOOD,	/* it passed 64 KiB and was not skipped: close */
	STREAM_BARE,	/* the line held a bare CR or ended with a bare LF */
	STREAM_NUL	/* the line held a NUL */
};

/* How many octets of a line that is too long are read and thrown away. */
#define STREAM_SKIP_MAX 65536

void stream_init(struct stream *s, const struct stream_ops *ops, void *ctx);
/* Frees the buffers; the context is the caller's. */
void stream_free(struct stream *s);
/* Puts another transport under S (STARTTLS); pending input is dropped. */
void stream_switch(struct stream *s, const struct stream_ops *ops, void *ctx);

/*
 * The next line without its CRLF, of at most MAX octets with it; good until
 * the next call.  STREAM_BARE and STREAM_NUL set LINE as well: the line ends
 * there, and what is done about it is the caller's decision.  A line that is
 * both is STREAM_BARE.  With STREAM_TOO_LONG it is what that line begins with.
 */
enum stream_result stream_line(struct stream *s, size_t max, int64_t deadline,
    struct str *line) MUST_USE;

/*
 * Waits until at least one byte is there and shows all that is buffered;
 * stream_consume() takes N of them.
 */
enum stream_result stream_fill(struct stream *s, int64_t deadline,
    struct str *bytes) MUST_USE;
void stream_consume(struct stream *s, size_t n);
/* Input that was read and not consumed, without waiting: pipelining. */
size_t stream_pending(const struct stream *s);

/* Buffers S; flushes by itself above 16 KiB. */
enum stream_result stream_put(struct stream *s, struct str bytes,
    int64_t deadline) MUST_USE;
enum stream_result stream_flush(struct stream *s, int64_t deadline) MUST_USE;

/*
 * The transport that is a connected socket or a pipe.  Costs one system
 * call for a read that succeeds: the time-out is the socket's own
 * (SO_RCVTIMEO) and set again only when a deadline asks for less.
 */
struct stream_fd {
	int rfd, wfd;
	int64_t rcv_timeout, snd_timeout;	/* what is set now, ms */
	bool socket;
};
extern const struct stream_ops stream_fd_ops;
void stream_fd_init(struct stream_fd *f, int rfd, int wfd);

/* A transport for tests and fuzzers: reads from IN, writes to OUT. */
struct stream_mem {
	struct str in;
	size_t chunk;		/* bytes given a read; 0: all */
	struct buf *out;
};
extern const struct stream_ops stream_mem_ops;

#endif
