/* SPDX-License-Identifier: GPL-3.0-or-later */

/* part -- what an alias has: found by its digits alone, in files that are read here. */

#include "spawn/spawn.h"

#include <sys/stat.h>
#include <unistd.h>

#include "conf/conf_unit.h"
#include "mail/alias.h"
#include "scratch.h"

static char dir[SCRATCH_SIZE];
static struct arena a;

static const char *
file(const char *name, const char *text)
{
	const char *path = arena_printf(&a, "%s/%s", dir, name);
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(path, 0644), 0);
	return path;
}

START_TEST(finds)
{
	static const struct alias_target cat = { .kind = ALIAS_PROGRAM, .text = { "/bin/cat -u", 11 } };
	static const struct alias_target box = { .kind = ALIAS_FILE, .text = { "/a b", 4 } };
	char digits[ALIAS_PART_SIZE];
	struct msg_spawn m = { .kind = SPAWN_ALIAS,
		.id = STR("0123456789ABCDEF012"), .sender = STR("a@b"),
		.rcpt_n = 1 };
	const char *why = NULL, *path;
	struct part p;
	struct conf *c;

	arena_init(&a, 1 << 20);
	scratch_begin(dir);
	ck_assert_int_eq(chmod(dir, 0755), 0);
	path = file("more", "\"/a b\"\n");
	path = file("aliases", arena_printf(&a, "x: |/bin/cat -u, :include:%s\n"
	    "y: |/bin/true\n", path));
	c = must_parse(arena_printf(&a, "user = \"nobody\"\n"
	    "domains = {\"d.test\"}\naliases = {\"%s\"}\n", path));
	m.rcpts[0] = STR("x+detail@d.test");
	alias_part(&cat, digits);
	m.via = str_c(digits);
	ck_assert_msg(part_find(c, &m, &a, &p, &why), "%s", why);
	ck_assert(!p.is_file && p.owner == geteuid());
	ck_assert_str_eq(p.text, "/bin/cat -u");
	/* Another alias does not have it. */
	m.rcpts[0] = STR("y@d.test");
	ck_assert(!part_find(c, &m, &a, &p, &why));
	ck_assert_ptr_nonnull(strstr(why, "leads there no more"));
	m.rcpts[0] = STR("x@d.test");
	alias_part(&box, digits);
	ck_assert(part_find(c, &m, &a, &p, &why) && p.is_file);
	ck_assert_str_eq(p.text, "/a b");
	m.via = STR("/bin/sh");
	ck_assert(!part_find(c, &m, &a, &p, &why));
	m.via = str_c(digits);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert(!part_find(c, &m, &a, &p, &why));
	ck_assert_ptr_nonnull(strstr(why, "cannot be read"));
	conf_free(c);
	arena_free(&a);
	scratch_end(dir);
}
END_TEST

START_TEST(args)
{
	static const struct {
		const char *text, *args[4];
	} rows[] = {
		{ "/bin/cat", { "/bin/cat" } },
		{ "/bin/cat  -u\tx", { "/bin/cat", "-u", "x" } },
		{ "/bin/cat ", { "/bin/cat" } },
		{ "/bin/cat >>/tmp/x", { "/bin/sh", "-c", "/bin/cat >>/tmp/x" } },
		{ "exec /bin/cat", { "/bin/sh", "-c", "exec /bin/cat" } },
		{ "/bin/x 'a b'", { "/bin/sh", "-c", "/bin/x 'a b'" } },
	};

	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char **v = part_args(rows[i].text, &a);
		size_t n = 0;

		for (; n < 4 && rows[i].args[n] != NULL; n++)
			ck_assert_str_eq(v[n], rows[i].args[n]);
		ck_assert_ptr_null(v[n]);
	}
	arena_free(&a);
}
END_TEST

UNIT_MAIN("spawn/part", finds, args)
