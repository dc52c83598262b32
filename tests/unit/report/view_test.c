/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The destinations of several runners, added up, sorted, and on a page. */

#include "report/view.h"

#include <stdlib.h>

#include "unit.h"

#define TWO \
	"runner\t0\t10\t2\t3\n" \
	"dest\tmx/1/far.example\tmx\tfar.example\t1\t2\t3\t2\t4\t7\t5\t6\t7\t0\t\n" \
	"dest\tlocal/0/mailboxes\tlocal\tmailboxes\t0\t0\t0\t0\t4\t0\t1\t0\t0\t0\t\n" \
	"more\t7\n" \
	"runner\t1\t20\t1\t1\n" \
	"dest\tmx/1/far.example\tmx\tfar.example\t1\t0\t1\t1\t4\t7\t1\t1\t1\t1500\tconnect to \x1b[1m: refused\n" \
	"dest\tupstream/0/up\tupstream\tup\t100\t0\t0\t0\t4\t20\t0\t0\t0\t0\t\n"

static struct view v;
static char *text;

static void
begin(const char *answers)
{
	view_init(&v);
	view_read(&v, str_c(answers));
}

static const char *
page(size_t rows, size_t columns)
{
	size_t n;
	FILE *out;

	free(text);
	ck_assert_ptr_nonnull(out = open_memstream(&text, &n));
	view_page(&v, rows, columns, 1795222923, out);
	fclose(out);
	return text;
}

START_TEST(rates)
{
	char *shown = NULL;
	size_t n;
	FILE *out = open_memstream(&shown, &n);

	begin("rate\tclient\t100\t0\t3600\t85\t192.0.2.1\nrate\tuser\t1\t2\t3\nrate\tall\t0\t7\tx\t1\n"
	      "rate\tuser\t0\t500\t60\t0\n");
	ck_assert_uint_eq(v.rate_n, 2);
	ck_assert_uint_eq(view_rates(&v, 80, out), 4);
	fclose(out);
	ck_assert_str_eq(shown, "\n"
	    "RATE         MESSAGES RECIPIENTS          PER    USED  BY\n"
	    "client            100          -       3600 s    85 %  192.0.2.1\n"
	    "user                -        500         60 s     0 %\n");
	free(shown);
	view_free(&v);
	/* No more than there is room for. */
	begin("");
	for (int i = 0; i < 2 * VIEW_RATES_MAX; i++)
		view_read(&v, STR("rate\tall\t1\t1\t1\t1\n"));
	ck_assert_uint_eq(v.rate_n, VIEW_RATES_MAX);
	view_free(&v);
}
END_TEST

START_TEST(froms)
{
	char *shown = NULL;
	size_t n;
	FILE *out = open_memstream(&shown, &n);

	begin("from\t20\t20\t192.0.2.1\nfrom\t10\t20\t2001:db8::/64\nfrom\t1\tx\ty\nfrom\t1\t2\n");
	ck_assert_uint_eq(v.from_n, 2);
	ck_assert_uint_eq(view_froms(&v, 80, out), 4);
	view_json(&v, 1, out);
	for (int i = 0; i < 2 * VIEW_FROMS_MAX; i++)
		view_read(&v, STR("from\t1\t1\ta\n"));
	ck_assert_uint_eq(v.from_n, VIEW_FROMS_MAX);
	fclose(out);
	ck_assert_msg(strncmp(shown, "\n"
	    "CONNECTIONS FROM                CONNECTIONS     MAX\n"
	    "192.0.2.1                                20      20\n"
	    "2001:db8::/64                            10      20\n{", 157) == 0, "%s", shown);
	ck_assert_ptr_nonnull(strstr(shown, "\"from\":[{\"address\":\"192.0.2.1\",\"connections\":20,\"most\":20},"));
	free(shown);
	view_free(&v);
}
END_TEST

START_TEST(sums)
{
	const struct view_row *r;

	begin(TWO);
	ck_assert_uint_eq(v.n, 3);
	ck_assert_uint_eq(v.runners, 2);
	ck_assert_uint_eq(v.queued, 30);
	ck_assert_uint_eq(v.active, 3);
	ck_assert_uint_eq(v.connections, 4);
	ck_assert_uint_eq(v.more, 7);
	ck_str(v.rows[0].name, STR("up"));
	ck_str(v.rows[2].kind, STR("local"));
	r = view_find(&v, STR("mx"), STR("FAR.example"));
	ck_assert_ptr_nonnull(r);
	ck_assert_uint_eq(r->waiting, 2);
	ck_assert_uint_eq(r->parked, 2);
	ck_assert_uint_eq(r->connections, 4);
	ck_assert_uint_eq(r->ready, 3);
	/* They want eight, and may have seven. */
	ck_assert_uint_eq(r->window, 7);
	ck_assert_uint_eq(r->sent, 6);
	ck_assert_uint_eq(r->deferred, 7);
	ck_assert_uint_eq(r->bounced, 8);
	ck_assert_uint_eq(r->dead_ms, 1500);
	ck_assert_ptr_null(view_find(&v, STR("upstream"), STR("far.example")));
	/* Answers may come one by one. */
	view_read(&v, STR("dest\tupstream/0/up\tupstream\tup\t1\t1\t1\t1\t1\t20\t1\t1\t1\t0\t\n"));
	ck_assert_uint_eq(v.n, 3);
	ck_assert_uint_eq(v.rows[0].waiting, 101);
	view_free(&v);
}
END_TEST

START_TEST(broken)
{
	begin("dest\n\n\t\nrunner\t1\ndest\tx\t1\nmore\tx\ndest\tmx/1/a\tmx\ta\t1\t2\t3\t4"
	    "\t5\t6\t7\t8\t9\n" "dest\t\tmx\ta\t1\t1\t1\t1\t1\t1\t1\t1\t1\t0\t\nrubbish\t1\n"
	    "dest\tkey\tnokind\tname\t1\t1\t1\t1\t1\t1\t1\t1\t1\t0\tx");
	ck_assert_uint_eq(v.n, 1);
	ck_assert_uint_eq(v.runners, 0);
	ck_str(v.rows[0].kind, STR("nokind"));
	view_free(&v);
}
END_TEST

START_TEST(pages)
{
	setenv("TZ", "UTC", 1);
	begin(TWO);
	(void)page(0, 4000);
	ck_assert_ptr_nonnull(strstr(text, "01:02:03  30 in the queue, 3 being "
	    "delivered, 4 connections, 10 destinations\n\nDESTINATION "));
	ck_assert_ptr_nonnull(strstr(text, "\nvia up                             "
	    "100       0     0/4           0       0       0  \nfar.example "));
	ck_assert_ptr_nonnull(strstr(text,
	    "dead for 2 s: connect to \\x1b[1m: refused\n(mailboxes) "));
	ck_assert_str_eq(page(4, 20), "01:02:03  30 in the \n\n"
	    "DESTINATION         \nvia up              \n");
	ck_assert_ptr_nonnull(page(1, 1));
	view_free(&v);
	begin("dest\tmx/1/a\tmx\ta.very.long.name.of.a.destination.example\t"
	    "1\t0\t0\t0\t0\t0\t0\t0\t0\t0\t\n");
	/* What is special stands at the end. */
	ck_assert_ptr_nonnull(strstr(page(0, 80), "\n.."));
	ck_assert_ptr_nonnull(strstr(text, ".destination.example       1 "));
	view_free(&v);
	free(text);
	text = NULL;
}
END_TEST

START_TEST(json)
{
	size_t n;
	FILE *out = open_memstream(&text, &n);

	begin(TWO);
	view_json(&v, 1795222923, out);
	fclose(out);
	ck_assert_ptr_nonnull(strstr(text, "{\"time\":1795222923,\"runners\":2,"
	    "\"queued\":30,\"active\":3,\"connections\":4,\"destinations\":["
	    "{\"kind\":\"upstream\",\"name\":\"up\",\"destination\":"
	    "\"upstream/0/up\",\"waiting\":100,"));
	ck_assert_ptr_nonnull(strstr(text, "\"dead_ms\":1500,\"dead_reason\":"
	    "\"connect to \\u001B[1m: refused\"}"));
	ck_assert_ptr_nonnull(strstr(text, "],\"more\":7,\"rates\":[],\"from\":[]}\n"));
	view_free(&v);
	free(text);
}
END_TEST

UNIT_MAIN("report/view", rates, froms, sums, broken, pages, json)
