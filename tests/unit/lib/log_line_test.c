/* SPDX-License-Identifier: GPL-3.0-or-later */

/* log_line -- the shapes of a line, its escapes, and where it is cut. */

#include "logfile.h"

#include <time.h>

#include "lib/log_line.h"

START_TEST(text_lines)
{
	struct buf b;
	struct str s;

	to_file();
	log_info(NULL, "connect from %s[%s]", "host", "192.0.2.1");
	log_info("4Rx1", "removed");
	log_warn("NOQUEUE", "slow");
	log_error(NULL, "broken");
	log_debug(NULL, "not shown");
	log_as("qmgr", LOG_LEVEL_INFO, "4Rx1", "from=<%s>", "a@b");
	log_as("qmgr", LOG_LEVEL_DEBUG, NULL, "not shown");
	log_lines(LOG_LEVEL_WARNING, "file: ", STR("one\n\ntwo\n"));
	log_lines(LOG_LEVEL_ERROR, "", STR(""));
	log_component("");
	log_info(NULL, "no component");
	log_setup(LOG_LEVEL_DEBUG, LOG_TEXT);
	ck_assert_int_eq(log_level(), LOG_LEVEL_DEBUG);
	log_debug(NULL, "shown");
	log_setup(LOG_LEVEL_ERROR, LOG_TEXT);
	log_warn(NULL, "not shown");
	b = written();
	s = buf_str(&b);
	ck_line(&s, "barid/smtpd", "connect from host[192.0.2.1]");
	ck_line(&s, "barid/smtpd", "4Rx1: removed");
	ck_line(&s, "barid/smtpd", "NOQUEUE: warning: slow");
	ck_line(&s, "barid/smtpd", "error: broken");
	ck_line(&s, "barid/qmgr", "4Rx1: from=<a@b>");
	ck_line(&s, "barid/smtpd", "warning: file: one");
	ck_line(&s, "barid/smtpd", "warning: file: ");
	ck_line(&s, "barid/smtpd", "warning: file: two");
	ck_line(&s, "barid", "no component");
	ck_line(&s, "barid", "shown");
	ck_str(s, STR(""));
	buf_free(&b);
}
END_TEST

#define S(lit) { "" lit, sizeof(lit) - 1 }

static const struct {
	struct str raw, safe;
} escapes[] = {
	{ S(""), S("") },
	{ S("plain text ~"), S("plain text ~") },
	{ S("a\\b \\x41"), S("a\\b \\x41") },
	{ S("a\nb\r\tc"), S("a\\x0ab\\x0d\\x09c") },
	{ S("a\0b"), S("a\\x00b") },
	{ S("\x1b[31m\x7f"), S("\\x1b[31m\\x7f") },
	{ S("\xc3\xa9\xe2\x82\xac\xf0\x9f\x93\xa7"),
	    S("\xc3\xa9\xe2\x82\xac\xf0\x9f\x93\xa7") },
	{ S("\xe9t\xe9"), S("\\xe9t\\xe9") },
	{ S("\xe2\x82"), S("\\xe2\\x82") },
	{ S("\xed\xa0\x80"), S("\\xed\\xa0\\x80") },
	{ S("\xc2\x85"), S("\\xc2\\x85") },
	{ S("\xc2\xa0"), S("\xc2\xa0") },
	{ S("\xe2\x80\xa8\xe2\x80\xa9"),
	    S("\\xe2\\x80\\xa8\\xe2\\x80\\xa9") },
	{ S("\xe2\x80\xaa\xe2\x80\xae"),
	    S("\\xe2\\x80\\xaa\\xe2\\x80\\xae") },
	{ S("\xe2\x81\xa5\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xaa"),
	    S("\xe2\x81\xa5\\xe2\\x81\\xa6\\xe2\\x81\\xa9\xe2\x81\xaa") },
};

START_TEST(escaping)
{
	char out[128];

	for (size_t i = 0; i < ARRAY_LEN(escapes); i++) {
		size_t n = log_escape(out, sizeof(out), escapes[i].raw);

		ck_str(str_n(out, n), escapes[i].safe);
		/* Cut anywhere, what is there is whole. */
		for (size_t max = 0; max < n; max++) {
			size_t m = log_escape(out, max, escapes[i].raw);

			ck_assert_uint_le(m, max);
			ck_str(str_n(out, m), str_head(escapes[i].safe, m));
			ck_assert(str_is_utf8(str_n(out, m)));
		}
	}
}
END_TEST

START_TEST(foreign_text_stays_on_its_line)
{
	struct buf b;
	struct str s;

	to_file();
	log_info("Q\n1", "helo=<%s>", "x\r\nNov 20 forged: \xff");
	b = written();
	s = buf_str(&b);
	ck_line(&s, "barid/smtpd",
	    "Q\\x0a1: helo=<x\\x0d\\x0aNov 20 forged: \\xff>");
	ck_str(s, STR(""));
	buf_free(&b);
}
END_TEST

START_TEST(long_lines_are_cut)
{
	static char big[20001];
	struct buf b;
	struct str s, line;

	to_file();
	for (size_t i = 0; i + 1 < sizeof(big); i += 2)
		memcpy(big + i, "\xc3\xa9", 2);
	log_info(NULL, "%s", big);
	log_info(NULL, "x%s", big);
	memset(big, '\n', sizeof(big) - 1);
	log_info(NULL, "%s", big);
	log_info(NULL, "after");
	b = written();
	s = buf_str(&b);
	for (int i = 0; i < 3; i++) {
		ck_assert(str_cut(s, '\n', &line, &s));
		ck_assert_uint_le(line.n + 1, LOG_LINE_MAX);
		ck_assert_uint_gt(line.n, LOG_LINE_MAX - 20);
		ck_assert(str_is_utf8(line));
	}
	ck_line(&s, "barid/smtpd", "after");
	buf_free(&b);
}
END_TEST

/* True if S is an object of string, number and null members only. */
static bool
is_flat_json(struct str s)
{
	bool in = false, escaped = false;

	if (s.n < 2 || s.p[0] != '{' || s.p[s.n - 1] != '}')
		return false;
	for (size_t i = 1; i + 1 < s.n; i++) {
		if (escaped) {
			if (strchr("\"\\", s.p[i]) == NULL)
				return false;
			escaped = false;
		} else if (in && s.p[i] == '\\') {
			escaped = true;
		} else if (s.p[i] == '"') {
			in = !in;
		} else if (!in && strchr("{}\\", s.p[i]) != NULL) {
			return false;
		}
	}
	return !in && !escaped;
}

START_TEST(json_lines)
{
	struct buf b, want;
	struct str s, line;

	to_file();
	log_setup(LOG_LEVEL_INFO, LOG_JSON);
	log_info("4R", "say \"%s\" \\ and\n\xff\xc3\xa9", "hi");
	log_warn(NULL, "w");
	log_as("qmgr", LOG_LEVEL_ERROR, NULL, "e");
	b = written();
	s = buf_str(&b);
	buf_init(&want, 1000);
	ck_assert(str_cut(s, '\n', &line, &s));
	ck_assert(is_flat_json(line));
	ck_assert(str_starts(line, STR("{\"time\":\"2")));
	buf_addf(&want,
	    "\"component\":\"smtpd\",\"pid\":%d,\"level\":\"info\","
	    "\"id\":\"4R\",\"message\":\"say \\\"hi\\\" \\\\ and\\\\x0a"
	    "\\\\xff\xc3\xa9\"}",
	    (int)getpid());
	ck_assert_msg(str_ends(line, buf_str(&want)), STR_FMT, STR_ARG(line));
	ck_assert(str_cut(s, '\n', &line, &s));
	ck_assert(str_ends(line,
	    STR("\"level\":\"warning\",\"id\":null,\"message\":\"w\"}")));
	ck_assert(str_cut(s, '\n', &line, &s));
	ck_assert(str_ends(line,
	    STR("\"level\":\"error\",\"id\":null,\"message\":\"e\"}")));
	buf_free(&want);
	buf_free(&b);
}
END_TEST

START_TEST(json_is_whole_at_any_length)
{
	static char big[LOG_LINE_MAX + 1];
	struct buf b;
	struct str s, line;
	size_t lines = 0;

	to_file();
	log_setup(LOG_LEVEL_INFO, LOG_JSON);
	memset(big, '"', sizeof(big) - 1);
	log_info(big, "%s", big);
	memset(big, '\x01', sizeof(big) - 1);
	log_info(big, "%s", big);
	memset(big, 'x', sizeof(big) - 1);
	log_info(big, "%s", big);
	for (size_t n = LOG_LINE_MAX - 250; n < LOG_LINE_MAX; n++)
		log_info(NULL, "%.*s\"\\\"\\", (int)n, big);
	b = written();
	s = buf_str(&b);
	while (str_cut(s, '\n', &line, &s)) {
		ck_assert_msg(is_flat_json(line), STR_FMT, STR_ARG(line));
		ck_assert_uint_lt(line.n, LOG_LINE_MAX);
		lines++;
	}
	ck_assert_uint_eq(lines, 253);
	buf_free(&b);
}
END_TEST

/* Each day for a while, and then some of 400 years. */
START_TEST(dates)
{
	struct log_event e = { .host = "h", .component = "c", .prefix = "",
		.text = STR("t") };
	char space[LOG_LINE_MAX], want[64];

	for (time_t t = 0; t < 400LL * 366 * 86400;
	     t += t < 2200000000 ? 86400 : 86400 * 13 + 3599) {
		struct log_line l = { .p = space, .max = sizeof(space) };
		struct tm tm;

		e.at = (int64_t)t * 1000000 + t % 1000000;
		log_line_text(&l, &e);
		gmtime_r(&t, &tm);
		strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%S.", &tm);
		ck_str(str_n(l.p, 20), str_c(want));
		snprintf(want, sizeof(want), "%06d+00:00 h barid/c[%d]: t\n",
		    (int)(t % 1000000), (int)getpid());
		ck_str(str_n(l.p + 20, l.n - 20), str_c(want));
	}
}
END_TEST

/* A clock that was never set, or set before all time, says the first moment. */
START_TEST(no_time)
{
	struct log_event e = { .host = "h", .component = "", .prefix = "",
		.text = STR("t"), .at = -1 };
	char space[LOG_LINE_MAX];
	struct log_line l = { .p = space, .max = sizeof(space) };

	log_line_text(&l, &e);
	ck_assert(str_starts(str_n(l.p, l.n),
	    STR("1970-01-01T00:00:00.000000+00:00 h barid[")));
}
END_TEST

/* Around the length at which another buffer is taken: nothing is lost. */
START_TEST(any_length)
{
	static char big[3001];
	struct buf b;
	struct str s, line, head;

	to_file();
	for (size_t n = 0; n < sizeof(big) - 1; n += n < 700 ? 1 : 100) {
		memset(big, n % 2 ? 'x' : '\t', n);
		big[n] = '\0';
		log_info(NULL, "%s.", big);
	}
	b = written();
	s = buf_str(&b);
	for (size_t n = 0; n < sizeof(big) - 1; n += n < 700 ? 1 : 100) {
		ck_assert(str_cut(s, '\n', &line, &s));
		ck_assert(str_ends(line, n < 1000 || n % 2 ? STR(".") : STR("")));
		ck_assert(str_cut(line, ' ', &head, &line));
		ck_assert(str_cut(line, ' ', &head, &line));
		ck_assert(str_cut(line, ' ', &head, &line));
		if (n < 1000)
			ck_assert_uint_eq(line.n, (n % 2 ? n : 4 * n) + 1);
	}
	buf_free(&b);
}
END_TEST

UNIT_MAIN("lib/log_line", dates, no_time, any_length, text_lines, escaping, foreign_text_stays_on_its_line,
    long_lines_are_cut, json_lines, json_is_whole_at_any_length)
