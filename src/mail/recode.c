/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * recode -- content transfer encodings, written as a stream.
 *
 * Decoding what was written gives the octets that came, whatever they
 * were: a CR or an LF alone is an octet like any other.  What is encoded
 * already is only made fit for the wire: its meaning is left, and with it
 * whatever is wrong with it.
 */

#include "recode.h"

#include "grammar.h"
#include "mail/text.h"

/* RFC 2045 6.7 (5): 76 with the "=" of a soft line break. */
#define QP_COLUMNS 75
/* RFC 2045 6.8: 76 digits are 57 octets. */
#define BASE64_COLUMNS 76

void
recode_init(struct recoder *r, enum recode how)
{
	*r = (struct recoder){ .how = how };
}

/* ---- quoted-printable -------------------------------------------------------- */

static void
soft_break(struct recoder *r, size_t need, struct buf *out)
{
	if (r->column + need <= QP_COLUMNS)
		return;
	buf_add(out, STR("=\r\n"));
	r->column = 0;
}

static void
add_hex(struct recoder *r, char c, struct buf *out)
{
	static const char digits[] = "0123456789ABCDEF";
	unsigned v = (unsigned char)c;
	char hex[3] = { '=', digits[v >> 4], digits[v & 15] };

	soft_break(r, sizeof(hex), out);
	buf_add(out, str_n(hex, sizeof(hex)));
	r->column += sizeof(hex);
}

static void
add_plain(struct recoder *r, char c, struct buf *out)
{
	soft_break(r, 1, out);
	if (r->column == 0 && (c == '-' || c == '.')) {
		add_hex(r, c, out);
		return;
	}
	buf_addc(out, c);
	r->column++;
}

static void
flush_space(struct recoder *r, struct buf *out)
{
	if (r->space != '\0')
		add_plain(r, r->space, out);
	r->space = '\0';
}

static void
add_qp(struct recoder *r, struct str s, struct buf *out)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		flush_space(r, out);
		if (is_wsp(c))
			r->space = c;
		else if (c == '=' || is_ctl(c) || is_8bit(c))
			add_hex(r, c, out);
		else
			add_plain(r, c, out);
	}
}

/* RFC 2045 6.7 (3): white space at the end of a line is encoded. */
static void
end_qp(struct recoder *r, struct buf *out)
{
	if (r->space != '\0')
		add_hex(r, r->space, out);
	r->space = '\0';
}

/* What stands there is left, but for octets that must not, and long lines. */
static void
add_qp_lines(struct recoder *r, struct str s, struct buf *out)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (r->atom > 0) {
			/* Two digits that belong to the "=" before them. */
			r->atom--;
			if (is_alnum(c)) {
				buf_addc(out, c);
				r->column++;
				continue;
			}
			r->atom = 0;
		}
		if (is_8bit(c) || (is_ctl(c) && c != '\t')) {
			add_hex(r, c, out);
		} else if (c == '=') {
			soft_break(r, 3, out);
			buf_addc(out, c);
			r->column++;
			r->atom = 2;
		} else
			add_plain(r, c, out);
	}
}

/* ---- base64 -------------------------------------------------------------------- */

static void
add_group(struct recoder *r, struct buf *out)
{
	base64_add(out, str_n((const char *)r->rest, r->rest_n));
	r->rest_n = 0;
	r->column += 4;
	if (r->column == BASE64_COLUMNS) {
		buf_add(out, STR("\r\n"));
		r->column = 0;
	}
}

static void
add_base64(struct recoder *r, struct str s, struct buf *out)
{
	for (size_t i = 0; i < s.n; i++) {
		r->rest[r->rest_n++] = (unsigned char)s.p[i];
		if (r->rest_n == sizeof(r->rest))
			add_group(r, out);
	}
}

/* RFC 2045 6.8: what is no digit means nothing. */
static void
add_digits(struct recoder *r, struct str s, struct buf *out)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!is_alnum(c) && c != '+' && c != '/' && c != '=')
			continue;
		buf_addc(out, c);
		if (++r->column < BASE64_COLUMNS)
			continue;
		buf_add(out, STR("\r\n"));
		r->column = 0;
	}
}

/* ---- all ------------------------------------------------------------------------- */

void
recode_add(struct recoder *r, struct str s, struct buf *out)
{
	switch (r->how) {
	case RECODE_QP:
		add_qp(r, s, out);
		break;
	case RECODE_QP_LINES:
		add_qp_lines(r, s, out);
		break;
	case RECODE_BASE64:
		add_base64(r, s, out);
		break;
	case RECODE_BASE64_LINES:
		add_digits(r, s, out);
		break;
	case RECODE_NONE:
		buf_add(out, s);
		break;
	}
}

void
recode_line(struct recoder *r, bool cr, struct buf *out)
{
	switch (r->how) {
	case RECODE_BASE64:
		add_base64(r, cr ? STR("\r\n") : STR("\n"), out);
		return;
	case RECODE_BASE64_LINES:
		return;
	case RECODE_QP:
		if (!cr) {
			add_qp(r, STR("\n"), out);
			return;
		}
		end_qp(r, out);
		break;
	case RECODE_QP_LINES:
	case RECODE_NONE:
		break;
	}
	r->atom = 0;
	r->column = 0;
	buf_add(out, STR("\r\n"));
}

void
recode_end(struct recoder *r, struct buf *out)
{
	switch (r->how) {
	case RECODE_QP:
		end_qp(r, out);
		break;
	case RECODE_BASE64:
		if (r->rest_n > 0)
			add_group(r, out);
		break;
	default:
		break;
	}
}
