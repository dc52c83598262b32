/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pop3d_text -- RETR and TOP: a message goes to the client.
 *
 * What is announced is what is sent, whatever other programs do to the file
 * meanwhile, or the connection ends.  To a client that did not say UTF8 a
 * header in UTF-8 goes in ASCII; LIST and STAT say the size of what is stored.
 */

#include "pop3d.h"

#include <errno.h>

#include "lib/log.h"
#include "lib/sys.h"
#include "mail/dot.h"
#include "mail/limits.h"
#include "mail/surrogate.h"

#define READ_SIZE 65536
/* A header as it may be received, and what a relay may add. */
#define HEADER_MAX (2 * MAIL_HEADER_MAX)
#define HEAD_FIRST 8192
#define HEAD_SIZE 65536
/* Each address of a list takes a little. */
#define HEAD_ARENA (32u << 20)

/* Where TOP is in a message; LF, CRLF and a lone CR each end a line, as on the wire. */
struct top {
	uint64_t lines;	/* of the body, still to be sent */
	bool in_body, in_line, cr;
};

/* How many octets of TEXT are within the header and the lines of the body. */
static size_t
top_part(struct top *t, struct str text)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		bool second = c == '\n' && t->cr;

		t->cr = c == '\r';
		if (second)
			continue;
		if (t->in_body && t->lines == 0)
			return i;
		if (c != '\r' && c != '\n') {
			t->in_line = true;
			continue;
		}
		if (t->in_body)
			t->lines--;
		else if (!t->in_line)
			t->in_body = true;
		t->in_line = false;
	}
	return text.n;
}

/* Half a message must not look like a whole one, nor one that changed meanwhile. */
static void
give_up(struct pop3_session *s, const char *why)
{
	log_error(NULL, "mailbox %s: a message is not sent to its end: %s", s->user, why);
	s->lost = true;
}

/* The next octets of the open message: those of a header that was made for it come first. */
static ssize_t
next_part(struct pop3_session *s, char *room, struct str *part)
{
	ssize_t n;

	if (s->head.n > 0 && !s->head_sent) {
		s->head_sent = true;
		*part = buf_str(&s->head);
		return (ssize_t)part->n;
	}
	n = sys_pread(s->message, room, READ_SIZE, s->at);
	*part = str_n(room, n > 0 ? (size_t)n : 0);
	s->at += (off_t)part->n;
	return n;
}

/* Sends the open message, or its beginning, behind the response. */
static void
message_body(struct pop3_session *s)
{
	struct dot_encoder dot;
	struct buf in, out;
	struct top top = { .lines = s->top_lines };
	struct wire sent = { 0 };
	struct str text, part;

	dot_encoder_init(&dot);
	buf_init(&in, READ_SIZE);
	buf_init(&out, READ_SIZE * 3 + 3 * s->head.n);
	char *room = buf_room(&in, READ_SIZE);
	for (ssize_t n; room && !s->lost && (n = next_part(s, room, &text)) != 0;) {
		if (n < 0) {
			give_up(s, strerror(errno));
			break;
		}
		part = text;
		if (s->top_lines != UINT64_MAX)
			part = str_head(text, top_part(&top, text));
		wire_count(&sent, part);
		dot_encode(&dot, part, &out);
		pop3_put(s, buf_str(&out));
		buf_reset(&out);
		if (part.n < text.n)
			break;
	}
	if (!s->lost && s->top_lines == UINT64_MAX && wire_octets(&sent) != s->octets)
		give_up(s, "another program has written to it");
	dot_encode_end(&dot, &out);
	pop3_put(s, buf_str(&out));
	buf_free(&out);
	buf_free(&in);
	buf_free(&s->head);
	sys_close(s->message);
}

/* ---- a header in ASCII ----------------------------------------------------- */

/* The octets of the header that TEXT begins with, its blank line too; 0: it does not end there. */
static size_t
header_length(struct str text)
{
	for (size_t at = 0; at < text.n;) {
		struct str line = str_skip(text, at);
		ptrdiff_t lf = str_find(line, '\n');

		if (lf < 0)
			return 0;
		at += (size_t)lf + 1;
		if (lf == 0 || (lf == 1 && line.p[0] == '\r'))
			return at;
	}
	return 0;
}

/* Reads the header of the open message into IN; what there is of it, empty if it is too large. */
static struct str
read_header(const struct pop3_session *s, struct buf *in)
{
	size_t n = 0;
	ssize_t got = 1;

	/* Most end within the first piece. */
	for (size_t size = HEAD_FIRST; n == 0 && got > 0; size = HEAD_SIZE) {
		char *room = buf_room(in, size);
		if (!room)
			return STR("");
		got = sys_pread(s->message, room, size, (off_t)in->n);
		buf_grew(in, got > 0 ? (size_t)got : 0);
		n = header_length(buf_str(in));
	}
	return n > 0 ? str_head(buf_str(in), n) : buf_str(in);
}

static void
put_head(struct pop3_session *s, struct str header)
{
	struct wire was = { 0 }, is = { 0 };
	struct arena a;

	arena_init(&a, HEAD_ARENA);
	surrogate_add(&a, header, &s->head);
	arena_free(&a);
	if (!buf_ok(&s->head)) {
		buf_free(&s->head);
		return;
	}
	s->at = (off_t)header.n;
	wire_count(&was, header);
	wire_count(&is, buf_str(&s->head));
	s->octets = s->octets - wire_octets(&was) + wire_octets(&is);
}

/*
 * RFC 6856 2.1: who has not said UTF8 gets the header in ASCII, and behind it
 * the rest of the file, which is read from there on.  A header that is not
 * UTF-8, or larger than any that we take, stays what it is.
 */
static void
make_head(struct pop3_session *s)
{
	struct buf in;

	buf_init(&s->head, 8 * HEADER_MAX);
	s->head_sent = false;
	s->at = 0;
	if (s->utf8)
		return;
	buf_init(&in, HEADER_MAX);
	struct str header = read_header(s, &in);
	if (surrogate_needed(header))
		put_head(s, header);
	buf_free(&in);
}

/* Opens the message of NUMBER to be sent; -1 with R set if it cannot be. */
static ptrdiff_t
open_message(struct pop3_session *s, struct str number, struct pop3_response *r)
{
	ptrdiff_t i = pop3_number(s, number, r);

	if (i < 0)
		return -1;
	if ((s->message = maildir_read(&s->box, (size_t)i)) < 0) {
		*r = pop3_err(s, "[SYS/TEMP] message %td is gone", i + 1);
		r->ours = true;
		return -1;
	}
	return i;
}

struct pop3_response
pop3_retr(struct pop3_session *s, const struct command *c)
{
	struct pop3_response r;
	ptrdiff_t i = open_message(s, c->arg, &r);

	if (i < 0)
		return r;
	/* What is announced is what will be sent, whatever the file's name says. */
	if (maildir_count(&s->box, (size_t)i, s->message, &s->octets) < 0) {
		log_error(NULL, "mailbox %s: reading a message: %s", s->user, strerror(errno));
		sys_close(s->message);
		r = pop3_err(s, "[SYS/TEMP] message %td cannot be read", i + 1);
		r.ours = true;
		return r;
	}
	make_head(s);
	s->retrieved++;
	s->top_lines = UINT64_MAX;
	r = pop3_ok(s, "%llu octets", (unsigned long long)s->octets);
	r.body = message_body;
	return r;
}

struct pop3_response
pop3_top(struct pop3_session *s, const struct command *c)
{
	struct str rest = c->arg, number = str_word(&rest), count = str_word(&rest);
	struct pop3_response r;
	uint64_t lines;

	if (rest.n > 0 || str_u64(count, UINT32_MAX, &lines) < 0)
		return pop3_err(s, "TOP needs a message number and a number of lines");
	if (open_message(s, number, &r) < 0)
		return r;
	make_head(s);
	s->retrieved++;
	s->top_lines = lines;
	r = pop3_ok(s, "the top of it");
	r.body = message_body;
	return r;
}
