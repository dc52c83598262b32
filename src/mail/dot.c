/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * dot -- dot-stuffing, read strictly and written cleanly.
 *
 * The decoder keeps every octet but the dots that were stuffed and the dot
 * line itself; its result does not depend on how the input was split.  The
 * encoder puts out no CR without LF and no LF without CR, whatever came.
 *
 * This is the hot path of a message: both work on spans between line ends
 * that memchr finds.  Each input octet is looked at once for CR, once for
 * LF, once for NUL, also when there are line ends of only one kind.
 */

#include "mail/dot.h"

#include "mail/limits.h"

/*
 * Where the next octet stands.  AFTER_CR: the CR was added already.
 * AFTER_DOT: a dot at the start of a line was dropped.  AFTER_DOT_CR: a CR
 * behind it is held back, since it ends the text if LF follows.
 */
enum decode_state { LINE_START, IN_LINE, AFTER_CR, AFTER_DOT, AFTER_DOT_CR };

enum encode_state { OUT_START, OUT_LINE, OUT_CR };

/* The first C in [P, END), or END. */
static const char *
find(const char *p, const char *end, char c)
{
	const char *at = p < end ? memchr(p, c, (size_t)(end - p)) : NULL;

	return at ? at : end;
}

/* The next CR and LF of an input; END if there is none. */
struct line_ends {
	const char *cr;
	const char *lf;
	const char *end;
};

static struct line_ends
line_ends_at(const char *p, const char *end)
{
	return (struct line_ends){ find(p, end, '\r'), find(p, end, '\n'),
		end };
}

/* The first line end at P or later; P never goes back. */
static const char *
line_end(struct line_ends *e, const char *p)
{
	if (e->cr < p)
		e->cr = find(p, e->end, '\r');
	if (e->lf < p)
		e->lf = find(p, e->end, '\n');
	return e->cr < e->lf ? e->cr : e->lf;
}

void
dot_decoder_init(struct dot_decoder *d)
{
	*d = (struct dot_decoder){ .state = LINE_START };
}

static void
count(struct dot_decoder *d, size_t n)
{
	d->line += n;
	if (d->line > SMTP_TEXT_LINE_MAX)
		d->faults |= DOT_LONG;
}

static void
emit(struct dot_decoder *d, struct buf *out, const char *from, const char *to)
{
	if (from == to)
		return;
	if (!(d->faults & DOT_NUL) && memchr(from, '\0', (size_t)(to - from)))
		d->faults |= DOT_NUL;
	buf_add(out, str_n(from, (size_t)(to - from)));
}

/* In a line: goes on to its end, or to what may be one. */
static const char *
decode_line(struct dot_decoder *d, struct line_ends *e, const char *p)
{
	const char *stop = line_end(e, p);

	count(d, (size_t)(stop - p));
	if (stop == e->end) {
		d->state = IN_LINE;
		return stop;
	}
	count(d, 1);
	if (*stop == '\r') {
		d->state = AFTER_CR;
	} else {
		d->faults |= DOT_BARE_LF;
		d->state = IN_LINE;
	}
	return stop + 1;
}

/* Behind a CR that was added: LF ends the line, else the CR was bare. */
static const char *
decode_after_cr(struct dot_decoder *d, const char *p)
{
	if (*p != '\n') {
		d->faults |= DOT_BARE_CR;
		d->state = IN_LINE;
		return p;
	}
	count(d, 1);
	d->line = 0;
	d->state = LINE_START;
	return p + 1;
}

size_t
dot_decode(struct dot_decoder *d, struct str in, struct buf *out)
{
	const char *p = in.p, *end = p + in.n, *span = p;
	struct line_ends e;

	if (in.n == 0 || d->done)
		return 0;
	e = line_ends_at(p, end);
	while (p < end && !d->done) {
		switch ((enum decode_state)d->state) {
		case LINE_START:
			if (*p != '.') {
				p = decode_line(d, &e, p);
				break;
			}
			emit(d, out, span, p);
			span = ++p;
			d->state = AFTER_DOT;
			break;
		case IN_LINE:
			p = decode_line(d, &e, p);
			break;
		case AFTER_CR:
			p = decode_after_cr(d, p);
			break;
		case AFTER_DOT:
			d->state = IN_LINE;
			if (*p == '\r') {
				d->state = AFTER_DOT_CR;
				span = ++p;
			}
			break;
		case AFTER_DOT_CR:
			if (*p == '\n') {
				d->done = true;
				span = ++p;
				break;
			}
			buf_addc(out, '\r');
			count(d, 1);
			d->faults |= DOT_BARE_CR;
			d->state = IN_LINE;
			break;
		}
	}
	emit(d, out, span, p);
	return (size_t)(p - in.p);
}

void
dot_encoder_init(struct dot_encoder *e)
{
	e->state = OUT_START;
}

void
dot_encode(struct dot_encoder *e, struct str text, struct buf *out)
{
	const char *p = text.p, *end = p + text.n, *span = p;
	struct line_ends ends;

	if (text.n == 0)
		return;
	ends = line_ends_at(p, end);
	while (p < end) {
		const char *stop;

		if (e->state == OUT_CR) {
			/* The CR was the end of what came before. */
			buf_add(out, STR("\r\n"));
			e->state = OUT_START;
			if (*p == '\n')
				span = ++p;
			continue;
		}
		if (e->state == OUT_START && *p == '.') {
			buf_add(out, str_n(span, (size_t)(p - span)));
			buf_addc(out, '.');
			span = p;
		}
		stop = line_end(&ends, p);
		if (stop == end) {
			e->state = OUT_LINE;
			p = stop;
		} else if (stop + 1 < end && stop[0] == '\r' &&
		    stop[1] == '\n') {
			e->state = OUT_START;
			p = stop + 2;
		} else {
			buf_add(out, str_n(span, (size_t)(stop - span)));
			e->state = OUT_CR;
			if (*stop == '\n') {
				buf_add(out, STR("\r\n"));
				e->state = OUT_START;
			}
			span = p = stop + 1;
		}
	}
	buf_add(out, str_n(span, (size_t)(p - span)));
}

void
dot_encode_end(struct dot_encoder *e, struct buf *out)
{
	if (e->state != OUT_START)
		buf_add(out, STR("\r\n"));
	buf_add(out, STR(".\r\n"));
	e->state = OUT_START;
}
