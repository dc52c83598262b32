/* SPDX-License-Identifier: GPL-3.0-or-later */

/* keep -- the same configuration from what was kept, whatever became of its files. */

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf_dir.h"
#include "conf_unit.h"

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static struct conf *
must_load(const char *path, int *kept)
{
	struct buf error;
	struct conf *c;

	buf_init(&error, 65536);
	c = conf_load_and_keep(path, kept, &error);
	ck_assert_msg(c != NULL, "%s", buf_cstr(&error));
	ck_assert_int_ge(*kept, 0);
	buf_free(&error);
	return c;
}

static struct conf *
must_load_kept(int fd)
{
	struct buf error;
	struct conf *c;

	buf_init(&error, 65536);
	c = conf_load_kept(fd, true, &error);
	ck_assert_msg(c != NULL, "%s", buf_cstr(&error));
	ck_assert_uint_eq(error.n, 0);
	buf_free(&error);
	return c;
}

static void
show(void *arg, const char *name, const char *value, struct conf_place place)
{
	buf_addf(arg, "%s = %s # %s:%d\n", name, value, place.file, place.line);
}

static void
same(const struct conf *a, const struct conf *b)
{
	struct buf x, y;

	buf_init(&x, 1 << 20);
	buf_init(&y, 1 << 20);
	conf_each(a, show, &x);
	conf_each(b, show, &y);
	ck_assert(buf_ok(&x) && x.n > 1000);
	ck_assert_str_eq(buf_cstr(&x), buf_cstr(&y));
	ck_assert_str_eq(a->path, b->path);
	buf_free(&x);
	buf_free(&y);
}

START_TEST(the_same)
{
	struct conf *c, *again;
	int fd;

	enter();
	ck_assert_int_eq(mkdir("conf.d", 0700), 0);
	ck_assert_int_eq(setenv("KEEP_TEST", "from.example", 1), 0);
	put("barid.conf", "include(\"conf.d/*.conf\")\nset(word, \"it's \\\\ two words\")\n"
	    "upstream u {\n include(\"conf.d/server.inc\")\n}\nqueue { retry = {1s, 2s} }\n"
	    "domains += {\"${KEEP_TEST}\"}\nroute a.example { via = \"error:550 ${word}\" }\n"
	    "route b.example { via = u }\n");
	put("conf.d/1.conf", "# nothing\n\ndomains = {a.example}");
	put("conf.d/2.conf", "domains += {b.example}");
	put("conf.d/3.conf", "");
	put("conf.d/server.inc", "server h.example { user = me password = 's\"e{c#ret' port = 26 }");
	c = must_load("barid.conf", &fd);
	/* All that it came from is gone, and a broken file is in its place. */
	ck_assert_int_eq(unsetenv("KEEP_TEST"), 0);
	put("barid.conf", "nonsense {");
	put("conf.d/2.conf", "domains += {c.example}");
	ck_assert_int_eq(unlink("conf.d/server.inc"), 0);
	again = must_load_kept(fd);
	same(c, again);
	ck_assert_str_eq(again->path, "barid.conf");
	ck_assert_str_eq(again->domains.v[2], "from.example");
	ck_assert_str_eq(again->upstreams[0].servers[0].password, "s\"e{c#ret");
	ck_assert_str_eq(again->upstreams[0].servers[0].place.file, "conf.d/server.inc");
	ck_assert_int_eq(again->upstreams[0].servers[0].place.line, 1);
	ck_assert_str_eq(again->routes[0].way.text, "it's \\ two words");
	conf_free(again);
	/* As often as it is wanted. */
	again = must_load_kept(fd);
	same(c, again);
	conf_free(again);
	conf_free(c);
	ck_assert_int_eq(close(fd), 0);
	leave();
}
END_TEST

START_TEST(nothing_in_it)
{
	struct conf *c, *again;
	int fd;

	enter();
	put("barid.conf", "# all defaults\n");
	c = must_load("barid.conf", &fd);
	again = must_load_kept(fd);
	same(c, again);
	conf_free(again);
	conf_free(c);
	close(fd);
	leave();
}
END_TEST

START_TEST(sealed)
{
	struct stat st;
	char byte;
	int fd;

	enter();
	put("barid.conf", "hostname = a.example");
	conf_free(must_load("barid.conf", &fd));
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	ck_assert_int_lt(pwrite(fd, "x", 1, 0), 0);
	ck_assert_int_lt(ftruncate(fd, 0), 0);
	ck_assert_int_eq(pread(fd, &byte, 1, 0), 1);
	close(fd);
	leave();
}
END_TEST

/* The complaint about what TEXT is as something kept. */
static void
refused(const char *text, size_t n, int seals, const char *complaint)
{
	int fd = memfd_create("test", MFD_ALLOW_SEALING);
	struct buf error;

	buf_init(&error, 65536);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, n), (ssize_t)n);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, seals), 0);
	ck_assert_ptr_null(conf_load_kept(fd, true, &error));
	ck_assert_msg(strstr(buf_cstr(&error), complaint) != NULL, "%s", buf_cstr(&error));
	buf_free(&error);
	close(fd);
}

#define KEPT(text) text, sizeof(text) - 1
#define HEAD "barid-conf 2\0/a\0h.example\0@/a\0"

START_TEST(broken)
{
	static const char foreign[] = "is no configuration of this release";
	struct buf error;

	refused(KEPT(HEAD), 0, foreign);
	refused(KEPT(HEAD), F_SEAL_WRITE, foreign);
	refused(KEPT(""), SEALS, foreign);
	refused(KEPT("barid-conf 2"), SEALS, foreign);
	refused(KEPT("barid-conf 2\0/a\0"), SEALS, foreign);
	refused(KEPT("barid-conf 0\0/a\0h.example\0"), SEALS, foreign);
	refused(KEPT(HEAD "1 'user'"), SEALS, "/a:1: what was kept of this file is broken");
	refused(KEPT(HEAD "x 'user'\0"), SEALS, "is broken");
	refused(KEPT(HEAD "'user'\0"), SEALS, "is broken");
	refused(KEPT(HEAD "\0"), SEALS, "is broken");
	refused(KEPT(HEAD "7 'nosuch'\0" "8 =\0" "9 '1'\0"), SEALS, "/a:7: unknown option");
	buf_init(&error, 65536);
	ck_assert_ptr_null(conf_load_kept(-1, false, &error));
	ck_assert_uint_gt(error.n, 0);
	buf_free(&error);
}
END_TEST

START_TEST(nothing_is_kept)
{
	struct buf error;
	int fd = 7;

	enter();
	buf_init(&error, 65536);
	put("barid.conf", "hostname = -");
	ck_assert_ptr_null(conf_load_and_keep("barid.conf", &fd, &error));
	ck_assert_int_eq(fd, -1);
	ck_assert_ptr_null(conf_load_and_keep("none.conf", &fd, &error));
	ck_assert_int_eq(fd, -1);
	buf_free(&error);
	leave();
}
END_TEST

/* What is not in the tokens: the name of the host at the time. */
START_TEST(host_name)
{
	static const char text[] = "barid-conf 2\0/a\0kept.example\0";
	int fd = memfd_create("test", MFD_ALLOW_SEALING);
	struct conf *c;

	ck_assert_int_eq(write(fd, KEPT(text)), sizeof(text) - 1);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, SEALS), 0);
	c = must_load_kept(fd);
	ck_assert_str_eq(c->hostname, "kept.example");
	ck_assert_str_eq(c->postmaster, "postmaster@kept.example");
	conf_free(c);
	close(fd);
}
END_TEST

START_TEST(inherited)
{
	struct conf *c, *again;
	struct buf error;
	struct stat st;
	int fd;

	enter();
	buf_init(&error, 65536);
	put("barid.conf", "hostname = old.example");
	c = must_load("barid.conf", &fd);
	put("barid.conf", "hostname = new.example");
	/* By hand: the file. */
	ck_assert_int_eq(dup2(open("/dev/null", O_RDONLY), STDIN_FILENO), STDIN_FILENO);
	again = conf_inherit("barid.conf", true, &error);
	ck_assert_ptr_nonnull(again);
	ck_assert_str_eq(again->hostname, "new.example");
	conf_free(again);
	/* By the master: what it keeps, once. */
	ck_assert_int_eq(dup2(fd, STDIN_FILENO), STDIN_FILENO);
	again = conf_inherit("barid.conf", true, &error);
	ck_assert_ptr_nonnull(again);
	same(c, again);
	conf_free(again);
	ck_assert_int_eq(fstat(STDIN_FILENO, &st), 0);
	ck_assert(S_ISCHR(st.st_mode));
	conf_free(c);
	close(fd);
	buf_free(&error);
	leave();
}
END_TEST

#define ROWS "a@x.example mailbox:a\nb@x.example reject:551 5.1.6 gone\n"

/* What stands behind KEY in the rows, or NULL. */
static const char *
row(const struct conf *c, const char *key)
{
	const struct conf_table_entry *e = conf_table_get(c->rules[0].rows, str_c(key));

	return e ? e->to : NULL;
}

/* Tables go with the tokens: as they were when they were last in order. */
START_TEST(tables)
{
	struct conf *c, *again;
	struct buf error, text;
	char here[PATH_MAX];
	int fd, kept, newer;

	enter();
	ck_assert_ptr_nonnull(getcwd(here, sizeof(here)));
	buf_init(&error, 65536);
	buf_init(&text, 65536);
	buf_addf(&text, "domains = {x.example}\nrewrite '*' { table = '%s/names' }\n"
	    "recipient '*' { table = '%s/rows' }\nrewrite '*' { table = '%s/names' at = send }\n",
	    here, here, here);
	put("barid.conf", buf_cstr(&text));
	put("rows", ROWS);
	put("names", "a b@x.example\nbroken\n");
	c = must_load("barid.conf", &fd);
	/* A line that is wrong: nothing is kept. */
	ck_assert_int_eq(conf_tables_keep(c, fd, &error), -1);
	ck_assert_msg(strstr(buf_cstr(&error), "/names:2: ") != NULL, "%s", buf_cstr(&error));
	buf_reset(&error);
	put("names", "a b@x.example\n=5 b@x.example\n");
	kept = conf_tables_keep(c, fd, &error);
	ck_assert_int_ge(kept, 0);
	ck_assert_uint_eq(error.n, 0);
	put("rows", "a@x.example |no\n");
	ck_assert_int_eq(unlink("names"), 0);
	again = must_load_kept(kept);
	same(c, again);
	ck_assert_ptr_nonnull(row(again, "a@x.example"));
	ck_assert_uint_eq(conf_table_count(again->rules[0].rows), 2);
	ck_assert_uint_eq(conf_table_count(again->rewrites[0].entries), 2);
	ck_assert_ptr_eq(again->rewrites[0].entries, again->rewrites[1].entries);
	conf_free(again);
	/* Others in their place, behind the same tokens. */
	put("rows", "c@x.example discard\n");
	put("names", "");
	newer = conf_tables_keep(c, kept, &error);
	ck_assert_int_ge(newer, 0);
	again = must_load_kept(newer);
	same(c, again);
	ck_assert_uint_eq(conf_table_count(again->rewrites[0].entries), 0);
	ck_assert_ptr_nonnull(row(again, "c@x.example"));
	ck_assert_ptr_null(row(again, "a@x.example"));
	conf_free(again);
	/* Without them it is no configuration for who wants them. */
	ck_assert_ptr_null(conf_load_kept(fd, true, &error));
	ck_assert(strstr(buf_cstr(&error), "/names: what was kept of it is broken") != NULL);
	again = conf_load_kept(newer, false, &error);
	ck_assert_ptr_nonnull(again);
	ck_assert_ptr_null(again->rules[0].rows);
	conf_free(again);
	ck_assert_int_eq(conf_tables_keep(c, -1, &error), -1);
	conf_free(c);
	close(fd);
	close(kept);
	close(newer);
	buf_free(&error);
	buf_free(&text);
	leave();
}
END_TEST

UNIT_MAIN("conf/keep", the_same, nothing_in_it, sealed, broken, nothing_is_kept, host_name,
    inherited, tables)
