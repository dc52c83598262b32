/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_CLIENT_DIALOGUE_H
#define TESTS_CLIENT_DIALOGUE_H

/*
 * dialogue -- runs the client engine against a written dialogue.
 *
 * A script is lines with a prefix:
 *
 *   S:	what the server says (consecutive ones come in one piece)
 *   s:	the same, without a line end
 *   C:	what the client must have said since the last check, all of it
 *   c:	the same, for the last line of a group: without a line end
 *   X:	eof, expire, secured, insecure, slow, quit, or "time N": the
 *	milliseconds that client_timeout() must give
 *
 * Events are written down and compared with EVENTS at the end.  The whole
 * is run with the server's pieces in one, in single octets, and cut in two
 * at every place; the output is taken in whole or in single octets.  The
 * outcome must not depend on it.
 */

#include "unit.h"

#include <errno.h>
#include <stdio.h>

#include "client/client.h"

struct dialogue {
	const char *name;
	const char *script;
	const char *events;
	struct client_options o;	/* ehlo_name: "me.test" if unset */
	struct client_message m;
	unsigned messages;		/* M is sent so often; 0: once */
	bool none;			/* never */
	const char *text;		/* of M; size and read are filled in */
	uint64_t fail_at;		/* an error at this octet, if not 0 */
	bool short_text;		/* M says one octet more than there is */
};

struct run {
	const struct dialogue *d;
	struct client *c;
	struct buf sent;
	struct buf log;
	unsigned left;
	size_t step;		/* octets of output taken at once */
	size_t cut;		/* where pieces are cut; 0: in single octets */
	size_t longest;		/* the longest piece */
	int inside;		/* events under way */
};

static const char *const dlg_outcomes[] = { "ok", "temp", "perm" };
static const char *const dlg_steps[] = { "greeting", "ehlo", "starttls",
	"auth", "mail", "rcpt", "data", "text", "rset", "quit" };

static void
dlg_reply(struct run *t, const struct reply *r)
{
	buf_addf(&t->log, " %d", r->code);
	if (r->enhanced[0])
		buf_addf(&t->log, " %s", r->enhanced);
	for (size_t i = 0; i < r->text.n; i++) {
		if (i == 0)
			buf_addc(&t->log, ' ');
		buf_addc(&t->log, r->text.p[i] == '\n' ? '|' : r->text.p[i]);
	}
	buf_addc(&t->log, '\n');
}

static void
dlg_event(struct run *t, const char *what)
{
	ck_assert_int_eq(t->inside, 0);
	buf_adds(&t->log, what);
}

static void
dlg_starttls(void *arg)
{
	dlg_event(arg, "starttls\n");
}

static void
dlg_ready(void *arg)
{
	struct run *t = arg;

	dlg_event(t, "ready\n");
	ck_assert(client_ready(t->c));
	if (t->left == 0)
		return;
	t->left--;
	t->inside++;
	client_send(t->c, &t->d->m);
	t->inside--;
}

static void
dlg_rcpt(void *arg, size_t i, enum outcome o, enum client_step step,
    const struct reply *r, bool relayed)
{
	struct run *t = arg;

	dlg_event(t, "rcpt");
	buf_addf(&t->log, " %zu %s %s%s", i, dlg_outcomes[o], dlg_steps[step],
	    relayed ? " dsn" : "");
	dlg_reply(t, r);
}

static void
dlg_end(void *arg)
{
	dlg_event(arg, "end\n");
}

static void
dlg_close(void *arg, enum outcome o, enum client_step step,
    const struct reply *r)
{
	struct run *t = arg;

	dlg_event(t, "close");
	buf_addf(&t->log, " %s %s", dlg_outcomes[o], dlg_steps[step]);
	dlg_reply(t, r);
}

static const struct client_events dlg_events = { dlg_starttls, dlg_ready,
	dlg_rcpt, dlg_end, dlg_close };

static ssize_t
dlg_read(void *arg, uint64_t at, char *p, size_t n)
{
	struct run *t = arg;
	struct str rest = str_skip(str_c(t->d->text), at);

	if (t->d->fail_at > 0 && at >= t->d->fail_at) {
		errno = EIO;
		return -1;
	}
	if (t->d->fail_at > 0)
		n = t->d->fail_at - at;
	rest = str_head(rest, n);
	memcpy(p, rest.p, rest.n);
	return (ssize_t)rest.n;
}

static void
dlg_drain(struct run *t)
{
	struct str out;

	while ((out = client_output(t->c)).n > 0) {
		out = str_head(out, t->step);
		buf_add(&t->sent, out);
		client_sent(t->c, out.n);
	}
}

static void
dlg_feed(struct run *t, struct str bytes)
{
	size_t done = 0;

	if (bytes.n > t->longest)
		t->longest = bytes.n;
	while (done < bytes.n) {
		size_t n = t->cut == 0 ? 1 : done > 0 ? bytes.n : t->cut;
		struct str part = str_head(str_skip(bytes, done), n);
		/* A copy of its own size: what is read beyond it is seen. */
		char *own = malloc(part.n);

		memcpy(own, part.p, part.n);
		client_input(t->c, str_n(own, part.n));
		free(own);
		done += part.n;
		dlg_drain(t);
	}
}

static void
dlg_action(struct run *t, struct str what)
{
	uint64_t ms;

	if (str_eq(what, STR("eof")))
		client_eof(t->c, NULL);
	else if (str_eq(what, STR("reset")))
		client_eof(t->c, "Connection reset by peer");
	else if (str_eq(what, STR("expire")))
		client_expired(t->c);
	else if (str_eq(what, STR("secured")))
		client_secured(t->c, true, NULL);
	else if (str_eq(what, STR("slow")))
		client_secured(t->c, false, NULL);
	else if (str_eq(what, STR("insecure")))
		client_secured(t->c, false, "bad\r\ncertificate");
	else if (str_eq(what, STR("quit")))
		client_quit(t->c);
	else if (str_istarts(what, STR("time ")) &&
	    str_u64(str_skip(what, 5), 1000000, &ms) == 0)
		ck_assert_int_eq(client_timeout(t->c), ms);
	else
		ck_abort_msg("a bad action: %.*s", STR_ARG(what));
	dlg_drain(t);
}

/* Collects the lines of a group, and does it. */
static void
dlg_group(struct run *t, struct str *rest)
{
	char kind = rest->p[0];
	struct buf b;
	struct str line;
	bool more = true;

	buf_init(&b, 1 << 20);
	while (more && rest->n > 0 && (rest->p[0] | 32) == (kind | 32)) {
		bool whole = rest->p[0] < 'a';

		str_cut(*rest, '\n', &line, rest);
		buf_add(&b, str_skip(line, 2));
		if (whole && kind != 'X')
			buf_adds(&b, "\r\n");
		more = kind != 'X';
	}
	if ((kind | 32) == 's') {
		dlg_feed(t, buf_str(&b));
	} else if ((kind | 32) == 'c') {
		ck_str(buf_str(&t->sent), buf_str(&b));
		buf_reset(&t->sent);
	} else {
		dlg_action(t, buf_str(&b));
	}
	buf_free(&b);
}

/* Returns the length of the longest piece. */
static size_t
dlg_once(const struct dialogue *d, size_t cut, size_t step)
{
	struct run t = { .d = d, .cut = cut, .step = step };
	struct str rest = str_c(d->script);
	struct str want = str_c(d->events);

	t.left = d->none ? 0 : d->messages ? d->messages : 1;
	buf_init(&t.sent, 1 << 22);
	buf_init(&t.log, 1 << 22);
	t.c = client_new(&d->o, &dlg_events, &t);
	while (rest.n > 0)
		dlg_group(&t, &rest);
	if (!str_eq(buf_str(&t.log), want) || t.sent.n > 0)
		ck_abort_msg("%s (cut %zu): got\n%sexpected\n%sunread: %.*s",
		    d->name, cut, buf_cstr(&t.log), d->events,
		    STR_ARG(buf_str(&t.sent)));
	client_free(t.c);
	buf_free(&t.sent);
	buf_free(&t.log);
	return t.longest;
}

static void
dialogue_run(const struct dialogue *dialogue)
{
	struct dialogue d = *dialogue;
	size_t longest;

	if (!d.o.ehlo_name)
		d.o.ehlo_name = "me.test";
	d.m.read = dlg_read;
	if (!d.text)
		d.text = "";
	if (d.m.size == 0)
		d.m.size = strlen(d.text) + d.short_text;
	longest = dlg_once(&d, SIZE_MAX, SIZE_MAX);
	dlg_once(&d, SIZE_MAX, 1);
	dlg_once(&d, 0, SIZE_MAX);
	dlg_once(&d, 0, 7);
	if (longest > 2000)
		return;
	for (size_t cut = 1; cut < longest; cut++)
		dlg_once(&d, cut, SIZE_MAX);
}

UNUSED static void
dialogues_run(const struct dialogue *d, size_t n)
{
	for (size_t i = 0; i < n; i++)
		dialogue_run(&d[i]);
}

/* Views for tables: a string literal's length is known to the compiler. */
#define LIT(s) { s, sizeof(s) - 1 }
#define PATH(l, d) { LIT(l), LIT(d) }

#endif
