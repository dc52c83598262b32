/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * explain_lists -- whom an address leads to that others stand for.
 *
 * The files of aliases are read here as the runner reads them, by whoever
 * asks: what that user may not read is said.
 */

#include "explain.h"

#include <pwd.h>

#include "lib/mem.h"
#include "mailbox/aliases.h"
#include "mailbox/forward.h"
#include "mailbox/person.h"
#include "policy/expand.h"

/* More would be no explanation. */
#define SHOWN_MAX 100

/* The files, once; what is wrong with them is said then. */
static void
open_lists(struct explain *x)
{
	struct conf_place place = conf_where(x->conf, &x->conf->aliases,
	    CONF_NOWHERE);
	struct str rest, line;
	struct buf complaints;

	if (x->aliases != NULL || x->conf->aliases.n == 0)
		return;
	buf_init(&complaints, 65536);
	x->aliases = aliases_load(&x->conf->aliases, true, &complaints);
	rest = buf_str(&complaints);
	while (rest.n > 0) {
		str_cut(rest, '\n', &line, &rest);
		explain_say(x, "aliases", place, STR_FMT, STR_ARG(line));
	}
	buf_free(&complaints);
}

void
explain_users(struct explain *x, struct userset *users, struct str user)
{
	open_lists(x);
	cmd_alias_names(users, x->aliases, user);
}

static const struct alias_list *
find_alias(void *arg, const struct path *p, const char **why)
{
	const struct explain *x = arg;

	*why = "the files of aliases cannot be read";
	return x->aliases == NULL ? NULL : aliases_of(x->aliases,
	    str_c(x->conf->recipients.subaddress), p);
}

static const struct alias_list *
find_include(void *arg, struct str path, const char **why)
{
	const struct explain *x = arg;

	return aliases_include(x->aliases, path, why);
}

/* Whose it is: see spawn/work.c, which does the same as root. */
static void
say_part(struct explain *x, const struct alias_target *t)
{
	const char *what = t->kind == ALIAS_FILE ? "file" : "program";
	const char *as = x->conf->recipients.run_as;
	struct conf_place where = conf_where(x->conf,
	    &x->conf->recipients.run_as, CONF_NOWHERE);
	const struct passwd *pw = t->owner != 0 ? getpwuid(t->owner) : NULL;

	if (t->home)
		explain_say(x, what, CONF_NOWHERE, STR_FMT ", as whose "
		    FORWARD_NAME " it is", STR_ARG(t->text));
	else if (as[0] == '\0')
		explain_say(x, what, where, STR_FMT ": refused, mail to a %s "
		    "is restricted", STR_ARG(t->text),
		    t->kind == ALIAS_FILE ? "file" : "command");
	else if (t->owner != 0 && pw == NULL)
		explain_say(x, what, where, STR_FMT ": nobody has the uid %u "
		    "of its file: it waits", STR_ARG(t->text), t->owner);
	else
		explain_say(x, what, where, STR_FMT ", as \"%s\"",
		    STR_ARG(t->text), pw != NULL ? pw->pw_name : as);
}

/*
 * The barid that runs reads it as the account; here it is read by whoever asks.  One
 * that is wrong, which WHY says then, or leads to nobody, is none.
 */
static enum forward_state
read_forward(const struct explain *x, const struct passwd *pw, struct arena *a,
    struct alias_list *list, const char **why)
{
	enum forward_state state = FORWARD_NONE;
	struct buf text;

	*why = NULL;
	list->n = 0;
	if (pw == NULL || !conf_has_homes(x->conf) || !x->conf->recipients.forward)
		return FORWARD_NONE;
	buf_init(&text, FORWARD_MAX);
	state = forward_read(pw->pw_dir, pw->pw_uid, &text, why);
	if (state == FORWARD_FOUND)
		*why = forward_parse(arena_str(a, buf_str(&text)), a, list);
	buf_free(&text);
	return state == FORWARD_FOUND && list->n == 0 ? FORWARD_NONE : state;
}

bool
explain_forward(struct explain *x, const struct target *t)
{
	const struct passwd *pw = getpwnam(t->mailbox);
	enum forward_state state;
	struct alias_list list;
	struct arena a;
	const char *why;

	arena_init(&a, EXPAND_ARENA);
	state = read_forward(x, pw, &a, &list, &why);
	if (why != NULL)
		explain_say(x, "forward", CONF_NOWHERE, "%s/" FORWARD_NAME
		    ": %s", pw->pw_dir, why);
	arena_free(&a);
	return state == FORWARD_FOUND;
}

const char *
explain_home(const struct explain *x, const struct target *t, struct arena *a)
{
	const struct passwd *pw;

	if (!conf_has_home_maildirs(x->conf))
		return NULL;
	pw = getpwnam(t->mailbox);
	/* For the barid that runs, whoever asks here. */
	if (pw == NULL || pw->pw_uid < PERSON_UID_MIN || pw->pw_uid > PERSON_UID_MAX)
		return NULL;
	return arena_printf(a, "%s/%s", pw->pw_dir,
	    x->conf->recipients.home_maildir);
}

static enum expand_home
find_home(void *arg, const char *mailbox, const struct alias_list **list,
    const char **why)
{
	struct explain *x = arg;
	struct alias_list *l = arena_alloc(x->lists, sizeof(*l));
	*list = l;
	switch (read_forward(x, getpwnam(mailbox), x->lists, l, why)) {
	case FORWARD_FOUND:
		return HOME_FOUND;
	case FORWARD_LATER:
		return HOME_LATER;
	case FORWARD_NONE:
		break;
	}
	return HOME_NONE;
}

void
explain_lists(struct explain *x, const struct userset *users,
    const struct path *p)
{
	struct expand_lists lists = { find_alias, find_include, find_home, x };
	struct expansion e;
	struct arena a;

	arena_init(&a, 2 * EXPAND_ARENA);
	x->lists = &a;
	expand(x->conf, users, &x->facts, p, &lists, &a, &e);
	if (e.status != NULL)
		explain_say(x, "list", CONF_NOWHERE, "%s %s", e.status, e.why);
	for (size_t i = 0; e.status == NULL && i < e.n; i++) {
		if (i == SHOWN_MAX) {
			explain_say(x, "list", CONF_NOWHERE, "and %zu others",
			    e.n - i);
			break;
		}
		if (e.v[i].kind == ALIAS_ADDRESS)
			explain_rcpt(x, &e.paths[i], true);
		else
			say_part(x, &e.v[i]);
	}
	x->lists = NULL;
	arena_free(&a);
}

void
explain_lists_free(struct explain *x)
{
	aliases_free(x->aliases);
	x->aliases = NULL;
}
