/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * text -- a message as the server sends it (RFC 1939 3, 5).
 *
 * Only CRLF.CRLF ends it, as in mail/dot.h: what stands between bare LFs is text,
 * so that a message cannot speak for the server.  What is no line of mail is made
 * one: it was accepted elsewhere, and nobody is left who could be told.
 */

#include "lib/clock.h"
#include "lines.h"
#include "mail/dot.h"

/* Of the text that is looked at once. */
#define PIECE_MAX 65536

/*
 * A CR is held back until it is seen what follows; the end of a text is no place
 * for one, since that follows a line end.
 */
void
repair_text(struct repair *r, struct str text, struct buf *out)
{
	size_t from = 0;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		bool plain = c != '\r' && c != '\n' && c != '\0';

		if (plain && !r->cr)
			continue;
		buf_add(out, str_n(text.p + from, i - from));
		from = plain ? i : i + 1;
		if (c == '\0') {
			r->done = true;
			continue;
		}
		if (r->cr || c == '\n')
			buf_adds(out, "\r\n");
		r->done = r->done || r->cr != (c == '\n');
		r->cr = c == '\r';
	}
	buf_add(out, str_skip(text, from));
}

/* One piece of the text, decoded and repaired, to FN.  What ends it, or TEXT_WHOLE. */
static enum pop_text
take(struct dot_decoder *d, struct repair *r, struct str in, struct buf *plain,
    struct buf *good, size_t *used)
{
	buf_reset(plain);
	buf_reset(good);
	*used = dot_decode(d, str_head(in, PIECE_MAX), plain);
	repair_text(r, buf_str(plain), good);
	return buf_ok(plain) && buf_ok(good) ? TEXT_WHOLE : TEXT_LOST;
}

static enum pop_text
read_text(struct pop *p, uint64_t max, bool (*fn)(void *arg, struct str piece),
    void *arg, struct buf *plain, struct buf *good)
{
	struct repair r = { .cr = false };
	struct dot_decoder d;
	uint64_t octets = 0;
	struct str in;
	size_t used;

	dot_decoder_init(&d);
	while (!d.done) {
		enum stream_result got = stream_fill(p->stream, pop_deadline(p), &in);

		if (got != STREAM_OK) {
			pop_lose_stream(p, got);
			return TEXT_LOST;
		}
		if (take(&d, &r, in, plain, good, &used) != TEXT_WHOLE)
			return TEXT_LOST;
		stream_consume(p->stream, used);
		octets += good->n;
		if (octets > max) {
			pop_lose(p, "a message is larger than it said");
			return TEXT_TOO_LARGE;
		}
		if (good->n > 0 && !fn(arg, buf_str(good))) {
			pop_lose(p, "a message is not wanted");
			return TEXT_UNWANTED;
		}
	}
	return TEXT_WHOLE;
}

enum pop_text
pop_retrieve(struct pop *p, uint32_t number, uint64_t max,
    bool (*fn)(void *arg, struct str piece), void *arg)
{
	struct buf plain, good;
	enum pop_text t;

	switch (pop_command(p, "RETR %u", (unsigned)number)) {
	case POP_OK:
		break;
	case POP_NO:
		return TEXT_REFUSED;
	case POP_LOST:
		return TEXT_LOST;
	}
	buf_init(&plain, 2 * PIECE_MAX);
	/* A line end of two octets for one at worst. */
	buf_init(&good, 4 * PIECE_MAX);
	t = read_text(p, max, fn, arg, &plain, &good);
	buf_free(&plain);
	buf_free(&good);
	return t;
}
