/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * reply -- SMTP replies, written and read.
 *
 * What is written is always a well-formed reply, whatever its text holds.
 * What is read is a stranger's: the code decides, the text is kept within
 * bounds and without control characters, and what breaks the grammar is
 * refused, so that the caller closes the connection.
 */

#include "mail/reply.h"

#include "grammar.h"
#include "mail/limits.h"

/* How much of a peer's reply is kept: of a line, and of all its lines. */
#define LINE_KEPT 1024
#define TEXT_KEPT 16384
#define LINES_MAX 1000

enum outcome
reply_outcome(int code)
{
	if (code >= 200 && code <= 299)
		return DELIVERED;
	/* A 3xx where none belongs is a confused peer, not a refusal. */
	return code >= 500 && code <= 599 ? PERMFAIL : TEMPFAIL;
}

/* Adds S with every control character replaced by '?'. */
static void
add_clean(struct buf *b, struct str s)
{
	char *p = buf_room(b, s.n);

	if (!p)
		return;
	for (size_t i = 0; i < s.n; i++)
		p[i] = is_ctl(s.p[i]) ? '?' : s.p[i];
	buf_grew(b, s.n);
}

/* The first MAX octets of S at most, without half a UTF-8 character. */
static struct str
cut_line(struct str s, size_t max)
{
	size_t n = max;

	if (s.n <= max)
		return s;
	while (n > 0 && max - n < 3 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	return str_head(s, n);
}

void
reply_add(struct buf *b, int code, const char *enhanced, struct str text)
{
	struct str enh = str_c(enhanced);
	struct str line, rest = text;
	bool more;

	if (rest.n > 0 && rest.p[rest.n - 1] == '\n')
		rest.n--;
	do {
		size_t start = b->n;

		more = str_cut(rest, '\n', &line, &rest);
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		buf_addu(b, (uint64_t)code);
		buf_addc(b, more ? '-' : ' ');
		buf_add(b, enh);
		if (enh.n > 0 && line.n > 0)
			buf_addc(b, ' ');
		add_clean(b,
		    cut_line(line, SMTP_REPLY_MAX - 2 - (b->n - start)));
		buf_add(b, STR("\r\n"));
	} while (more && buf_ok(b));
}

void
reply_reader_init(struct reply_reader *r)
{
	*r = (struct reply_reader){ 0 };
	buf_init(&r->text, TEXT_KEPT);
}

void
reply_reader_free(struct reply_reader *r)
{
	buf_free(&r->text);
}

/* RFC 5321 4.2: 0, or -1 if LINE does not begin with a reply code. */
static int
parse_code(struct str line, int *code)
{
	if (line.n < 3 || line.p[0] < '2' || line.p[0] > '5')
		return -1;
	*code = 0;
	for (size_t i = 0; i < 3; i++) {
		if (!is_digit(line.p[i]))
			return -1;
		*code = *code * 10 + (line.p[i] - '0');
	}
	if (line.n > 3 && line.p[3] != ' ' && line.p[3] != '-')
		return -1;
	return 0;
}

/*
 * The enhanced code is that of the first line which has one; the same on
 * other lines is taken off (RFC 2034 4), a different one stays as text.
 */
static struct str
take_code(struct reply_reader *r, struct str text)
{
	char code[sizeof(r->enhanced)];
	struct str rest = enhanced_take(text, (char)('0' + r->code / 100),
	    code);

	if (code[0] == '\0')
		return text;
	if (r->enhanced[0] == '\0')
		memcpy(r->enhanced, code, sizeof(code));
	return strcmp(r->enhanced, code) == 0 ? rest : text;
}

int
reply_reader_line(struct reply_reader *r, struct str line)
{
	struct str text;
	int code;

	if (parse_code(line, &code) == -1 || r->lines >= LINES_MAX)
		return -1;
	if (r->lines == 0) {
		buf_reset(&r->text);
		r->code = code;
	}
	if (code != r->code)
		return -1;
	text = str_head(take_code(r, str_skip(line, 4)), LINE_KEPT);
	if (r->text.n + text.n + 1 <= TEXT_KEPT) {
		if (r->lines > 0)
			buf_addc(&r->text, '\n');
		add_clean(&r->text, text);
	}
	r->lines++;
	return line.n > 3 && line.p[3] == '-' ? 0 : 1;
}

struct reply
reply_reader_get(struct reply_reader *r)
{
	struct reply reply = { .code = r->code, .text = buf_str(&r->text) };

	memcpy(reply.enhanced, r->enhanced, sizeof(reply.enhanced));
	r->code = 0;
	r->lines = 0;
	r->enhanced[0] = '\0';
	return reply;
}

/* The length of 1 to 3 digits without a leading zero at S[AT], or 0. */
static size_t
number_length(struct str s, size_t at)
{
	size_t n = 0;

	while (n < 4 && at + n < s.n && is_digit(s.p[at + n]))
		n++;
	if (n > 3 || (n > 1 && s.p[at] == '0'))
		return 0;
	return n;
}

/* RFC 3463 2: class "." subject "." detail. */
struct str
enhanced_take(struct str text, char klass, char code[12])
{
	size_t n, at = 2;

	code[0] = '\0';
	if (klass != '2' && klass != '4' && klass != '5')
		return text;
	if (text.n < 5 || text.p[0] != klass || text.p[1] != '.')
		return text;
	if ((n = number_length(text, at)) == 0)
		return text;
	at += n;
	if (at >= text.n || text.p[at] != '.')
		return text;
	at++;
	if ((n = number_length(text, at)) == 0)
		return text;
	at += n;
	if (at < text.n && text.p[at] != ' ')
		return text;
	memcpy(code, text.p, at);
	code[at] = '\0';
	while (at < text.n && text.p[at] == ' ')
		at++;
	return str_skip(text, at);
}
