/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * expand -- recipients whose mail others get: sections that forward, aliases.
 *
 * Who gets it is looked up at each attempt, so that mending a list frees what
 * waits for it.  One address that stands for another costs nothing more.
 * Several have each a fate of their own, which the spool has to remember:
 * then the envelope is written anew, the recipient being dealt with and those
 * who stand for it added behind, each with the word that it is forwarded no
 * further.  A crash before that finds the old envelope, one behind it the new
 * one; nothing was sent on the way.
 */

#include <errno.h>

#include "homes.h"
#include "job.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/map.h"
#include "lib/mem.h"
#include "lists.h"
#include "mail/text.h"
#include "runner.h"

/* Of an envelope, but for what orders may add later. */
#define OCTETS_MAX (ENVELOPE_MAX - 4096U)

/*
 * So many targets of lists are looked at for a message before others have their
 * turn: what different lists have in common is found for each of them anew.
 */
#define LOOKED_MAX 1000000

static const char too_many[] = "the address leads to more others than a message "
			       "can have recipients";

/* Of why somebody gets nothing: there may be as many as there are recipients. */
#define WHY_MAX 500

/* An envelope that is being written anew. */
struct spread {
	struct job *j;
	struct envelope_rcpt *rcpts;
	size_t n, size;
	size_t octets;		/* that the envelope takes with them */
	size_t looked;		/* so many targets of lists were */
	struct map *seen;	/* recipients, but for those whose mail others get */
	struct map *lists;	/* those that were looked at: the first whose it is */
	const struct mail_facts *facts;
	const char *waits;	/* for what homes.c has asked of this account; or NULL */
	int error;
};

/* ---- who takes whose place ---------------------------------------------- */

static void
refuse(struct job *j, size_t rcpt, const char *status, const char *why)
{
	struct job_rcpt *jr = &j->rcpts[rcpt];

	jr->refused = true;
	/* The files that it is about may be read anew before it is said. */
	jr->result = result_words(status[0] == '4' ? TEMPFAIL : PERMFAIL,
	    status, arena_str(&j->arena, str_head(str_c(why), WHY_MAX)));
}

static void
key_make(struct buf *key, const struct envelope_rcpt *rcpt)
{
	buf_init(key, ENVELOPE_MAX);
	buf_add(key, rcpt->path.local);
	buf_addc(key, '@');
	buf_add_lower(key, rcpt->path.domain);
	buf_addc(key, ' ');
	buf_add(key, rcpt->part);
}

/* True the first time: a second copy helps nobody. */
static bool
is_new(struct spread *s, const struct envelope_rcpt *rcpt)
{
	static char seen;
	struct buf key;
	bool new;

	key_make(&key, rcpt);
	new = map_put(s->seen, buf_str(&key), &seen) == NULL;
	buf_free(&key);
	return new;
}

/* The last N recipients are none. */
static void
take_back(struct spread *s, size_t n)
{
	struct buf key;

	for (; n > 0; n--) {
		key_make(&key, &s->rcpts[--s->n]);
		map_del(s->seen, buf_str(&key));
		buf_free(&key);
	}
}

static void
make_room(struct spread *s, size_t more)
{
	struct envelope_rcpt *v;

	if (s->n + more <= s->size)
		return;
	s->size = 2 * (s->n + more);
	v = arena_alloc(&s->j->arena, s->size * sizeof(*v));
	memcpy(v, s->rcpts, s->n * sizeof(*v));
	s->rcpts = v;
}

/*
 * RFC 3461 5.2.7.4 has it that a success is told of the list itself, once it
 * was handed on; of its members only what goes wrong.
 */
static unsigned
notify_of_member(unsigned notify)
{
	if ((notify & NOTIFY_SUCCESS) == 0)
		return notify;
	notify &= ~(unsigned)NOTIFY_SUCCESS;
	return notify != 0 ? notify : NOTIFY_NEVER;
}

static struct str
origin(struct arena *a, const struct path *p)
{
	struct str text = path_str(a, p);
	struct buf b;

	buf_init(&b, 3 * text.n + 1);
	xtext_add(&b, text);
	text = arena_str(a, buf_str(&b));
	buf_free(&b);
	return text;
}

/* What is no address is known by that among the targets of its alias. */
static struct str
part_of(struct arena *a, const struct alias_target *t)
{
	char part[ALIAS_PART_SIZE];

	if (t->kind == ALIAS_ADDRESS)
		return STR("");
	alias_part(t, part);
	return arena_str(a, str_c(part));
}

/*
 * True if the last N recipients have room in the envelope.  What the sender calls
 * the list may be long, and each of many has it: better without than not at all.
 */
static bool
has_room(struct spread *s, size_t n)
{
	struct envelope_rcpt *new = &s->rcpts[s->n - n];
	size_t octets = envelope_rcpts_size(new, n);

	if (s->octets + octets > OCTETS_MAX) {
		for (size_t i = 0; i < n; i++)
			new[i].orcpt = STR("");
		octets = envelope_rcpts_size(new, n);
	}
	if (s->octets + octets > OCTETS_MAX)
		return false;
	s->octets += octets;
	return true;
}

/* The last N recipients stay: until now they were views of what is forgotten. */
static void
keep(struct spread *s, size_t n, struct str of)
{
	struct arena *a = &s->j->arena;

	if (n > 0)
		of = arena_str(a, of);
	for (size_t i = s->n - n; i < s->n; i++) {
		struct envelope_rcpt *r = &s->rcpts[i];

		r->path = path_copy(a, &r->path);
		r->of = of;
		if (r->part.n > 0)
			r->part = arena_str(a, r->part);
	}
}

/* Those who are recipients already, and for whom nobody else stands. */
static void
begin(struct spread *s)
{
	const struct job *j = s->j;

	s->octets = (size_t)j->file.text_at;
	s->seen = map_new();
	for (size_t i = 0; i < j->file.env.rcpt_n; i++)
		if (!j->rcpts[i].forwards)
			(void)is_new(s, &s->rcpts[i]);
}

static void
spread_rcpt(struct spread *s, size_t rcpt, const struct expansion *x,
    struct arena *a)
{
	const struct envelope_rcpt *of = &s->j->file.env.rcpts[rcpt];
	struct envelope_rcpt member = { .state = RCPT_QUEUED,
		.notify = notify_of_member(of->notify), .orcpt = of->orcpt,
		.of = origin(a, &of->path) };
	size_t before = s->n;

	if (s->seen == NULL)
		begin(s);
	make_room(s, x->n);
	for (size_t i = 0; i < x->n; i++) {
		member.path = x->paths[i];
		member.part = part_of(a, &x->v[i]);
		if (is_new(s, &member))
			s->rcpts[s->n++] = member;
	}
	if (has_room(s, s->n - before)) {
		keep(s, s->n - before, member.of);
		s->j->rcpts[rcpt].spreads = true;
		return;
	}
	take_back(s, s->n - before);
	refuse(s->j, rcpt, "5.4.6", too_many);
}

/* What X, in A, says becomes of it. */
static void
decide(struct spread *s, size_t rcpt, const struct expansion *x, struct arena *a)
{
	struct job *j = s->j;
	struct job_rcpt *jr = &j->rcpts[rcpt];

	if (x->waits != NULL)
		s->waits = arena_cstr(&j->arena, str_c(x->waits));
	else if (x->status != NULL)
		refuse(j, rcpt, x->status, x->why);
	else if (x->n == 1) {
		jr->path = path_copy(&j->arena, &x->paths[0]);
		jr->part = part_of(&j->arena, &x->v[0]);
		jr->at_last = true;
		jr->target = NULL;
	} else if (s->n + x->n > ENVELOPE_RCPT_MAX)
		refuse(j, rcpt, "5.4.6", too_many);
	else
		spread_rcpt(s, rcpt, x, a);
}

/* The list that others stand in for recipient RCPT; NULL: it is not there now. */
static const void *
list_of(struct spread *s, size_t rcpt, const struct expand_lists *lists)
{
	const struct target *t = job_target(s->j, rcpt, s->facts);
	const struct alias_list *list = NULL;
	const char *why = NULL;

	if (t->kind == TARGET_FORWARD)
		return t->rule;
	if (t->kind == TARGET_ALIAS)
		return lists->alias(lists->arg, &s->j->rcpts[rcpt].path, &why);
	return lists->home(lists->arg, t->mailbox, &list, &why) == HOME_FOUND ?
	    list : NULL;
}

/* The list, and the domain of the names in it that have none. */
static void
list_key(struct buf *key, const void *list, struct str domain)
{
	buf_init(key, 1024);
	buf_add(key, str_n((const char *)&list, sizeof(list)));
	buf_add_lower(key, domain);
}

/* True if what X comes to is the same whichever name of its list was asked for. */
static bool
is_same_for_all(const struct expansion *x)
{
	if (x->waits != NULL || x->status != NULL)
		return false;
	/* A program is told by which. */
	for (size_t i = 0; i < x->n; i++)
		if (x->v[i].kind != ALIAS_ADDRESS)
			return false;
	return true;
}

/* The same becomes of JR as of FIRST. */
static void
decide_as(struct job_rcpt *jr, const struct job_rcpt *first)
{
	jr->refused = first->refused;
	jr->result = first->result;
	jr->spreads = first->spreads;
	if (!first->at_last)
		return;
	jr->path = first->path;
	jr->part = first->part;
	jr->at_last = true;
	jr->target = NULL;
}

/*
 * A list may have as many names as it likes ("list+1", "list+2" ...): it is gone
 * through once, and what that takes is given back but for who is new.  Who is put
 * off here is looked at again at once where the envelope is written anew, since
 * nothing else of this pass counts then; else at the next attempt, and those
 * before him are through with it.
 */
static void
expand_rcpt(struct spread *s, size_t rcpt, const struct expand_lists *lists)
{
	struct job *j = s->j;
	struct job_rcpt *jr = &j->rcpts[rcpt], *first;
	const void *list = list_of(s, rcpt, lists);
	struct expansion x;
	struct arena a;
	struct buf key;

	if (s->lists == NULL)
		s->lists = map_new();
	list_key(&key, list, jr->path.domain);
	if (list != NULL && (first = map_get(s->lists, buf_str(&key))) != NULL)
		decide_as(jr, first);
	else if (s->looked >= LOOKED_MAX)
		refuse(j, rcpt, "4.5.3", "the message leads to too many others "
		    "to be dealt with at once");
	else {
		arena_init(&a, EXPAND_ARENA);
		expand(j->r->conf, j->r->users, s->facts, &jr->path, lists, &a,
		    &x);
		s->looked += x.looked;
		if (is_same_for_all(&x))
			map_put(s->lists, buf_str(&key), jr);
		decide(s, rcpt, &x, &a);
		arena_free(&a);
	}
	buf_free(&key);
}

/* ---- the envelope, written anew ----------------------------------------- */

/* The list was served: the journal knows it, and who asked will be told. */
static void
settle_rcpt(struct job *j, size_t rcpt, size_t rcpt_n)
{
	struct result res = result_words(DELIVERED, "2.1.5",
	    STR("it was handed on to those who stand for it"));
	struct delays d = job_delays(j, clock_ms(), clock_ms());

	res.relay = STR("alias");
	res.expanded = rcpt_n;
	job_result(j, rcpt, &res, &d);
}

static void
work(void *arg)
{
	struct spread *s = arg;
	struct job *j = s->j;
	struct envelope *e = &j->file.env;

	for (size_t i = 0; i < e->rcpt_n; i++) {
		const struct job_rcpt *jr = &j->rcpts[i];
		struct queue_attempt a = { .time = jr->time, .rcpt = i,
			.relay = jr->result.relay, .reply = jr->result.reply };

		if (!jr->spreads)
			continue;
		memcpy(a.status, jr->result.status, sizeof(a.status));
		if (queue_note(&j->file, &a) < 0)
			log_warn(j->id, "cannot note an attempt: %s",
			    strerror(errno));
		s->rcpts[i].state = bounce_wanted(j, i, DSN_EXPANDED) ?
		    RCPT_SENT : RCPT_DONE;
	}
	e->rcpts = s->rcpts;
	e->rcpt_n = s->n;
	if (queue_rewrite(j->r->queue, &j->file, clock_wall()) < 0)
		s->error = errno;
}

static void
done(void *arg)
{
	struct spread *s = arg;
	struct job *j = s->j;
	struct runner *r = j->r;
	uint32_t slot = j->slot;
	/* Who looks at the tray that it stood in is through with that in a moment. */
	bool busy = s->error == EAGAIN;

	r->finishing--;
	if (s->error != 0 && !busy)
		log_error(j->id, "cannot be given its recipients: %s",
		    strerror(s->error));
	/* The old envelope or the new one: it begins with what stands there. */
	index_wait(r->index, slot, s->error == 0 ? once_now(r) :
		runner_now(r) + (busy ? 1 : 60));
	mem_free(s);
	job_free(j);
}

static void
start(struct spread *s)
{
	struct job *j = s->j;
	for (size_t i = 0; i < j->file.env.rcpt_n; i++)
		if (j->rcpts[i].spreads)
			settle_rcpt(j, i, s->n);
	record_flush(j->r);
	j->r->finishing++;
	loop_pool_run(j->r->disk, work, done, s);
}

/* True if others get the mail of the account whose mailbox T is. */
static bool
has_forward(struct spread *s, size_t rcpt, const struct target *t,
    const struct expand_lists *lists)
{
	const struct alias_list *list;
	const char *why = NULL;

	switch (lists->home(lists->arg, t->mailbox, &list, &why)) {
	case HOME_FOUND:
		return true;
	case HOME_LATER:
		refuse(s->j, rcpt, "4.3.0", why);
		break;
	case HOME_WAIT:
		s->waits = t->mailbox;
		break;
	case HOME_NONE:
		break;
	}
	return false;
}

/* Who is forwarded no more may have his mailbox at home. */
static void
look_at_home(struct spread *s, size_t rcpt, const struct expand_lists *lists)
{
	const struct job_rcpt *jr = &s->j->rcpts[rcpt];
	struct runner *r = s->j->r;
	const struct target *t = job_target(s->j, rcpt, s->facts);

	if (jr->part.n == 0 && t->kind == TARGET_MAILBOX && lists->home != NULL &&
	    r->conf->recipients.home_maildir[0] != '\0')
		(void)has_forward(s, rcpt, t, lists);
}

static void
look_at_rcpt(struct spread *s, size_t rcpt, const struct expand_lists *lists)
{
	struct job_rcpt *jr = &s->j->rcpts[rcpt];
	const struct target *t;

	if (!jr->todo || jr->tried)
		return;
	if (jr->at_last) {
		look_at_home(s, rcpt, lists);
		return;
	}
	t = job_target(s->j, rcpt, s->facts);
	jr->forwards = t->kind == TARGET_FORWARD || t->kind == TARGET_ALIAS ||
	    (t->kind == TARGET_MAILBOX && lists->home != NULL &&
		has_forward(s, rcpt, t, lists));
}

bool
expand_job(struct job *j, const struct mail_facts *f)
{
	const struct conf *c = j->r->conf;
	const struct envelope *e = &j->file.env;
	struct expand_lists lists = lists_of(j->r);
	struct spread s = { .j = j, .facts = f, .n = e->rcpt_n,
		.size = e->rcpt_n, .rcpts = e->rcpts }, *kept;
	bool spreads = false;

	if (c->rule_n == 0 && c->aliases.n == 0 && lists.home == NULL)
		return false;
	homes_begin(j->r, j);
	for (size_t i = 0; i < e->rcpt_n; i++)
		look_at_rcpt(&s, i, &lists);
	for (size_t i = 0; i < e->rcpt_n && s.waits == NULL; i++) {
		if (j->rcpts[i].forwards)
			expand_rcpt(&s, i, &lists);
		if (j->rcpts[i].forwards && j->rcpts[i].at_last)
			look_at_home(&s, i, &lists);
		spreads = spreads || j->rcpts[i].spreads;
	}
	map_free(s.seen);
	map_free(s.lists);
	if (s.waits != NULL) {
		homes_wait(j->r, s.waits, j);
		return true;
	}
	homes_end(j->r, j);
	if (!spreads)
		return false;
	kept = mem_alloc(sizeof(*kept));
	*kept = s;
	kept->facts = NULL;
	kept->seen = kept->lists = NULL;
	start(kept);
	return true;
}
