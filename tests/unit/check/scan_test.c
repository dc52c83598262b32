/* SPDX-License-Identifier: GPL-3.0-or-later */

/* scan -- FEATURES S1: numbers, names, and answers that are too long, or none. */

#include "check/scan.h"

#include "scan_pieces.h"
#include "unit.h"

START_TEST(numbers)
{
	static const struct {
		const char *text;
		int64_t v;
		const char *again;
	} good[] = { { "0", 0, "0.0" }, { "-1.5", -1500, "-1.5" }, { "1000.0", 1000000, "1000.0" },
		{ "3.14159", 3141, "3.141" }, { "0.05", 50, "0.05" }, { "-0.001", -1, "-0.001" },
		{ "7", 7000, "7.0" } };
	static const char *const bad[] = { "", "-", ".", "1.", "+1", "1e9", "nan", "inf", "1.x",
		"--1", "1000000", "99999999999999999999999", " 1" };
	struct buf b;
	int64_t v;

	buf_init(&b, 100);
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		ck_assert_msg(scan_number(str_c(good[i].text), &v), "%s", good[i].text);
		ck_assert_int_eq(v, good[i].v);
		buf_reset(&b);
		scan_number_add(&b, v);
		ck_str(buf_str(&b), str_c(good[i].again));
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(!scan_number(str_c(bad[i]), &v), "%s", bad[i]);
	buf_free(&b);
}
END_TEST

START_TEST(names)
{
	struct scan s;
	char large[MSG_SCAN_SYMBOLS_MAX];

	scan_init(&s, SCAN_SPAMD, &about);
	scan_symbol(&s, STR("A"));
	scan_symbol(&s, STR(""));
	scan_symbol(&s, STR("B C\r\n,\xff"));
	ck_str(s.v.symbols, STR("A,B?C????"));
	memset(large, 'x', sizeof(large));
	scan_symbol(&s, str_n(large, sizeof(large)));
	ck_str(s.v.symbols, STR("A,B?C????"));
	scan_say(&s, STR("a \"b\"\n\xe4"));
	ck_str(s.v.what, STR("a ?b???"));
	scan_say(&s, str_n(large, sizeof(large)));
	ck_assert_uint_eq(s.v.what.n, MSG_SCAN_WHAT_MAX);
	scan_free(&s);
}
END_TEST

/* Gives S octets without an end, until it has had enough; that is soon. */
static size_t
flood(struct scan *s, const char *line)
{
	size_t n = 0;

	while (scan_take(s, str_c(line)) == SCAN_MORE) {
		n += strlen(line);
		ck_assert_uint_le(n, SCAN_BODY_MAX + SCAN_HEAD_MAX);
	}
	ck_assert_int_eq(s->state, SCAN_BROKEN);
	/* And from then on, whatever comes. */
	ck_assert_int_eq(scan_take(s, STR("x")), SCAN_BROKEN);
	ck_assert_int_eq(scan_end(s), SCAN_BROKEN);
	return n;
}

START_TEST(floods)
{
	struct scan s;

	for (int server = SCAN_SPAMD; server <= SCAN_CLAMD; server++) {
		scan_init(&s, (enum scan_server)server, &about);
		ck_assert_uint_le(flood(&s, "X: some header line\r\n"), SCAN_HEAD_MAX);
		scan_free(&s);
	}
	scan_init(&s, SCAN_SPAMD, &about);
	ck_assert_int_eq(scan_take(&s, STR("SPAMD/1.1 0 EX_OK\r\nSpam: True ; 6 / 5\r\n\r\n")), SCAN_MORE);
	ck_assert_uint_ge(flood(&s, "NAME,NAME,"), SCAN_BODY_MAX - 10);
	scan_free(&s);
}
END_TEST

START_TEST(ends)
{
	static const struct {
		enum scan_server server;
		const char *answer;
	} t[] = {
		{ SCAN_SPAMD, "" }, { SCAN_RSPAMD, "" }, { SCAN_CLAMD, "" },
		{ SCAN_SPAMD, "SPAMD/1.1 0 EX_OK\r\n" },
		{ SCAN_SPAMD, "SPAMD/1.1 0 EX_OK\r\nContent-length: 5\r\nSpam: True ; 6 / 5\r\n\r\nA,B" },
		{ SCAN_RSPAMD, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{" },
		{ SCAN_CLAMD, "stream: O" },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		for (size_t n = 1; n < 100; n += 98) {
			struct scan s;

			scan_init(&s, t[i].server, &about);
			ck_assert_msg(give(&s, str_c(t[i].answer), n) == SCAN_BROKEN, "%zu", i);
			ck_assert(s.why != NULL);
			scan_free(&s);
		}
}
END_TEST

UNIT_MAIN("check/scan", numbers, names, floods, ends)
