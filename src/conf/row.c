/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * row -- what a line of the table of a section recipient says.
 *
 * A line is a section of its own for the addresses of its key: it gives them a
 * mailbox, other addresses, a refusal or a way out.  It is read when the table is,
 * to know what is wrong with it, and again for each address that it decides, so
 * that a large table costs little memory.  What runs as somebody or is a file of
 * this host is the configuration's alone to say: no line names a program or a
 * Maildir.
 */

#include "lib/name.h"

#include "private.h"
#include "recipients.h"

#define MAILBOX "mailbox:"
#define REJECT "reject:"
#define VIA "via:"

/* What stands behind WORD in TO. */
static bool
is_behind(struct str to, const char *word, struct str *rest)
{
	if (!str_istarts(to, str_c(word)))
		return false;
	*rest = str_trim(str_skip(to, strlen(word)));
	return true;
}

static const char *
read_mailbox(struct str name, struct arena *a, struct conf_recipient *r)
{
	if (!name_is_plain(name))
		return "names no mailbox, expected \"mailbox:\" and 1 to 64 letters, "
		       "digits and any of \"._=+@-\", the first of them neither "
		       "\".\" nor \"-\"";
	r->kind = RULE_MAILBOX;
	r->mailbox = arena_cstr(a, name);
	return NULL;
}

static const char *
read_way(const struct conf *c, const char *via, struct arena *a, struct conf_recipient *r)
{
	const char *why = conf_via_read(c, via, TLS_MAY, a, &r->way);

	if (why == NULL && r->way.kind == VIA_MAILDIR)
		why = "a Maildir, which only a section can name";
	r->kind = RULE_WAY;
	r->via = via;
	return why == NULL ? NULL : arena_printf(a, "leads nowhere: %s", why);
}

static const char *
read_reject(const struct conf *c, struct str reply, struct arena *a, struct conf_recipient *r)
{
	const char *via = arena_printf(a, "error:" STR_FMT, STR_ARG(reply));

	if (read_way(c, via, a, r) != NULL)
		return "is no refusal, expected a reply such as \"reject:550 5.1.1 "
		       "nobody reads this\", with a code from 400 to 599";
	r->reject = arena_cstr(a, reply);
	return NULL;
}

static bool
is_between(char c)
{
	return c == ',' || c == ' ' || c == '\t';
}

/* The next address of *REST; empty: there is none. */
static struct str
next_address(struct str *rest)
{
	struct str s;
	size_t n = 0;

	while (rest->n > 0 && is_between(rest->p[0]))
		*rest = str_skip(*rest, 1);
	while (n < rest->n && !is_between(rest->p[n]))
		n++;
	s = str_head(*rest, n);
	*rest = str_skip(*rest, n);
	return s;
}

/*
 * A name alone is one of the domain that it stands for.  A program or a file, as an
 * alias may have it, is refused, though it could be a local part.
 */
static bool
is_target(struct str s, struct arena *a)
{
	return s.p[0] != '|' && s.p[0] != '/' && conf_name_is_mailbox(str_find(s, '@') >= 0 ? s :
	    str_c(arena_printf(a, STR_FMT "@example.org", STR_ARG(s))));
}

static const char *
read_addresses(struct str to, struct arena *a, struct conf_recipient *r)
{
	struct str rest = to, s;
	size_t n = 0;

	while (next_address(&rest).n > 0)
		n++;
	if (n == 0)
		return "has nothing behind it, expected addresses, \"mailbox:name\", "
		       "\"reject:reply\", \"discard\" or \"via:way\"";
	if (n > CONF_FORWARD_MAX)
		return "has more than 1000 addresses";
	r->kind = RULE_FORWARD;
	r->forward.v = arena_alloc(a, n * sizeof(*r->forward.v));
	while ((s = next_address(&to)).n > 0) {
		if (!is_target(s, a))
			return arena_printf(a, "has \"" STR_FMT "\", which is no "
			    "address, expected addresses, \"mailbox:name\", "
			    "\"reject:reply\", \"discard\" or \"via:way\"",
			    STR_ARG(str_head(s, 200)));
		r->forward.v[r->forward.n++] = arena_cstr(a, s);
	}
	return NULL;
}

static const char *
row_read(const struct conf *c, struct str to, struct arena *a, struct conf_recipient *r)
{
	struct str rest;

	*r = (struct conf_recipient){ .pattern = "", .mailbox = "", .reject = "",
		.via = "", .list = "", .run_as = "", .table = "" };
	if (is_behind(to, MAILBOX, &rest))
		return read_mailbox(rest, a, r);
	if (is_behind(to, REJECT, &rest))
		return read_reject(c, rest, a, r);
	if (is_behind(to, VIA, &rest))
		return read_way(c, arena_cstr(a, rest), a, r);
	r->discard = str_ieq(to, STR("discard"));
	if (r->discard)
		return read_way(c, "discard", a, r);
	return read_addresses(to, a, r);
}

const char *
conf_row_take(const struct conf *c, struct arena *a, struct str *to)
{
	struct conf_recipient r;

	return row_read(c, *to, a, &r);
}

const struct conf_recipient *
conf_row(const struct conf *c, const struct conf_recipient *section,
    const struct conf_table_entry *e, struct arena *a)
{
	struct conf_recipient *r = arena_alloc(a, sizeof(*r));

	if (row_read(c, str_c(e->to), a, r) != NULL)
		r->kind = RULE_NONE;	/* it was checked */
	r->pattern = section->pattern;
	r->table = section->table;
	r->place = (struct conf_place){ section->table, e->line };
	r->all = e->all;
	r->last = r->all && r->kind != RULE_WAY;
	return r;
}
