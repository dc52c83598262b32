/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The files of aliases: what they say, and what is wrong with them. */

#include "mailbox/aliases.h"

#include <unistd.h>

#include "lib/random.h"
#include "tmpbox.h"

static struct tmpbox box;
static struct buf complaints;

/* A file of the box; its path. */
static const char *
put(const char *name, const char *text, mode_t mode)
{
	static char paths[8][600];
	static unsigned at;
	char *path = paths[at++ % 8];
	FILE *f;

	ck_assert_int_lt(snprintf(path, 600, "%s", tmpbox_path(&box, name)),
	    600);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
	return path;
}

static struct aliases *
load(const char *path, bool follow)
{
	const char *v[] = { path };
	struct conf_strs files = { v, 1 };

	buf_free(&complaints);
	buf_init(&complaints, 65536);
	return aliases_load(&files, follow, &complaints);
}

static bool
complained(const char *what)
{
	return strstr(buf_cstr(&complaints), what) != NULL;
}

/* The targets of NAME as one line. */
static const char *
targets(const struct aliases *a, const char *name)
{
	static struct buf b;
	struct path p = { str_c(name), STR("x.test") };
	const struct alias_list *l = aliases_of(a, STR("+"), &p);

	buf_free(&b);
	buf_init(&b, 65536);
	for (size_t i = 0; l != NULL && i < l->n; i++)
		buf_addf(&b, "%s%d:" STR_FMT, i > 0 ? " " : "",
		    (int)l->v[i].kind, STR_ARG(l->v[i].text));
	return l != NULL ? buf_cstr(&b) : "none";
}

START_TEST(what_they_say)
{
	struct aliases *a;
	const char *why;

	tmpbox_begin(&box);
	put("more", "carol\n# nobody\ndave, :include:/nonexistent\n", 0644);
	a = load(put("aliases", "", 0644), true);
	ck_assert_ptr_nonnull(a);
	ck_assert_uint_eq(complaints.n, 0);
	aliases_free(a);
	buf_reset(&complaints);
	buf_addf(&complaints, "root: alice\nTeam: bob,\n :include:%s\n"
	    "one@x.test: two\none: three\nprog: |/bin/cat\n",
	    tmpbox_path(&box, "more"));
	a = load(put("aliases", buf_cstr(&complaints), 0644), true);
	ck_assert_ptr_nonnull(a);
	ck_assert(complained("/nonexistent: No such file"));
	ck_assert_str_eq(targets(a, "root"), "0:alice");
	ck_assert_str_eq(targets(a, "ROOT"), "0:alice");
	ck_assert_str_eq(targets(a, "root+x"), "0:alice");
	ck_assert_str_eq(targets(a, "one"), "0:two");
	ck_assert_str_eq(targets(a, "prog"), "1:/bin/cat");
	ck_assert_str_eq(targets(a, "nobody"), "none");
	ck_assert_ptr_nonnull(strstr(targets(a, "team"), "0:bob 3:/"));
	ck_assert_uint_eq(aliases_include(a, str_c(tmpbox_path(&box, "more")),
	    &why)->n, 3);
	ck_assert_ptr_null(aliases_include(a, STR("/nonexistent"), &why));
	ck_assert_str_eq(why, "No such file or directory");
	aliases_free(a);
	tmpbox_end(&box);
}
END_TEST

START_TEST(what_is_wrong)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "ok: x\nbroken\n", "aliases:2: there is no \":\"" },
		{ "a: x\n\nA: y\n", "aliases:3: there is such an alias" },
		{ "../x: y\n", "aliases:1: the name is none" },
		{ "a:\n", "aliases:1: no target" },
		{ "a: \"b\n", "aliases:1: a quote" },
		{ "a: x,\n  |\n", "aliases:1: behind \"|\"" },
		{ "a: x\nb: y@@z\n", "aliases:2: \"y@@z\" is no address: " },
	};

	tmpbox_begin(&box);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct aliases *a = load(put("aliases", rows[i].text, 0644),
		    true);

		ck_assert_ptr_nonnull(a);
		ck_assert_msg(complained(rows[i].want), "%s: %s",
		    rows[i].text, buf_cstr(&complaints));
		aliases_free(a);
	}
	tmpbox_end(&box);
}
END_TEST

/* Of one that is none the others of its list know nothing. */
START_TEST(no_address)
{
	struct aliases *a;
	const char *why;

	tmpbox_begin(&box);
	put("more", "carol\nd@@e, \\dave\n", 0644);
	buf_init(&complaints, 65536);
	buf_addf(&complaints, "all: a b@c, bob, :include:%s\nnone: a@@b\n",
	    tmpbox_path(&box, "more"));
	a = load(put("aliases", buf_cstr(&complaints), 0644), true);
	ck_assert_ptr_nonnull(a);
	ck_assert(complained("/aliases:1: \"a b@c\" is no address: "));
	ck_assert(complained("/more:2: \"d@@e\" is no address: "));
	ck_assert_ptr_nonnull(strstr(targets(a, "all"), "0:bob 3:/"));
	ck_assert_str_eq(targets(a, "none"), "none");
	ck_assert_uint_eq(aliases_include(a, str_c(tmpbox_path(&box, "more")),
	    &why)->n, 2);
	aliases_free(a);
	tmpbox_end(&box);
}
END_TEST

START_TEST(what_is_not_read)
{
	tmpbox_begin(&box);
	ck_assert_ptr_null(load(tmpbox_path(&box, "missing"), true));
	ck_assert(complained("No such file"));
	ck_assert_ptr_null(load(put("aliases", "a: b\n", 0666), true));
	ck_assert(complained("everybody can write it"));
	ck_assert_int_eq(mkfifo(tmpbox_path(&box, "fifo"), 0600), 0);
	ck_assert_ptr_null(load(tmpbox_path(&box, "fifo"), true));
	ck_assert(complained("no plain file"));
	ck_assert_ptr_null(load(box.dir, true));
	tmpbox_end(&box);
}
END_TEST

/* The same without reading them, and how much they have. */
START_TEST(what_is_seen_before)
{
	size_t octets = 0;
	const char *why;

	tmpbox_begin(&box);
	ck_assert_ptr_nonnull(why = aliases_why_not(tmpbox_path(&box, "missing"), &octets));
	ck_assert_ptr_nonnull(strstr(why, "No such file"));
	ck_assert_ptr_nonnull(aliases_why_not(box.dir, &octets));
	ck_assert_ptr_nonnull(why = aliases_why_not(put("open", "a: b\n", 0666), &octets));
	ck_assert_ptr_nonnull(strstr(why, "everybody can write it"));
	ck_assert_int_eq(mkfifo(tmpbox_path(&box, "fifo"), 0600), 0);
	ck_assert_ptr_nonnull(aliases_why_not(tmpbox_path(&box, "fifo"), &octets));
	ck_assert_uint_eq(octets, 0);
	ck_assert_ptr_null(aliases_why_not(put("wrong", "nothing\n", 0600), &octets));
	ck_assert_uint_eq(octets, 8);
	/* Each is small enough, and both are not. */
	ck_assert_int_eq(truncate(put("large", "", 0600), ALIASES_OCTETS_MAX - 8), 0);
	ck_assert_ptr_null(aliases_why_not(tmpbox_path(&box, "large"), &octets));
	ck_assert_ptr_nonnull(why = aliases_why_not(put("one more", "x", 0600), &octets));
	ck_assert_ptr_nonnull(strstr(why, "16 MiB"));
	ck_assert_uint_eq(octets, ALIASES_OCTETS_MAX);
	tmpbox_end(&box);
}
END_TEST

/* Whatever stands in a file: it is read to its end, and nothing breaks. */
START_TEST(noise)
{
	static const char letters[] = "ab:,|/\"\\<>() \t\n#@\0\377";
	char text[400];

	tmpbox_begin(&box);
	for (int round = 0; round < 300; round++) {
		struct aliases *a;

		for (size_t i = 0; i + 1 < sizeof(text); i++)
			text[i] = letters[random_below(sizeof(letters) - 3)];
		text[sizeof(text) - 1] = '\0';
		a = load(put("aliases", text, 0600), true);
		ck_assert_ptr_nonnull(a);
		aliases_free(a);
	}
	tmpbox_end(&box);
}
END_TEST

START_TEST(what_changes)
{
	struct aliases *a;
	const char *path;

	tmpbox_begin(&box);
	path = put("aliases", "a: :include:/nonexistent/list\n", 0644);
	a = load(path, true);
	ck_assert(!aliases_changed(a));
	put("aliases", "a: longer\n", 0644);
	ck_assert(aliases_changed(a));
	aliases_free(a);
	a = load(path, true);
	ck_assert(!aliases_changed(a));
	ck_assert_int_eq(unlink(path), 0);
	ck_assert(aliases_changed(a));
	aliases_free(a);
	tmpbox_end(&box);
}
END_TEST

UNIT_MAIN("mailbox/aliases", what_they_say, what_is_wrong, no_address, what_is_not_read,
    what_is_seen_before, noise, what_changes)
