/* SPDX-License-Identifier: GPL-3.0-or-later */

/* conf -- files and includes, defaults, the questions, and what is shown. */

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf_dir.h"
#include "conf_unit.h"

#define TLS "tls { certificate = /c key = /k } "
#define FILES "auth { backends = {'file:///u'} } "

static struct conf *
must_load(const char *path)
{
	struct buf error;
	struct conf *c;

	buf_init(&error, 65536);
	c = conf_load(path, &error);
	ck_assert_msg(c != NULL, "%s: %s", path, buf_cstr(&error));
	buf_free(&error);
	return c;
}

static void
must_not_load(const char *path, const char *complaint)
{
	struct buf error;

	buf_init(&error, 65536);
	ck_assert_ptr_null(conf_load(path, &error));
	ck_assert_msg(str_starts(buf_str(&error), str_c(complaint)), "got %sexpected %s",
	    buf_cstr(&error), complaint);
	buf_free(&error);
}

/* ---- files ---- */

START_TEST(includes)
{
	struct conf *c;
	char path[200];

	enter();
	ck_assert_int_eq(mkdir("conf.d", 0700), 0);
	ck_assert_int_eq(mkdir("a[b]", 0700), 0);
	put("barid.conf", "set(n, \"x\")\ninclude(\"conf.d/*.conf\")\n"
	    "upstream u { include(\"conf.d/server.inc\") }\ninclude(\"a[b]/n[o]ne*.conf\")\n"
	    "include(\"a\\\\[b\\\\]/more\")\nuser = last");
	put("conf.d/10-a.conf", "user = a\n\ndomains += {a.example}");
	put("conf.d/20-b.conf", "user = b domains += {\"${n}.example\"} set(\"n\", y)");
	put("conf.d/30-c.conf~", "nonsense");
	put("conf.d/server.inc", "server \"${n}\" { port = 26 }");
	put("a[b]/more", "include(\"*.x\")");
	put("a[b]/1.x", "spool = /x");
	c = must_load("barid.conf");
	ck_assert_str_eq(c->path, "barid.conf");
	ck_assert_uint_eq(c->domains.n, 2);
	ck_assert_str_eq(c->domains.v[0], "a.example");
	ck_assert_str_eq(c->domains.v[1], "x.example");
	ck_assert_str_eq(c->user, "last");
	ck_assert_str_eq(c->upstreams[0].servers[0].name, "y");
	ck_assert_str_eq(c->upstreams[0].servers[0].place.file, "conf.d/server.inc");
	ck_assert_str_eq(c->spool, "/x");
	conf_free(c);
	/* From elsewhere, by an absolute path. */
	ck_assert_int_eq(chdir("/"), 0);
	snprintf(path, sizeof(path), "%s/barid.conf", dir);
	conf_free(must_load(path));
	leave();
}
END_TEST

START_TEST(includes_refused)
{
	char name[20], text[60];

	enter();
	must_not_load("none.conf", "none.conf:1: cannot open \"none.conf\": No such file");
	must_not_load(".", ".:1: \".\" is not a regular file");
	put("self", "\ninclude(\"self\")");
	must_not_load("self", "self:2: \"self\" includes itself");
	put("one", "include(\"./two\")");
	put("two", "\n\ninclude(\"one\")");
	must_not_load("one", "./two:3: \"./one\" includes itself");
	put("missing", "\ninclude(\"nothing\")");
	must_not_load("missing", "missing:2: cannot open \"nothing\": No such file");
	put("empty", "include(\"\")");
	must_not_load("empty", "empty:1: include() of nothing");
	put("bad", "hostnam = a");
	put("outer", "\ninclude(\"bad\")");
	must_not_load("outer", "bad:1: unknown option \"hostnam\"");
	put("open", "tls {\n");
	put("outer", "include(\"open\") }");
	must_not_load("outer", "open:1: this { is not closed");
	put("close", "}");
	put("outer", "tls { include(\"close\")");
	must_not_load("outer", "close:1: unexpected }");
	put("half", "hostname =");
	put("outer", "include(\"half\") a");
	must_not_load("outer", "half:1: the file ends too early");
	for (int i = 0; i < 12; i++) {
		snprintf(name, sizeof(name), "deep%d", i);
		snprintf(text, sizeof(text), "include(\"deep%d\")", i + 1);
		put(name, i < 11 ? text : "");
	}
	must_not_load("deep0", "deep10:1: includes are nested too deeply");
	conf_free(must_load("deep1"));
	leave();
}
END_TEST

START_TEST(too_large)
{
	FILE *f;

	enter();
	f = fopen("large", "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(ftruncate(fileno(f), 5 << 20), 0);
	ck_assert_int_eq(fclose(f), 0);
	must_not_load("large", "large:1: \"large\" is too large, expected at most 4MB");
	if (geteuid() != 0) {
		put("secret", "");
		ck_assert_int_eq(chmod("secret", 0), 0);
		must_not_load("secret", "secret:1: cannot open \"secret\": Permission denied");
	}
	leave();
}
END_TEST

/* A mistake does not hold memory, and later loads do not see it. */
START_TEST(again)
{
	for (int i = 0; i < 20; i++) {
		free(must_fail("upstream u { server a { } } hostname = {a}"));
		free(must_fail("listen a { port = 25 } route b { via = c }"));
		conf_free(must_parse("upstream u { server a { } }"));
	}
	conf_free(NULL);
}
END_TEST

/* ---- defaults ---- */

START_TEST(defaults)
{
	struct conf *c = conf_default();

	ck_assert_uint_eq(c->domains.n, 0);
	ck_assert_str_ne(c->hostname, "");
	ck_assert(str_starts(str_c(c->postmaster), STR("postmaster@")));
	ck_assert_str_eq(c->user, "barid");
	ck_assert_uint_eq(c->smtp_port, 25);
	ck_assert_uint_eq(c->limits.message_size, 52428800);
	ck_assert_uint_eq(c->queue.retry.n, 6);
	ck_assert_int_eq(c->queue.retry.v[5], 7200000);
	ck_assert_int_eq(c->dsn.ret, 2);
	ck_assert_uint_eq(c->dsn.priority, 1);
	ck_assert_int_eq(c->log.level, 2);
	ck_assert_uint_eq(c->access.connect.n, 7);
	ck_assert_uint_eq(c->listen_n, 1);
	ck_assert_int_eq(c->listens[0].service, SERVICE_SMTP);
	ck_assert_int_eq(c->listens[0].tls, LISTEN_TLS_OFF);
	ck_assert_uint_eq(c->listens[0].port.v[0].first, 25);
	ck_assert_str_eq(c->listens[0].address.v[0], "*");
	ck_assert_uint_eq(c->route_n, 1);
	ck_assert_str_eq(c->routes[0].pattern, "*");
	ck_assert_str_eq(c->routes[0].via, "mx");
	ck_assert_int_eq(c->routes[0].tls, TLS_MAY);
	ck_assert_str_eq(c->path, "");
	conf_free(c);
}
END_TEST

START_TEST(implied_listeners)
{
	static const struct {
		int service, tls;
		uint16_t port;
	} want[] = {
		{ SERVICE_SMTP, LISTEN_TLS_STARTTLS, 25 },
		{ SERVICE_SUBMISSION, LISTEN_TLS_REQUIRED, 587 },
		{ SERVICE_SUBMISSION, LISTEN_TLS_IMPLICIT, 465 },
		{ SERVICE_POP3, LISTEN_TLS_REQUIRED, 110 },
		{ SERVICE_POP3, LISTEN_TLS_IMPLICIT, 995 },
	};
	struct conf *c = must_parse(TLS);

	ck_assert_uint_eq(c->listen_n, 1);
	ck_assert_int_eq(c->listens[0].tls, LISTEN_TLS_STARTTLS);
	conf_free(c);
	c = must_parse(FILES);
	ck_assert_uint_eq(c->listen_n, 1);
	conf_free(c);
	c = must_parse(TLS FILES "listen a { port = 26 }");
	ck_assert_uint_eq(c->listen_n, 1);
	ck_assert_str_eq(c->listens[0].name, "a");
	conf_free(c);
	c = must_parse(TLS FILES);
	ck_assert_uint_eq(c->listen_n, ARRAY_LEN(want));
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		ck_assert_int_eq(c->listens[i].service, want[i].service);
		ck_assert_int_eq(c->listens[i].tls, want[i].tls);
		ck_assert_uint_eq(c->listens[i].port.v[0].last, want[i].port);
		ck_assert_str_eq(c->listens[i].place.file, "");
	}
	conf_free(c);
}
END_TEST

START_TEST(dependent_defaults)
{
	struct conf *c = must_parse("hostname = h.example domains = {d.example, e.example}\n"
	    "upstream u { server a { user = b password = c } server d { }\n"
	    "server e { user = b password = c tls = may } }");

	ck_assert_str_eq(c->postmaster, "postmaster@d.example");
	ck_assert_int_eq(c->upstreams[0].servers[0].tls, TLS_REQUIRED);
	ck_assert_int_eq(c->upstreams[0].servers[1].tls, TLS_MAY);
	ck_assert_int_eq(c->upstreams[0].servers[2].tls, TLS_MAY);
	conf_free(c);
	c = must_parse("hostname = h.example");
	ck_assert_str_eq(c->postmaster, "postmaster@h.example");
	conf_free(c);
}
END_TEST

START_TEST(default_path)
{
	setenv("BARID_CONF", "/a/b", 1);
	ck_assert_str_eq(conf_default_path(), "/a/b");
	setenv("BARID_CONF", "", 1);
	ck_assert(str_ends(str_c(conf_default_path()), STR("/barid/barid.conf")));
	unsetenv("BARID_CONF");
	ck_assert(str_ends(str_c(conf_default_path()), STR("/barid/barid.conf")));
}
END_TEST

/* ---- questions ---- */

static const struct {
	const char *domain, *via;
} ways[] = {
	{ "a.example", "u1" }, { "A.Example", "u1" }, { "x.a.example", "u2" },
	{ "y.x.a.example", "u2" }, { "xa.example", "u4" }, { "b.example", "u4" },
	{ "c.b.example", "u3" }, { ".b.example", "u4" }, { "[192.0.2.1]", "mx" }, { "", "u4" },
	{ "example", "u4" },
};

/* The first route whose pattern fits. */
static const struct conf_route *
first_route(const struct conf *c, struct str domain)
{
	for (size_t i = 0; i < c->route_n; i++)
		if (pattern_fits(&c->routes[i].to, STR("x"), domain))
			return &c->routes[i];
	return NULL;
}

START_TEST(routes)
{
	struct conf *c = must_parse("upstream u1 { server a { } } upstream u2 { server a { } }\n"
	    "upstream u3 { server a { } } upstream u4 { server a { } }\n"
	    "route a.EXAMPLE { via = u1 } route '*.a.example' { via = u2 }\n"
	    "route .b.example { via = u3 } route '[192.0.2.1]' { }\n"
	    "route '*' { via = u4 } route never.example { via = u1 }");

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		const struct conf_route *r = first_route(c, str_c(ways[i].domain));

		ck_assert_ptr_nonnull(r);
		ck_assert_msg(strcmp(r->via, ways[i].via) == 0, "%s: %s, expected %s",
		    ways[i].domain, r->via, ways[i].via);
	}
	ck_assert_str_eq(conf_upstream(c, "u3")->name, "u3");
	ck_assert_ptr_null(conf_upstream(c, "U3"));
	conf_free(c);
	c = must_parse("route a.example { }");
	ck_assert_ptr_null(first_route(c, STR("b.example")));
	conf_free(c);
}
END_TEST

START_TEST(local_domains)
{
	struct conf *c = must_parse("domains = {Example.org, '[192.0.2.1]', "
	    "'gr\xc3\xbc\xc3\x9f" "e.example', 'xn--bcher-kva.example'}");

	/* RFC 5890 2.3.2.1: in letters or as DNS has it, it is one name. */
	ck_assert(conf_is_local(c, STR("xn--gre-6ka8l.example")));
	ck_assert(conf_is_local(c, STR("GR\xc3\x9c\xc3\x9f" "E.example")));
	ck_assert(conf_is_local(c, STR("b\xc3\xbc" "cher.EXAMPLE")));
	ck_assert(!conf_is_local(c, STR("gr\xc3\xbc" "sse.example")));
	ck_assert(!conf_is_local(c, STR("\xff.example")));
	ck_assert(conf_is_local(c, STR("example.ORG")));
	ck_assert(conf_is_local(c, STR("[192.0.2.1]")));
	ck_assert(!conf_is_local(c, STR("a.example.org")));
	ck_assert(!conf_is_local(c, STR("example.or")));
	ck_assert(!conf_is_local(c, STR("")));
	conf_free(c);
}
END_TEST

/* ---- what is shown ---- */

static void
gather(void *arg, const char *name, const char *value, struct conf_place place)
{
	buf_addf(arg, "%s = %s @%s:%d\n", name, value, place.file, place.line);
}

static const char full[] =
    "hostname = h.example\ndomains = {a.example,\n b.example}\npostmaster = 'x@a.example'\n"
    "listen one { port = '25,30-31' tls = starttls }\n"
    "listen two {\n service = pop3\n address = {}\n address = {127.0.0.1} port = 110\n"
    " tls = required hostname = p.example }\n"
    TLS FILES "access { relay = {\n} }\n"
    "upstream u { server s.example { user = me password = hush weight = 3 } }\n"
    "route a.example { via = u } route '*' { }\n";

START_TEST(each)
{
	static const char *const lines[] = {
		"hostname = \"h.example\" @test.conf:1\n",
		"domains = {\"a.example\", \"b.example\"} @test.conf:2\n",
		"user = \"barid\" @:0\n",
		"listen.one.port = \"25,30-31\" @test.conf:5\n",
		"listen.two.address = {\"127.0.0.1\"} @test.conf:9\n",
		"listen.two.hostname = \"p.example\" @test.conf:10\n",
		"access.relay = {} @test.conf:11\n",
		"upstream.u.server.s.example.password = \"********\" @test.conf:13\n",
		"upstream.u.server.s.example.weight = 3 @test.conf:13\n",
		"upstream.u.server.s.example.tls = \"required\" @:0\n",
		"route.a.example.via = \"u\" @test.conf:14\n",
		"route.*.via = \"mx\" @:0\n",
		"queue.retry = {3m, 3m, 9m, 15m, 30m, 2h} @:0\n",
	};
	struct conf *c = must_parse(full);
	struct buf b;

	buf_init(&b, 65536);
	conf_each(c, gather, &b);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		ck_assert_msg(strstr(buf_cstr(&b), lines[i]) != NULL, "no %s in\n%s", lines[i],
		    buf_cstr(&b));
	ck_assert_ptr_null(strstr(buf_cstr(&b), "hush"));
	ck_assert_ptr_null(strstr(buf_cstr(&b), "listen.mode"));	/* of a later release */
	buf_free(&b);
	conf_free(c);
}
END_TEST

/* Writes what is shown as a file: "a.b = c" becomes "a { b = c }". */
static void
rewrite(void *arg, const char *name, const char *value, struct conf_place place)
{
	/* Sections of the text above whose titles hold dots. */
	static const char *const sections[][2] = {
		{ "listen.one.", "listen one" }, { "listen.two.", "listen two" },
		{ "upstream.u.server.s.example.", "upstream u { server s.example" },
		{ "route.a.example.", "route a.example" }, { "route.*.", "route '*'" },
	};
	struct str rest = str_c(name), head;
	struct buf *b = arg;

	(void)place;
	for (size_t i = 0; i < ARRAY_LEN(sections); i++)
		if (str_starts(rest, str_c(sections[i][0])))
			return;
	if (str_cut(rest, '.', &head, &rest))
		buf_addf(b, STR_FMT " { " STR_FMT " = %s }\n", STR_ARG(head), STR_ARG(rest), value);
	else
		buf_addf(b, "%s = %s\n", name, value);
}

START_TEST(shown_is_readable)
{
	struct conf *c = must_parse(FILES "domains = {a.example} access { relay = {} }\n"
	    "tls { certificate = /c key = /k ciphers = 'a\"\\b${c}' } recipients { subaddress = '' }\n"
	    "queue { retry = {90s, 1500ms} delay-notice = {} idle-connection = 0 }"), *d;
	struct buf first, second, text;

	buf_init(&first, 65536);
	buf_init(&second, 65536);
	buf_init(&text, 65536);
	conf_each(c, rewrite, &text);
	ck_assert(buf_ok(&text));
	/* The implied listeners and the route are not in the text, but implied again. */
	while (strstr(buf_cstr(&text), "listen {") || strstr(buf_cstr(&text), "route {")) {
		char *p = strstr(buf_cstr(&text), "listen {");

		if (!p)
			p = strstr(buf_cstr(&text), "route {");
		*p = '#';
	}
	d = must_parse(buf_cstr(&text));
	conf_each(c, rewrite, &first);
	conf_each(d, rewrite, &second);
	ck_assert_str_eq(buf_cstr(&first), buf_cstr(&second));
	buf_free(&first);
	buf_free(&second);
	buf_free(&text);
	conf_free(c);
	conf_free(d);
}
END_TEST

/* ---- the files that are installed ---- */

START_TEST(installed)
{
	static const char *const files[] = { "etc/barid.conf", "etc/examples/null-client.conf",
		"etc/examples/small-server.conf", "etc/examples/gateway.conf" };
	char path[4096];

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		source_path(path, sizeof(path), files[i]);
		conf_free(must_load(path));
	}
}
END_TEST

/* With the comment signs gone the commented options of barid.conf are right too. */
START_TEST(commented)
{
	char path[4096], line[1000];
	struct conf *c;
	struct buf b;
	FILE *f;

	source_path(path, sizeof(path), "etc/barid.conf");
	f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	buf_init(&b, 65536);
	while (fgets(line, sizeof(line), f)) {
		if (strncmp(line, "include", 7) == 0)
			continue;
		buf_adds(&b, line[0] == '#' && line[1] != ' ' && line[1] != '\n' ? line + 1 : line);
	}
	ck_assert_int_eq(fclose(f), 0);
	c = must_parse(buf_cstr(&b));
	ck_assert_uint_eq(c->listen_n, 6);
	ck_assert_uint_eq(c->upstream_n, 1);
	ck_assert_str_eq(c->hostname, "mail.example.org");
	conf_free(c);
	buf_free(&b);
}
END_TEST

UNIT_MAIN("conf/conf", includes, includes_refused, too_large, again, defaults, implied_listeners,
    dependent_defaults, default_path, routes, local_domains, each, shown_is_readable, installed,
    commented)
