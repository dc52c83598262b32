/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * answer -- the message by which a mailbox answers by itself.
 *
 * RFC 3834 3.1: it says that a machine made it, what it answers to, and quotes
 * nothing, so that it is no way to have others send a text.
 */

#include "mail/answer.h"

#include "mail/date.h"
#include "mail/encoded.h"
#include "mail/header.h"

#define ROOM ((size_t)1 << 20)
#define SUBJECT_MAX 500
#define REFERENCES_MAX 2000

/* The subject that TEXT begins with, which is then behind it. */
static struct str
own_subject(struct str *text, struct arena *a)
{
	struct str rest = *text, subject = STR("");
	struct field f;
	int r;

	while ((r = field_next(&rest, &f)) == 1)
		if (str_ieq(f.name, STR("Subject")))
			subject = field_unfold(a, &f);
	/* A text that only looks so has no blank line behind it. */
	if (r != 0 || subject.n == 0)
		return STR("");
	*text = rest;
	return subject;
}

/* RFC 3834 3.1.5 */
static void
subject_add(struct buf *b, struct str own, struct str original,
    struct arena *a)
{
	struct buf value, plain;
	struct field f;

	buf_init(&value, 8 * SUBJECT_MAX);
	buf_init(&plain, 4 * SUBJECT_MAX);
	if (own.n > 0) {
		unstructured_add(&value, str_head(own, SUBJECT_MAX));
	} else {
		buf_adds(&plain, "Auto: ");
		if (!header_find(original, STR("Subject"), &f) ||
		    f.value.n > SUBJECT_MAX ||
		    !encoded_decode(&plain, field_unfold(a, &f)))
			buf_adds(&plain, "your message");
		unstructured_add(&value, str_trim(buf_str(&plain)));
	}
	field_add(b, "Subject", buf_str(&value));
	buf_free(&plain);
	buf_free(&value);
}

/* RFC 5322 3.6.4: one "<left@right>", or several. */
static bool
is_ids(struct str s)
{
	return s.n > 2 && s.p[0] == '<' && s.p[s.n - 1] == '>' &&
	    !str_has_ctl(s);
}

static void
references_add(struct buf *b, struct str original, struct arena *a)
{
	struct str id, before = STR("");
	struct field f;
	struct buf all;

	if (!header_find(original, STR("Message-ID"), &f))
		return;
	id = field_unfold(a, &f);
	if (!is_ids(id) || id.n > REFERENCES_MAX)
		return;
	field_add(b, "In-Reply-To", id);
	if (header_find(original, STR("References"), &f) ||
	    header_find(original, STR("In-Reply-To"), &f))
		before = field_unfold(a, &f);
	buf_init(&all, 2 * REFERENCES_MAX + 2);
	if (is_ids(before) && before.n < REFERENCES_MAX) {
		buf_add(&all, before);
		buf_addc(&all, ' ');
	}
	buf_add(&all, id);
	field_add(b, "References", buf_str(&all));
	buf_free(&all);
}

static void
body_add(struct buf *b, struct str text)
{
	struct str line;

	while (text.n > 0) {
		str_cut(text, '\n', &line, &text);
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		for (size_t i = 0; i < line.n; i++)
			buf_addc(b, line.p[i] == '\r' || line.p[i] == '\0' ?
			    ' ' : line.p[i]);
		buf_adds(b, "\r\n");
	}
}

void
answer_add(struct buf *b, const struct answer_form *f)
{
	struct str text = f->text, subject;
	struct arena a;

	arena_init(&a, ROOM);
	subject = own_subject(&text, &a);
	buf_adds(b, "From: <");
	path_add(b, &f->from);
	buf_adds(b, ">\r\nTo: <");
	path_add(b, &f->to);
	buf_adds(b, ">\r\n");
	subject_add(b, subject, f->original, &a);
	buf_adds(b, "Date: ");
	date_add(b, f->now);
	buf_addf(b, "\r\nMessage-ID: <" STR_FMT ">\r\n", STR_ARG(f->message_id));
	references_add(b, f->original, &a);
	buf_adds(b, "Auto-Submitted: auto-replied\r\n"
	    "X-Auto-Response-Suppress: All\r\nMIME-Version: 1.0\r\n");
	buf_addf(b, "Content-Type: text/plain; charset=%s\r\n"
	    "Content-Transfer-Encoding: %s\r\n\r\n",
	    !str_has_8bit(text) ? "us-ascii" :
		str_is_utf8(text) ? "utf-8" : "unknown-8bit",
	    str_has_8bit(text) ? "8bit" : "7bit");
	body_add(b, text);
	arena_free(&a);
}
