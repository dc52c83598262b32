/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Files of addresses and what they become. */

#include "conf/table.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf_unit.h"

static char path[64];
static struct buf said;
static struct conf *conf;

static struct conf_table *
table_of(const char *text, conf_table_take *take)
{
	FILE *f;

	strcpy(path, "/tmp/barid-table-XXXXXX");
	close(mkstemp(path));
	f = fopen(path, "w");
	fputs(text, f);
	fclose(f);
	buf_init(&said, 100000);
	if (conf == NULL)
		conf = must_parse("domains = {'home.test'}\n");
	return conf_table_read(conf, path, take, &said);
}

static struct conf_table *
table(const char *text)
{
	return table_of(text, conf_table_address);
}

static void
done(struct conf_table *t)
{
	conf_table_free(t);
	buf_free(&said);
	unlink(path);
}

START_TEST(finds)
{
	static const struct {
		const char *local, *domain;
		bool ours;
		const char *to, *at, *detail;
		int line;
	} t[] = {
		{ "bob", "x.test", false, "robert", "x.test", "", 2 },
		{ "BOB", "X.Test", false, "robert", "x.test", "", 2 },
		{ "bob+news", "x.test", false, "robert", "x.test", "+news", 2 },
		{ "bob+spam", "x.test", false, "trash", "home.test", "", 4 },
		{ "eve", "x.test", false, "", "y.test", "", 5 },
		{ "eve+a", "x.test", false, "", "y.test", "", 5 },
		{ "root", "x.test", true, "admin", "x.test", "", 7 },
		{ "root+cron", "x.test", true, "admin", "x.test", "+cron", 7 },
		{ "root", "x.test", false, "", "y.test", "", 5 },
		{ "root", "z.test", false, NULL, NULL, NULL, 0 },
		{ "long", "z.test", false, "a", "b.test", "", 8 },
		{ "", "z.test", false, NULL, NULL, NULL, 0 },
	};
	struct conf_table *x = table("# comment\nBob@x.test\trobert@x.test\n\nbob+spam@x.test trash\n"
				     "@x.test   @y.test\n  # another\nroot admin@x.test\nlong@z.test\n\n# amid\n  a@b.test\n");

	ck_assert_ptr_nonnull(x);
	ck_str(buf_str(&said), STR(""));
	ck_assert_uint_eq(conf_table_count(x), 5);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct str detail, local, domain;
		const struct conf_table_entry *e = conf_table_find(x, str_c(t[i].local), str_c(t[i].domain),
		    t[i].ours, STR("+"), &detail);

		ck_assert_msg((e != NULL) == (t[i].to != NULL), "%s@%s", t[i].local, t[i].domain);
		if (e == NULL)
			continue;
		conf_table_halves(e, &local, &domain);
		ck_str(local, str_c(t[i].to));
		ck_str(domain, str_c(t[i].at));
		ck_assert_int_eq(e->all, e->line == 5);
		ck_str(detail, str_c(t[i].detail));
		ck_assert_int_eq(e->line, t[i].line);
	}
	done(x);
}
END_TEST

START_TEST(mistakes)
{
	static const struct {
		const char *text, *want;
	} t[] = {
		{ "a@x.test\n", ":1: \"a@x.test\" has nothing behind it, expected an address\n" },
		{ "b c@x.test\na@x.test b@x.test c@x.test\n", ":2: \"b@x.test c@x.test\" is no address, expected one" },
		{ "a@ b@x.test\n", ":1: \"a@\" is no key, expected " },
		{ "a@x.test b@\n", ":1: \"b@\" is no address" },
		{ "a@x.test b@x_y..test\n", ":1: \"b@x_y..test\" is no address" },
		{ "a@x.test b@x.test\nA@X.test c@x.test\n", ":2: \"a@x.test\" stands there before" },
		{ "\n<a@x.test> b\n", ":2: \"<a@x.test>\" is no key" },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct conf_table *x = table(t[i].text);

		ck_assert_ptr_nonnull(x);
		ck_assert_msg(strstr(buf_cstr(&said), t[i].want) != NULL, "%s", buf_cstr(&said));
		ck_assert(str_starts(buf_str(&said), str_c(path)));
		done(x);
	}
}
END_TEST

START_TEST(no_files)
{
	struct conf_table *x = table("a b@x.test\n");

	conf_table_free(x);
	ck_assert_int_eq(chmod(path, 0666), 0);
	ck_assert_ptr_null(conf_table_read(conf, path, conf_table_address, &said));
	ck_assert(strstr(buf_cstr(&said), "everybody can write it") != NULL);
	ck_assert_ptr_null(conf_table_read(conf, "/tmp", conf_table_address, &said));
	ck_assert_ptr_null(conf_table_read(conf, "/nowhere/at/all", conf_table_address,
	    &said));
	ck_assert(strstr(buf_cstr(&said), "/nowhere/at/all: ") != NULL);
	done(NULL);
}
END_TEST

/* Of a configuration: one file for two sections is read once, and freed once. */
START_TEST(sections)
{
	struct conf_table *x = table("a b@x.test\n");
	struct conf *c;
	char text[400];
	uint64_t stamp;

	snprintf(text, sizeof(text), "domains = {'x.test'}\nrewrite '*' { table = '%s' at = send }\n"
	    "rewrite '*' { table = '%s' }\nrewrite '*' { }\n"
	    "recipient 'a@x.test' { discard = true }\nrecipient '*' { table = '%s' }\n",
	    path, path, path);
	c = must_parse(text);
	stamp = conf_tables_stamp(c);
	ck_assert_uint_ne(stamp, 0);
	ck_assert_int_eq(conf_tables_load(c, &said), 0);
	ck_assert_ptr_nonnull(c->rewrites[0].entries);
	ck_assert_ptr_eq(c->rewrites[0].entries, c->rewrites[1].entries);
	ck_assert_ptr_null(c->rewrites[2].entries);
	/* The same file in another form is another table. */
	ck_assert_ptr_nonnull(c->rules[1].rows);
	ck_assert_ptr_ne(c->rules[1].rows, c->rewrites[0].entries);
	ck_assert_ptr_null(c->rules[0].rows);
	conf_tables_check(c, &said);
	ck_assert_uint_eq(said.n, 0);
	unlink(path);
	ck_assert_uint_ne(conf_tables_stamp(c), stamp);
	conf_tables_check(c, &said);
	ck_assert_uint_gt(said.n, 0);
	conf_free(c);
	done(x);
}
END_TEST

UNIT_MAIN("conf/table", finds, mistakes, no_files, sections)
