/* SPDX-License-Identifier: GPL-3.0-or-later */

/* remap -- which addresses become others, and that nothing else of a header does. */

#include "queue/remap.h"

#include <unistd.h>

#include "conf/table.h"
#include "unit.h"

static struct conf *conf;

static struct remap
rules(const char *text, enum conf_rewrite_at at)
{
	struct buf error;

	conf_free(conf);
	buf_init(&error, 4000);
	conf = conf_parse("test.conf", str_c(text), &error);
	ck_assert_msg(conf != NULL, "%s", buf_cstr(&error));
	buf_free(&error);
	return (struct remap){ .conf = conf, .at = at, .listener = STR("smtp") };
}

#define MASK "rewrite \"root@*.x.test\" { }\n" \
	"rewrite \"*.x.test\" { to = \"@x.test\" }\n" \
	"rewrite \"a@b.test\" { to = \"all@*\" what = {\"envelope-recipient\", \"header-recipient\"} }\n" \
	"rewrite \"'q r'@b.test\" { to = \"plain@b.test\" }\n" \
	"rewrite \"far.test\" { to = \"near@y.test\" listener = {\"sendmail\"} }\n" \
	"rewrite \"s@b.test\" { to = \"t@b.test\" at = \"send\" }\n"

START_TEST(paths)
{
	static const struct {
		unsigned what;
		const char *in, *out;
	} t[] = {
		{ REWRITE_ENVELOPE_SENDER, "u@a.x.test", "u@x.test" },
		{ REWRITE_ENVELOPE_SENDER, "u@A.B.X.test", "u@x.test" },
		{ REWRITE_ENVELOPE_SENDER, "u@x.test", "u@x.test" },
		{ REWRITE_ENVELOPE_SENDER, "root@a.x.test", "root@a.x.test" },
		{ REWRITE_ENVELOPE_SENDER, "a@b.test", "a@b.test" },
		{ REWRITE_ENVELOPE_RECIPIENT, "a@b.test", "all@b.test" },
		{ REWRITE_HEADER_RECIPIENT, "a@b.test", "all@b.test" },
		{ REWRITE_ENVELOPE_SENDER, "u@far.test", "u@far.test" },
		{ REWRITE_ENVELOPE_SENDER, "s@b.test", "s@b.test" },
	};
	struct remap r = rules(MASK "listen \"smtp\" { port = \"25\" tls = \"off\" }\n", REWRITE_AT_RECEIVE);
	struct arena a;
	struct path p, none = { STR(""), STR("") };

	arena_init(&a, 65536);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		ck_assert_ptr_null(path_parse_addr(str_c(t[i].in), 0, &a, &p));
		bool changed = remap_path(&r, t[i].what, &a, &p);
		ck_str(path_str(&a, &p), str_c(t[i].out));
		ck_assert(changed == (strcmp(t[i].in, t[i].out) != 0));
	}
	ck_assert(!remap_path(&r, REWRITE_ENVELOPE_SENDER, &a, &none));
	r.listener = STR("sendmail");
	ck_assert_ptr_null(path_parse_addr(STR("u@far.test"), 0, &a, &p));
	ck_assert(remap_path(&r, REWRITE_ENVELOPE_SENDER, &a, &p));
	ck_str(path_str(&a, &p), STR("near@y.test"));
	r.at = REWRITE_AT_SEND;
	ck_assert_ptr_null(path_parse_addr(STR("s@b.test"), 0, &a, &p));
	ck_assert(remap_path(&r, REWRITE_ENVELOPE_SENDER, &a, &p));
	arena_free(&a);
}
END_TEST

#define L64 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl"
#define TEN "0123456789"
#define D50 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvw."

/* What would be no address any more loses its detail, or stays what it was. */
START_TEST(too_long)
{
	static const struct {
		const char *in, *out;
	} t[] = {
		{ "bob@x.test", "robert.smith@x.test" },
		{ "bob+" TEN TEN TEN TEN TEN "0@x.test",
		    "robert.smith+" TEN TEN TEN TEN TEN "0@x.test" },
		{ "bob+" TEN TEN TEN TEN TEN "00@x.test", "robert.smith@x.test" },
		{ "bob@far.test", "bob@" D50 D50 D50 D50 "test" },
		{ L64 "@far.test", L64 "@far.test" },
		{ L64 "@wide.test", L64 "@wide.test" },
	};
	struct remap r = rules("rewrite \"*@x.test\" { table = \"/none\" }\n"
	    "domains = {\"x.test\"}\n"
	    "rewrite \"wide.test\" { to = \"@" D50 D50 D50 D50 "test\" }\n"
	    "rewrite \"far.test\" { to = \"@" D50 D50 D50 D50 "test\" }\n",
	    REWRITE_AT_RECEIVE);
	char file[] = "/tmp/barid-remap-XXXXXX";
	int fd = mkstemp(file);
	struct buf said;
	struct arena a;
	struct path p;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(dprintf(fd, "bob@x.test robert.smith@x.test\n"), 31);
	close(fd);
	buf_init(&said, 4000);
	conf->rewrites[0].entries = conf_table_read(conf, file, conf_table_address, &said);
	unlink(file);
	ck_assert_msg(conf->rewrites[0].entries != NULL && said.n == 0, "%s", buf_cstr(&said));
	buf_free(&said);
	arena_init(&a, 65536);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		ck_assert_ptr_null(path_parse_addr(str_c(t[i].in), 0, &a, &p));
		bool changed = remap_path(&r, REWRITE_ENVELOPE_RECIPIENT, &a, &p);
		ck_str(path_str(&a, &p), str_c(t[i].out));
		ck_assert(changed == (strcmp(t[i].in, t[i].out) != 0));
	}
	arena_free(&a);
}
END_TEST

/* Of recipients that become one, one stays, and those that were two stay two. */
START_TEST(envelopes)
{
	struct remap r = rules("rewrite \"*.x.test\" { to = \"@x.test\" }\n", REWRITE_AT_RECEIVE);
	struct envelope_rcpt rcpts[] = { { .path = { STR("u"), STR("a.x.test") } },
		{ .path = { STR("v"), STR("y.test") } }, { .path = { STR("u"), STR("b.x.test") } },
		{ .path = { STR("w"), STR("x.test") } } };
	struct envelope e = { .from = { STR("s"), STR("c.x.test") }, .rcpts = rcpts,
		.rcpt_n = ARRAY_LEN(rcpts) };
	struct arena a;

	arena_init(&a, 65536);
	remap_all(&r, &a, &e);
	ck_str(path_str(&a, &e.from), STR("s@x.test"));
	ck_assert_uint_eq(e.rcpt_n, 3);
	ck_str(path_str(&a, &rcpts[0].path), STR("u@x.test"));
	ck_str(path_str(&a, &rcpts[1].path), STR("v@y.test"));
	ck_str(path_str(&a, &rcpts[2].path), STR("w@x.test"));
	arena_free(&a);
}
END_TEST

static void
header(const struct remap *r, const char *in, const char *out)
{
	struct buf b;
	size_t n;

	buf_init(&b, 65536);
	n = remap_header(r, str_c(in), &b);
	if (out == NULL) {
		ck_assert_uint_eq(n, 0);
	} else {
		ck_assert_msg(n > 0, "unchanged: %s", in);
		buf_add(&b, str_skip(str_c(in), n));
		ck_str(buf_str(&b), str_c(out));
	}
	buf_free(&b);
}

START_TEST(headers)
{
	static const struct {
		const char *in, *out;	/* NULL: it stays */
	} t[] = {
		{ "From: u@a.x.test\r\n\r\nu@a.x.test\r\n", "From: u@x.test\r\n\r\nu@a.x.test\r\n" },
		{ "Subject: u@a.x.test\r\n\r\n", NULL },
		{ "From: \"u@a.x.test\" <u@a.x.test> (u@a.x.test)\r\nX: y\r\n\r\n",
		    "From: \"u@a.x.test\" <u@x.test> (u@a.x.test)\r\nX: y\r\n\r\n" },
		{ "to :  A B\r\n <u@a.x.test>,\r\n\t(c) u @ b.x.test , g: v@c.x.test;\r\n\r\n",
		    "to :  A B\r\n <u@x.test>,\r\n\t(c) u@x.test , g: v@x.test;\r\n\r\n" },
		{ "Cc: a@b.test, root@a.x.test\r\n\r\n", "Cc: all@b.test, root@a.x.test\r\n\r\n" },
		{ "From: a@b.test\r\n\r\n", NULL },
		{ "From: u@a.x.test, <<broken>, v@a.x.test\r\n\r\n",
		    "From: u@x.test, <<broken>, v@a.x.test\r\n\r\n" },
		{ "From: <@r.test:u@a.x.test>\nTo: <>\n\nx", "From: <@r.test:u@x.test>\nTo: <>\n\nx" },
		{ "no field\r\nFrom: u@a.x.test\r\n", NULL },
		{ "X: y\r\nno field\r\nFrom: u@a.x.test\r\n.\r\nTo: u@a.x.test\r\n-\r\n\r\nu@a.x.test",
		    "X: y\r\nno field\r\nFrom: u@x.test\r\n.\r\nTo: u@x.test\r\n-\r\n\r\nu@a.x.test" },
		{ "From: u@a.x.test", "From: u@x.test" },
		{ "Bcc:\r\nResent-Cc: u@a.x.test\r\n\r\n", "Bcc:\r\nResent-Cc: u@x.test\r\n\r\n" },
		{ "", NULL },
	};
	struct remap r = rules(MASK, REWRITE_AT_RECEIVE);

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		header(&r, t[i].in, t[i].out);
	r.stranger = true;
	header(&r, t[0].in, NULL);
	r = rules("rewrite \"*.x.test\" { to = \"@x.test\" strangers = true }\n", REWRITE_AT_RECEIVE);
	r.stranger = true;
	header(&r, t[0].in, t[0].out);
}
END_TEST

START_TEST(kept)
{
	struct remap r = rules("rewrite \"*\" { to = \"no@x.test\" keep = \"reply-to\" "
	    "what = {\"header-sender\"} }\n", REWRITE_AT_SEND);

	header(&r, "From: A <a@b.test>\r\n\r\n", NULL);
	r.at = REWRITE_AT_RECEIVE;
	header(&r, "From: A\r\n <a@b.test>\r\nTo: c@d.test\r\n\r\n",
	    "From: A\r\n <no@x.test>\r\nReply-To: A\r\n <a@b.test>\r\nTo: c@d.test\r\n\r\n");
	header(&r, "From: no@x.test\r\n\r\n", NULL);
	/* Where replies go was said, if behind a line that is no field. */
	header(&r, "From: a@b.test\r\nno field\r\nReply-To: no@x.test\r\n\r\n",
	    "From: no@x.test\r\nno field\r\nReply-To: no@x.test\r\n\r\n");
	r = rules("rewrite \"*\" { to = \"no@x.test\" keep = \"x-original-from\" "
	    "what = {\"header-sender\"} }\n", REWRITE_AT_RECEIVE);
	header(&r, "From: a@b.test\r\nX-Original-From: z\r\n\r\n",
	    "From: no@x.test\r\nX-Original-From: z\r\n\r\n");
	header(&r, "From: a@b.test\r\n\r\n", "From: no@x.test\r\nX-Original-From: a@b.test\r\n\r\n");
}
END_TEST

UNIT_MAIN("queue/remap", paths, too_long, envelopes, headers, kept)
