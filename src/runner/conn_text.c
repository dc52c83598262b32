/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * conn_text -- which form of a message a host gets, and reading it.
 *
 * A small text is read once, before its envelope is sent: that costs no
 * more calls than reading it after, and shows how it can be sent.  A large
 * one is not looked at in vain: it goes off as it is to a host with 8BITMIME,
 * and is held against the length of lines (RFC 5321 4.5.3.1.6) on its way.
 * If that finds fault, which is rare, the session is given up before the
 * end of the text, so that the host has nothing, and the message goes again
 * with its lines made fit.
 *
 * What the text is made of is the job's, for all hosts; the form is written
 * anew for each, in pieces as the connection takes them.
 *
 * A signature stands before what it is of, so that a large text is read once
 * more for it, in the form that leaves; a small one is in memory by then, and
 * a very large one was hashed before (ahead.c).
 */

#include "conn_text.h"

#include <errno.h>
#include <unistd.h>

#include "conn.h"
#include "lib/arena.h"
#include "lib/mem.h"
#include "mail/dkim.h"
#include "mail/limits.h"
#include "queue/remap.h"
#include "signing.h"

/* What one read gets; the engine asks for no less. */
#define SMALL_MAX (32U << 10)
#define KEPT_MAX (16U << 10)
/* Of the text at once for the form, and what that may become. */
#define FORM_IN 8192
#define EACH_MAX (128U << 10)
#define FORM_OUT (16U * FORM_IN + 2000)

void
conn_text_init(struct conn_text *t)
{
	*t = (struct conn_text){ 0 };
	buf_init(&t->small, SMALL_MAX);
	buf_init(&t->out, FORM_OUT);
}

void
conn_text_end(struct conn_text *t)
{
	t->job = NULL;
	downgrade_free(t->form);
	t->form = NULL;
	/* An idle connection need not hold much. */
	if (t->small.size > KEPT_MAX)
		buf_free(&t->small);
	else
		buf_reset(&t->small);
	buf_free(&t->out);
}

void
conn_text_free(struct conn_text *t)
{
	conn_text_end(t);
	buf_free(&t->small);
}

/* ---- reading ------------------------------------------------------------------------ */

/* The octets of the text as hosts get it, but for its form. */
static uint64_t
text_size(const struct job *j)
{
	return j->file.size - j->text->head_of + j->text->head.n;
}

static ssize_t
read_file(const struct job *j, uint64_t at, char *p, size_t n)
{
	const struct queue_file *f = &j->file;
	struct str head = j->text->head;
	ssize_t got;

	if (at < head.n) {
		head = str_head(str_skip(head, (size_t)at), n);
		memcpy(p, head.p, head.n);
		return (ssize_t)head.n;
	}
	at = at - head.n + j->text->head_of;
	if (at >= f->size)
		return 0;
	if (n > f->size - at)
		n = (size_t)(f->size - at);
	do
		got = pread(f->fd, p, n, f->text_at + (off_t)at);
	while (got < 0 && errno == EINTR);
	return got;
}

/*
 * The header with other addresses, where the sections rewrite say so for mail
 * that is sent.  What cannot be looked at whole stays as it is.
 */
static void
set_head(struct job *j)
{
	struct remap r = { .conf = j->r->conf, .at = REWRITE_AT_SEND,
		.listener = j->file.env.listener };
	struct buf out;
	ssize_t got;
	size_t was;
	char *p;

	if (j->text->headed || remap_leaves_header(&r))
		return;
	p = mem_alloc(MAIL_HEADER_MAX);
	buf_init(&out, 4 * MAIL_HEADER_MAX);
	got = read_file(j, 0, p, MAIL_HEADER_MAX);
	was = got <= 0 ? 0 : remap_header(&r, str_n(p, (size_t)got), &out);
	/* What is cut off within its header has an end that is no field's. */
	if (was > 0 && buf_ok(&out) &&
	    (was < (size_t)got || (uint64_t)got == text_size(j))) {
		j->text->head = arena_str(&j->arena, buf_str(&out));
		j->text->head_of = was;
	}
	j->text->headed = got >= 0;
	buf_free(&out);
	mem_free(p);
}

void
conn_text_know(struct job *j)
{
	if (j->text == NULL)
		j->text = arena_alloc(&j->arena, sizeof(*j->text));
	set_head(j);
}

/* The pieces of a text that is in no memory, by way of P, of N octets. */
static int
read_pieces(const struct job *j, char *p, size_t n,
    void (*fn)(void *arg, struct str piece), void *arg)
{
	uint64_t at = 0;

	while (at < text_size(j)) {
		ssize_t got = read_file(j, at, p, n);

		if (got <= 0) {
			errno = got < 0 ? errno : EIO;
			return -1;
		}
		fn(arg, str_n(p, (size_t)got));
		at += (uint64_t)got;
	}
	return 0;
}

int
conn_text_header(const struct job *j, void (*fn)(void *arg, struct str piece), void *arg)
{
	char *p = mem_alloc(MAIL_HEADER_MAX);
	ssize_t got = read_file(j, 0, p, MAIL_HEADER_MAX);

	if (got > 0)
		fn(arg, str_n(p, (size_t)got));
	mem_free(p);
	return got < 0 ? -1 : 0;
}

int
conn_text_each(const struct job *j, void (*fn)(void *arg, struct str piece),
    void *arg)
{
	char *p = mem_alloc(EACH_MAX);
	int rc = read_pieces(j, p, EACH_MAX, fn, arg);

	mem_free(p);
	return rc;
}

/* The whole of a small text; -1 with errno. */
static int
read_small(struct conn_text *t, const struct job *j)
{
	ssize_t n = 0;
	char *p;

	buf_reset(&t->small);
	p = buf_room(&t->small, (size_t)text_size(j));
	if (p == NULL)
		return -1;
	while (t->small.n < text_size(j)) {
		n = read_file(j, t->small.n, p + t->small.n,
		    (size_t)text_size(j) - t->small.n);
		if (n <= 0)
			break;
		buf_grew(&t->small, (size_t)n);
	}
	if (t->small.n < text_size(j)) {
		errno = n < 0 ? errno : EIO;
		return -1;
	}
	t->job = j;
	return 0;
}

/* Calls FN with all of the text in pieces; -1 with errno. */
static int
each_piece(struct conn *c, const struct job *j,
    void (*fn)(void *arg, struct str piece), void *arg)
{
	if (c->text.job != j)
		return read_pieces(j, c->r->bytes, BYTES_MAX, fn, arg);
	fn(arg, buf_str(&c->text.small));
	return 0;
}

/* ---- looking ------------------------------------------------------------------------ */

static void
add_facts(void *arg, struct str piece)
{
	facts_add(arg, piece);
}

/* Looks at the whole of the text, unless that was done. */
static int
look(struct conn *c, struct job *j)
{
	struct facts f;

	if (j->text->known)
		return 0;
	facts_init(&f);
	if (each_piece(c, j, add_facts, &f) < 0)
		return -1;
	j->text->facts = facts_end(&f);
	j->text->known = true;
	return 0;
}

static void
add_scan(void *arg, struct str piece)
{
	downgrade_scan_add(arg, piece);
}

/* Finds out what could be done with the text. */
static int
plan(struct conn *c, struct job *j)
{
	struct downgrade_plan *p = &j->text->plan;
	struct downgrade_scan s;
	struct str parts;
	int rc;

	if (j->text->planned)
		return 0;
	downgrade_plan_init(p);
	downgrade_scan_begin(&s, p, j->file.env.body == BODY_BINARYMIME);
	rc = each_piece(c, j, add_scan, &s);
	downgrade_scan_end(&s);
	/* What it needs for ever lives as long as the job. */
	parts = arena_str(&j->arena, buf_str(&p->parts));
	downgrade_plan_free(p);
	p->parts.p = (char *)(uintptr_t)parts.p;
	p->parts.n = parts.n;
	j->text->planned = rc == 0;
	return rc;
}

/* A form is written for somebody who looks at it. */
struct writing {
	struct downgrade *form;
	struct buf out;
	void (*fn)(void *arg, struct str piece);
	void *arg;
};

static void
add_writing(void *arg, struct str piece)
{
	struct writing *w = arg;

	for (; piece.n > 0; piece = str_skip(piece, FORM_IN)) {
		downgrade_add(w->form, str_head(piece, FORM_IN), &w->out);
		w->fn(w->arg, buf_str(&w->out));
		buf_reset(&w->out);
	}
}

/* Calls FN with all of that form in pieces; -1 with errno. */
static int
each_of_form(struct conn *c, const struct job *j, enum downgrade_to to,
    void (*fn)(void *arg, struct str piece), void *arg)
{
	struct writing w = { .form = downgrade_new(&j->text->plan, to),
		.fn = fn, .arg = arg };
	int rc;

	buf_init(&w.out, FORM_OUT);
	rc = each_piece(c, j, add_writing, &w);
	downgrade_end(w.form, &w.out);
	fn(arg, buf_str(&w.out));
	downgrade_free(w.form);
	buf_free(&w.out);
	return rc;
}

static void
add_size(void *arg, struct str piece)
{
	*(uint64_t *)arg += piece.n;
}

/* The size of the form, which the host is told before it gets it. */
static int
measure(struct conn *c, struct job *j, enum downgrade_to to)
{
	uint64_t size = 0;
	int rc = each_of_form(c, j, to, add_size, &size);

	j->text->sizes[to] = size;
	return rc;
}

/* ---- deciding ------------------------------------------------------------------------- */

/*
 * True if the text has to be looked at before it is sent; a small one is
 * looked at in any case.
 */
static bool
is_suspect(const struct conn *c, const struct job *j)
{
	const struct envelope *e = &j->file.env;
	unsigned ext = client_extensions(c->client);

	return j->text->long_line || e->body == BODY_BINARYMIME ||
	    !(ext & EXT_8BITMIME) || (!(ext & EXT_SMTPUTF8) && e->smtputf8);
}

/* RFC 6531 3.6: what came without SMTPUTF8 is not made to need it. */
static bool
needs_utf8(const struct conn *c, const struct job *j)
{
	if (!j->file.env.smtputf8)
		return false;
	return (client_extensions(c->client) & EXT_SMTPUTF8) != 0 ||
	    !j->text->known || (j->text->facts & FACT_HEADER_8BIT) != 0;
}

static bool
is_8bit(const struct job *j)
{
	const unsigned eight = FACT_HEADER_8BIT | FACT_BODY_8BIT;

	if (j->text->known && j->text->facts & eight)
		return true;
	if (j->text->known)
		return j->file.env.body == BODY_8BITMIME;
	return j->file.env.body != BODY_7BIT;
}

/* Why the text cannot go as it is, in words; NULL: it can. */
static const char *
why_unfit(const struct conn *c, const struct job *j,
    const struct client_message *m)
{
	unsigned ext = client_extensions(c->client);
	unsigned facts = j->text->facts;

	if (!j->text->known || m->binary)
		return NULL;
	if (j->file.env.body == BODY_BINARYMIME &&
	    facts & (FACT_BARE | FACT_NUL))
		return "is binary";
	if (!(ext & EXT_8BITMIME) &&
	    facts & (FACT_HEADER_8BIT | FACT_BODY_8BIT))
		return "has 8-bit text";
	return facts & FACT_LONG ? "has lines of more than 998 octets" : NULL;
}

/* Sends another form, or, if there is none, nothing. */
static void
convert(struct conn *c, struct job *j, const char *why,
    struct client_message *m)
{
	enum downgrade_to to = client_extensions(c->client) & EXT_8BITMIME ?
	    DOWNGRADE_TO_8BIT : DOWNGRADE_TO_7BIT;
	struct job_text *text = j->text;

	/* What cannot be read now is told by the engine when it asks. */
	if (plan(c, j) < 0)
		return;
	if (text->plan.why_not[to] != NULL) {
		m->binary = j->file.env.body == BODY_BINARYMIME;
		m->unfit = arena_printf(&c->txn, "the message %s, which the "
		    "server does not take, and cannot be converted: %s", why,
		    text->plan.why_not[to]);
		return;
	}
	if (text->sizes[to] == 0 && measure(c, j, to) < 0)
		return;
	c->text.form = downgrade_new(&text->plan, to);
	c->text.to = to;
	c->text.out_at = c->text.from_at = 0;
	m->size = text->sizes[to];
	m->eight_bit = to == DOWNGRADE_TO_8BIT;
	m->chunk = false;
}

/* ---- signing ------------------------------------------------------------------------ */

/* Signs the octets that leave; once for all hosts that get them so. */
static void
sign(struct conn *c, struct job *j, struct client_message *m)
{
	size_t i = c->text.form != NULL ? 1 + (size_t)c->text.to : 0;
	struct job_text *text = j->text;
	struct dkim_text *t;
	int rc;

	if (m->unfit != NULL || !signing_wanted(j))
		return;
	if (!text->is_signed[i]) {
		t = dkim_text_new(m->binary, signing_simple(j));
		rc = c->text.form != NULL ?
		    each_of_form(c, j, c->text.to, signing_read, t) :
		    each_piece(c, j, signing_read, t);
		c->text.unread = rc < 0;
		if (rc == 0)
			text->signatures[i] = signing_fields(j, t);
		text->is_signed[i] = rc == 0;
		dkim_text_free(t);
	}
	c->text.signatures = text->signatures[i];
	m->size += c->text.signatures.n;
}

/*
 * What was forwarded says so, above what is signed: where it comes back to the
 * address it goes in circles.
 */
static void
add_via(struct conn *c, struct client_message *m)
{
	struct str via = c->v->via;

	if (m->unfit != NULL || via.n == 0)
		return;
	c->text.signatures = str_c(arena_printf(&c->txn, STR_FMT STR_FMT,
	    STR_ARG(via), STR_ARG(c->text.signatures)));
	m->size += via.n;
}

void
conn_text_fit(struct conn *c, struct client_message *m)
{
	const unsigned binary = EXT_BINARYMIME | EXT_CHUNKING;
	struct job *j = c->v->job;
	const char *why;

	conn_text_end(&c->text);
	conn_text_know(j);
	facts_init(&c->text.facts);
	c->text.facts_at = 0;
	c->text.stopped = c->text.unread = false;
	c->text.signatures = STR("");
	if (text_size(j) <= SMALL_MAX) {
		if (read_small(&c->text, j) == 0)
			(void)look(c, j);
	} else if (is_suspect(c, j))
		(void)look(c, j);
	m->size = text_size(j);
	m->binary = j->file.env.body == BODY_BINARYMIME &&
	    (client_extensions(c->client) & binary) == binary;
	m->eight_bit = is_8bit(j);
	m->smtputf8 = needs_utf8(c, j);
	m->chunk = j->text->known && !(j->text->facts & FACT_BARE);
	why = why_unfit(c, j, m);
	if (why != NULL)
		convert(c, j, why, m);
	else if (!(client_extensions(c->client) & EXT_8BITMIME))
		m->eight_bit = m->eight_bit && !j->text->known;
	sign(c, j, m);
	add_via(c, m);
}

/* ---- giving --------------------------------------------------------------------------- */

/* Makes more of the form; 0: it has ended, -1: errno. */
static int
form_more(struct conn_text *t, const struct job *j)
{
	char p[FORM_IN];
	ssize_t n = read_file(j, t->from_at, p, sizeof(p));

	buf_reset(&t->out);
	if (n < 0)
		return -1;
	if (n == 0) {
		if (t->from_at > text_size(j))
			return 0;
		downgrade_end(t->form, &t->out);
		t->from_at = text_size(j) + 1;
		return t->out.n > 0;
	}
	t->from_at += (uint64_t)n;
	downgrade_add(t->form, str_n(p, (size_t)n), &t->out);
	return 1;
}

/* The engine asks in order, from the start. */
static ssize_t
read_form(struct conn_text *t, const struct job *j, uint64_t at, char *p,
    size_t n)
{
	size_t got = 0;

	while (got < n) {
		size_t skip = (size_t)(at + got - t->out_at);
		struct str have = str_head(str_skip(buf_str(&t->out), skip),
		    n - got);
		int more;

		memcpy(p + got, have.p, have.n);
		got += have.n;
		if (got == n)
			break;
		t->out_at += t->out.n;
		more = form_more(t, j);
		if (more < 0)
			return -1;
		if (more == 0)
			break;
	}
	return (ssize_t)got;
}

/* Looks at what is read of a large text; -1: it must not go on like this. */
static int
watch(struct conn_text *t, struct job *j, uint64_t at, struct str piece)
{
	if (j->text->known || at != t->facts_at)
		return 0;
	facts_add(&t->facts, piece);
	t->facts_at += piece.n;
	if (t->facts.found & FACT_LONG) {
		j->text->long_line = t->stopped = true;
		errno = EMSGSIZE;
		return -1;
	}
	if (t->facts_at == text_size(j)) {
		j->text->facts = facts_end(&t->facts);
		j->text->known = true;
	}
	return 0;
}

ssize_t
conn_text_read(void *arg, uint64_t at, char *p, size_t n)
{
	struct conn *c = arg;
	struct job *j = c->v->job;
	struct str have;
	ssize_t got;

	if (c->text.unread) {
		errno = EIO;
		return -1;
	}
	if (at < c->text.signatures.n) {
		have = str_head(str_skip(c->text.signatures, (size_t)at), n);
		memcpy(p, have.p, have.n);
		return (ssize_t)have.n;
	}
	at -= c->text.signatures.n;
	if (c->text.form != NULL)
		return read_form(&c->text, j, at, p, n);
	if (c->text.job == j) {
		have = str_head(str_skip(buf_str(&c->text.small), at), n);
		memcpy(p, have.p, have.n);
		return (ssize_t)have.n;
	}
	got = read_file(j, at, p, n);
	if (got > 0 && watch(&c->text, j, at, str_n(p, (size_t)got)) < 0)
		return -1;
	return got;
}
