/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Who gets a copy of mail as it comes in. */

#include "queue/archive.h"

#include "unit.h"

#define CONF "hostname = \"mx.x.org\" domains = {\"x.org\"}\n"                 \
	"archive \"all\" { to = {\"all@x.org\"} }\n"                           \
	"archive \"out\" { to = {\"out@x.org\", \"bob@y.org\"} "                \
	"sender = {\"x.org\"} user = {\"alice\"} }\n"                          \
	"archive \"post\" { to = {\"post@x.org\"} recipient = {\"postmaster@*\"} }\n" \
	"archive \"cron\" { to = {\"cron@x.org\"} listener = {\"sendmail\"} }\n"

/* The copies of a mail, as one line. */
static const char *
copies(const char *from, const char *user, const char *listener,
    const char *rcpt)
{
	static struct buf said;
	struct envelope_rcpt r[2] = { { .state = RCPT_QUEUED }, { .state = RCPT_QUEUED } };
	struct envelope e = { .user = str_c(user), .listener = str_c(listener),
		.rcpts = r, .rcpt_n = 2 };
	struct buf error;
	struct conf *c;
	struct arena a;

	arena_init(&a, 100000);
	buf_init(&error, 4096);
	c = conf_parse("test.conf", STR(CONF), &error);
	ck_assert_msg(c != NULL, "%s", buf_cstr(&error));
	ck_assert_ptr_null(path_parse_addr(str_c(from), 0, &a, &e.from));
	ck_assert_ptr_null(path_parse_addr(STR("bob@y.org"), 0, &a, &r[0].path));
	ck_assert_ptr_null(path_parse_addr(str_c(rcpt), PATH_BARE, &a, &r[1].path));
	archive_add(c, &a, &e);
	buf_free(&said);
	buf_init(&said, 4096);
	for (size_t i = 2; i < e.rcpt_n; i++) {
		ck_assert_int_eq(e.rcpts[i].notify, NOTIFY_NEVER);
		ck_assert_int_eq(e.rcpts[i].state, RCPT_QUEUED);
		path_add(&said, &e.rcpts[i].path);
		buf_addc(&said, ' ');
	}
	conf_free(c);
	buf_free(&error);
	arena_free(&a);
	return buf_cstr(&said);
}

START_TEST(sections)
{
	ck_assert_str_eq(copies("q@z.org", "", "smtp", "alice@x.org"), "all@x.org ");
	/* Who gets it already gets it once. */
	ck_assert_str_eq(copies("alice@X.org", "Alice", "smtp", "alice@x.org"),
	    "all@x.org out@x.org ");
	ck_assert_str_eq(copies("alice@x.org", "", "smtp", "all@x.org"), "");
	ck_assert_str_eq(copies("alice@z.org", "alice", "smtp", "c@x.org"), "all@x.org ");
	ck_assert_str_eq(copies("q@z.org", "", "sendmail", "Postmaster"),
	    "all@x.org post@x.org cron@x.org ");
}
END_TEST

int
main(void)
{
	return unit_run("queue/archive", UNIT_CASE("archive", sections));
}
