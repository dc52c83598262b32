/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The secrets of rewritten reverse-paths, and where they are from. */

#include "conf/srs.h"

#include <sys/stat.h>
#include <unistd.h>

#include "conf_unit.h"
#include "scratch.h"

static char dir[SCRATCH_SIZE];
static struct buf error;

static struct conf *
load(const char *secret, bool create, int want)
{
	char text[500];
	struct conf *c;

	snprintf(text, sizeof(text), "domains = {\"x.test\"}\nspool = \"%s\"\n"
	    "mailboxes = \"/m\"\nsrs { domain = \"x.test\" secret = \"%s\" }\n",
	    dir, secret);
	c = must_parse(text);
	buf_free(&error);
	buf_init(&error, 65536);
	ck_assert_int_eq(conf_srs_load(c, create, geteuid(), &error), want);
	return c;
}

static void
put(const char *text, mode_t mode)
{
	char path[100];
	FILE *f;

	snprintf(path, sizeof(path), "%s/secrets", dir);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
}

START_TEST(secrets)
{
	char url[100], path[100], first[100];
	struct conf *c;

	scratch_begin(dir);
	c = load("said", false, 0);
	ck_assert_uint_eq(c->srs.secrets.n, 1);
	ck_assert_str_eq(c->srs.secrets.v[0], "said");
	conf_free(c);
	/* The one of the spool: only who may makes it, and it stays. */
	conf_free(load("", false, -1));
	c = load("", true, 0);
	snprintf(first, sizeof(first), "%s", c->srs.secrets.v[0]);
	ck_assert_uint_eq(strlen(first), 48);
	conf_free(c);
	c = load("", true, 0);
	ck_assert_str_eq(c->srs.secrets.v[0], first);
	conf_free(c);
	/* A file, of which others know nothing. */
	snprintf(url, sizeof(url), "file:%s/secrets", dir);
	put("new\n\nold \n", 0600);
	c = load(url, true, 0);
	ck_assert_uint_eq(c->srs.secrets.n, 2);
	ck_assert_str_eq(c->srs.secrets.v[0], "new");
	ck_assert_str_eq(c->srs.secrets.v[1], "old");
	conf_free(c);
	put("new\n", 0644);
	conf_free(load(url, true, -1));
	ck_assert_ptr_nonnull(strstr(buf_cstr(&error), "others can read it"));
	put("\n", 0600);
	conf_free(load(url, true, -1));
	ck_assert_ptr_nonnull(strstr(buf_cstr(&error), "no secret"));
	snprintf(path, sizeof(path), "%s/secrets", dir);
	ck_assert_int_eq(unlink(path), 0);
	conf_free(load(url, true, -1));
	snprintf(path, sizeof(path), "%s/srs.secret", dir);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

START_TEST(mistakes)
{
	static const struct fault faults[] = {
		{ "domains = {\"x.test\"}\nsrs { domain = \"y.test\" }",
		  "2: srs.domain: \"y.test\" is not ours" },
		{ "srs { secret = \"file:secret\" }",
		  "1: srs.secret: \"file:secret\" names no file" },
		{ "srs { max-age = 1000d }", "1: srs.max-age: " },
	};

	check_faults(faults, ARRAY_LEN(faults));
}
END_TEST

UNIT_MAIN("conf/srs", secrets, mistakes)
