/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Lines of the table of a section recipient. */

#include <unistd.h>

#include "conf_unit.h"

static struct conf *conf;
static char path[64];
static struct buf said;

/* The table whose text is LINES, of the only section there is. */
static const struct conf_recipient *
load(const char *lines)
{
	char text[400];
	FILE *f;

	strcpy(path, "/tmp/barid-row-XXXXXX");
	close(mkstemp(path));
	f = fopen(path, "w");
	fputs(lines, f);
	fclose(f);
	snprintf(text, sizeof(text), "domains = {'x.test'}\n"
	    "upstream 'isp' { server 'smtp.isp.test' { } }\nrecipient '*' { table = '%s' }\n", path);
	conf = must_parse(text);
	buf_init(&said, 100000);
	ck_assert_int_eq(conf_tables_load(conf, &said), 0);
	unlink(path);
	return &conf->rules[0];
}

static void
done(void)
{
	conf_free(conf);
	buf_free(&said);
}

static const struct conf_recipient *
row(const struct conf_recipient *section, const char *key, struct arena *a)
{
	const struct conf_table_entry *e = conf_table_get(section->rows, str_c(key));

	ck_assert_msg(e != NULL, "%s", key);
	return conf_row(conf, section, e, a);
}

START_TEST(kinds)
{
	const struct conf_recipient *s = load("box@x.test mailbox:bob\nBad@x.test\treject:450 4.2.1 later\n"
		"gone discard\nfar@x.test via:isp\nlmtp via: lmtp:h.test:24\n"
		"many@x.test alice, bob@y.test\n  carol\tDave@Z.test ,\n@x.test mailbox:rest\n"
		"@y.test reject:550 5.1.1 nobody\n");
	const struct conf_recipient *r;
	struct arena a;

	arena_init(&a, 1 << 20);
	ck_str(buf_str(&said), STR(""));
	ck_assert_int_eq(s->kind, RULE_TABLE);
	ck_assert(!s->last);
	r = row(s, "box@x.test", &a);
	ck_assert_int_eq(r->kind, RULE_MAILBOX);
	ck_assert_str_eq(r->mailbox, "bob");
	ck_assert(!r->last);
	ck_assert_str_eq(r->pattern, "*");
	ck_assert_str_eq(r->place.file, path);
	ck_assert_int_eq(r->place.line, 1);
	r = row(s, "bad@x.test", &a);
	ck_assert_int_eq(r->way.kind, VIA_ERROR);
	ck_assert_int_eq(r->way.code, 450);
	ck_assert_str_eq(r->way.enhanced, "4.2.1");
	ck_assert_str_eq(r->way.text, "later");
	ck_assert_int_eq(row(s, "gone", &a)->way.kind, VIA_DISCARD);
	r = row(s, "far@x.test", &a);
	ck_assert_ptr_eq(r->way.upstream, &conf->upstreams[0]);
	ck_assert_str_eq(r->via, "isp");
	r = row(s, "lmtp", &a);
	ck_assert_int_eq(r->way.upstream->servers[0].protocol, PROTOCOL_LMTP);
	r = row(s, "many@x.test", &a);
	ck_assert_int_eq(r->kind, RULE_FORWARD);
	ck_assert_uint_eq(r->forward.n, 4);
	ck_assert_str_eq(r->forward.v[0], "alice");
	ck_assert_str_eq(r->forward.v[3], "Dave@Z.test");
	ck_assert_int_eq(r->place.line, 6);
	ck_assert(row(s, "@x.test", &a)->last);
	ck_assert(!row(s, "@y.test", &a)->last);
	arena_free(&a);
	done();
}
END_TEST

START_TEST(mistakes)
{
	static const struct {
		const char *text, *want;
	} t[] = {
		{ "a@x.test\n", ":1: \"a@x.test\" has nothing behind it, expected addresses" },
		{ "a ,\n", ":1: \",\" has nothing behind it" },
		{ "a b c@\n", ":1: \"b c@\" has \"c@\", which is no address" },
		{ "a mailbox:../etc\n", ":1: \"mailbox:../etc\" names no mailbox" },
		{ "a mailbox:\n", ":1: \"mailbox:\" names no mailbox" },
		{ "a reject:250 ok\n", ":1: \"reject:250 ok\" is no refusal, expected a reply" },
		{ "a reject:\n", ":1: \"reject:\" is no refusal" },
		{ "a via:nowhere\n", ":1: \"via:nowhere\" leads nowhere" },
		{ "a via:pipe:/bin/sh\n", "a program, which only" },
		{ "a via:maildir:/var/x\n", "a Maildir, which only a section" },
		{ "a b\nA c\n", ":2: \"a\" stands there before" },
		{ "a |/bin/sh\n", "which is no address" },
		{ "a :include:/etc/passwd\n", "which is no address" },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		(void)load(t[i].text);
		ck_assert_msg(strstr(buf_cstr(&said), t[i].want) != NULL, "%s: %s", t[i].text, buf_cstr(&said));
		done();
	}
}
END_TEST

/* A thousand of them, and no more. */
START_TEST(longest)
{
	struct buf b;
	struct arena a;

	arena_init(&a, 1 << 20);
	for (int n = 1000; n <= 1001; n++) {
		buf_init(&b, 100000);
		buf_adds(&b, "all");
		for (int i = 0; i < n; i++)
			buf_addf(&b, "\n a%d", i);
		const struct conf_recipient *s = load(buf_cstr(&b));
		if (n == 1000)
			ck_assert_uint_eq(row(s, "all", &a)->forward.n, 1000);
		else
			ck_assert_msg(strstr(buf_cstr(&said), "has more than 1000 addresses") != NULL, "%s", buf_cstr(&said));
		done();
		buf_free(&b);
	}
	arena_free(&a);
}
END_TEST

UNIT_MAIN("conf/row", kinds, mistakes, longest)
