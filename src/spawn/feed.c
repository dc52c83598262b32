/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * feed -- a message, as Unix programs want it: its lines end with LF.
 *
 * CRLF becomes LF, and a CR alone stays.  What is written is as much as the
 * reader takes, so that whoever writes can watch other things meanwhile.  For a
 * file of many messages a line that would begin another one is quoted.
 */

#include "spawn.h"

#include <errno.h>
#include <unistd.h>

#define PIECE 16384
/* A head of 100 octets, or twice a long address; a CR from before; quotes. */
#define OUT_MAX (2 * PIECE + 8192)

static const struct str from = { "From ", 5 };

void
feed_init(struct feed *f, int fd, uint64_t at, uint64_t size, struct str head)
{
	*f = (struct feed){ .fd = fd, .at = at, .end = at + size };
	buf_init(&f->out, OUT_MAX);
	buf_add(&f->out, head);
}

void
feed_free(struct feed *f)
{
	buf_free(&f->out);
}

/* Lets go of what could have become "From ". */
static void
let_go(struct feed *f)
{
	buf_add(&f->out, str_head(from, f->from));
	f->from = 0;
}

static void
put(struct feed *f, char c)
{
	if (f->quote && !f->in_line && c == from.p[f->from]) {
		if (++f->from < from.n)
			return;
		buf_addc(&f->out, '>');
		let_go(f);
		f->in_line = true;
		return;
	}
	let_go(f);
	buf_addc(&f->out, c);
	f->in_line = c != '\n';
}

static void
add(struct feed *f, struct str piece)
{
	for (size_t i = 0; i < piece.n; i++) {
		char c = piece.p[i];

		if (f->cr && c != '\n')
			put(f, '\r');
		f->cr = c == '\r';
		if (!f->cr)
			put(f, c);
	}
}

/* -1: errno; a file that is shorter than was said is EIO. */
static int
fill(struct feed *f)
{
	char p[PIECE];
	size_t want = f->end - f->at < PIECE ? (size_t)(f->end - f->at) : PIECE;
	ssize_t n = pread(f->fd, p, want, (off_t)f->at);

	if (n < 0)
		return errno == EINTR ? 0 : -1;
	if (n == 0) {
		errno = EIO;
		return -1;
	}
	f->at += (uint64_t)n;
	add(f, str_n(p, (size_t)n));
	if (f->at == f->end) {
		if (f->cr)
			put(f, '\r');
		/* What is held back stands in a line that has no end. */
		f->in_line = f->in_line || f->from > 0;
		let_go(f);
	}
	if (!buf_ok(&f->out)) {
		errno = EMSGSIZE;
		return -1;
	}
	return 0;
}

int
feed_write(struct feed *f, int to)
{
	ssize_t n;

	for (;;) {
		if (f->sent == f->out.n) {
			buf_reset(&f->out);
			f->sent = 0;
			if (f->at == f->end)
				return 1;
			if (fill(f) < 0)
				return -1;
			continue;
		}
		n = write(to, f->out.p + f->sent, f->out.n - f->sent);
		if (n < 0)
			return errno == EINTR || errno == EAGAIN ? 0 : -1;
		f->sent += (size_t)n;
	}
}
