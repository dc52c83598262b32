/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * local_text -- the text of a message as a mailbox can hold it.
 *
 * A Maildir has lines, and so has POP3: a CR, LF or NUL that means something
 * (BODY=BINARYMIME) would not come out as it went in.  Such a message is put
 * into another form, as for a host that does not take it (RFC 3030 3), in
 * memory; it decodes to the same octets.  All others are delivered as they are
 * in the spool, and are not looked at.
 */

#include "local_text.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/mem.h"
#include "lib/sys.h"
#include "mail/downgrade.h"
#include "mail/facts.h"

#define PIECE 8192
#define FORM_MAX (16U * PIECE + 2000)

/* Calls FN with all of the text in pieces, until one is refused; -1: errno. */
static int
each_piece(const struct queue_file *f, int (*fn)(void *arg, struct str piece),
    void *arg)
{
	char p[PIECE];
	uint64_t at = 0;

	while (at < f->size) {
		size_t want = f->size - at < PIECE ? (size_t)(f->size - at) :
						     PIECE;
		ssize_t n = pread(f->fd, p, want, f->text_at + (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EIO;
		if (n <= 0 || fn(arg, str_n(p, (size_t)n)) < 0)
			return -1;
		at += (uint64_t)n;
	}
	return 0;
}

static int
add_facts(void *arg, struct str piece)
{
	facts_add(arg, piece);
	return 0;
}

static int
add_scan(void *arg, struct str piece)
{
	downgrade_scan_add(arg, piece);
	return 0;
}

struct form {
	struct downgrade *d;
	struct buf out;
	struct local_text *t;
};

static int
write_out(struct form *form)
{
	struct buf *b = &form->out;

	if (!buf_ok(b)) {
		errno = EMSGSIZE;
		return -1;
	}
	if (b->n > 0 && sys_write_all(form->t->fd, b->p, b->n) < 0)
		return -1;
	form->t->size += b->n;
	buf_reset(b);
	return 0;
}

static int
add_form(void *arg, struct str piece)
{
	struct form *form = arg;

	downgrade_add(form->d, piece, &form->out);
	return write_out(form);
}

/* A file of its own, in memory and empty, for the text. */
static int
own_file(struct local_text *t)
{
	t->fd = memfd_create("barid-text", MFD_CLOEXEC);
	if (t->fd < 0)
		return -1;
	t->at = 0;
	t->size = 0;
	t->own = true;
	return 0;
}

/* Writes the form that PLAN has into a file of its own. */
static int
write_form(const struct queue_file *f, const struct downgrade_plan *plan,
    struct local_text *t)
{
	struct form form = { .t = t };
	int rc = -1;

	if (own_file(t) < 0)
		return -1;
	form.d = downgrade_new(plan, DOWNGRADE_TO_8BIT);
	buf_init(&form.out, FORM_MAX);
	if (each_piece(f, add_form, &form) == 0) {
		downgrade_end(form.d, &form.out);
		rc = write_out(&form);
	}
	buf_free(&form.out);
	downgrade_free(form.d);
	return rc;
}

static int
convert(const struct queue_file *f, struct local_text *t)
{
	struct downgrade_plan plan;
	struct downgrade_scan scan;
	int rc;

	downgrade_plan_init(&plan);
	downgrade_scan_begin(&scan, &plan, true);
	rc = each_piece(f, add_scan, &scan);
	downgrade_scan_end(&scan);
	t->why_not = rc == 0 ? plan.why_not[DOWNGRADE_TO_8BIT] : NULL;
	if (rc == 0 && t->why_not == NULL)
		rc = write_form(f, &plan, t);
	downgrade_plan_free(&plan);
	return rc;
}

int
local_text_open(const struct queue_file *f, struct local_text *t)
{
	struct facts facts;

	*t = (struct local_text){ .fd = f->fd, .at = f->text_at,
		.size = f->size };
	if (f->env.body != BODY_BINARYMIME)
		return 0;
	facts_init(&facts);
	if (each_piece(f, add_facts, &facts) < 0)
		return -1;
	if ((facts_end(&facts) & (FACT_BARE | FACT_NUL)) == 0)
		return 0;
	return convert(f, t);
}

static int
add_piece(void *arg, struct str piece)
{
	struct local_text *t = arg;

	t->size += piece.n;
	return sys_write_all(t->fd, piece.p, piece.n);
}

int
local_text_lend(const struct queue_file *f, struct local_text *t)
{
	if (local_text_open(f, t) < 0)
		return -1;
	if (t->own || f->tray == 0 || t->why_not != NULL)
		return 0;
	return own_file(t) < 0 ? -1 : each_piece(f, add_piece, t);
}

void
local_text_close(struct local_text *t)
{
	if (t->own)
		sys_close(t->fd);
	t->own = false;
}
