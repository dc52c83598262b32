/* SPDX-License-Identifier: GPL-3.0-or-later */

/* nearest -- distances, and when a name is near enough to be meant. */

#include "conf/private.h"
#include "unit.h"

static const struct {
	const char *a, *b;
	unsigned distance;
} pairs[] = {
	{ "", "", 0 }, { "a", "", 1 }, { "", "ab", 2 }, { "port", "PORT", 0 },
	{ "prot", "port", 1 }, { "prt", "port", 1 }, { "ports", "port", 1 },
	{ "pert", "port", 1 }, { "hsotnaem", "hostname", 2 }, { "abc", "xyz", 3 },
	{ "kitten", "sitting", 3 },
};

START_TEST(distances)
{
	char longer[300];

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		ck_assert_uint_eq(conf_nearest_distance(str_c(pairs[i].a), str_c(pairs[i].b)),
		    pairs[i].distance);
		ck_assert_uint_eq(conf_nearest_distance(str_c(pairs[i].b), str_c(pairs[i].a)),
		    pairs[i].distance);
	}
	memset(longer, 'a', sizeof(longer));
	ck_assert_uint_eq(conf_nearest_distance(str_n(longer, 300), STR("a")), 63);
}
END_TEST

static const struct {
	const char *word, *found;
} meant[] = {
	{ "hostnam", "hostname" }, { "host-name", "hostname" }, { "tsl", "tls" },
	{ "domain", "domains" }, { "xyz", NULL }, { "", NULL }, { "spoool", "spool" },
};

START_TEST(proposals)
{
	static const char *const known[] = { "hostname", "domains", "tls", "spool" };
	struct nearest near;

	for (size_t i = 0; i < ARRAY_LEN(meant); i++) {
		conf_nearest_init(&near, str_c(meant[i].word));
		ck_assert_ptr_null(conf_nearest_found(&near));
		for (size_t j = 0; j < ARRAY_LEN(known); j++)
			conf_nearest_try(&near, known[j]);
		ck_assert_pstr_eq(conf_nearest_found(&near), meant[i].found);
	}
	/* Half of it is not near. */
	conf_nearest_init(&near, STR("$x"));
	conf_nearest_try(&near, "mx");
	ck_assert_ptr_null(conf_nearest_found(&near));
}
END_TEST

/* "" in a list of words stands for what nobody may write. */
START_TEST(words)
{
	static const char *const known[] = { "", "full", "headers", NULL };
	static const char *const one[] = { "file", NULL };
	struct buf b;

	buf_init(&b, 200);
	conf_words_expected(&b, known, STR("none"));
	ck_assert_str_eq(buf_cstr(&b), "full or headers");
	buf_reset(&b);
	conf_words_expected(&b, known, STR("header"));
	ck_assert_str_eq(buf_cstr(&b), "full or headers; did you mean \"headers\"?");
	buf_reset(&b);
	conf_words_expected(&b, one, STR(""));
	ck_assert_str_eq(buf_cstr(&b), "file");
	buf_free(&b);
}
END_TEST

UNIT_MAIN("conf/nearest", distances, proposals, words)
