/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * downgrade -- the second pass: writes the message as the plan says.
 *
 * The walk is the same as in the first pass, so that the parts have the
 * same numbers.  Octets that nothing is to be done about are written as
 * they came.  The end of a body's last line belongs to the delimiter behind
 * it (RFC 2046 5.1.1), so that it is known only at the next line whether it
 * is encoded.
 */

#include "downgrade.h"

#include "grammar.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "mail/limits.h"

struct downgrade {
	const struct downgrade_plan *plan;
	enum downgrade_to to;
	struct mime_walk walk;
	struct mime_lines lines;

	enum mime_line what;	/* of the line */
	unsigned how;		/* of the part */
	bool skip;		/* a field that is not written */

	/* A header line that is being folded. */
	bool fold;
	struct buf word;
	bool in_space;
	bool in_name;	/* RFC 5322 4.5: white space before the colon folds nothing */
	size_t column;

	/* A body that is being encoded. */
	bool coding;
	struct recoder recoder;
	bool line_end, line_cr;	/* its last line has ended, so */
};

struct downgrade *
downgrade_new(const struct downgrade_plan *plan, enum downgrade_to to)
{
	struct downgrade *d = mem_alloc(sizeof(*d));

	if (plan->why_not[to] != NULL)
		panic("downgrade_new: it cannot be done");
	d->plan = plan;
	d->to = to;
	mime_walk_init(&d->walk);
	mime_lines_init(&d->lines);
	buf_init(&d->word, FOLD_WORD_MAX);
	return d;
}

void
downgrade_free(struct downgrade *d)
{
	if (d == NULL)
		return;
	mime_walk_free(&d->walk);
	mime_lines_free(&d->lines);
	buf_free(&d->word);
	mem_free(d);
}

/* What the plan says of the part that the last line belongs to. */
static unsigned char
plan_at(const struct downgrade *d)
{
	size_t at = d->walk.parts - 1;

	if (at >= d->plan->parts.n)
		return 0;
	return (unsigned char)d->plan->parts.p[at];
}

/* ---- headers -------------------------------------------------------------------- */

static void
end_word(struct downgrade *d, struct buf *out)
{
	bool space = d->word.n > 0 && d->in_space;

	/* White space at the end of a line must not be one of its own. */
	if (!space && d->column > 0 &&
	    d->column + d->word.n > FOLD_COLUMN) {
		buf_add(out, STR("\r\n"));
		d->column = 0;
	}
	buf_add(out, buf_str(&d->word));
	d->column += d->word.n;
	buf_reset(&d->word);
}

static void
fold_bytes(struct downgrade *d, struct str s, struct buf *out)
{
	for (size_t i = 0; i < s.n; i++) {
		bool space = is_wsp(s.p[i]);

		if (space && !d->in_space && !d->in_name)
			end_word(d, out);
		d->in_space = space;
		d->in_name = d->in_name && s.p[i] != ':';
		buf_addc(&d->word, s.p[i]);
	}
}

/* True if the line is that of a field which gets another value. */
static bool
is_skipped(struct downgrade *d)
{
	if (d->what == MIME_FIELD)
		d->skip = d->how != RECODE_NONE && d->how != RECODE_QP_LINES &&
		    d->how != RECODE_BASE64_LINES &&
		    mime_walk_at_encoding(&d->walk);
	return d->skip;
}

static void
add_charset(struct downgrade *d, struct buf *out)
{
	/* RFC 1428 3: what nobody said is unknown, not guessed. */
	buf_adds(out, plan_at(d) & PLAN_UTF8 ?
	    "Content-Type: text/plain; charset=utf-8\r\n" :
	    "Content-Type: text/plain; charset=unknown-8bit\r\n");
}

/* What the header lacks, at its end. */
static void
add_fields(struct downgrade *d, struct buf *out)
{
	const struct mime_part *p = &d->walk.part;

	if (p->sealed)
		return;
	if (p->top && !p->has_version &&
	    (d->how != RECODE_NONE || p->kind == MIME_MULTIPART ||
		p->kind == MIME_MESSAGE))
		buf_add(out, STR("MIME-Version: 1.0\r\n"));
	if (d->how == RECODE_QP && !p->has_type)
		add_charset(d, out);
	switch (d->how) {
	case RECODE_QP:
		buf_add(out,
		    STR("Content-Transfer-Encoding: quoted-printable\r\n"));
		break;
	case RECODE_BASE64:
		buf_add(out, STR("Content-Transfer-Encoding: base64\r\n"));
		break;
	case PLAN_RELABEL:
		buf_adds(out, d->to == DOWNGRADE_TO_7BIT ?
		    "Content-Transfer-Encoding: 7bit\r\n" :
		    "Content-Transfer-Encoding: 8bit\r\n");
		break;
	default:
		break;
	}
}

static void
header_piece(struct downgrade *d, const struct mime_piece *p, struct buf *out)
{
	if (p->first) {
		bool may = d->what == MIME_FIELD || d->what == MIME_MORE;

		if (may && is_skipped(d))
			return;
		d->fold = may && !d->walk.part.sealed &&
		    (!p->last || p->bytes.n > MAIL_LINE_MAX);
		d->column = 0;
		d->in_space = true;
		d->in_name = d->what == MIME_FIELD;
	}
	if (d->skip)
		return;
	if (d->fold)
		fold_bytes(d, p->bytes, out);
	else
		buf_add(out, p->bytes);
	if (d->fold && p->last)
		end_word(d, out);
}

/* ---- bodies ----------------------------------------------------------------------- */

static void
begin_body(struct downgrade *d)
{
	d->coding = d->how >= RECODE_QP && d->how <= RECODE_BASE64_LINES;
	if (d->coding)
		recode_init(&d->recoder, (enum recode)d->how);
	d->line_end = false;
}

/* The body is over: a delimiter follows, or (AT_END) nothing. */
static void
end_body(struct downgrade *d, bool at_end, struct buf *out)
{
	bool base64 = d->how == RECODE_BASE64 || d->how == RECODE_BASE64_LINES;

	if (!d->coding)
		return;
	d->coding = false;
	if (at_end && d->line_end)
		recode_line(&d->recoder, d->line_cr, out);
	recode_end(&d->recoder, out);
	if (base64 ? d->recoder.column > 0 : d->line_end && !at_end)
		buf_add(out, STR("\r\n"));
	d->line_end = false;
}

static void
body_piece(struct downgrade *d, const struct mime_piece *p, struct buf *out)
{
	if (p->first && d->line_end)
		recode_line(&d->recoder, d->line_cr, out);
	recode_add(&d->recoder, p->bytes, out);
	d->line_end = p->last && p->lf;
	d->line_cr = p->cr;
}

/* ---- lines ------------------------------------------------------------------------- */

static void
begin_line(struct downgrade *d, struct str line, struct buf *out)
{
	d->what = mime_walk_line(&d->walk, line);
	if (d->what != MIME_BODY)
		end_body(d, false, out);
	switch (d->what) {
	case MIME_FIELD:
	case MIME_MORE:
	case MIME_BROKEN:
	case MIME_BLANK:
		d->how = plan_of(plan_at(d), d->to);
		break;
	default:
		break;
	}
	if (d->what == MIME_BLANK)
		add_fields(d, out);
}

static void
take_piece(struct downgrade *d, const struct mime_piece *p, struct buf *out)
{
	if (p->first)
		begin_line(d, p->bytes, out);
	if (d->what == MIME_BODY && d->coding) {
		body_piece(d, p, out);
		return;
	}
	if (d->what == MIME_FIELD || d->what == MIME_MORE) {
		header_piece(d, p, out);
		if (d->skip)
			return;
	} else
		buf_add(out, p->bytes);
	if (p->cr)
		buf_addc(out, '\r');
	if (p->lf)
		buf_addc(out, '\n');
	if (p->last && d->what == MIME_BLANK)
		begin_body(d);
}

void
downgrade_add(struct downgrade *d, struct str text, struct buf *out)
{
	struct mime_piece p;

	mime_lines_add(&d->lines, text);
	while (mime_lines_next(&d->lines, false, &p))
		take_piece(d, &p, out);
}

void
downgrade_end(struct downgrade *d, struct buf *out)
{
	struct mime_piece p;

	while (mime_lines_next(&d->lines, true, &p))
		take_piece(d, &p, out);
	end_body(d, true, out);
}
