/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * newaliases -- what the files of aliases say, and what is wrong with them.
 *
 * There is no database to make: the files are read as they are.  So this is a
 * check, by the same code, in the words that callers of other systems know.
 */

#include "cmd.h"

#include <stdio.h>
#include <sysexits.h>

#include "ipc/userset.h"
#include "lib/mem.h"
#include "mailbox/aliases.h"

struct sum {
	size_t n, longest, octets;
};

static void
add_alias(struct sum *s, struct str name, const struct alias_list *list)
{
	size_t octets = 0;

	for (size_t i = 0; i < list->n; i++)
		octets += list->v[i].text.n;
	s->n++;
	s->octets += octets + name.n;
	if (octets > s->longest)
		s->longest = octets;
}

void
cmd_alias_names(struct userset *users, const struct aliases *aliases, struct str user)
{
	const struct alias_list *list;
	size_t n = 1, size = 64, at = 0;
	struct str *names = mem_array(size, sizeof(*names)), name;
	struct arena a;

	arena_init(&a, (size_t)64 << 20);
	names[0] = user;
	while (aliases != NULL && aliases_next(aliases, &at, &name, &list)) {
		if (n == size) {
			size *= 2;
			names = mem_grow(names, size, sizeof(*names));
		}
		names[n++] = str_c(arena_printf(&a, ":" STR_FMT,
		    STR_ARG(name)));
	}
	if (userset_replace(users, names, n) < 0)
		userset_set_any(users, true);
	mem_free(names);
	arena_free(&a);
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

	if (c->aliases.n == 0) {
		fputs("barid.conf names no files of aliases: none is read\n", stderr);
		return EX_OK;
	}
	buf_init(&complaints, 1 << 20);
	a = aliases_load(&c->aliases, true, &complaints);
	while (a != NULL && aliases_next(a, &at, &name, &list))
		add_alias(&s, name, list);
	for (size_t i = 0; i < c->aliases.n; i++)
		printf("%s%s", i > 0 ? ", " : "", c->aliases.v[i]);
	if (a != NULL)
		printf(": %zu aliases, longest %zu bytes, %zu bytes total\n",
		    s.n, s.longest, s.octets);
	else
		printf(": cannot be read\n");
	fputs(buf_cstr(&complaints), stderr);
	code = complaints.n > 0 ? EX_DATAERR : EX_OK;
	aliases_free(a);
	buf_free(&complaints);
	return code;
}
