/* SPDX-License-Identifier: GPL-3.0-or-later */

/* session_test -- verbs and states, arguments, mistakes, and how bytes arrive. */

#include "unit.h"

#include "popper.h"

#define LOGIN "USER alice\r\nPASS barid\r\n"

static void
begin(void)
{
	popper_begin();
	popper_put("alice", "new/1.one.host,S=24,W=27", STR("Subject: one\n\nbody one\n\n"));
	popper_put("alice", "new/2.two.host", STR("Subject: two\r\n\r\n.dot\r\n"));
}

static void
check(const char *in, const char *want)
{
	struct str all = str_c(in);
	const char *got = popper_answers(all);

	ck_assert_msg(strcmp(got, want) == 0, "%s\n  got %s, not %s:\n%s", in, got, want,
	    buf_cstr(&popper.out));
}

/* What each verb says in each state; MARKS are of before and after the login. */
START_TEST(states)
{
	static const struct {
		const char *line;
		const char *marks;
	} t[] = {
		{ "USER alice", "+-" }, { "PASS barid", "--" },
		{ "AUTH", "*-" }, { "AUTH PLAIN AGFsaWNlAGJhcmlk", "+-" },
		{ "STLS", "--" }, { "UTF8", "+-" }, { "CAPA", "**" },
		{ "STAT", "-+" }, { "LIST", "-*" }, { "LIST 1", "-+" },
		{ "UIDL", "-*" }, { "UIDL 2", "-+" }, { "RETR 1", "-*" },
		{ "TOP 1 0", "-*" }, { "DELE 1", "-+" }, { "RSET", "-+" },
		{ "NOOP", "-+" }, { "QUIT", "++" },
		{ "LANG", "**" }, { "LANG en", "++" }, { "LANG tlh", "--" },
		/* Verbs of others, and none. */
		{ "APOP alice c4c9334bac560ecc979e58001b3e22fb", "--" },
		{ "LAST", "--" }, { "HELO x", "--" }, { "", "--" },
		{ " STAT", "--" }, { "STATUS", "--" }, { "STA", "--" }, { "\tSTAT", "--" },
	};

	begin();
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		char in[256], want[8];

		snprintf(in, sizeof(in), "%s\r\n", t[i].line);
		snprintf(want, sizeof(want), "+%c", t[i].marks[0]);
		check(in, want);
		snprintf(in, sizeof(in), LOGIN "%s\r\n", t[i].line);
		snprintf(want, sizeof(want), "+++%c", t[i].marks[1]);
		check(in, want);
		/* Keywords are known in any case (RFC 1939 3). */
		for (char *p = in; *p && *p != ' '; p++)
			*p = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p;
		check(in, want);
	}
	ck_assert_uint_eq(popper_count("alice"), 2);
	popper_end();
}
END_TEST

/* S-20: every verb behind every other in each state: the answer does not depend on the first. */
START_TEST(walk)
{
	static const struct {
		const char *line;
		char before, after;
	} t[] = {
		{ "USER alice", '+', '-' }, { "STLS", '-', '-' }, { "UTF8", '+', '-' },
		{ "CAPA", '*', '*' }, { "STAT", '-', '+' }, { "LIST", '-', '*' },
		{ "UIDL 2", '-', '+' }, { "RETR 2", '-', '*' }, { "TOP 2 1", '-', '*' },
		{ "RSET", '-', '+' }, { "NOOP", '-', '+' }, { "XYZ", '-', '-' },
		{ "DELE 9", '-', '-' }, { "AUTH X", '-', '-' },
	};
	const size_t n = ARRAY_LEN(t);

	begin();
	for (size_t i = 0; i < n * n * n; i++) {
		size_t a = i % n, b = i / n % n, c = i / n / n;
		char in[256], want[8];

		snprintf(in, sizeof(in), "%s\r\n%s\r\n%s\r\n", t[a].line, t[b].line, t[c].line);
		snprintf(want, sizeof(want), "+%c%c%c", t[a].before, t[b].before, t[c].before);
		check(in, want);
		snprintf(in, sizeof(in), LOGIN "%s\r\n%s\r\n%s\r\n", t[a].line, t[b].line,
		    t[c].line);
		snprintf(want, sizeof(want), "+++%c%c%c", t[a].after, t[b].after, t[c].after);
		check(in, want);
	}
	popper_end();
}
END_TEST

/* CONFORMANCE S-29. */
START_TEST(numbers)
{
	static const char *const bad[] = {
		"RETR -1", "RETR 0", "RETR 3", "RETR 4294967297", "RETR 99999999999999999999",
		"RETR 1 1", "RETR +1", "RETR 1x", "RETR 0x1", "RETR 1.0", "RETR",
		"TOP 1", "TOP", "TOP 1 -1", "TOP 1 18446744073709551616", "TOP 1 1 1", "TOP x 1",
		"TOP 1 x", "TOP 3 1", "TOP 0 0", "LIST x", "LIST 0", "LIST 3", "LIST 1 2",
		"UIDL 0", "UIDL -1", "UIDL 3", "DELE", "DELE 0", "DELE 3", "DELE 1 2",
		"STAT 1", "NOOP 1", "RSET 1", "QUIT now", "CAPA x",
	};
	static const char *const good[] = {
		"RETR 01", "RETR 1 ", "RETR 0000000000000000000001", "TOP 1 4294967295",
		"TOP  1  1", "LIST 2\t", "QUIT  ",
	};

	begin();
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char in[256];

		snprintf(in, sizeof(in), LOGIN "%s\r\n", bad[i]);
		check(in, "+++-");
	}
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		char in[256];

		snprintf(in, sizeof(in), LOGIN "%s\r\n", good[i]);
		const char *got = popper_answers(str_c(in));
		ck_assert_msg(strlen(got) == 4 && got[3] != '-', "%s: %s", good[i], got);
	}
	popper_end();
}
END_TEST

/* A line of N octets in all that begins with VERB. */
static void
add_long(struct buf *in, const char *verb, size_t n)
{
	size_t at = in->n;

	buf_adds(in, verb);
	while (in->n - at < n - 2)
		buf_addc(in, 'a');
	buf_adds(in, "\r\n");
}

START_TEST(long_lines)
{
	struct buf in;

	begin();
	buf_init(&in, 64u << 20);
	/* RFC 2449 4 wants 255 octets; we take more, for long passwords. */
	add_long(&in, "USER ", 255);
	add_long(&in, "PASS ", 255);
	buf_adds(&in, "USER alice\r\n");
	add_long(&in, "PASS ", 2048);
	add_long(&in, "USER ", 263);	/* 256 octets of name */
	buf_adds(&in, "PASS barid\r\n");
	add_long(&in, "STAT ", 2049);
	/* CONFORMANCE S-29. */
	add_long(&in, "STAT ", 65536);
	add_long(&in, "USER ", 65536);
	add_long(&in, "PASS ", 65536);
	add_long(&in, "APOP ", 65536);
	buf_adds(&in, "CAPA\r\n");
	check(buf_cstr(&in), "++-+--------*");
	/* What does not end within 64 KiB ends the session, with an answer. */
	buf_reset(&in);
	add_long(&in, "USER ", 65537);
	buf_adds(&in, "CAPA\r\n");
	check(buf_cstr(&in), "+-");
	buf_reset(&in);
	buf_adds(&in, "AUTH PLAIN\r\n");
	add_long(&in, "", 12289);
	buf_adds(&in, "AUTH PLAIN\r\n");
	add_long(&in, "", 65537);
	buf_adds(&in, "CAPA\r\n");
	check(buf_cstr(&in), "+?-?-");
	/* A LF within what is skipped begins no command. */
	buf_reset(&in);
	buf_adds(&in, "USER ");
	for (int i = 0; i < 3000; i++)
		buf_addc(&in, 'x');
	buf_adds(&in, "\nQUIT\nQUIT\r\nCAPA\r\n");
	check(buf_cstr(&in), "+-*");
	buf_free(&in);
	popper_end();
}
END_TEST

static void
repeat(struct buf *in, const char *line, unsigned n)
{
	while (n-- > 0)
		buf_adds(in, line);
}

START_TEST(mistakes)
{
	static const char *const lines[] = { "XYZ\r\n", "RETR 1\r\n", "\r\n", "USER\r\n",
		"AUTH NTLM\r\n", "PASS x\r\n" };
	struct buf in, want;

	begin();
	buf_init(&in, 64u << 20);
	buf_init(&want, 4096);
	/* 20 are borne, before the login. */
	buf_adds(&want, "+");
	repeat(&want, "-", 21);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		buf_reset(&in);
		repeat(&in, lines[i], 40);
		check(buf_cstr(&in), buf_cstr(&want));
	}
	/* Lines that are no lines count as well. */
	buf_reset(&in);
	for (int i = 0; i < 40; i++)
		add_long(&in, "", 3000);
	check(buf_cstr(&in), buf_cstr(&want));
	buf_reset(&in);
	for (int i = 0; i < 40; i++)
		buf_add(&in, STR("CAPA\0\r\n"));
	ck_assert_str_eq(popper_answers(buf_str(&in)), buf_cstr(&want));
	/* So do logins that fail, of which there are fewer. */
	buf_reset(&in);
	repeat(&in, "AUTH PLAIN AGFsaWNlAHdyb25n\r\n", 9);
	check(buf_cstr(&in), "+-----");
	/* Once logged in, a good command makes up for bad ones. */
	buf_reset(&in);
	buf_adds(&in, LOGIN);
	for (int i = 0; i < 5; i++) {
		repeat(&in, "XYZ\r\n", 20);
		buf_adds(&in, "NOOP\r\n");
	}
	repeat(&in, "XYZ\r\n", 40);
	ck_assert_uint_eq(strlen(popper_answers(buf_str(&in))), 3 + 5 * 21 + 21);
	buf_free(&in);
	buf_free(&want);
	popper_end();
}
END_TEST

/* RFC 2449 6.6, and S-29 again: the answers are the same however the octets come. */
START_TEST(pipelining)
{
	static const char script[] = "CAPA\r\nXYZ\r\nUSER alice\r\nPASS barid\r\nSTAT\r\nLIST\r\n"
	    "UIDL\r\nRETR 1\r\nTOP 2 0\r\nDELE 1\r\nRETR 1\r\nLIST\r\nRSET\r\nSTAT\nNOOP\r\n"
	    "NO\rOP\r\nLIST 2\r\nQUIT\r\nNOOP\r\n";
	static const char want[] = "+*-+++**" "**+-*+++-++";
	struct buf first;

	begin();
	ck_assert_str_eq(popper_answers(str_c(script)), want);
	ck_assert(!popper_marks.broken);
	buf_init(&first, 1 << 20);
	buf_add(&first, buf_str(&popper.out));
	ck_str(popper_say(str_c(script), POPPER_WHOLE), buf_str(&first));
	ck_str(popper_say(str_c(script), POPPER_OCTETS), buf_str(&first));
	ck_assert(str_ends(buf_str(&first), STR("+OK good bye\r\n")));
	ck_assert_uint_eq(popper_count("alice"), 2);
	buf_free(&first);
	popper_end();
}
END_TEST

/* Whatever ends a session but QUIT changes nothing. */
START_TEST(other_ends)
{
	volatile int stop = 0;
	char path[256];

	begin();
	check(LOGIN "DELE 1\r\n", "++++");
	check(LOGIN "DELE 1\r\nQUI", "++++");
	popper.silent = true;
	check(LOGIN "DELE 1\r\n", "++++");
	popper.silent = false;
	check("QUIT\r\n", "++");
	popper.deaf = true;
	check(LOGIN "DELE 1\r\nQUIT\r\n", "");
	popper.deaf = false;
	ck_assert_uint_eq(popper_count("alice"), 2);
	/* A request to stop is told, and is no QUIT. */
	popper.env.stop = &stop;
	stop = 1;
	ck_str(popper_say(STR(LOGIN "DELE 1\r\nQUIT\r\n"), POPPER_LINES),
	    STR("+OK mx.example.test POP3 ready\r\n"
	    "-ERR [SYS/TEMP] the server is going down\r\n"));
	ck_assert_uint_eq(popper_count("alice"), 2);
	popper.env.stop = NULL;
	check(LOGIN "DELE 1\r\nQUIT\r\n", "+++++");
	ck_assert_uint_eq(popper_count("alice"), 1);
	ck_assert(!popper_has("alice", "new/1.one.host,S=24,W=27"));
	/* The lock is gone with each of them. */
	popper_path(path, "alice", ".barid-lock");
	ck_assert_int_eq(access(path, F_OK), 0);
	check(LOGIN "QUIT\r\n", "++++");
	popper_end();
}
END_TEST

/* RFC 1939 3: ten minutes once logged in; before that as long as there is room for others. */
START_TEST(time_to_speak)
{
	static const struct {
		const char *in;
		bool crowded;
		int64_t most;
	} t[] = {
		{ "CAPA\r\n", false, 180000 }, { "CAPA\r\nUSER alice\r\n", true, HURRIED_MS },
		{ LOGIN "NOOP\r\n", false, 600000 }, { LOGIN "NOOP\r\n", true, 600000 },
	};

	begin();
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		popper.env.crowded = t[i].crowded;
		popper.patience = 0;
		(void)popper_say(str_c(t[i].in), POPPER_LINES);
		ck_assert_msg(popper.patience <= t[i].most && popper.patience > t[i].most - 5000,
		    "%zu: %lld", i, (long long)popper.patience);
	}
	popper_end();
}
END_TEST

UNIT_MAIN("pop3d/session", states, walk, numbers, long_lines, mistakes, pipelining, other_ends,
    time_to_speak)
