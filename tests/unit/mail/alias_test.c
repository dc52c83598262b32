/* SPDX-License-Identifier: GPL-3.0-or-later */

/* alias -- lines, names and targets of aliases(5). */

#include "mail/alias.h"
#include "unit.h"

static struct arena arena;

START_TEST(lines)
{
	static const char text[] = "# comment\n\nroot: alice\n"
	    "team:\talice,\n  bob ,\n# among them\n\n\tcarol\n"
	    "   \nlast: x";
	static const struct {
		const char *line;
		int number;
	} want[] = { { "root: alice", 3 }, { "team:\talice, bob , carol", 4 },
		{ "last: x", 10 } };
	struct str rest = str_c(text), line;
	int number, next = 0;

	arena_init(&arena, 1u << 20);
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		ck_assert(alias_line(&rest, &arena, &line, &number, &next));
		ck_str(line, str_c(want[i].line));
		ck_assert_int_eq(number, want[i].number);
	}
	ck_assert(!alias_line(&rest, &arena, &line, &number, &next));
	arena_free(&arena);
}
END_TEST

START_TEST(a_line_that_begins_with_a_blank_is_one)
{
	struct str rest = STR("  root: alice\n"), line;
	int number, next = 0;

	arena_init(&arena, 1u << 20);
	ck_assert(alias_line(&rest, &arena, &line, &number, &next));
	ck_str(line, STR("root: alice"));
	arena_free(&arena);
}
END_TEST

START_TEST(names)
{
	static const struct {
		const char *line, *name, *targets;
	} good[] = {
		{ "root: alice", "root", "alice" },
		{ "root:alice", "root", "alice" },
		{ "root :", "root", "" },
		{ "\"a:b\": c", "a:b", "c" },
		{ "\"a\\\"b\": c", "a\"b", "c" },
		{ "info@example.org: :include:/x", "info@example.org",
		  ":include:/x" },
	};
	static const char *const bad[] = { "root", "", ": x", "\"\": x",
		"\"root: x", "<a: b" };
	struct str name, targets;

	arena_init(&arena, 1u << 20);
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		const char *why = alias_split(str_c(good[i].line), &arena,
		    &name, &targets);

		ck_assert_msg(why == NULL, "%s: %s", good[i].line, why);
		ck_str(name, str_c(good[i].name));
		ck_str(targets, str_c(good[i].targets));
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(alias_split(str_c(bad[i]), &arena, &name,
		    &targets) != NULL, "%s", bad[i]);
	arena_free(&arena);
}
END_TEST

START_TEST(targets)
{
	static const struct {
		const char *list;
		struct { enum alias_kind kind; const char *text; } v[4];
	} rows[] = {
		{ "alice", { { ALIAS_ADDRESS, "alice" } } },
		{ " alice ,, bob,", { { ALIAS_ADDRESS, "alice" },
		    { ALIAS_ADDRESS, "bob" } } },
		{ "\"a, b\"@x.example, c", { { ALIAS_ADDRESS,
		    "\"a, b\"@x.example" }, { ALIAS_ADDRESS, "c" } } },
		{ "Al Ice <alice@x.example> , <bob>", { { ALIAS_ADDRESS,
		    "alice@x.example" }, { ALIAS_ADDRESS, "bob" } } },
		{ "bob (the builder, here)", { { ALIAS_ADDRESS, "bob" } } },
		{ "bob (formerly <old@x.example>), (once <old>) bob", {
		    { ALIAS_ADDRESS, "bob" }, { ALIAS_ADDRESS, "bob" } } },
		{ "\"B. <old>\" <bob> (x), B (<old>) <bob>", {
		    { ALIAS_ADDRESS, "bob" }, { ALIAS_ADDRESS, "bob" } } },
		{ "\\(bob (x)", { { ALIAS_ADDRESS, "\\(bob" } } },
		{ "|/bin/cat -u", { { ALIAS_PROGRAM, "/bin/cat -u" } } },
		{ "\"|/bin/cat a, b\", x", { { ALIAS_PROGRAM,
		    "/bin/cat a, b" }, { ALIAS_ADDRESS, "x" } } },
		{ "|\"/bin/x \\\"q\\\" y\"", { { ALIAS_PROGRAM,
		    "/bin/x \"q\" y" } } },
		{ "/var/mail/archive/, \"/a b\"", { { ALIAS_FILE,
		    "/var/mail/archive/" }, { ALIAS_FILE, "/a b" } } },
		{ ":include:/etc/list, \":include:/a b\"", { { ALIAS_INCLUDE,
		    "/etc/list" }, { ALIAS_INCLUDE, "/a b" } } },
		{ ":INCLUDE: /etc/list", { { ALIAS_INCLUDE, "/etc/list" } } },
		{ "\\alice", { { ALIAS_ADDRESS, "\\alice" } } },
		{ "", { { ALIAS_ADDRESS, NULL } } },
	};

	arena_init(&arena, 1u << 20);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str list = str_c(rows[i].list);
		struct alias_target t;

		for (size_t k = 0; k < 4 && rows[i].v[k].text != NULL; k++) {
			const char *why = alias_next(&list, &arena, &t);

			ck_assert_msg(why == NULL, "%s: %s", rows[i].list, why);
			ck_assert_int_eq(t.kind, rows[i].v[k].kind);
			ck_str(t.text, str_c(rows[i].v[k].text));
		}
		ck_assert_ptr_null(alias_next(&list, &arena, &t));
		ck_assert_uint_eq(t.text.n, 0);
	}
	arena_free(&arena);
}
END_TEST

START_TEST(no_targets)
{
	static const char *const rows[] = { "\"alice", "<alice", "a (b",
		"|", "\"|\"", ":include:", ":include:list", "a\001b", "<>" };

	arena_init(&arena, 1u << 20);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str list = str_c(rows[i]);
		struct alias_target t;

		ck_assert_msg(alias_next(&list, &arena, &t) != NULL, "%s",
		    rows[i]);
	}
	arena_free(&arena);
}
END_TEST

struct names {
	char text[200];
	size_t n, want;
};

static bool
note_name(void *arg, struct str name)
{
	struct names *x = arg;

	memcpy(x->text + x->n, name.p, name.n);
	x->n += name.n;
	x->text[x->n++] = ' ';
	return --x->want == 0;
}

START_TEST(names_of_an_address)
{
	struct path p = { STR("a+b+c"), STR("x.example") };
	struct names x = { .want = 100 };

	ck_assert(!alias_any(STR("+"), &p, note_name, &x));
	ck_assert_str_eq(x.text, "a+b+c@x.example a+b+c a a+b ");
	x = (struct names){ .want = 3 };
	ck_assert(alias_any(STR("+"), &p, note_name, &x));
	ck_assert_str_eq(x.text, "a+b+c@x.example a+b+c a ");
	p.local = STR("a-b+c");
	x = (struct names){ .want = 100 };
	ck_assert(!alias_any(STR("+-"), &p, note_name, &x));
	ck_assert_str_eq(x.text, "a-b+c@x.example a-b+c a a-b ");
	p.local = STR("a+b+c");
	x = (struct names){ .want = 100 };
	ck_assert(!alias_any(STR(""), &p, note_name, &x));
	ck_assert_str_eq(x.text, "a+b+c@x.example a+b+c ");
}
END_TEST

UNIT_MAIN("mail/alias", names_of_an_address, lines, a_line_that_begins_with_a_blank_is_one, names,
    targets, no_targets)
