/* SPDX-License-Identifier: GPL-3.0-or-later */

/* program -- command lines: words, facts, and what is neither. */

#include "conf/program.h"

#include "conf_unit.h"

static struct arena a;

START_TEST(words)
{
	static const struct {
		const char *text;
		const char *words[6];
		bool all;
	} t[] = {
		{ "/bin/cat", { "/bin/cat" }, false },
		{ "  /bin/x  -f   ${sender}  ", { "/bin/x", "-f", "${sender}" }, false },
		{ "/bin/x -f$sender '-n a  b' ''", { "/bin/x", "-f$sender", "-n a  b", "" }, false },
		{ "/bin/x -- ${recipients}", { "/bin/x", "--", "${recipients}" }, true },
		{ "'/bin/a b' $$HOME;id", { "/bin/a b", "$$HOME;id" }, false },
	};
	struct conf_strs w;
	const char *why;
	bool all;

	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		size_t n = 0;

		why = program_read(str_c(t[i].text), &a, &w, &all);
		ck_assert_msg(why == NULL, "%s: %s", t[i].text, why);
		for (; n < 6 && t[i].words[n] != NULL; n++)
			ck_assert_str_eq(w.v[n], t[i].words[n]);
		ck_assert_uint_eq(w.n, n);
		ck_assert_int_eq(all, t[i].all);
	}
	arena_free(&a);
}
END_TEST

START_TEST(mistakes)
{
	static const struct {
		const char *text, *why;
	} t[] = {
		{ "", "absolute path" },
		{ "cat", "absolute path" },
		{ "/bin/../cat", "absolute path" },
		{ "${sender}", "absolute path" },
		{ "/bin/${user}", "absolute path" },
		{ "/bin/x 'a", "a quote does not end" },
		{ "/bin/x a$", "a dollar names nothing" },
		{ "/bin/x ${sender", "a dollar names nothing" },
		{ "/bin/x $(id)", "a dollar names nothing" },
		{ "/bin/x ${Sender}", "a dollar names nothing" },
		{ "/bin/x $home", "there is no ${home}" },
		{ "/bin/x a${recipients}", "part of a word" },
		{ "/bin/x $recipients ${user}", "either ${recipients} or" },
		{ "/bin/x a\nb", "control characters" },
	};
	struct conf_strs w;
	bool all;

	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		const char *why = program_read(str_c(t[i].text), &a, &w, &all);

		ck_assert_msg(why != NULL, "taken: %s", t[i].text);
		ck_assert_msg(strstr(why, t[i].why) != NULL, "%s: %s", t[i].text, why);
	}
	arena_free(&a);
}
END_TEST

START_TEST(too_many_words)
{
	struct conf_strs w;
	struct buf b;
	bool all;

	arena_init(&a, 1 << 20);
	buf_init(&b, 1000);
	buf_adds(&b, "/bin/x");
	for (unsigned i = 0; i < 99; i++)
		buf_adds(&b, " y");
	ck_assert_ptr_null(program_read(buf_str(&b), &a, &w, &all));
	ck_assert_uint_eq(w.n, 100);
	buf_adds(&b, " y");
	ck_assert_ptr_nonnull(program_read(buf_str(&b), &a, &w, &all));
	ck_assert_uint_eq(w.n, 0);
	buf_free(&b);
	arena_free(&a);
}
END_TEST

START_TEST(pieces)
{
	struct str rest = STR("-f${sender}:$size$$x"), text;
	enum program_fact fact;

	ck_assert(program_next(&rest, &fact, &text));
	ck_assert_int_eq(fact, PROGRAM_FACTS);
	ck_str(text, STR("-f"));
	ck_assert(program_next(&rest, &fact, &text));
	ck_assert_int_eq(fact, PROGRAM_SENDER);
	ck_assert(program_next(&rest, &fact, &text));
	ck_assert_int_eq(fact, PROGRAM_FACTS);
	ck_str(text, STR(":"));
	ck_assert(program_next(&rest, &fact, &text));
	ck_assert_int_eq(fact, PROGRAM_SIZE);
	ck_assert(program_next(&rest, &fact, &text));
	ck_str(text, STR("$"));
	ck_assert(program_next(&rest, &fact, &text));
	ck_str(text, STR("x"));
	ck_assert(!program_next(&rest, &fact, &text));
}
END_TEST

/* In double quotes, too, ${...} is the message's there, and elsewhere a variable. */
START_TEST(in_the_file)
{
	struct conf *c = must_parse("set(sender, x)\n"
	    "route a { via = \"pipe:/bin/x ${sender} ${recipient}\" }\n"
	    "route b { via = 'pipe:/bin/x ${sender}' }\n"
	    "route c { via = \"error:550 5.1.1 ${sender}\" }\n");

	ck_assert_int_eq(c->routes[0].way.kind, VIA_PIPE);
	ck_assert_str_eq(c->routes[0].way.words.v[1], "${sender}");
	ck_assert_str_eq(c->routes[1].way.words.v[1], "${sender}");
	ck_assert_str_eq(c->routes[2].way.text, "x");
	conf_free(c);
}
END_TEST

/* Their numbers are those of the sections, routes first. */
START_TEST(numbers)
{
	struct conf *c = must_parse("route a { via = \"discard\" }\n"
	    "route b { via = \"pipe:/bin/b\" run-as = \"x\" }\n"
	    "recipient \"c@x\" { discard = true }\n"
	    "recipient \"d@x\" { via = \"pipe:/bin/d ${sender}\" }\n");
	struct program_command p;

	ck_assert_uint_eq(program_commands(c), 4);
	ck_assert(!program_command(c, 0, &p));
	ck_assert(program_command(c, 1, &p));
	ck_assert_str_eq(p.section, "route");
	ck_assert_str_eq(p.pattern, "b");
	ck_assert_str_eq(p.run_as, "x");
	ck_assert_uint_eq(p.way->command, 1);
	ck_assert(!program_command(c, 2, &p));
	ck_assert(program_command(c, 3, &p));
	ck_assert_str_eq(p.section, "recipient");
	ck_assert_str_eq(p.via, "pipe:/bin/d ${sender}");
	ck_assert_str_eq(p.way->words.v[0], "/bin/d");
	ck_assert_uint_eq(p.way->command, 3);
	ck_assert(!program_command(c, 4, &p));
	conf_free(c);
}
END_TEST

UNIT_MAIN("program", words, mistakes, too_many_words, pieces, in_the_file, numbers)
