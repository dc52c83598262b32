/* SPDX-License-Identifier: GPL-3.0-or-later */

/* expand -- whom an address leads to (CONFORMANCE S-43, S-44). */

#include "policy/expand.h"

#include "with_conf.h"

/* 204 octets, with which a name of 49 is an address and one of 50 none. */
#define D50 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvw."
#define WIDE D50 D50 D50 D50 "test"
#define L49 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvw"

static const char text[] =
    "domains = {\"x.test\", \"" WIDE "\"}\n"
    "aliases = {\"/none\"}\n"
    "recipient \"sales@x.test\" { forward = {\"alice@x.test\", "
    "\"carol@elsewhere.test\", \"ALICE@x.test\"} }\n"
    "recipient \"box@x.test\" { mailbox = \"alice\" }\n"
    "recipient \"*@x.test\" { forward = {\"rest@elsewhere.test\"} }\n";

/* Aliases, and files of targets. */
static const struct {
	const char *name, *targets;
} lists[] = {
	{ "root", "alice" },
	{ "team", "alice, bob, sales@x.test, alice@X.TEST" },
	{ "bob", "bob, bob@elsewhere.test" },
	{ "carol", "\\carol, bob" },
	{ "loop", "pool" }, { "pool", "loop" },
	{ "partly", "yltrap, alice" }, { "yltrap", "partly" },
	{ "empty", ":include:/empty" }, { "/empty", "" },
	{ "broken", "alice, b@@d" },
	{ "list", ":include:/list" }, { "/list", "alice, :include:/more" },
	{ "/more", "bob, :include:/list" },
	{ "gone", "alice, :include:/gone" },
	{ "prog", "|/bin/cat, /var/x, alice, |/bin/cat" },
	{ "d0", "d1" }, { "d1", "d2" }, { "d2", "d3" }, { "d3", "d4" },
	{ "d4", "d5" }, { "d5", "d6" }, { "d6", "d7" }, { "d7", "d8" },
	{ "d8", "d9" }, { "d9", "d10" }, { "d10", "alice" },
	{ "/home", "\\home, |/bin/x, away" }, { "/away", "home, a@elsewhere.test" },
	{ "homes", "home, later" }, { "unsure", "alice, unknown" },
	{ "fits", L49 }, { "grows", L49 "x" },
	{ "boxes", "box" }, { "many", "" }, { "some", "" }, { "same", "" },
	{ "caught", ":include:/caught" },
};

#define SAME_N 100000

static struct arena arena;

/* A list of N addresses at DOMAIN, of which so many are different. */
static const struct alias_list *
crowd(size_t n, size_t different, const char *domain)
{
	struct alias_list *l = arena_alloc(&arena, sizeof(*l));

	l->v = arena_alloc(&arena, n * sizeof(*l->v));
	for (l->n = 0; l->n < n; l->n++)
		l->v[l->n].text = str_c(arena_printf(&arena,
		    "u%zu@%s", l->n % different, domain));
	return l;
}

static const struct alias_list *
find(struct str name, const char **why)
{
	struct alias_list *l = arena_alloc(&arena, sizeof(*l));

	if (str_eq(name, STR("many")) || str_eq(name, STR("some")))
		return crowd(name.p[0] == 'm' ? 100000 : EXPAND_MAX, SIZE_MAX,
		    "elsewhere.test");
	if (str_eq(name, STR("same")))
		return crowd(SAME_N, 2, "elsewhere.test");
	if (str_eq(name, STR("/caught")))
		return crowd(5 * EXPAND_MAX, SIZE_MAX, "x.test");
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		struct str rest = str_c(lists[i].targets);
		struct alias_target t;

		if (!str_ieq(str_c(lists[i].name), name))
			continue;
		l->v = arena_alloc(&arena, 8 * sizeof(*l->v));
		while (alias_next(&rest, &arena, &t) == NULL && t.text.n > 0)
			l->v[l->n++] = t;
		return l;
	}
	*why = "it is not there";
	return NULL;
}

static const struct alias_list *
find_alias(void *arg, const struct path *p, const char **why)
{
	(void)arg;
	return find(p->local, why);
}

static const struct alias_list *
find_include(void *arg, struct str path, const char **why)
{
	(void)arg;
	return find(path, why);
}

/* "home" and "away" have a .forward, "later" one that cannot be read now. */
static enum expand_home
find_home(void *arg, const char *mailbox, const struct alias_list **list,
    const char **why)
{
	(void)arg;
	if (strcmp(mailbox, "unknown") == 0)
		return HOME_WAIT;
	*why = "it cannot be read";
	if (strcmp(mailbox, "later") == 0)
		return HOME_LATER;
	if (strcmp(mailbox, "home") == 0)
		*list = find(STR("/home"), why);
	else if (strcmp(mailbox, "away") == 0)
		*list = find(STR("/away"), why);
	else
		return HOME_NONE;
	return HOME_FOUND;
}

static struct conf *conf;
static struct userset *users;

static void
begin(void)
{
	struct str names[ARRAY_LEN(lists) + 7] = { STR("alice"), STR("bob"),
		STR("carol"), STR("home"), STR("away"), STR("later"),
		STR("unknown") };
	size_t n = 7;

	arena_init(&arena, (size_t)256 << 20);
	conf = with_conf(text);
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (lists[i].name[0] != '/')
			names[n++] = str_c(arena_printf(&arena, ":%s",
			    lists[i].name));
	users = userset_new();
	ck_assert_ptr_nonnull(users);
	ck_assert_int_eq(userset_replace(users, names, n), 0);
}

static void
end(void)
{
	conf_free(conf);
	userset_free(users);
	arena_free(&arena);
}

/* Whom NAME leads to at DOMAIN, or why it leads nowhere. */
static const char *
leads_at(const char *name, const char *domain)
{
	static const struct mail_facts nothing;
	struct expand_lists by = { find_alias, find_include, find_home, NULL };
	struct path p = { str_c(name), str_c(domain) };
	struct expansion x;
	struct buf b;
	const char *s;

	expand(conf, users, &nothing, &p, &by, &arena, &x);
	if (x.waits)
		return "waits";
	if (x.status != NULL)
		return arena_printf(&arena, "%s", x.status);
	buf_init(&b, 1u << 22);
	for (size_t i = 0; i < x.n; i++) {
		buf_adds(&b, i > 0 ? " " : "");
		if (x.v[i].kind == ALIAS_ADDRESS)
			path_add(&b, &x.paths[i]);
		else
			buf_addf(&b, "%c" STR_FMT, x.v[i].kind == ALIAS_FILE ?
			    '=' : '|', STR_ARG(x.v[i].text));
	}
	s = arena_cstr(&arena, buf_str(&b));
	buf_free(&b);
	return s;
}

static const char *
leads_to(const char *name)
{
	return leads_at(name, "x.test");
}

START_TEST(whom)
{
	static const struct {
		const char *name, *want;
	} rows[] = {
		{ "root", "alice@x.test" },
		{ "BOB", "bob@x.test bob@elsewhere.test" },
		{ "sales", "alice@x.test carol@elsewhere.test" },
		{ "team", "alice@x.test bob@x.test bob@elsewhere.test "
		  "carol@elsewhere.test" },
		{ "bob", "bob@x.test bob@elsewhere.test" },
		{ "carol", "carol@x.test bob@x.test bob@elsewhere.test" },
		{ "nobody", "rest@elsewhere.test" },
		{ "list", "alice@x.test bob@x.test bob@elsewhere.test" },
		{ "prog", "|/bin/cat =/var/x alice@x.test" },
		{ "partly", "alice@x.test" },
		{ "boxes", "box@x.test" },
		{ "d1", "alice@x.test" },
		{ "home", "home@x.test |/bin/x a@elsewhere.test" },
		{ "unsure", "waits" },
	};

	begin();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ck_assert_str_eq(leads_to(rows[i].name), rows[i].want);
	end();
}
END_TEST

/* A name alone has the domain of its list; with that it may be too long for an address. */
START_TEST(too_long)
{
	begin();
	ck_assert_str_eq(leads_at("fits", WIDE), L49 "@" WIDE);
	ck_assert_str_eq(leads_at("grows", WIDE), "5.3.5");
	end();
}
END_TEST

START_TEST(nobody)
{
	static const struct {
		const char *name, *status;
	} rows[] = { { "loop", "5.4.6" }, { "empty", "5.2.4" },
		{ "broken", "5.3.5" }, { "gone", "4.3.0" }, { "d0", "5.4.6" },
		{ "many", "5.4.6" }, { "caught", "5.4.6" }, { "homes", "4.3.0" } };

	begin();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ck_assert_str_eq(leads_to(rows[i].name), rows[i].status);
	ck_assert_uint_gt(strlen(leads_to("some")), 10 * EXPAND_MAX);
	end();
}
END_TEST

/* Those who stand in lists again and again take no memory. */
START_TEST(again)
{
	static const struct mail_facts nothing;
	struct expand_lists by = { find_alias, find_include, find_home, NULL };
	struct path p = { STR("same"), STR("x.test") };
	struct expansion x;
	struct arena small;

	begin();
	arena_init(&small, 4096);
	expand(conf, users, &nothing, &p, &by, &small, &x);
	ck_assert_ptr_null(x.status);
	ck_assert_uint_eq(x.n, 2);
	ck_assert_uint_eq(x.looked, SAME_N);
	arena_free(&small);
	end();
}
END_TEST

UNIT_MAIN("policy/expand", whom, too_long, nobody, again)
