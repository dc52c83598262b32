/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pop3d_text -- RETR and TOP: a message goes to the client.
 *
 * What is announced is what is sent, whatever other programs do to the file
 * meanwhile, or the connection ends.  To a client that did not say UTF8 all
 * headers in UTF-8 go in ASCII; LIST and STAT say the size of what is stored.
 */

#include "pop3d.h"

#include <errno.h>

#include "lib/log.h"
#include "lib/sys.h"
#include "mail/dot.h"
#include "mail/limits.h"
#include "mail/surrogate.h"

#define READ_SIZE 65536
#define READ_FIRST 8192
/* What a piece becomes for who knows ASCII only. */
#define SEEN_MAX (SURROGATE_GROWTH * READ_SIZE + 2 * SURROGATE_MADE_MAX)

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

/*
 * The next octets of the open message, as the client is to see them; there
 * may be none of them yet.  0 at the end, -1 errno.
 */
static ssize_t
next_part(struct pop3_session *s, char *room, struct str *part)
{
	ssize_t n = sys_pread(s->message, room, READ_SIZE, s->at);

	*part = str_n(room, n > 0 ? (size_t)n : 0);
	s->at += (off_t)part->n;
	if (s->view == NULL || n < 0)
		return n;
	buf_reset(&s->seen);
	if (n > 0)
		surrogate_view_add(s->view, *part, &s->seen);
	else
		surrogate_view_end(s->view, &s->seen);
	*part = buf_str(&s->seen);
	if (!buf_ok(&s->seen)) {
		errno = EOVERFLOW;
		return -1;
	}
	return n > 0 ? n : (ssize_t)part->n;
}

static void
drop_view(struct pop3_session *s)
{
	surrogate_view_free(s->view);
	s->view = NULL;
	buf_free(&s->seen);
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
	buf_init(&out, 3 * (s->view != NULL ? SEEN_MAX : READ_SIZE));
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
	drop_view(s);
	sys_close(s->message);
}

/* ---- headers in ASCII ------------------------------------------------------ */

/* Whether the open message has octets above 127; most are of one piece. */
static bool
has_8bit(const struct pop3_session *s, struct buf *in)
{
	off_t at = 0;
	ssize_t n = 1;

	for (size_t size = READ_FIRST; n > 0; size = READ_SIZE) {
		char *room = buf_room(in, size);

		n = room == NULL ? 0 : sys_pread(s->message, room, size, at);
		if (n > 0 && str_has_8bit(str_n(room, (size_t)n)))
			return true;
		if (n < (ssize_t)size)
			return false;
		at += n;
	}
	return false;
}

/*
 * RFC 6856 2.1: who has not said UTF8 gets headers in ASCII.  A message
 * without octets above 127 has none else.
 */
static void
make_view(struct pop3_session *s)
{
	struct buf in;

	s->at = 0;
	s->view = NULL;
	buf_init(&s->seen, SEEN_MAX);
	if (s->utf8)
		return;
	buf_init(&in, READ_SIZE);
	if (has_8bit(s, &in))
		s->view = surrogate_view_new();
	buf_free(&in);
}

/* How much will be sent is said before it, so that it is made twice.  -1: errno. */
static int
count_view(struct pop3_session *s)
{
	struct wire w = { 0 };
	struct str part;
	struct buf in;
	ssize_t n;

	buf_init(&in, READ_SIZE);
	char *room = buf_room(&in, READ_SIZE);
	while ((n = next_part(s, room, &part)) > 0)
		wire_count(&w, part);
	buf_free(&in);
	surrogate_view_free(s->view);
	s->view = surrogate_view_new();
	s->octets = wire_octets(&w);
	s->at = 0;
	return n < 0 ? -1 : 0;
}

/* The octets of the open message, as they will be sent; -1 errno. */
static int
count_message(struct pop3_session *s, size_t i)
{
	/* Whatever the file's name says. */
	if (maildir_count(&s->box, i, s->message, &s->octets) < 0)
		return -1;
	return s->view != NULL ? count_view(s) : 0;
}

/* Message I is not sent, as errno says; where it is there, so does the log. */
static struct pop3_response
unreadable(struct pop3_session *s, ptrdiff_t i)
{
	bool gone = errno == ENOENT;
	struct pop3_response r;
	struct buf uidl;

	if (!gone) {
		const char *why = strerror(errno);

		buf_init(&uidl, 256);
		maildir_uidl(&s->box, (size_t)i, &uidl);
		log_error(NULL, "mailbox %s: reading %s: %s", s->user, buf_cstr(&uidl), why);
		buf_free(&uidl);
	}
	r = pop3_err(s, "[SYS/TEMP] message %td %s", i + 1, gone ? "is gone" : "cannot be read");
	r.ours = true;
	return r;
}

/* Opens the message of NUMBER to be sent; -1 with R set if it cannot be. */
static ptrdiff_t
open_message(struct pop3_session *s, struct str number, struct pop3_response *r)
{
	ptrdiff_t i = pop3_number(s, number, r);

	if (i < 0)
		return -1;
	if ((s->message = maildir_read(&s->box, (size_t)i)) < 0) {
		*r = unreadable(s, i);
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
	make_view(s);
	if (count_message(s, (size_t)i) < 0) {
		r = unreadable(s, i);
		drop_view(s);
		sys_close(s->message);
		return r;
	}
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
	make_view(s);
	s->retrieved++;
	s->top_lines = lines;
	r = pop3_ok(s, "the top of it");
	r.body = message_body;
	return r;
}
