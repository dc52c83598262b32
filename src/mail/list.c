/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * list -- the header that a message has when a mailing list sends it on.
 *
 * What it does not change is the octets that came.  Fields about another list
 * go, and so do those by which members would be asked for receipts, or told
 * where errors belong.  In From the list can stand for the author: then he is
 * named in Reply-To and X-Original-From.
 */

#include "mail/list.h"

#include "grammar.h"
#include "mail/encoded.h"
#include "mail/header.h"

/* A subject, and what it is decoded to. */
#define SUBJECT_MAX 8192
#define FIELD_MAX 65536

/* ---- subject ------------------------------------------------------------ */

/* Takes "Re:" off the front of *S. */
static bool
take_re(struct str *s)
{
	size_t n = 2;

	if (!str_istarts(*s, STR("re")))
		return false;
	n += span_of(str_skip(*s, n), is_wsp);
	if (n >= s->n || s->p[n] != ':')
		return false;
	*s = str_trim(str_skip(*s, n + 1));
	return true;
}

static bool
take_prefix(struct str *s, struct str prefix)
{
	if (prefix.n == 0 || !str_istarts(*s, prefix))
		return false;
	*s = str_trim(str_skip(*s, prefix.n));
	return true;
}

void
list_subject_add(struct buf *b, struct str subject, struct str prefix)
{
	struct buf plain, out;
	struct str s = str_trim(subject);
	bool re = false, took;

	prefix = str_trim(prefix);
	buf_init(&plain, SUBJECT_MAX);
	buf_init(&out, 2 * SUBJECT_MAX);
	/* What cannot be read keeps its words, and gets the prefix as well. */
	if (encoded_decode(&plain, s))
		s = str_trim(buf_str(&plain));
	do {
		took = take_prefix(&s, prefix);
		if (take_re(&s))
			re = took = true;
	} while (took);
	buf_add(&out, prefix);
	if (prefix.n > 0)
		buf_addc(&out, ' ');
	buf_adds(&out, re ? "Re: " : "");
	buf_add(&out, s);
	if (buf_ok(&out))
		unstructured_add(b, str_trim(buf_str(&out)));
	else
		buf_add(b, subject);
	buf_free(&out);
	buf_free(&plain);
}

/* ---- the author --------------------------------------------------------- */

struct author {
	struct arena *a;
	struct str value;
	struct str addr, display;
	bool found;
};

static bool
first_author(void *arg, struct str addr, struct str where)
{
	struct author *u = arg;
	struct str before = str_head(u->value, (size_t)(where.p - u->value.p));

	u->found = true;
	u->addr = arena_str(u->a, addr);
	before = str_trim(before);
	/* Else the name is a comment, or there is none. */
	if (before.n > 1 && before.p[before.n - 1] == '<')
		u->display = str_trim(str_head(before, before.n - 1));
	return false;
}

struct str
list_author(struct str text, struct arena *a, struct str *display)
{
	struct author u = { .a = a };
	struct field f;

	*display = STR("");
	if (!header_find(text, STR("From"), &f) || f.value.n > FIELD_MAX / 2)
		return STR("");
	u.value = field_unfold(a, &f);
	u.display = STR("");
	(void)address_list_at(u.value, first_author, &u);
	if (!u.found)
		return STR("");
	*display = u.display;
	return u.addr;
}

/* A quoted string without its quotes. */
static struct str
unquote(struct str s, struct arena *a)
{
	char *to = arena_alloc(a, s.n + 1);
	size_t n = 0;

	if (s.n < 2 || s.p[0] != '"' || s.p[s.n - 1] != '"')
		return s;
	for (size_t i = 1; i + 1 < s.n; i++) {
		if (s.p[i] == '\\' && i + 2 < s.n)
			i++;
		to[n++] = s.p[i];
	}
	return str_n(to, n);
}

/* From: "Alice via dev" <dev@example.org> */
static void
from_add(struct buf *b, const struct list_form *f, struct str author,
    struct str display, struct arena *a)
{
	struct buf name, value;
	ptrdiff_t at = str_rfind(author, '@');

	buf_init(&name, SUBJECT_MAX);
	buf_init(&value, 4 * SUBJECT_MAX);
	display = str_head(unquote(display, a), SUBJECT_MAX / 2);
	if (!encoded_decode(&name, display) || name.n == 0) {
		buf_reset(&name);
		buf_add(&name, at < 0 ? author : str_head(author, (size_t)at));
	}
	/* An address there would be taken for the sender's by some readers. */
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] == '@')
			name.p[i] = ' ';
	buf_addf(&name, " via " STR_FMT, STR_ARG(f->name));
	phrase_add(&value, buf_str(&name));
	buf_addf(&value, " <" STR_FMT ">", STR_ARG(f->address));
	field_add(b, "From", buf_str(&value));
	buf_free(&value);
	buf_free(&name);
}

/* ---- the header --------------------------------------------------------- */

static bool
is_dropped(const struct list_form *f, struct str name)
{
	static const struct str names[] = { { "Return-Path", 11 },
		{ "Errors-To", 9 }, { "Return-Receipt-To", 17 },
		{ "Disposition-Notification-To", 27 },
		{ "X-Confirm-Reading-To", 20 }, { "Precedence", 10 } };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_ieq(name, names[i]))
			return true;
	if (f->reply_to_list && str_ieq(name, STR("Reply-To")))
		return true;
	return str_istarts(name, STR("List-"));
}

static void
subject_add(struct buf *b, struct str raw, const struct list_form *f)
{
	struct buf value;

	buf_init(&value, 4 * SUBJECT_MAX);
	list_subject_add(&value, raw, f->prefix);
	field_add(b, "Subject", buf_ok(&value) ? buf_str(&value) : raw);
	buf_free(&value);
}

/* True if it was dealt with. */
static bool
change(struct buf *b, const struct field *at, const struct list_form *f,
    struct arena *a, struct str author, bool *has_subject)
{
	if (is_dropped(f, at->name))
		return true;
	if (f->prefix.n > 0 && str_ieq(at->name, STR("Subject")) &&
	    at->value.n < SUBJECT_MAX && !*has_subject) {
		*has_subject = true;
		subject_add(b, field_unfold(a, at), f);
		return true;
	}
	if (!f->from_list || author.n == 0 || !str_ieq(at->name, STR("From")))
		return false;
	buf_adds(b, "X-Original-From:");
	buf_add(b, str_skip(at->raw, (size_t)(at->value.p - at->raw.p)));
	return true;
}

static void
own_fields(struct buf *b, struct str text, const struct list_form *f,
    struct str author)
{
	struct field from, reply;

	if (f->reply_to_list)
		buf_addf(b, "Reply-To: <" STR_FMT ">\r\n", STR_ARG(f->address));
	else if (f->from_list && author.n > 0 &&
	    !header_find(text, STR("Reply-To"), &reply) &&
	    header_find(text, STR("From"), &from)) {
		buf_adds(b, "Reply-To:");
		buf_add(b, str_skip(from.raw,
		    (size_t)(from.value.p - from.raw.p)));
	}
	buf_adds(b, "Precedence: list\r\n");
	buf_addf(b, "List-Id: " STR_FMT " <" STR_FMT ">\r\n", STR_ARG(f->name),
	    STR_ARG(f->id));
	buf_addf(b, "List-Post: <mailto:" STR_FMT ">\r\n", STR_ARG(f->address));
	for (size_t i = 0; i < f->field_n; i++)
		buf_addf(b, "%s\r\n", f->fields[i]);
}

size_t
list_header_add(struct buf *b, struct str text, const struct list_form *f)
{
	struct str rest = text, author, display;
	bool has_subject = false;
	struct arena a;
	struct field at;
	size_t n;

	arena_init(&a, 16 * text.n + 65536);
	author = list_author(text, &a, &display);
	buf_add(b, f->received);
	buf_addf(b, "Delivered-To: " STR_FMT "\r\n", STR_ARG(f->address));
	while (field_next(&rest, &at) == 1)
		if (!change(b, &at, f, &a, author, &has_subject))
			buf_add(b, at.raw);
	n = text.n - rest.n;
	/* A text that is header alone may lack the last line end. */
	if (b->n > 0 && b->p[b->n - 1] != '\n')
		buf_adds(b, "\r\n");
	if (f->prefix.n > 0 && !has_subject)
		subject_add(b, STR(""), f);
	if (f->from_list && author.n > 0)
		from_add(b, f, author, display, &a);
	own_fields(b, text, f, author);
	buf_adds(b, "\r\n");
	arena_free(&a);
	return n;
}
