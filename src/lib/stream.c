/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * stream -- lines and bytes with deadlines, over a transport.
 *
 * What a line is does not depend on how its bytes arrive: each octet is
 * looked at once, in order, and the limits count octets of the line, not of
 * a read.  A line ends at its LF; one that is too long ends at CRLF only, so
 * that what hides behind a bare LF in it is never taken for a command.
 */

#include "lib/stream.h"

#include <errno.h>

#include "lib/log.h"

#define IN_FIRST 4096	/* an idle session has no more than this */
#define IN_MAX 65536
#define OUT_MAX 16384

void
stream_init(struct stream *s, const struct stream_ops *ops, void *ctx)
{
	*s = (struct stream){ .ops = ops, .ctx = ctx };
	buf_init(&s->in, IN_MAX);
	buf_init(&s->out, OUT_MAX);
}

void
stream_free(struct stream *s)
{
	buf_free(&s->in);
	buf_free(&s->out);
	s->in_at = 0;
}

void
stream_switch(struct stream *s, const struct stream_ops *ops, void *ctx)
{
	/* RFC 3207 4.2: nothing that came in the clear survives. */
	buf_wipe(&s->in);
	buf_wipe(&s->out);
	s->in_at = 0;
	s->skipped = 0;
	s->eof = false;
	s->error = 0;
	s->ops = ops;
	s->ctx = ctx;
}

/* Octets to ask for: a buffer that one read filled is worth growing. */
static size_t
read_size(struct stream *s)
{
	size_t size = s->in.size < IN_FIRST ? IN_FIRST : s->in.size;

	if (s->in_at == s->in.n) {
		if (s->in.n == size && size < s->in.max)
			size = size * 4 < s->in.max ? size * 4 : s->in.max;
		buf_cut(&s->in, 0);
		s->in_at = 0;
		return size;
	}
	if (s->in_at > 0 && s->in.size - s->in.n < IN_FIRST / 2) {
		buf_drop(&s->in, s->in_at);
		s->in_at = 0;
	}
	if (s->in.n < size)
		return size - s->in.n;
	return s->in.n < s->in.max / 4 ? 3 * s->in.n : s->in.max - s->in.n;
}

/* Reads once, behind what is there. */
static enum stream_result
fill(struct stream *s, int64_t deadline)
{
	size_t n;
	char *room;
	ssize_t got;

	if (s->error != 0)
		return STREAM_ERROR;
	if (s->eof)
		return STREAM_EOF;
	n = read_size(s);
	room = buf_room(&s->in, n);
	if (room == NULL || n == 0)
		panic("stream: no room in a buffer of %zu bytes", s->in.max);
	got = s->ops->read(s->ctx, room, n, deadline);
	if (got > 0) {
		buf_grew(&s->in, (size_t)got);
		s->bytes_in += (uint64_t)got;
		return STREAM_OK;
	}
	if (got == 0) {
		s->eof = true;
		return STREAM_EOF;
	}
	if (errno == ETIMEDOUT)
		return STREAM_TIMEOUT;
	s->error = errno != 0 ? errno : EIO;
	return STREAM_ERROR;
}

static struct str
pending(const struct stream *s)
{
	return str_skip(buf_str(&s->in), s->in_at);
}

/* Takes the line whose LF is at offset LF of what is pending. */
static enum stream_result
take_line(struct stream *s, size_t lf, struct str *line)
{
	struct str all = str_head(pending(s), lf);
	bool bare = all.n == 0 || all.p[all.n - 1] != '\r';

	if (!bare)
		all.n--;
	s->in_at += lf + 1;
	*line = all;
	if (bare || str_find(all, '\r') >= 0)
		return STREAM_BARE;
	return str_find(all, '\0') >= 0 ? STREAM_NUL : STREAM_OK;
}

/*
 * Throws the line away that began SKIPPED octets ago.  SKIPPED stays when
 * this ends early, so that the next call goes on and does not take the
 * middle of a line for its beginning.
 */
static enum stream_result
skip_line(struct stream *s, size_t limit, int64_t deadline, struct str *line)
{
	for (;;) {
		struct str in = pending(s);
		size_t left = limit - s->skipped;
		ptrdiff_t lf;
		size_t at = 0;
		enum stream_result r;

		while ((lf = str_find(str_skip(in, at), '\n')) >= 0) {
			size_t end = at + (size_t)lf + 1;

			if (end > left)
				return STREAM_FLOOD;
			if (end > 1 ? in.p[end - 2] == '\r' : s->skip_cr) {
				s->in_at += end;
				s->skipped = 0;
				*line = str_n(s->begin, s->begin_n);
				return STREAM_TOO_LONG;
			}
			at = end;
		}
		if (in.n > left || s->skipped + in.n == limit)
			return STREAM_FLOOD;
		if (in.n > 0)
			s->skip_cr = in.p[in.n - 1] == '\r';
		s->skipped += in.n;
		s->in_at = s->in.n;
		r = fill(s, deadline);
		if (r != STREAM_OK)
			return r;
	}
}

enum stream_result
stream_line(struct stream *s, size_t max, int64_t deadline, struct str *line)
{
	size_t limit = max > STREAM_SKIP_MAX ? max : STREAM_SKIP_MAX;
	size_t scanned = 0;

	*line = STR("");
	if (max > s->in.max)
		s->in.max = max;
	while (s->skipped == 0) {
		struct str in = str_head(pending(s), max);
		ptrdiff_t lf = str_find(str_skip(in, scanned), '\n');
		enum stream_result r;

		if (lf >= 0)
			return take_line(s, scanned + (size_t)lf, line);
		scanned = in.n;
		if (scanned >= max) {
			s->skip_cr = false;
			s->begin_n = in.n < sizeof(s->begin) ? in.n : sizeof(s->begin);
			memcpy(s->begin, in.p, s->begin_n);
			break;
		}
		r = fill(s, deadline);
		if (r != STREAM_OK)
			return r;
	}
	return skip_line(s, limit, deadline, line);
}

enum stream_result
stream_fill(struct stream *s, int64_t deadline, struct str *bytes)
{
	enum stream_result r = STREAM_OK;

	if (stream_pending(s) == 0)
		r = fill(s, deadline);
	*bytes = pending(s);
	return r;
}

void
stream_consume(struct stream *s, size_t n)
{
	if (n > stream_pending(s))
		panic("stream_consume: %zu of %zu bytes", n,
		    stream_pending(s));
	s->in_at += n;
}

size_t
stream_pending(const struct stream *s)
{
	return s->in.n - s->in_at;
}

/* Writes BYTES; what was written is counted in *DONE, whatever the end. */
static enum stream_result
write_all(struct stream *s, struct str bytes, int64_t deadline, size_t *done)
{
	*done = 0;
	if (s->error != 0)
		return STREAM_ERROR;
	while (*done < bytes.n) {
		ssize_t r = s->ops->write(
		    s->ctx, bytes.p + *done, bytes.n - *done, deadline);

		if (r < 0 && errno == ETIMEDOUT)
			return STREAM_TIMEOUT;
		if (r <= 0) {
			s->error = r < 0 && errno != 0 ? errno : EIO;
			return STREAM_ERROR;
		}
		*done += (size_t)r;
		s->bytes_out += (uint64_t)r;
	}
	return STREAM_OK;
}

enum stream_result
stream_flush(struct stream *s, int64_t deadline)
{
	size_t done;
	enum stream_result r;

	r = write_all(s, buf_str(&s->out), deadline, &done);
	buf_drop(&s->out, done);
	return r;
}

enum stream_result
stream_put(struct stream *s, struct str bytes, int64_t deadline)
{
	if (s->error != 0)
		return STREAM_ERROR;
	while (bytes.n > OUT_MAX - s->out.n) {
		struct str part = str_head(bytes, OUT_MAX - s->out.n);
		enum stream_result r;
		size_t done;

		/* What is large goes out without being copied. */
		if (s->out.n == 0)
			return write_all(s, bytes, deadline, &done);
		buf_add(&s->out, part);
		bytes = str_skip(bytes, part.n);
		r = stream_flush(s, deadline);
		if (r != STREAM_OK)
			return r;
	}
	buf_add(&s->out, bytes);
	return STREAM_OK;
}
