/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * dkim_body -- the forms of a body that are signed.
 *
 * Empty lines at the end of the body are nothing.  In the relaxed form (RFC 6376
 * 3.4.4) white space within a line is one space, at its end nothing; in the
 * simple one (3.4.3) it is text.  What such an octet becomes is known when
 * more text comes, so that it is held back, as a flag and a count.  Nothing
 * is copied: what stays as it is goes on in spans as long as they can be, over
 * single spaces and line ends too.
 *
 * The form does not depend on how the body was split.
 */

#include "mail/dkim_body.h"

#define ENDS "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n"
#define ENDS_N ((sizeof(ENDS) - 1) / 2)

static bool
is_text(const struct dkim_body *b, char c)
{
	return (unsigned char)c > ' ' ||
	    (c != '\r' && c != '\n' && (b->simple || (c != ' ' && c != '\t')));
}

static bool
is_held(const struct dkim_body *b)
{
	return b->space || b->ends > 0;
}

static void
emit(const struct dkim_body *b, const char *from, const char *to)
{
	if (from < to)
		b->out(b->arg, str_n(from, (size_t)(to - from)));
}

/* More text comes: what was held back is due. */
static void
let_go(struct dkim_body *b)
{
	for (; b->ends > ENDS_N; b->ends -= ENDS_N)
		b->out(b->arg, STR(ENDS));
	if (b->ends > 0)
		b->out(b->arg, str_head(STR(ENDS), 2 * (size_t)b->ends));
	if (b->space)
		b->out(b->arg, STR(" "));
	b->ends = 0;
	b->space = false;
	b->some = true;
}

static void
end_line(struct dkim_body *b)
{
	b->space = false;
	b->ends++;
}

/* A CR or LF that ends no line is text. */
static void
alone(struct dkim_body *b, struct str octet)
{
	if (b->any_end) {
		end_line(b);
		return;
	}
	let_go(b);
	b->out(b->arg, octet);
}

/* White space or a line end between two octets of text: it stays as it is. */
static size_t
stays(const struct dkim_body *b, const char *p, const char *end)
{
	if (is_held(b))
		return 0;
	if (*p == ' ')
		return p + 1 < end && is_text(b, p[1]) ? 1 : 0;
	return *p == '\r' && p + 2 < end && p[1] == '\n' && is_text(b, p[2]) ? 2 :
									    0;
}

/* At what does not stay: takes it, and says what stands behind. */
static const char *
hold(struct dkim_body *b, const char *p, const char *end)
{
	if (*p == ' ' || *p == '\t') {
		b->space = true;
		return p + 1;
	}
	if (*p == '\n') {
		alone(b, STR("\n"));
		return p + 1;
	}
	if (p + 1 == end) {
		b->cr = true;
		return end;
	}
	if (p[1] == '\n') {
		end_line(b);
		return p + 2;
	}
	alone(b, STR("\r"));
	return p + 1;
}

/* The last piece ended with a CR. */
static const char *
after_cr(struct dkim_body *b, const char *p)
{
	b->cr = false;
	if (*p != '\n') {
		alone(b, STR("\r"));
		return p;
	}
	end_line(b);
	return p + 1;
}

void
dkim_body_add(struct dkim_body *b, struct str piece)
{
	const char *p = piece.p, *end = p + piece.n, *span;
	size_t n;

	if (piece.n == 0)
		return;
	if (b->cr)
		p = after_cr(b, p);
	/* While something is held back the span is empty. */
	for (span = p; p < end;) {
		if (is_text(b, *p)) {
			if (is_held(b))
				let_go(b);
			b->some = true;
			p++;
		} else if ((n = stays(b, p, end)) > 0) {
			p += n;
		} else {
			emit(b, span, p);
			span = p = hold(b, p, end);
		}
	}
	emit(b, span, end);
}

void
dkim_body_end(struct dkim_body *b)
{
	if (b->cr)
		alone(b, STR("\r"));
	/*
	 * A last line without an end gets one.  An empty body stays empty, but is
	 * a line end in the simple form.
	 */
	if (b->some || b->simple)
		b->out(b->arg, STR("\r\n"));
}
