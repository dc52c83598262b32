/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * manual -- barid.conf(5) against the option table, both ways.
 *
 * Under OPTIONS each ".Ss" is a section ("Top level" for none, "check spf" for
 * one whose title decides what is in it) and each ".It Ic" one of its options, which starts with the table's sentence and
 * names the table's default as ".Li default".  Under LATER RELEASES the
 * names are whole.
 */

#include <stdio.h>

#include "conf/private.h"
#include "conf_unit.h"

struct page {
	char *text;		/* without quotes; line ends are blanks */
	size_t item_n;
	struct {
		char name[100];
		bool later;
		struct str body;
		bool seen;
	} items[400];
};

static struct page page;

static char *
read_page(void)
{
	char path[4096], *text = calloc(1, 1 << 20);
	FILE *f;
	size_t n;

	ck_assert_ptr_nonnull(text);
	source_path(path, sizeof(path), "man/barid.conf.5");
	f = fopen(path, "r");
	ck_assert_msg(f != NULL, "cannot open %s", path);
	n = fread(text, 1, (1 << 20) - 1, f);
	ck_assert_uint_gt(n, 1000);
	ck_assert_int_eq(fclose(f), 0);
	return text;
}

static void
add_item(const char *section, struct str name, bool later, const char *body)
{
	struct str first;

	ck_assert_uint_lt(page.item_n, ARRAY_LEN(page.items));
	(void)str_cut(name, ' ', &first, &name);
	first = str_head(first, 60);
	snprintf(page.items[page.item_n].name, sizeof(page.items[0].name), "%.30s%s%.*s", section,
	    *section ? "." : "", STR_ARG(first));
	page.items[page.item_n].later = later;
	page.items[page.item_n++].body = str_c(body);
}

/* Up to here the item before this line goes. */
static void
end_item(const char *line)
{
	struct str *body;

	if (page.item_n == 0)
		return;
	body = &page.items[page.item_n - 1].body;
	if (line < body->p + body->n)
		body->n = (size_t)(line - body->p);
}

static void
read_items(void)
{
	enum { OTHER, OPTIONS, LATER } part = OTHER;
	struct str line, rest;
	char section[100] = "";
	bool more = true;

	page.text = read_page();
	rest = str_c(page.text);
	while (more) {
		more = str_cut(rest, '\n', &line, &rest);
		if (str_starts(line, STR(".Sh "))) {
			end_item(line.p);
			part = str_eq(line, STR(".Sh OPTIONS")) ? OPTIONS :
			    str_eq(line, STR(".Sh LATER RELEASES")) ? LATER : OTHER;
			section[0] = '\0';
		} else if (part != OTHER && str_starts(line, STR(".Ss "))) {
			end_item(line.p);
			line = str_skip(line, 4);
			snprintf(section, sizeof(section), STR_FMT, STR_ARG(line));
			if (strcmp(section, "Top level") == 0)
				section[0] = '\0';
			for (char *p = section; *p; p++)
				if (*p == ' ')
					*p = '.';
		} else if (part != OTHER && str_starts(line, STR(".It Ic "))) {
			end_item(line.p);
			add_item(section, str_skip(line, 7), part == LATER, rest.p);
		}
	}
	for (char *p = page.text; *p; p++)
		if (*p == '\n')
			*p = ' ';
}

static bool
holds(struct str body, const char *text)
{
	return memmem(body.p, body.n, text, strlen(text)) != NULL;
}

static void
check_item(const struct option *o, const char *name, bool later)
{
	char want[500];
	size_t i, j = 0;

	for (i = 0; i < page.item_n && strcmp(page.items[i].name, name) != 0; i++)
		;
	ck_assert_msg(i < page.item_n, "%s is not in barid.conf(5)", name);
	ck_assert_msg(!page.items[i].seen, "%s stands twice in barid.conf(5)", name);
	page.items[i].seen = true;
	ck_assert_msg(page.items[i].later == later, "%s stands in the wrong part", name);
	ck_assert_msg(str_starts(page.items[i].body, str_c(o->help)), "%s: expected \"%s\"", name,
	    o->help);
	if (later || o->fallback[0] == '\0')
		return;
	j = (size_t)snprintf(want, sizeof(want), "The default is .Li %s", strchr(o->fallback, ' ') ? "\"" : "");
	for (const char *p = o->fallback; *p; p++)
		if (*p != '\'')
			want[j++] = *p;
	want[j] = '\0';
	ck_assert_msg(holds(page.items[i].body, want), "%s: expected \"%s\"", name, want);
}

static void
check_options(const struct option *o, size_t n, const char *prefix, bool later)
{
	char name[200];

	for (; n > 0; n--, o++) {
		bool not_now = later || o->when != OPTION_NOW;

		snprintf(name, sizeof(name), "%s%s%s%s%s", prefix, *prefix ? "." : "", o->name,
		    o->title ? "." : "", o->title ? o->title : "");
		if (o->type != OPTION_SECTION || not_now)
			check_item(o, name, not_now);
		if (o->type == OPTION_SECTION)
			check_options(o->sub, o->sub_n, name, not_now);
	}
}

START_TEST(both_ways)
{
	read_items();
	check_options(conf_options, conf_option_n, "", false);
	for (size_t i = 0; i < page.item_n; i++)
		ck_assert_msg(page.items[i].seen, "%s is in barid.conf(5) and not in the table",
		    page.items[i].name);
	free(page.text);
}
END_TEST

/* What the code relies on and the compiler can not see. */
static void
check_table(const struct option *o, size_t n, bool later)
{
	for (; n > 0; n--, o++) {
		bool not_now = later || o->when != OPTION_NOW;

		ck_assert_ptr_nonnull(o->name);
		ck_assert_ptr_nonnull(o->help);
		ck_assert_msg(o->help[strlen(o->help) - 1] == '.', "%s", o->help);
		if (o->type == OPTION_SECTION) {
			ck_assert_uint_gt(o->sub_n, 0);
			check_table(o->sub, o->sub_n, not_now);
			continue;
		}
		ck_assert_ptr_nonnull(o->fallback);
		ck_assert_msg(!later || o->when != OPTION_NOW, "%s has no field", o->name);
		ck_assert_msg(o->when != OPTION_LATER || o->off, "%s", o->name);
		ck_assert_msg(o->type != OPTION_CHOICE || o->choices, "%s", o->name);
		ck_assert_msg(o->max == 0 || o->min <= o->max, "%s", o->name);
	}
}

START_TEST(table)
{
	check_table(conf_options, conf_option_n, false);
}
END_TEST

UNIT_MAIN("conf/manual", both_ways, table)
