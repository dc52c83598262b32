/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * expand -- an address that others have the mail of, down to those who get it.
 *
 * Depth first, in the order of the lists.  An address that is met again was
 * dealt with; next to itself ("alice: alice, bob") it means its own mailbox,
 * as everywhere.  If nothing but such a way back is found, it is a loop.  Who
 * is no address of ours is not looked at any more.
 *
 * What is met again costs no memory: an address may stand in lists as often as
 * it likes.
 */

#include "policy/expand.h"

#include "lib/map.h"
#include "lib/mem.h"

/* Those who lead on take memory, too. */
#define MET_MAX (4 * (size_t)EXPAND_MAX)
/* A path, and the lines of tables that may decide on it. */
#define ONE_MAX ((size_t)16 << 20)
/* A target, and what it is. */
#define KEY_MAX (ALIAS_TARGET_LEN_MAX + 8)

struct walk {
	const struct conf *conf;
	const struct userset *users;
	struct mail_facts facts;
	const struct expand_lists *lists;
	struct arena *a;	/* what it comes to, and the way to here */
	struct arena one;	/* the address that is looked at, and its target */
	struct buf key;
	struct expansion *x;
	struct map *met;	/* addresses and files */
	struct path way[EXPAND_DEPTH];
	size_t depth;
	size_t size;
	size_t own;		/* targets that sections have */
	bool back;		/* a list led back to where it was found */
};

static const char by_too_many[] = "the address leads to others by way of too many";

static void list_walk(struct walk *w, const struct alias_list *l);

static void
fail(struct walk *w, const char *status, const char *why)
{
	if (w->x->status != NULL)
		return;
	w->x->status = status;
	w->x->why = why;
}

/* True the first time that what KEY says is met. */
static bool
is_new_key(struct walk *w)
{
	static char met;

	if (map_put(w->met, buf_str(&w->key), &met) != NULL)
		return false;
	if (map_count(w->met) > MET_MAX)
		fail(w, "5.4.6", by_too_many);
	return true;
}

/* The same of TEXT, as KIND. */
static bool
is_new(struct walk *w, char kind, struct str text)
{
	buf_reset(&w->key);
	buf_addc(&w->key, kind);
	buf_add(&w->key, text);
	return is_new_key(w);
}

/* The same of an address; local parts of ours know no case, as domains do not. */
static bool
is_new_address(struct walk *w, char kind, const struct path *p)
{
	buf_reset(&w->key);
	buf_addc(&w->key, kind);
	if (conf_is_local(w->conf, p->domain))
		buf_add_lower(&w->key, p->local);
	else
		buf_add(&w->key, p->local);
	buf_addc(&w->key, '@');
	buf_add_lower(&w->key, p->domain);
	return is_new_key(w);
}

static void
add(struct walk *w, const struct alias_target *t, const struct path *p)
{
	struct expansion *x = w->x;

	if (x->n == EXPAND_MAX) {
		fail(w, "5.4.6", "the address leads to more than 50000 others");
		return;
	}
	if (x->n == w->size) {
		w->size = w->size > 0 ? 2 * w->size : 16;
		x->v = mem_grow(x->v, w->size, sizeof(*x->v));
		x->paths = mem_grow(x->paths, w->size, sizeof(*x->paths));
	}
	x->v[x->n] = *t;
	x->paths[x->n++] = *p;
}

/* ---- addresses ---------------------------------------------------------- */

/* A name alone is one of the domain that it was forwarded from. */
static bool
read_address(struct walk *w, struct str text, struct path *p)
{
	const struct path *from = &w->way[w->depth - 1];
	const char *why;

	/* "\alice": alice and nobody behind; a list of hers would say so too. */
	arena_reset(&w->one);
	why = alias_address(text, &w->one, p);
	if (why == NULL && p->domain.n == 0) {
		p->domain = from->domain;
		why = path_check(p);
	}
	if (why != NULL) {
		fail(w, "5.3.5", arena_printf(w->a, "\"" STR_FMT "\" in the "
		    "list of " STR_FMT " is no address: %s", STR_ARG(text),
		    STR_ARG(from->local), why));
		return false;
	}
	return true;
}

/*
 * Of those on the way to here, all of whom are ours, which P is: 0 none, 1 the
 * last one, else others.
 */
static size_t
on_the_way(const struct walk *w, const struct path *p)
{
	for (size_t i = 0; i < w->depth; i++) {
		const struct path *q = &w->way[w->depth - 1 - i];

		if (str_ieq(q->local, p->local) && str_ieq(q->domain, p->domain))
			return i + 1;
	}
	return 0;
}

/* True if T is the mailbox of an account with a .forward, which is *L. */
static bool
home_of(struct walk *w, const struct target *t, const struct alias_list **l)
{
	const char *why = NULL;

	if (t->kind != TARGET_MAILBOX || w->lists->home == NULL)
		return false;
	switch (w->lists->home(w->lists->arg, t->mailbox, l, &why)) {
	case HOME_FOUND:
		return true;
	case HOME_LATER:
		fail(w, "4.3.0", why);
		break;
	case HOME_WAIT:
		w->x->waits = arena_cstr(w->a, str_c(t->mailbox));
		break;
	case HOME_NONE:
		break;
	}
	return false;
}

/* The section, or the line of its table, may be gone with the next address. */
static void
section_walk(struct walk *w, const struct conf_strs *forward)
{
	struct alias_list own = { .n = forward->n };

	w->own += own.n;
	if (w->own > MET_MAX) {
		fail(w, "5.4.6", by_too_many);
		return;
	}
	own.v = arena_alloc(w->a, own.n * sizeof(*own.v));
	for (size_t i = 0; i < own.n; i++)
		own.v[i].text = arena_str(w->a, str_c(forward->v[i]));
	list_walk(w, &own);
}

static void
address_expand(struct walk *w, const struct path *p, const struct target *t)
{
	const struct alias_list *l;
	const char *why = NULL;

	if (w->depth == EXPAND_DEPTH) {
		fail(w, "5.4.6", "one list leads to another more than ten times");
		return;
	}
	w->way[w->depth++] = *p;
	if (t->kind == TARGET_MAILBOX) {
		if (home_of(w, t, &l))
			list_walk(w, l);
		else
			fail(w, "4.3.0", "the file .forward has changed");
	} else if (t->kind == TARGET_ALIAS) {
		l = w->lists->alias(w->lists->arg, p, &why);
		if (l == NULL)
			fail(w, "4.3.0", why);
		else
			list_walk(w, l);
	} else
		section_walk(w, &t->rule->forward);
	w->depth--;
}

static void
address_walk(struct walk *w, const struct alias_target *given)
{
	const struct alias_list *l;
	struct path p;
	struct target t;
	size_t back;

	if (!read_address(w, given->text, &p))
		return;
	back = on_the_way(w, &p);
	w->back = w->back || back > 1;
	if (back > 1 || !is_new_address(w, back == 1 ? '=' : '@', &p))
		return;
	p = path_copy(w->a, &p);
	t = target_of(w->conf, w->users, &w->facts, &p);
	if (back == 0 && given->text.p[0] != '\\' &&
	    (t.kind == TARGET_FORWARD || t.kind == TARGET_ALIAS))
		address_expand(w, &p, &t);
	else if (back == 0 && given->text.p[0] != '\\' && home_of(w, &t, &l))
		address_expand(w, &p, &t);
	else
		add(w, given, &p);
}

/* ---- lists -------------------------------------------------------------- */

static void
include_walk(struct walk *w, struct str path)
{
	const struct alias_list *l;
	const char *why = NULL;

	if (!is_new(w, '/', path))
		return;
	l = w->lists->include(w->lists->arg, path, &why);
	if (l == NULL) {
		fail(w, "4.3.0", why);
		return;
	}
	/* A file that includes another: as deep as addresses may lead. */
	if (w->depth == EXPAND_DEPTH) {
		fail(w, "5.4.6", "one list leads to another more than ten times");
		return;
	}
	w->way[w->depth] = w->way[w->depth - 1];
	w->depth++;
	list_walk(w, l);
	w->depth--;
}

static void
list_walk(struct walk *w, const struct alias_list *l)
{
	for (size_t i = 0; i < l->n && w->x->status == NULL; i++) {
		const struct alias_target *t = &l->v[i];

		w->x->looked++;
		switch (t->kind) {
		case ALIAS_ADDRESS:
			address_walk(w, t);
			break;
		case ALIAS_INCLUDE:
			include_walk(w, t->text);
			break;
		case ALIAS_PROGRAM:
		case ALIAS_FILE:
			if (is_new(w, t->kind == ALIAS_FILE ? 'f' : '|',
			    t->text))
				add(w, t, &w->way[w->depth - 1]);
			break;
		}
	}
}

/* What grew is put into the arena: it ends with the rest. */
static void
settle(struct walk *w)
{
	struct expansion *x = w->x;
	struct alias_target *v = x->v;
	struct path *paths = x->paths;

	if (x->n > 0) {
		x->v = arena_alloc(w->a, x->n * sizeof(*x->v));
		x->paths = arena_alloc(w->a, x->n * sizeof(*x->paths));
		memcpy(x->v, v, x->n * sizeof(*v));
		memcpy(x->paths, paths, x->n * sizeof(*paths));
	}
	mem_free(v);
	mem_free(paths);
}

void
expand(const struct conf *c, const struct userset *users,
    const struct mail_facts *f, const struct path *p,
    const struct expand_lists *lists, struct arena *a, struct expansion *x)
{
	struct walk w = { .conf = c, .users = users, .facts = *f,
		.lists = lists, .a = a, .x = x, .met = map_new() };
	struct target t;

	arena_init(&w.one, ONE_MAX);
	buf_init(&w.key, KEY_MAX);
	if (f->arena != NULL)
		w.facts.arena = &w.one;
	*x = (struct expansion){ .n = 0 };
	t = target_of(c, users, &w.facts, p);
	address_expand(&w, p, &t);
	if (w.back && x->n == 0)
		fail(&w, "5.4.6", "the address leads to nobody but itself");
	else if (x->n == 0)
		fail(&w, "5.2.4", "the address leads to nobody");
	settle(&w);
	map_free(w.met);
	buf_free(&w.key);
	arena_free(&w.one);
}
