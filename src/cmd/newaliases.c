/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * newaliases -- what the files of aliases say, and what is wrong with them.
 *
 * There is no database to make: the files are read as they are.  So this is a
 * check, by the same code and down to each address, in the words that callers
 * of other systems know.
 */

#include "cmd.h"

#include <stdio.h>
#include <sysexits.h>

#include "mailbox/aliases.h"

struct sum {
	size_t n, longest, octets;
};

/* What only shows when mail comes: an address that is none. */
static void
check_target(struct str name, const struct alias_target *t, struct arena *a,
    struct buf *complaints)
{
	struct str text = t->text;
	struct path p;
	const char *why;

	if (t->kind != ALIAS_ADDRESS)
		return;
	if (str_starts(text, STR("\\")))
		text = str_skip(text, 1);
	why = path_parse_addr(text, PATH_BARE | PATH_UTF8, a, &p);
	if (why != NULL)
		buf_addf(complaints, STR_FMT ": \"" STR_FMT "\" is no address: "
		    "%s\n", STR_ARG(name), STR_ARG(text), why);
}

static void
add_alias(struct sum *s, struct str name, const struct alias_list *list,
    struct buf *complaints)
{
	struct arena a;
	size_t octets = 0;

	arena_init(&a, (size_t)64 << 20);
	for (size_t i = 0; i < list->n; i++) {
		check_target(name, &list->v[i], &a, complaints);
		arena_reset(&a);
		octets += list->v[i].text.n;
	}
	arena_free(&a);
	s->n++;
	s->octets += octets + name.n;
	if (octets > s->longest)
		s->longest = octets;
}

int
cmd_newaliases(const struct conf *c)
{
	const struct alias_list *list;
	struct buf complaints;
	struct sum s = { 0 };
	struct aliases *a;
	struct str name;
	size_t at = 0;
	int code;

	buf_init(&complaints, 1 << 20);
	a = aliases_load(&c->aliases, true, &complaints);
	while (a != NULL && aliases_next(a, &at, &name, &list))
		add_alias(&s, name, list, &complaints);
	for (size_t i = 0; i < c->aliases.n; i++)
		printf("%s%s", i > 0 ? ", " : "", c->aliases.v[i]);
	if (a != NULL && c->aliases.n > 0)
		printf(": %zu aliases, longest %zu bytes, %zu bytes total\n",
		    s.n, s.longest, s.octets);
	else if (c->aliases.n > 0)
		printf(": cannot be read\n");
	fputs(buf_cstr(&complaints), stderr);
	code = complaints.n > 0 ? EX_DATAERR : EX_OK;
	aliases_free(a);
	buf_free(&complaints);
	return code;
}
