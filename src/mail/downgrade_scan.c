/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * downgrade_scan -- the first pass: what would have to be done to a
 * message, and whether it can.
 *
 * Decides for each part and both kinds of hosts at once, so that a message
 * is scanned once, whomever it goes to.  A part whose body is fine as it
 * is stays as it is, but for the name of its encoding.
 */

#include "downgrade.h"

#include "grammar.h"
#include "mail/limits.h"

/* Of a line, and of a leaf. */
enum {
	HAS_8BIT = 1,
	HAS_LONG = 2,
	HAS_BINARY = 4,		/* NUL; CR or LF alone */
	NO_FOLD = 8,		/* a word is too long for a line */
	NO_UTF8 = 16
};

static const char why_header[] =
    "its header has 8-bit text";
static const char why_signed[] =
    "a signed part must not be changed";
static const char why_part[] =
    "a part of it can have no other encoding";
static const char why_outside[] =
    "there is text outside of its parts";
static const char why_fold[] =
    "a line of its header cannot be folded";
static const char why_broken[] =
    "its header is broken";
static const char why_many[] =
    "it has too many parts";

void
downgrade_plan_init(struct downgrade_plan *p)
{
	*p = (struct downgrade_plan){ 0 };
	buf_init(&p->parts, DOWNGRADE_PARTS_MAX);
}

void
downgrade_plan_free(struct downgrade_plan *p)
{
	buf_free(&p->parts);
}

void
downgrade_scan_begin(struct downgrade_scan *s, struct downgrade_plan *p,
    bool binary)
{
	*s = (struct downgrade_scan){ .plan = p, .binary = binary };
	mime_walk_init(&s->walk);
	mime_lines_init(&s->lines);
}

static void
cannot(struct downgrade_scan *s, enum downgrade_to to, const char *why)
{
	if (s->plan->why_not[to] == NULL)
		s->plan->why_not[to] = why;
}

static void
cannot_at_all(struct downgrade_scan *s, const char *why)
{
	cannot(s, DOWNGRADE_TO_7BIT, why);
	cannot(s, DOWNGRADE_TO_8BIT, why);
}

/* FLAGS stand where nothing can be done about them. */
static void
cannot_for(struct downgrade_scan *s, unsigned flags, const char *why)
{
	if (flags & HAS_8BIT)
		cannot(s, DOWNGRADE_TO_7BIT, why);
	if (flags & (HAS_LONG | (s->binary ? HAS_BINARY : 0U)))
		cannot_at_all(s, why);
}

/* ---- parts --------------------------------------------------------------------- */

/* True if the body must not go to TO as it is. */
static bool
is_unfit(const struct downgrade_scan *s, enum downgrade_to to)
{
	return (s->flags & HAS_LONG) != 0 ||
	    (s->binary && s->flags & HAS_BINARY) ||
	    (to == DOWNGRADE_TO_7BIT && s->flags & HAS_8BIT);
}

/* RFC 2045 6.2: the names promise what a host can take. */
static unsigned
relabel(const struct mime_part *p, enum downgrade_to to)
{
	bool wrong = p->encoding == MIME_BINARY ||
	    (to == DOWNGRADE_TO_7BIT && p->encoding == MIME_8BIT);

	return wrong && !p->sealed && !p->twice ? PLAN_RELABEL : RECODE_NONE;
}

static unsigned
how_encoded(const struct mime_part *p)
{
	if (p->twice)
		return PLAN_NOT;
	switch (p->encoding) {
	case MIME_QP:
		return RECODE_QP_LINES;
	case MIME_BASE64:
		return RECODE_BASE64_LINES;
	case MIME_UNKNOWN:
		return PLAN_NOT;
	default:
		break;
	}
	return p->kind == MIME_TEXT ? RECODE_QP :
	    p->kind == MIME_OTHER   ? RECODE_BASE64 :
				      PLAN_NOT;
}

static void
put_plan(struct downgrade_scan *s, size_t at, unsigned seven, unsigned eight)
{
	unsigned v = seven << (DOWNGRADE_TO_7BIT * PLAN_BITS) |
	    eight << (DOWNGRADE_TO_8BIT * PLAN_BITS);

	if (!(s->flags & NO_UTF8) && s->utf8 == 0)
		v |= PLAN_UTF8;
	while (s->plan->parts.n <= at && buf_ok(&s->plan->parts))
		buf_addc(&s->plan->parts, '\0');
	if (at < s->plan->parts.n)
		s->plan->parts.p[at] = (char)v;
}

/* The body of the leaf has ended. */
static void
end_leaf(struct downgrade_scan *s)
{
	unsigned how[DOWNGRADE_TARGETS];

	if (!s->has_leaf)
		return;
	for (enum downgrade_to to = 0; to < DOWNGRADE_TARGETS; to++) {
		how[to] = relabel(&s->leaf, to);
		if (!is_unfit(s, to))
			continue;
		how[to] = s->leaf.sealed ? PLAN_NOT : how_encoded(&s->leaf);
		if (how[to] == PLAN_NOT)
			cannot(s, to, s->leaf.sealed ? why_signed : why_part);
	}
	put_plan(s, s->leaf_at, how[DOWNGRADE_TO_7BIT],
	    how[DOWNGRADE_TO_8BIT]);
	s->has_leaf = false;
}

/* A header has ended, and a body begins. */
static void
begin_body(struct downgrade_scan *s)
{
	const struct mime_part *p = &s->walk.part;

	s->flags = s->utf8 = 0;
	s->leaf_at = s->walk.parts - 1;
	if (p->kind == MIME_MULTIPART || p->kind == MIME_MESSAGE) {
		if (p->twice)
			cannot_at_all(s, why_broken);
		put_plan(s, s->leaf_at, relabel(p, DOWNGRADE_TO_7BIT),
		    relabel(p, DOWNGRADE_TO_8BIT));
		return;
	}
	s->leaf = *p;
	s->has_leaf = true;
}

/* ---- lines ----------------------------------------------------------------------- */

/* RFC 3629 3, but for what is too long or too large: it is only a name. */
static void
note_utf8(struct downgrade_scan *s, struct str bytes)
{
	for (size_t i = 0; i < bytes.n; i++) {
		unsigned char c = (unsigned char)bytes.p[i];
		bool more = (c & 0xc0) == 0x80;

		if (more != (s->utf8 > 0) || c >= 0xf8)
			s->flags |= NO_UTF8;
		if (more && s->utf8 > 0)
			s->utf8--;
		else
			s->utf8 = c >= 0xf0 ? 3 :
			    c >= 0xe0	    ? 2 :
			    c >= 0xc0	    ? 1 :
					      0;
	}
}

/* A header line can be folded before each white space but the last, behind its name. */
static void
note_words(struct downgrade_scan *s, struct str bytes)
{
	for (size_t i = 0; i < bytes.n; i++) {
		bool space = is_wsp(bytes.p[i]);

		if (space && !s->in_space && !s->in_name)
			s->word = 0;
		s->in_space = space;
		s->in_name = s->in_name && bytes.p[i] != ':';
		if (++s->word > FOLD_WORD_MAX)
			s->line_flags |= NO_FOLD;
	}
}

static void
note_bytes(struct downgrade_scan *s, struct str bytes)
{
	s->line += bytes.n;
	if (bytes.n == 0)
		return;
	if (s->line > MAIL_LINE_MAX)
		s->line_flags |= HAS_LONG;
	if (str_has_8bit(bytes)) {
		s->line_flags |= HAS_8BIT;
		if (s->what == MIME_BODY)
			note_utf8(s, bytes);
	} else if (s->utf8 > 0) {
		s->flags |= NO_UTF8;
		s->utf8 = 0;
	}
	if (memchr(bytes.p, '\0', bytes.n) != NULL ||
	    memchr(bytes.p, '\r', bytes.n) != NULL)
		s->line_flags |= HAS_BINARY;
	if (s->what == MIME_FIELD || s->what == MIME_MORE)
		note_words(s, bytes);
}

static void
end_header_line(struct downgrade_scan *s)
{
	unsigned flags = s->line_flags;

	/* White space at the end is not folded away from what precedes it. */
	if (s->in_space && s->word > MAIL_LINE_MAX - FOLD_COLUMN)
		flags |= NO_FOLD;
	cannot_for(s, flags & (HAS_8BIT | HAS_BINARY), why_header);
	if (!(flags & HAS_LONG))
		return;
	if (s->walk.part.sealed)
		cannot_at_all(s, why_signed);
	else if (flags & NO_FOLD)
		cannot_at_all(s, why_fold);
}

static void
end_line(struct downgrade_scan *s)
{
	switch (s->what) {
	case MIME_BODY:
		s->flags |= s->line_flags;
		break;
	case MIME_FIELD:
	case MIME_MORE:
		end_header_line(s);
		break;
	case MIME_BLANK:
		begin_body(s);
		break;
	case MIME_BROKEN:
		/* What is a header and what is not is anybody's guess. */
		cannot_at_all(s, why_broken);
		break;
	case MIME_OUTSIDE:
	case MIME_DELIMITER:
		cannot_for(s, s->line_flags, why_outside);
		break;
	}
}

static void
take_piece(struct downgrade_scan *s, const struct mime_piece *p)
{
	if (p->first) {
		s->what = mime_walk_line(&s->walk, p->bytes);
		s->line = s->word = 0;
		s->line_flags = 0;
		s->in_space = false;
		s->in_name = s->what == MIME_FIELD;
		if (s->what != MIME_BODY)
			end_leaf(s);
	}
	note_bytes(s, p->bytes);
	if (!p->last)
		return;
	if (p->lf && !p->cr)
		s->line_flags |= HAS_BINARY;
	end_line(s);
}

void
downgrade_scan_add(struct downgrade_scan *s, struct str text)
{
	struct mime_piece p;

	mime_lines_add(&s->lines, text);
	while (mime_lines_next(&s->lines, false, &p))
		take_piece(s, &p);
}

void
downgrade_scan_end(struct downgrade_scan *s)
{
	struct mime_piece p;

	while (mime_lines_next(&s->lines, true, &p))
		take_piece(s, &p);
	end_leaf(s);
	if (!buf_ok(&s->plan->parts) ||
	    s->walk.parts > DOWNGRADE_PARTS_MAX)
		cannot_at_all(s, why_many);
	mime_walk_free(&s->walk);
	mime_lines_free(&s->lines);
}
