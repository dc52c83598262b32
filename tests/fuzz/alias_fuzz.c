/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Files of aliases and .forward: what comes out of them is within its bounds,
 * and has no octet that could end a line.
 *
 * Parsers: mail/alias.c.
 */

#include "fuzz.h"

#include "mail/alias.h"
#include "mailbox/forward.h"

static void
check_target(const struct alias_target *t)
{
	char part[ALIAS_PART_SIZE];

	check(t->text.n <= ALIAS_TARGET_LEN_MAX && !str_has_ctl(t->text));
	check(t->kind == ALIAS_ADDRESS || t->kind == ALIAS_PROGRAM ||
	    str_starts(t->text, STR("/")));
	if (t->kind == ALIAS_ADDRESS || t->kind == ALIAS_INCLUDE)
		return;
	alias_part(t, part);
	check(alias_part_is_file(str_c(part)) == (t->kind == ALIAS_FILE));
	check(alias_part_is_home(str_c(part)) == t->home);
}

static void
check_line(struct str line, struct arena *a)
{
	struct str name, targets;
	struct alias_target t;

	if (alias_split(line, a, &name, &targets) != NULL)
		return;
	check(name.n > 0 && !str_has_ctl(name));
	while (alias_next(&targets, a, &t) == NULL && t.text.n > 0)
		check_target(&t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str text = str_n((const char *)data, n), rest = text, line;
	int number = 0, next = 0;
	struct alias_list list;
	struct arena a;

	if (n > 65536)
		return 0;
	arena_init(&a, (size_t)256 << 20);
	while (alias_line(&rest, &a, &line, &number, &next)) {
		check(number > 0 && next >= number);
		check_line(line, &a);
	}
	if (forward_parse(text, &a, &list) == NULL)
		for (size_t i = 0; i < list.n; i++)
			check_target(&list.v[i]);
	else
		check(list.n == 0);
	arena_free(&a);
	return 0;
}
