/* SPDX-License-Identifier: GPL-3.0-or-later */

/* recipient_test -- where an address goes, and who may send there. */

#include "with_conf.h"

#include <unistd.h>

#include "policy/recipient.h"

static const char base[] =
    "hostname = \"mx.example.test\"\n"
    "domains = {\"example.test\", \"[192.0.2.25]\"}\n"
    "postmaster = \"alice@example.test\"\n"
    "access { relay = {\"192.0.2.0/24\", \"2001:db8::/32\"} }\n"
    "upstream \"isp\" { server \"smtp.isp.test\" { port = 587 } }\n"
    "route \"partner.test\" { via = \"isp\" }\n"
    "route \"*.partner.test\" { via = \"isp\" }\n"
    "route \"kept.test\" { via = \"maildir:/var/kept\" }\n"
    "route \"*\" { via = \"mx\" }\n";

/* Of a message that nothing is known of. */
static const struct mail_facts nothing;

static struct conf *conf;
static struct userset *users;
static struct arena arena;

static void
load(const char *text)
{
	conf_free(conf);
	conf = with_conf(text);
}

static void
setup(const char *text)
{
	const struct str names[] = { STR("alice"), STR("bob"),
		STR("a+b"), STR("-rf"), STR(".hidden"), STR("x/y") };

	load(text);
	arena_free(&arena);
	if (users == NULL)
		users = userset_new();
	ck_assert_ptr_nonnull(users);
	ck_assert_int_eq(userset_replace(users, names, ARRAY_LEN(names)), 0);
	arena_init(&arena, 1u << 20);
}

static void
teardown(void)
{
	conf_free(conf);
	conf = NULL;
	arena_free(&arena);
}

static struct path
path_of(const char *text)
{
	struct path p;
	const char *why = path_parse(str_c(text),
	    PATH_NULL | PATH_POSTMASTER | PATH_BARE, &arena, &p, NULL);

	ck_assert_msg(why == NULL, "%s: %s", text, why);
	return p;
}

static struct client_facts
facts(const char *address, bool authenticated, bool submission)
{
	struct client_facts f = { .authenticated = authenticated,
		.submission = submission };

	if (strcmp(address, "unix") == 0)
		ck_assert_int_eq(addr_unix("/tmp/s", &f.peer), 0);
	else
		ck_assert_int_eq(addr_parse(str_c(address), 1000, &f.peer), 0);
	return f;
}

START_TEST(targets)
{
	static const struct {
		const char *path;
		enum target_kind kind;
		const char *what;	/* mailbox, domain or upstream */
	} t[] = {
		{ "<alice@example.test>", TARGET_MAILBOX, "alice" },
		{ "<ALICE@Example.Test>", TARGET_MAILBOX, "alice" },
		{ "<alice+x@example.test>", TARGET_MAILBOX, "alice" },
		{ "<alice+x+y@example.test>", TARGET_MAILBOX, "alice" },
		{ "<a+b@example.test>", TARGET_MAILBOX, "a+b" },
		{ "<a+b+c@example.test>", TARGET_MAILBOX, "a+b" },
		{ "<bob@[192.0.2.25]>", TARGET_MAILBOX, "bob" },
		{ "<bob>", TARGET_MAILBOX, "bob" },
		{ "<\"bob\"@example.test>", TARGET_MAILBOX, "bob" },
		{ "<nosuch@example.test>", TARGET_UNKNOWN, "" },
		{ "<+alice@example.test>", TARGET_UNKNOWN, "" },
		{ "<nosuch+alice@example.test>", TARGET_UNKNOWN, "" },
		{ "<>", TARGET_UNKNOWN, "" },
		/* A set that holds what is no mailbox gives no file name. */
		{ "<-rf@example.test>", TARGET_UNKNOWN, "" },
		{ "<x/y@example.test>", TARGET_UNKNOWN, "" },
		{ "<\".hidden\"@example.test>", TARGET_UNKNOWN, "" },
		{ "<postmaster>", TARGET_MAILBOX, "alice" },
		{ "<PostMaster>", TARGET_MAILBOX, "alice" },
		{ "<POSTMASTER@EXAMPLE.TEST>", TARGET_MAILBOX, "alice" },
		{ "<postmaster@elsewhere.test>", TARGET_MX, "elsewhere.test" },
		{ "<u@elsewhere.test>", TARGET_MX, "elsewhere.test" },
		{ "<u@[203.0.113.1]>", TARGET_MX, "[203.0.113.1]" },
		{ "<u@partner.test>", TARGET_UPSTREAM, "isp" },
		{ "<u@sub.partner.test>", TARGET_UPSTREAM, "isp" },
		{ "<u@kept.test>", TARGET_MAILDIR, "/var/kept" },
		/* Nothing in a local part routes (CONFORMANCE S-37). */
		{ "<u%partner.test@example.test>", TARGET_UNKNOWN, "" },
		{ "<\"u@partner.test\"@example.test>", TARGET_UNKNOWN, "" },
		{ "<partner.test!u@example.test>", TARGET_UNKNOWN, "" },
		{ "<@example.test:u@elsewhere.test>", TARGET_MX, "elsewhere.test" },
	};

	setup(base);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct path p = path_of(t[i].path);
		struct target got = target_of(conf, users, &nothing, &p);

		ck_assert_msg(got.kind == t[i].kind, "%s: kind %d, not %d",
		    t[i].path, got.kind, t[i].kind);
		ck_assert_ptr_nonnull(got.why);
		if (got.kind == TARGET_MAILBOX)
			ck_assert_str_eq(got.mailbox, t[i].what);
		if (got.kind == TARGET_MAILDIR)
			ck_assert_str_eq(got.way->maildir, t[i].what);
		if (got.kind == TARGET_MX)
			ck_str(got.domain, str_c(t[i].what));
		if (got.kind == TARGET_UPSTREAM)
			ck_assert_str_eq(got.upstream->name, t[i].what);
	}
	teardown();
}
END_TEST

START_TEST(place_and_path)
{
	struct path p;
	struct target t;

	setup(base);
	p = path_of("<u@partner.test>");
	t = target_of(conf, users, &nothing, &p);
	ck_assert_str_eq(t.place.file, "test.conf");
	ck_assert_int_eq(t.place.line, 6);
	ck_assert_ptr_nonnull(t.route);
	ck_assert(path_eq(&t.path, &p));
	teardown();
}
END_TEST

START_TEST(no_users)
{
	struct path p;

	setup(base);
	p = path_of("<alice@example.test>");
	ck_assert_int_eq(target_of(conf, NULL, &nothing, &p).kind, TARGET_UNKNOWN);
	teardown();
}
END_TEST

START_TEST(any_user)
{
	struct path p;

	setup(base);
	userset_set_any(users, true);
	p = path_of("<whoever@example.test>");
	ck_assert_int_eq(target_of(conf, users, &nothing, &p).kind, TARGET_MAILBOX);
	p = path_of("<\"../x\"@example.test>");
	ck_assert_int_eq(target_of(conf, users, &nothing, &p).kind, TARGET_UNKNOWN);
	p = path_of("<\"..\"@example.test>");
	ck_assert_int_eq(target_of(conf, users, &nothing, &p).kind, TARGET_UNKNOWN);
	teardown();
}
END_TEST

/* The postmaster's address may be elsewhere, or nobody: mail is kept. */
START_TEST(postmasters)
{
	static const struct {
		const char *conf;
		enum target_kind kind;
		const char *what;
		const char *told;
	} t[] = {
		{ "domains = {\"example.test\"}\n"
		  "postmaster = \"boss@elsewhere.test\"\n",
		    TARGET_MX, "elsewhere.test", "boss@elsewhere.test" },
		{ "domains = {\"example.test\"}\n"
		  "postmaster = \"postmaster@example.test\"\n",
		    TARGET_MAILBOX, "postmaster", NULL },
		{ "domains = {\"example.test\"}\n"
		  "postmaster = \"gone@example.test\"\n",
		    TARGET_MAILBOX, "postmaster", NULL },
		{ "domains = {\"example.test\"}\n"
		  "postmaster = \"boss@elsewhere.test\"\n"
		  "route \"other.test\" { via = \"mx\" }\n",
		    TARGET_MAILBOX, "postmaster", NULL },
		{ "domains = {\"example.test\"}\n"
		  "postmaster = \"bob@example.test\"\n",
		    TARGET_MAILBOX, "bob", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct path p;
		struct target got;
		struct buf told;

		setup(t[i].conf);
		p = path_of("<postmaster@example.test>");
		got = target_of(conf, users, &nothing, &p);
		ck_assert_msg(got.kind == t[i].kind, "%zu: kind %d", i,
		    got.kind);
		if (got.kind == TARGET_MAILBOX)
			ck_assert_str_eq(got.mailbox, t[i].what);
		else
			ck_str(got.domain, str_c(t[i].what));
		if (t[i].told == NULL)
			continue;
		buf_init(&told, 512);
		path_add(&told, &got.path);
		ck_assert_str_eq(buf_cstr(&told), t[i].told);
		buf_free(&told);
	}
	teardown();
}
END_TEST

START_TEST(without_routes)
{
	struct path p;

	setup("domains = {\"example.test\"}\n");
	p = path_of("<u@elsewhere.test>");
	ck_assert_int_eq(target_of(conf, users, &nothing, &p).kind, TARGET_MX);
	load("domains = {\"example.test\"}\n"
	     "route \"other.test\" { via = \"mx\" }\n");
	ck_assert_int_eq(target_of(conf, users, &nothing, &p).kind, TARGET_NO_ROUTE);
	teardown();
}
END_TEST

START_TEST(relaying)
{
	static const struct {
		const char *peer;
		bool authenticated, submission, may;
	} t[] = {
		{ "192.0.2.9", false, false, true },
		{ "2001:db8::1", false, false, true },
		{ "::ffff:192.0.2.9", false, false, true },
		{ "198.51.100.1", false, false, false },
		{ "::1", false, false, false },
		{ "fc00::1", false, false, false },
		{ "unix", false, false, false },
		{ "198.51.100.1", true, false, true },
		{ "unix", true, true, true },
		{ "192.0.2.9", false, true, false },
	};

	setup(base);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct client_facts f = facts(t[i].peer, t[i].authenticated,
		    t[i].submission);

		ck_assert_msg(access_may_relay(conf, &f) == t[i].may, "%s",
		    t[i].peer);
	}
	teardown();
}
END_TEST

START_TEST(verdicts)
{
	static const struct {
		const char *path;
		const char *peer;
		bool authenticated;
		int code;
		const char *enhanced;
	} t[] = {
		{ "<alice@example.test>", "198.51.100.1", false, 250, "2.1.5" },
		{ "<postmaster>", "198.51.100.1", false, 250, "2.1.5" },
		{ "<no@example.test>", "198.51.100.1", false, 550, "5.1.1" },
		{ "<no@example.test>", "192.0.2.1", false, 550, "5.1.1" },
		{ "<u@ext.test>", "198.51.100.1", false, 554, "5.7.1" },
		{ "<u@partner.test>", "198.51.100.1", false, 554, "5.7.1" },
		{ "<u@[127.0.0.1]>", "198.51.100.1", false, 554, "5.7.1" },
		{ "<u@[IPv6:::1]>", "198.51.100.1", false, 554, "5.7.1" },
		{ "<u@ext.test>", "198.51.100.1", true, 250, "2.1.5" },
		{ "<u@ext.test>", "192.0.2.1", false, 250, "2.1.5" },
		{ "<u@partner.test>", "192.0.2.1", false, 250, "2.1.5" },
	};

	setup(base);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct client_facts f = facts(t[i].peer, t[i].authenticated,
		    false);
		struct path p = path_of(t[i].path);
		struct rcpt_verdict v = rcpt_verdict(conf, users, &f, &nothing, &p);

		ck_assert_msg(v.code == t[i].code &&
		    strcmp(v.enhanced, t[i].enhanced) == 0,
		    "%s: %d %s", t[i].path, v.code, v.enhanced);
		ck_assert(v.text[0] != '\0');
	}
	teardown();
}
END_TEST

static const char ways[] =
    "domains = {\"example.test\"}\n"
    "postmaster = \"root@gone.test\"\n"
    "route \"gone.test\" { via = \"error:550 5.1.6 It has moved\" }\n"
    "route \"slow.test\" { via = \"error:451\" }\n"
    "route \"hole.test\" { via = discard }\n"
    "upstream isp { server a { } }\n"
    "route \"s.test\" { via = \"smtp:h.test:587\" tls = verified }\n"
    "route \"l.test\" { via = \"lmtp:unix:/run/l\" }\n"
    "pool bulk { addresses = {192.0.2.7} }\n"
    "route \"*\" { fallback = isp source = bulk tls = required }\n";

/* Each way that a route can lead. */
START_TEST(all_ways)
{
	struct client_facts f = facts("192.0.2.1", true, false);
	struct conf_via own = { .kind = VIA_DISCARD };
	struct mail_facts wish = { .source = STR("192.0.2.9"), .way = &own };
	struct rcpt_verdict v;
	struct target t;
	struct path p;

	setup(ways);
	p = path_of("<u@gone.test>");
	t = target_of(conf, users, &nothing, &p);
	ck_assert_int_eq(t.kind, TARGET_ERROR);
	v = rcpt_verdict(conf, users, &f, &nothing, &p);
	ck_assert_int_eq(v.code, 550);
	ck_assert_str_eq(v.enhanced, "5.1.6");
	ck_assert_str_eq(v.text, "It has moved");
	ck_assert_int_eq(v.place.line, 3);
	p = path_of("<u@slow.test>");
	v = rcpt_verdict(conf, users, &f, &nothing, &p);
	ck_assert_int_eq(v.code, 451);
	ck_assert_str_eq(v.enhanced, "4.7.1");
	p = path_of("<u@hole.test>");
	ck_assert_int_eq(target_of(conf, users, &nothing, &p).kind,
	    TARGET_DISCARD);
	ck_assert_int_eq(rcpt_verdict(conf, users, &f, &nothing, &p).code, 250);
	p = path_of("<u@s.test>");
	t = target_of(conf, users, &nothing, &p);
	ck_assert_int_eq(t.kind, TARGET_UPSTREAM);
	ck_assert_str_eq(t.upstream->servers[0].host, "h.test");
	ck_assert_uint_eq(t.upstream->servers[0].port, 587);
	ck_assert_int_eq(t.upstream->servers[0].tls, TLS_VERIFIED);
	p = path_of("<u@l.test>");
	t = target_of(conf, users, &nothing, &p);
	ck_assert_int_eq(t.upstream->servers[0].protocol, PROTOCOL_LMTP);
	ck_assert_str_eq(t.upstream->servers[0].host, "unix:/run/l");
	p = path_of("<u@else.test>");
	t = target_of(conf, users, &nothing, &p);
	ck_assert_int_eq(t.kind, TARGET_MX);
	ck_assert_int_eq(t.tls, TLS_REQUIRED);
	ck_assert_str_eq(t.fallback->name, "isp");
	ck_str(t.source, STR("bulk"));
	/* What the message itself says has the last word. */
	t = target_of(conf, users, &wish, &p);
	ck_assert_int_eq(t.kind, TARGET_DISCARD);
	ck_str(t.source, STR("192.0.2.9"));
	/* A postmaster is never thrown away, nor refused (RFC 5321 4.5.1). */
	p = path_of("<postmaster@example.test>");
	t = target_of(conf, users, &nothing, &p);
	ck_assert_int_eq(t.kind, TARGET_MAILBOX);
	ck_assert_str_eq(t.mailbox, "postmaster");
	teardown();
}
END_TEST

START_TEST(verdict_variants)
{
	struct client_facts f;
	struct path p;
	struct rcpt_verdict v;

	setup("domains = {\"example.test\"}\nauth { backends = {\"pam://a\"} }\naccess { auth-required = true }\n"
	      "route \"other.test\" { via = \"mx\" }\n");
	f = facts("198.51.100.1", false, false);
	p = path_of("<u@ext.test>");
	v = rcpt_verdict(conf, users, &f, &nothing, &p);
	ck_assert_int_eq(v.code, 530);
	ck_assert_str_eq(v.enhanced, "5.7.0");
	f.authenticated = true;
	v = rcpt_verdict(conf, users, &f, &nothing, &p);
	ck_assert_int_eq(v.code, 550);
	ck_assert_str_eq(v.enhanced, "5.4.4");
	teardown();
}
END_TEST

START_TEST(sections)
{
	static const struct {
		const char *path;
		enum target_kind kind;
		const char *mailbox;
		int line;
	} rows[] = {
		{ "<info@example.test>", TARGET_MAILBOX, "alice", 2 },
		{ "<INFO@Example.Test>", TARGET_MAILBOX, "alice", 2 },
		{ "<bob@example.test>", TARGET_FORWARD, "", 3 },
		{ "<no@example.test>", TARGET_ERROR, "", 4 },
		{ "<gone@example.test>", TARGET_DISCARD, "", 5 },
		{ "<alice@example.test>", TARGET_MAILBOX, "alice", 0 },
		/* A catch-all takes nobody's mailbox ... */
		{ "<alice@two.test>", TARGET_MAILBOX, "alice", 0 },
		{ "<anybody@two.test>", TARGET_MAILBOX, "rest", 7 },
		/* ... but a way for a whole domain is one. */
		{ "<alice@shop.test>", TARGET_UPSTREAM, "", 8 },
		{ "<nobody@example.test>", TARGET_UNKNOWN, "", 0 },
		/* What is not ours is none of their business. */
		{ "<info@else.test>", TARGET_MX, "", 10 },
		{ "<root@example.test>", TARGET_ALIAS, "", 0 },
		{ "<root+x@example.test>", TARGET_ALIAS, "", 0 },
		{ "<root@two.test>", TARGET_ALIAS, "", 0 },
	};
	const struct str names[] = { STR("alice"), STR("bob"), STR(":root") };

	setup("domains = {\"example.test\", \"two.test\", \"shop.test\"}\n"
	      "recipient \"info@example.test\" { mailbox = \"alice\" }\n"
	      "recipient \"bob@*\" { forward = {\"bob@else.test\"} }\n"
	      "recipient '/no@.*/' { reject = \"550 5.1.1 nobody\" }\n"
	      "recipient \"gone@example.test\" { discard = true }\n"
	      "upstream \"isp\" { server \"smtp.isp.test\" { } }\n"
	      "recipient \"two.test\" { mailbox = \"rest\" }\n"
	      "recipient \"*@shop.test\" { via = \"isp\" }\n"
	      "aliases = {\"/none\"}\n"
	      "route \"*\" { via = \"mx\" }\n");
	ck_assert_int_eq(userset_replace(users, names, ARRAY_LEN(names)), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct path p = path_of(rows[i].path);
		struct target t = target_of(conf, users, &nothing, &p);

		ck_assert_msg(t.kind == rows[i].kind, "%s: %d", rows[i].path,
		    (int)t.kind);
		ck_assert_str_eq(t.mailbox, rows[i].mailbox);
		ck_assert_msg(t.place.line == rows[i].line, "%s: %d",
		    rows[i].path, t.place.line);
	}
	teardown();
}
END_TEST

START_TEST(at_last)
{
	const struct str names[] = { STR("bob"), STR(":bob"), STR(":root") };
	struct client_facts f = facts("198.51.100.1", false, false);
	struct path p;
	struct target t;

	setup("domains = {\"example.test\"}\naliases = {\"/none\"}\n"
	      "recipient \"info@*\" { forward = {\"bob@else.test\"} }\n");
	ck_assert_int_eq(userset_replace(users, names, ARRAY_LEN(names)), 0);
	p = path_of("<bob@example.test>");
	ck_assert_int_eq(target_of(conf, users, &nothing, &p).kind, TARGET_ALIAS);
	ck_assert_int_eq(rcpt_verdict(conf, users, &f, &nothing, &p).code, 250);
	t = target_at_last(conf, users, &nothing, &p);
	ck_assert_int_eq(t.kind, TARGET_MAILBOX);
	ck_assert_str_eq(t.mailbox, "bob");
	p = path_of("<info@example.test>");
	ck_assert_int_eq(rcpt_verdict(conf, users, &f, &nothing, &p).code, 250);
	ck_assert_int_eq(target_at_last(conf, users, &nothing, &p).kind,
	    TARGET_UNKNOWN);
	/* The postmaster of a host is an alias on most. */
	p = path_of("<postmaster>");
	ck_assert_int_eq(target_of(conf, users, &nothing, &p).kind,
	    TARGET_MAILBOX);
	teardown();
}
END_TEST

/* The whole name first, then what stands before the first sign with a name. */
START_TEST(several_signs)
{
	static const struct {
		const char *path, *mailbox;
	} t[] = {
		{ "<alice-x@example.test>", "alice" },
		{ "<alice+x-y@example.test>", "alice" },
		{ "<a+b-c@example.test>", "a+b" },
		{ "<bob=x@example.test>", NULL },
		{ "<x-alice@example.test>", NULL },
		{ "<-alice@example.test>", NULL },
	};

	setup("domains = {\"example.test\"}\n"
	      "recipients { subaddress = \"+-\" }\n");
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct path p = path_of(t[i].path);
		struct target got = target_of(conf, users, &nothing, &p);

		ck_assert_msg((got.kind == TARGET_MAILBOX) ==
		    (t[i].mailbox != NULL), "%s", t[i].path);
		if (t[i].mailbox != NULL)
			ck_assert_str_eq(got.mailbox, t[i].mailbox);
	}
	teardown();
}
END_TEST

/* Lines of a table stand where its section does; "@domain" after the mailboxes. */
START_TEST(tables)
{
	static const struct {
		const char *address;
		enum target_kind kind, at_last;
		const char *mailbox;
		int line;	/* of the table; 0: it decides nothing */
	} t[] = {
		{ "bob@example.test", TARGET_FORWARD, TARGET_MAILBOX, "bob", 1 },
		{ "BOB+x@example.test", TARGET_FORWARD, TARGET_MAILBOX, "bob", 1 },
		{ "info@example.test", TARGET_MAILBOX, TARGET_MAILBOX, "shop", 2 },
		{ "info+a@[192.0.2.25]", TARGET_MAILBOX, TARGET_MAILBOX, "shop", 2 },
		{ "info+bad@example.test", TARGET_ERROR, TARGET_ERROR, "", 3 },
		{ "first@example.test", TARGET_DISCARD, TARGET_DISCARD, "", 0 },
		{ "far@example.test", TARGET_UPSTREAM, TARGET_UPSTREAM, "", 5 },
		{ "alice@example.test", TARGET_MAILBOX, TARGET_MAILBOX, "alice", 0 },
		{ "nobody@example.test", TARGET_MAILBOX, TARGET_MAILBOX, "rest", 6 },
		{ "nobody@[192.0.2.25]", TARGET_ERROR, TARGET_ERROR, "", 7 },
		{ "alice@[192.0.2.25]", TARGET_ERROR, TARGET_ERROR, "", 7 },
		{ "later@example.test", TARGET_MAILBOX, TARGET_MAILBOX, "late", 0 },
		{ "a@far.example", TARGET_MX, TARGET_MX, "", 0 },
		{ "a+b@example.test", TARGET_MAILBOX, TARGET_MAILBOX, "a+b", 0 },
	};
	const struct mail_facts m = { .arena = &arena };
	char path[] = "/tmp/barid-tables-XXXXXX", text[2000];
	FILE *f = fdopen(mkstemp(path), "w");
	struct buf error;

	fputs("bob@example.test carol@far.example, bob@example.test\ninfo mailbox:shop\n"
	    "info+bad@example.test reject:550 5.1.6 gone\nfirst@example.test mailbox:no\n"
	    "far via:isp\n@example.test mailbox:rest\n@[192.0.2.25] reject:550 5.1.1 no\n", f);
	fclose(f);
	snprintf(text, sizeof(text), "%s"
	    "recipient \"first@example.test\" { discard = true }\n"
	    "recipient \"*\" { table = \"%s\" }\n"
	    "recipient \"later@example.test\" { mailbox = \"late\" }\n"
	    "recipient \"far@example.test\" { discard = true }\n", base, path);
	setup(text);
	buf_init(&error, 10000);
	ck_assert_int_eq(conf_tables_load(conf, &error), 0);
	ck_str(buf_str(&error), STR(""));
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct path p;
		struct target x;

		ck_assert_ptr_null(path_parse_addr(str_c(t[i].address), PATH_BARE, &arena, &p));
		x = target_of(conf, users, &m, &p);
		ck_assert_msg(x.kind == t[i].kind, "%s: %d, %s", t[i].address, (int)x.kind, x.why);
		if (x.kind == TARGET_MAILBOX)
			ck_assert_str_eq(x.mailbox, t[i].mailbox);
		ck_assert_msg((x.place.file != NULL && strcmp(x.place.file, path) == 0 ? x.place.line : 0) == t[i].line,
		    "%s: line %d", t[i].address, x.place.line);
		x = target_at_last(conf, users, &m, &p);
		ck_assert_msg(x.kind == t[i].at_last, "%s at last: %d", t[i].address, (int)x.kind);
		if (x.kind == TARGET_MAILBOX)
			ck_assert_str_eq(x.mailbox, t[i].mailbox);
	}
	buf_free(&error);
	teardown();
	unlink(path);
}
END_TEST

/* FEATURES R3, R5, R6: a domain's own postmaster, and by who writes to it. */
START_TEST(by_sender)
{
	static const struct {
		const char *from, *to;
		enum target_kind kind;
		const char *mailbox;
	} t[] = {
		{ "<m@mon.test>", "<postmaster@shop.test>", TARGET_MAILBOX, "noc" },
		{ "<a@far.test>", "<postmaster@shop.test>", TARGET_MAILBOX, "shop" },
		{ "<>", "<Postmaster@Shop.test>", TARGET_MAILBOX, "shop" },
		{ "<m@mon.test>", "<postmaster@[192.0.2.25]>", TARGET_MAILBOX, "noc" },
		{ "<a@far.test>", "<postmaster@[192.0.2.25]>", TARGET_MAILBOX, "alice" },
		{ "<a@far.test>", "<postmaster>", TARGET_MAILBOX, "alice" },
		{ "<a@far.test>", "<postmaster@trap.test>", TARGET_MAILBOX, "alice" },
		{ "<a@far.test>", "<postmaster@lmtp.test>", TARGET_MAILBOX, "alice" },
		{ "<a@far.test>", "<x@lmtp.test>", TARGET_UPSTREAM, "" },
		{ "<m@mon.test>", "<bob@shop.test>", TARGET_ERROR, "" },
		{ "<a@far.test>", "<bob@shop.test>", TARGET_MAILBOX, "bob" },
	};

	setup("domains = {\"example.test\", \"shop.test\", \"[192.0.2.25]\", \"trap.test\", \"lmtp.test\"}\n"
	      "postmaster = \"alice@example.test\"\n"
	      "upstream \"isp\" { server \"smtp.isp.test\" { } }\n"
	      "recipient \"postmaster@*\" { sender = {\"*@mon.test\"} mailbox = \"noc\" }\n"
	      "recipient \"postmaster@*\" { sender = {\"x@y.test\"} mailbox = \"no\" }\n"
	      "recipient \"*@shop.test\" { sender = {\"mon.test\"} reject = \"550 5.7.1 no\" }\n"
	      "recipient \"postmaster@shop.test\" { mailbox = \"shop\" }\n"
	      "recipient \"/.*@trap\\.test/\" { discard = true }\n"
	      "recipient \"lmtp.test\" { via = \"isp\" }\n"
	      "route \"*\" { via = \"mx\" }\n");
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct path p = path_of(t[i].to);
		struct mail_facts m = { .arena = &arena, .from = path_of(t[i].from) };
		struct target x = target_of(conf, users, &m, &p);

		ck_assert_msg(x.kind == t[i].kind, "%s to %s: %d, %s", t[i].from, t[i].to, (int)x.kind, x.why);
		if (x.kind == TARGET_MAILBOX)
			ck_assert_msg(strcmp(x.mailbox, t[i].mailbox) == 0, "%s to %s: %s", t[i].from, t[i].to, x.mailbox);
	}
	teardown();
}
END_TEST

UNIT_MAIN("policy/recipient", by_sender, tables, sections, at_last, several_signs,
    targets, place_and_path, no_users, any_user,
    postmasters, without_routes, relaying, verdicts, verdict_variants,
    all_ways)
