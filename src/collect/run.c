/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * run -- one look into a mailbox elsewhere: what is new there is fetched and
 * accepted, what may go is deleted.
 *
 * The line may break anywhere.  A server deletes at QUIT and only then (RFC 1939
 * 6), so that what was fetched is there the next time, and known.
 */

#include "collect.h"

#include <errno.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"

/* What was refused is looked at again after so many seconds. */
#define REFUSED_FOR 86400
#define LIST_ARENA ((size_t)256 << 20)

struct looking {
	struct collector *k;
	struct findings *o;
	struct pop pop;
	struct arena arena;
	struct pop_list list;
	char (*marks)[SEEN_MARK_LEN + 1];	/* of each; empty: it has none yet */
	bool *deleted;
	int64_t now;
};

/* ---- up to the login ----------------------------------------------------------------- */

/* Notes what the server said to WHAT; false. */
static bool
refused(struct looking *l, const char *what, enum pop_answer a)
{
	struct findings *o = l->o;

	if (o->why.n > 0)
		return false;
	if (a == POP_LOST)
		buf_add(&o->why, buf_str(&l->pop.why));
	else
		buf_addf(&o->why, "%s: " STR_FMT, what, STR_ARG(buf_str(&l->pop.text)));
	return false;
}

/* RFC 2595 4: who wants it goes no further without it. */
static bool
start_tls(struct looking *l, const struct way *w)
{
	enum pop_answer a = pop_capa(&l->pop);

	if (a == POP_LOST)
		return refused(l, "CAPA", a);
	if ((l->pop.can & POP_CAPA) != 0 && (l->pop.can & POP_STLS) == 0) {
		buf_adds(&l->o->why, "it offers no STLS, and nothing is fetched without TLS");
		return false;
	}
	if ((a = pop_command(&l->pop, "STLS")) != POP_OK)
		return refused(l, "it refuses STLS", a);
	return w->secure(w->arg, pop_deadline(&l->pop), &l->o->why);
}

static bool
log_in(struct looking *l, bool safe)
{
	const struct conf_collect *of = l->k->of;
	unsigned mechanisms = of->auth.n > 0 ? 0 : POP_LOGINS;
	enum pop_answer a;

	for (size_t i = 0; i < of->auth.n; i++)
		mechanisms |= pop_mechanism(of->auth.v[i]);
	/* What it said before TLS may have been anybody's. */
	if ((a = pop_capa(&l->pop)) == POP_LOST)
		return refused(l, "CAPA", a);
	a = pop_login(&l->pop, of->user, of->password, mechanisms, safe);
	return a == POP_OK || refused(l, "the login is refused", a);
}

static bool
enter(struct looking *l, const struct way *w)
{
	enum pop_answer a;

	if (l->k->of->tls == COLLECT_POP3S &&
	    !w->secure(w->arg, pop_deadline(&l->pop), &l->o->why))
		return false;
	if ((a = pop_greeting(&l->pop)) != POP_OK)
		return refused(l, "it greets with", a);
	if (l->k->of->tls == COLLECT_STLS && !start_tls(l, w))
		return false;
	return log_in(l, l->k->of->tls != COLLECT_CLEAR);
}

/* ---- what is there ------------------------------------------------------------------- */

static bool
look(struct looking *l)
{
	const struct conf_collect *of = l->k->of;
	enum pop_answer a = pop_list(&l->pop, &l->arena, &l->list);
	struct seen_entry *e;

	if (a != POP_OK)
		return refused(l, "LIST", a);
	l->o->left = l->list.n;
	if (l->list.nameless == l->list.n && l->list.n > 0 && of->keep_ms != 0) {
		buf_adds(&l->o->why, "it has no UIDL, by which what stays there "
		    "would be known: expected keep = false");
		return false;
	}
	l->marks = arena_alloc(&l->arena, (l->list.n + 1) * sizeof(*l->marks));
	l->deleted = arena_alloc(&l->arena, l->list.n + 1);
	for (size_t i = 0; i < l->list.n; i++) {
		if (l->list.v[i].uidl.n == 0)
			continue;
		if (!seen_mark("uidl", of->server, of->user, l->list.v[i].uidl,
			l->marks[i])) {
			buf_adds(&l->o->why, "OpenSSL has no SHA-256");
			return false;
		}
		if ((e = seen_find(l->k->seen, l->marks[i])) != NULL)
			e->listed = true;
	}
	return true;
}

/* ---- messages ------------------------------------------------------------------------ */

/* False: the line is lost. */
static bool
delete(struct looking *l, size_t i)
{
	enum pop_answer a = pop_command(&l->pop, "DELE %u",
	    (unsigned)l->list.v[i].number);

	if (a == POP_LOST)
		return refused(l, "DELE", a);
	if (a == POP_OK) {
		l->deleted[i] = true;
		l->o->deleted++;
	}
	return true;
}

/* True if what was taken at SINCE need not be there any more. */
static bool
may_go(const struct looking *l, int64_t since)
{
	int64_t keep = l->k->of->keep_ms;

	return keep != COLLECT_KEEP_ALL && l->now - since >= keep / 1000;
}

static void
refuse(struct looking *l, size_t i, const char *why)
{
	const struct pop_message *m = &l->list.v[i];

	l->o->refused++;
	log_warn(NULL, "collect %s: message %u (UIDL " STR_FMT ", %llu octets) stays "
	    "there: %s", l->k->of->name, (unsigned)m->number, STR_ARG(m->uidl),
	    (unsigned long long)m->size, why);
}

/* So that it is not fetched in vain each time. */
static void
remember_refused(struct looking *l, size_t i)
{
	if (l->marks[i][0] != '\0' &&
	    seen_add(l->k->seen, l->marks[i], SEEN_REFUSED, l->now) < 0)
		log_warn(NULL, "collect %s: what is refused is not remembered: %s",
		    l->k->of->name, strerror(errno));
}

static bool
cannot_store(struct looking *l)
{
	if (l->o->why.n == 0)
		buf_addf(&l->o->why, "a message cannot be stored: %s", strerror(errno));
	return false;
}

static bool
settle(struct looking *l, size_t i, struct message *m)
{
	struct buf why;
	uint64_t octets;
	enum message_end end;

	buf_init(&why, WHY_MAX);
	end = message_end(m, &octets, &why);
	if (end == MESSAGE_TAKEN) {
		l->o->fetched++;
		l->o->octets += octets;
	} else if (end == MESSAGE_REFUSED) {
		refuse(l, i, buf_cstr(&why));
		remember_refused(l, i);
	}
	buf_free(&why);
	if (end == MESSAGE_ERROR)
		return cannot_store(l);
	return end == MESSAGE_REFUSED || !may_go(l, l->now) || delete(l, i);
}

/* False: nothing more can be done on this line. */
static bool
fetch(struct looking *l, size_t i)
{
	const struct pop_message *m = &l->list.v[i];
	const struct conf_collect *of = l->k->of;
	struct message *message;

	if (m->size > of->message_size) {
		refuse(l, i, "it is too large");
		return true;
	}
	if (queue_space(l->k->queue, m->size) < 0)
		return cannot_store(l);
	message = message_begin(l->k, l->marks[i]);
	switch (pop_retrieve(&l->pop, m->number, of->message_size, message_add, message)) {
	case TEXT_WHOLE:
		return settle(l, i, message);
	case TEXT_REFUSED:
		message_abort(message);
		refuse(l, i, buf_cstr(&l->pop.text));
		return true;
	case TEXT_TOO_LARGE:
		message_abort(message);
		refuse(l, i, "it is larger than the server says");
		remember_refused(l, i);
		return refused(l, "RETR", POP_LOST);
	case TEXT_UNWANTED:
		/* Why not is errno's, by the same way as of one that is whole. */
		return settle(l, i, message);
	case TEXT_LOST:
		break;
	}
	message_abort(message);
	return refused(l, "RETR", POP_LOST);
}

/* What is known stays, goes, or is tried again.  False: as fetch(). */
static bool
deal_with(struct looking *l, size_t i)
{
	const struct seen_entry *e = l->marks[i][0] != '\0' ?
	    seen_find(l->k->seen, l->marks[i]) : NULL;

	if (e == NULL)
		return fetch(l, i);
	if (e->kind == SEEN_TAKEN)
		return !may_go(l, e->since) || delete(l, i);
	if (l->now - e->since < REFUSED_FOR) {
		l->o->refused++;
		return true;
	}
	return fetch(l, i);
}

static bool
is_enough(const struct looking *l)
{
	const struct conf_collect *of = l->k->of;

	return l->o->fetched >= of->messages ||
	    (of->octets > 0 && l->o->octets >= of->octets);
}

/* ---- the end ------------------------------------------------------------------------- */

/* What is deleted for certain need not be remembered: its UIDL may be used again. */
static void
leave(struct looking *l)
{
	enum pop_answer a = pop_command(&l->pop, "QUIT");

	if (a != POP_OK) {
		(void)refused(l, "QUIT", a);
		l->o->deleted = 0;
		return;
	}
	l->o->left -= l->o->deleted;
	for (size_t i = 0; i < l->list.n; i++)
		if (l->deleted[i] && l->marks[i][0] != '\0')
			seen_forget(l->k->seen, l->marks[i]);
}

static void
remember(struct looking *l)
{
	if (seen_settle(l->k->seen, l->now) < 0)
		log_warn(NULL, "collect %s: what was seen cannot be written: %s",
		    l->k->of->name, strerror(errno));
}

void
run(struct collector *k, const struct way *w, struct findings *o)
{
	struct looking l = { .k = k, .o = o, .now = clock_wall() };
	bool good = true;

	arena_init(&l.arena, LIST_ARENA);
	pop_init(&l.pop, w->stream, k->of->timeout, clock_ms() + k->of->run_time);
	if (enter(&l, w) && look(&l)) {
		for (size_t i = 0; i < l.list.n && good && !is_enough(&l); i++)
			good = deal_with(&l, i);
		leave(&l);
		remember(&l);
	} else if (l.pop.why.n == 0) {
		/* It need not be heard. */
		(void)pop_command(&l.pop, "QUIT");
	}
	pop_free(&l.pop);
	arena_free(&l.arena);
}
