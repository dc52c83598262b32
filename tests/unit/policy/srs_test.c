/* SPDX-License-Identifier: GPL-3.0-or-later */

/* srs -- whose reverse-paths are rewritten, and who may write back. */

#include "policy/srs.h"

#include <time.h>

#include "policy/recipient.h"
#include "unit.h"

static struct conf *conf;
static struct arena arena;

static void
begin(const char *text)
{
	struct buf error;

	arena_init(&arena, 1u << 20);
	buf_init(&error, 65536);
	conf = conf_parse("t", str_c(text), &error);
	ck_assert_msg(conf != NULL, "%s", buf_cstr(&error));
	ck_assert_int_eq(conf_srs_load(conf, false, 0, &error), 0);
	buf_free(&error);
}

static void
end(void)
{
	conf_free(conf);
	arena_free(&arena);
}

static const char *
sender(const char *from)
{
	struct path p = { STR(""), STR("") };

	if (from[0] != '\0')
		ck_assert_ptr_null(path_parse_addr(str_c(from), PATH_UTF8,
		    &arena, &p));
	p = srs_sender(conf, &p, 1700000000, &arena);
	return arena_cstr(&arena, path_str(&arena, &p));
}

START_TEST(whose)
{
	begin("domains = {\"x.test\"}\n"
	      "srs { secret = \"s\" domain = \"x.test\" }\n");
	ck_assert(str_starts(str_c(sender("a@far.example")), STR("SRS0=")));
	ck_assert(str_ends(str_c(sender("a@far.example")),
	    STR("=far.example=a@x.test")));
	ck_assert_str_eq(sender(""), "");
	ck_assert_str_eq(sender("alice@x.test"), "alice@x.test");
	ck_assert_str_eq(sender("alice@X.Test"), "alice@X.Test");
	end();
	begin("domains = {\"x.test\"}\n");
	ck_assert_str_eq(sender("a@far.example"), "a@far.example");
	end();
}
END_TEST

START_TEST(the_way_back)
{
	struct mail_facts f = { .arena = &arena };
	struct path from = { STR("a"), STR("far.example") }, p;
	struct client_facts stranger = { .authenticated = false };
	struct target t;

	begin("domains = {\"x.test\"}\n"
	      "srs { secret = \"s\" domain = \"x.test\" }\n");
	ck_assert_int_eq(addr_parse(STR("192.0.2.1"), 0, &stranger.peer), 0);
	p = srs_sender(conf, &from, time(NULL), &arena);
	t = target_of(conf, NULL, &f, &p);
	ck_assert_int_eq(t.kind, TARGET_MX);
	ck_str(t.path.local, STR("a"));
	ck_str(t.path.domain, STR("far.example"));
	ck_assert_int_eq(rcpt_verdict(conf, NULL, &stranger, &f, &p).code, 250);
	/* With a sender it would be a relay. */
	f.from = from;
	ck_assert_int_eq(target_of(conf, NULL, &f, &p).kind, TARGET_UNKNOWN);
	ck_assert_int_eq(rcpt_verdict(conf, NULL, &stranger, &f, &p).code, 550);
	f.from = (struct path){ STR(""), STR("") };
	p.local = STR("SRS0=AAAA=AA=far.example=a");
	ck_assert_int_eq(target_of(conf, NULL, &f, &p).kind, TARGET_UNKNOWN);
	ck_assert_str_eq(rcpt_verdict(conf, NULL, &stranger, &f, &p).enhanced,
	    "5.1.1");
	p = srs_sender(conf, &from, time(NULL) - 40 * 86400, &arena);
	ck_assert_int_eq(target_of(conf, NULL, &f, &p).kind, TARGET_UNKNOWN);
	end();
}
END_TEST

UNIT_MAIN("policy/srs", whose, the_way_back)
