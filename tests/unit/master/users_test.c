/* SPDX-License-Identifier: GPL-3.0-or-later */

/* users_test -- the names of a configuration, as many as there may be and more. */

#include "master/users.h"

#include "ipc/userset.h"
#include "lib/mem.h"
#include "mailbox/members.h"
#include "master/master.h"
#include "scratch.h"
#include "with_conf.h"

static char dir[SCRATCH_SIZE];

static void
enter(void)
{
	scratch_begin_fast(dir);
}

static void
leave(void)
{
	scratch_end(dir);
}

/* The caller's, to be freed; with one "%s" for the directory. */
static struct conf *
conf_of(const char *text)
{
	struct buf b;

	buf_init(&b, 8192);
	for (const char *at; (at = strstr(text, "%s")); text = at + 2)
		buf_addf(&b, "%.*s%s", (int)(at - text), text, dir);
	buf_addf(&b, "%s", text);
	struct conf *c = with_conf(buf_cstr(&b));
	buf_free(&b);
	return c;
}

/* N lines in the file NAME: a number of DIGITS between BEFORE and BEHIND. */
static void
put_lines(const char *name, const char *before, int digits, const char *behind, size_t n)
{
	struct buf path;

	buf_init(&path, 200);
	buf_addf(&path, "%s/%s", dir, name);
	FILE *f = fopen(buf_cstr(&path), "w");
	ck_assert_ptr_nonnull(f);
	for (size_t i = 0; i < n; i++)
		ck_assert_int_gt(fprintf(f, "%s%0*zu%s\n", before, digits, i, behind), 0);
	ck_assert_int_eq(fclose(f), 0);
	buf_free(&path);
}

/* A list may have so many members, and there may be more than one. */
START_TEST(large_lists)
{
	struct buf error;
	struct master *m = mem_alloc(sizeof(*m));
	struct conf *c = conf_of("list \"a\" { address = \"a@e.example\" members = \"%s/m\" return-path = \"o@e.example\" }\n"
				 "list \"b\" { address = \"b@e.example\" members = \"%s/m\" return-path = \"o@e.example\" }\n");

	put_lines("m", "m", 6, "@e.example", MEMBERS_MAX);
	buf_init(&error, 65536);
	struct check k = { .conf = c, .error = &error };
	struct names *names = users_read(&k);
	ck_assert_msg(names != NULL, "%s", buf_cstr(&error));
	*m = (struct master){ .conf = c, .users = userset_new() };
	users_in_force(m, names);
	ck_assert(userset_has_member(m->users, STR("a"), STR("m000000@e.example")));
	ck_assert(userset_has_member(m->users, STR("b"), STR("m499999@e.example")));
	ck_assert(!userset_has_member(m->users, STR("b"), STR("m500000@e.example")));
	users_free(names);
	userset_free(m->users);
	mem_free(m);
	conf_free(c);
	buf_free(&error);
}
END_TEST

/* More than the shared set takes: nothing of it is in force, and it is said how much it is. */
START_TEST(too_many)
{
	struct buf error;
	struct conf *c = conf_of("auth { backends = {\"file://%s/users\"} }\n");

	put_lines("users", "", 64, ":x", USERSET_OCTETS_MAX / (5 + 2 * 64) + 1);
	buf_init(&error, 65536);
	struct check k = { .conf = c, .error = &error };
	ck_assert_ptr_null(users_read(&k));
	ck_assert_ptr_nonnull(strstr(buf_cstr(&error), "recipients.mailboxes (default): the names "
	    "of users, aliases and members of lists come to 64 MiB, expected 63 MiB or less"));
	conf_free(c);
	buf_free(&error);
}
END_TEST

int
main(void)
{
	TCase *t = UNIT_CASE("users", large_lists, too_many);

	tcase_add_checked_fixture(t, enter, leave);
	return unit_run("users", t);
}
