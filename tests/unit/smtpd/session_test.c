/* SPDX-License-Identifier: GPL-3.0-or-later */

/* session_test -- states, framing, limits and the end of a session. */

#include "unit.h"

#include "talk.h"

/* ---- S-20: every verb in every state, against a model ---------------------- */

enum step {
	HELO, EHLO, MAIL, RCPT, RCPT_NO, DATA, RSET, NOOP, VRFY, EXPN, AUTH,
	STARTTLS, MAIL_BAD, RCPT_BAD, FOO, STEP_N
};

static const char *const lines[STEP_N] = {
	"HELO a", "EHLO b", "MAIL FROM:<x@y.test>",
	"RCPT TO:<alice@example.test>", "RCPT TO:<no@example.test>", "DATA",
	"RSET", "NOOP any text", "VRFY \xc3\xa9@x", "EXPN list", "AUTH PLAIN",
	"STARTTLS", "MAIL FROM:<x@y.test", "RCPT TO:<>", "FOO",
};

struct model {
	enum session_state state;
	bool rejected;
};

static int
start_or(const struct model *m, int code)
{
	return m->state == S_START ? 503 : code;
}

/* What the model answers; the state moves. */
static int
model_step(struct model *m, enum step step)
{
	switch (step) {
	case HELO:
	case EHLO:
		*m = (struct model){ .state = S_GREETED };
		return 250;
	case MAIL:
	case MAIL_BAD:
		if (m->state != S_GREETED)
			return 503;
		if (step == MAIL_BAD)
			return 501;
		m->state = S_MAIL;
		return 250;
	case RCPT:
	case RCPT_NO:
	case RCPT_BAD:
		if (m->state != S_MAIL && m->state != S_RCPT)
			return 503;
		if (step != RCPT) {
			m->rejected = true;
			return step == RCPT_NO ? 550 : 501;
		}
		m->state = S_RCPT;
		return 250;
	case DATA:
		if (m->state == S_MAIL && m->rejected)
			return 554;
		if (m->state != S_RCPT)
			return 503;
		*m = (struct model){ .state = S_GREETED };
		return 354;
	case RSET:
		if (m->state != S_START)
			*m = (struct model){ .state = S_GREETED };
		return 250;
	case NOOP:
		return 250;
	case VRFY:
		return 252;
	case EXPN:
		return 502;
	case AUTH:
		return m->state == S_GREETED ? 502 : 503;
	case STARTTLS:
		return start_or(m, 502);
	case FOO:
		return 500;
	case STEP_N:
		break;
	}
	panic("no such step");
}

static void
walk(const enum step *steps, size_t n, struct buf *in, struct buf *want,
    struct buf *got)
{
	struct model m = { .state = S_START };

	buf_reset(in);
	buf_reset(want);
	buf_adds(want, "220");
	for (size_t i = 0; i < n; i++) {
		int code = model_step(&m, steps[i]);

		buf_addf(in, "%s\r\n", lines[steps[i]]);
		buf_addf(want, " %d", code);
		if (code == 354) {
			buf_adds(in, "text\r\n.\r\n");
			buf_adds(want, " 250");
		}
	}
	buf_adds(in, "QUIT\r\n");
	buf_adds(want, " 221");
	talk_codes(talk_say(buf_str(in), TALK_LINES), got);
	ck_assert_msg(strcmp(buf_cstr(got), buf_cstr(want)) == 0,
	    "%s\ngot  %s\nwant %s", buf_cstr(in), buf_cstr(got),
	    buf_cstr(want));
}

START_TEST(states)
{
	static const enum step prefix[][3] = { { 0 }, { EHLO },
		{ EHLO, MAIL }, { EHLO, MAIL, RCPT } };
	struct buf in, want, got;

	talk_begin();
	talk_conf("");
	talk.conf->limits.errors = 1000;
	buf_init(&in, 65536);
	buf_init(&want, 4096);
	buf_init(&got, 4096);
	for (size_t p = 0; p < ARRAY_LEN(prefix); p++) {
		for (size_t k = 0; k < STEP_N * STEP_N * STEP_N; k++) {
			enum step steps[6] = { prefix[p][0], prefix[p][1],
				prefix[p][2] };

			steps[p] = (enum step)(k % STEP_N);
			steps[p + 1] = (enum step)(k / STEP_N % STEP_N);
			steps[p + 2] = (enum step)(k / STEP_N / STEP_N);
			walk(steps, p + 3, &in, &want, &got);
		}
	}
	buf_free(&in);
	buf_free(&want);
	buf_free(&got);
	talk_remove();
}
END_TEST

/* ---- framing ------------------------------------------------------------------ */

#define TO_RCPT                                                                \
	"EHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<alice@example.test>\r\n"

static void
check_codes(const char *in, size_t n, enum talk_pace pace, const char *want)
{
	struct buf got;

	buf_init(&got, 65536);
	talk_codes(talk_say(str_n(in, n), pace), &got);
	ck_assert_msg(strcmp(buf_cstr(&got), want) == 0,
	    "%.60s\ngot  %s\nwant %s", in, buf_cstr(&got), want);
	buf_free(&got);
}

#define SAY(in, pace, want) check_codes("" in, sizeof(in) - 1, pace, want)

/* RFC 2920: the same answers, in order, however the bytes arrive. */
START_TEST(pipelining)
{
	static const enum talk_pace paces[] = { TALK_LINES, TALK_WHOLE,
		TALK_OCTETS };

	talk_begin();
	for (size_t i = 0; i < ARRAY_LEN(paces); i++) {
		SAY("EHLO x\r\nMAIL FROM:<a@b.test>\r\n"
		    "RCPT TO:<alice@example.test>\r\n"
		    "RCPT TO:<no@example.test>\r\n"
		    "RCPT TO:<bob@example.test>\r\nNOOP\r\nVRFY a\r\nRSET\r\n"
		    "MAIL FROM:<>\r\nRCPT TO:<no@example.test>\r\n"
		    "DATA\r\nRSET\r\nQUIT\r\n", paces[i],
		    "220 250 250 250 550 250 250 252 250 250 550 554 250 221");
	}
	/* An empty input: the client went before it said anything. */
	SAY("", TALK_LINES, "220");
	SAY("EHLO x\r\nNOO", TALK_LINES, "220 250");
	talk_remove();
}
END_TEST

START_TEST(pipelined_text)
{
	talk_begin();
	/* Had DATA been refused, the text would have been commands. */
	SAY(TO_RCPT "DATA\r\nSubject: x\r\n.\r\n", TALK_WHOLE,
	    "220 250 250 250 503");
	/* What stands behind the dot may come with it. */
	SAY(TO_RCPT "DATA\r\nx\r\n.\r\nNOOP\r\nQUIT\r\n", TALK_OCTETS,
	    "220 250 250 250 354 250 250 221");
	talk_remove();
}
END_TEST

START_TEST(bad_lines)
{
	talk_begin();
	SAY("NOOP\nQUIT\r\n", TALK_WHOLE, "220 500 221");
	SAY("NO\rOP\r\nQUIT\r\n", TALK_WHOLE, "220 500 221");
	SAY("NO\0OP\r\nQUIT\r\n", TALK_WHOLE, "220 500 221");
	/* CONFORMANCE S-26; proto/10-greeting.dlg has other names. */
	SAY("EHLO x\0y\r\nQUIT\r\n", TALK_WHOLE, "220 500 221");
	SAY("EHLO x\xff\r\nQUIT\r\n", TALK_WHOLE, "220 501 221");
	SAY("\r\nQUIT\r\n", TALK_WHOLE, "220 500 221");
	SAY("EHLO x\r\nMAIL FROM:<a@b.test>\nRCPT TO:<alice@example.test>\r\n"
	    "QUIT\r\n", TALK_WHOLE, "220 250 500 503 221");
	talk_remove();
}
END_TEST

START_TEST(long_lines)
{
	struct buf in;
	struct { size_t n; const char *verb; const char *want; } t[] = {
		{ 2046, "NOOP ", "220 250 221" },
		{ 2047, "NOOP ", "220 500 221" },
		{ 12286, "NOOP ", "220 500 221" },
		{ 12287, "NOOP ", "220 500 221" },
		{ 60000, "NOOP ", "220 500 221" },
		{ 70000, "NOOP ", "220 421" },
		{ 2000, "EHLO ", "220 501 221" },
		{ 65000, "EHLO ", "220 500 221" },
		/* CONFORMANCE S-26. */
		{ 65538, "EHLO ", "220 421" },
		{ 310, "EHLO [IPv6:", "220 501 221" },
	};

	talk_begin();
	buf_init(&in, 1u << 20);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		buf_reset(&in);
		buf_adds(&in, t[i].verb);
		while (in.n < t[i].n)
			buf_addc(&in, 'x');
		buf_adds(&in, "\r\nQUIT\r\n");
		check_codes(in.p, in.n, TALK_WHOLE, t[i].want);
	}
	buf_free(&in);
	talk_remove();
}
END_TEST

/* CONFORMANCE S-17: RFC 2920 3.1 says whose answer is waited for. */
START_TEST(out_of_turn)
{
	talk_begin();
	talk_conf("");
	talk.conf->limits.early_talkers = EARLY_REFUSE;
	/* In turn, and in groups as they may be. */
	SAY(TO_RCPT "DATA\r\nx\r\n.\r\nRSET\r\nMAIL FROM:<a@b.test>\r\nQUIT\r\n",
	    TALK_LINES, "220 250 250 250 354 250 250 250 221");
	SAY("HELO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<alice@example.test>\r\nQUIT\r\n",
	    TALK_LINES, "220 250 250 250 221");
	SAY("EHLO x\r\nMAIL FROM:<a@b.test>\r\n", TALK_WHOLE, "220 503");
	SAY("HELO x\r\nMAIL FROM:<a@b.test>\r\n", TALK_WHOLE, "220 503");
	SAY(TO_RCPT "DATA\r\nSubject: x\r\n.\r\n", TALK_WHOLE, "220 503");
	/* Noted, where nothing else is wished: a text before its 354 is none. */
	talk.conf->limits.early_talkers = EARLY_NOTE;
	SAY("HELO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<alice@example.test>\r\nQUIT\r\n",
	    TALK_WHOLE, "220 250 250 250 221");
	talk_remove();
}
END_TEST

/* CONFORMANCE S-64, FEATURES L18. */
START_TEST(not_smtp)
{
	talk_begin();
	SAY("GET / HTTP/1.1\r\nHost: x\r\n\r\n", TALK_WHOLE, "220 421");
	SAY("POST / HTTP/1.1\r\n\r\nEHLO x\r\nMAIL FROM:<a@b.test>\r\n",
	    TALK_LINES, "220 421");
	SAY("EHLO x\r\nCONNECT y:25 HTTP/1.0\r\nNOOP\r\n", TALK_LINES,
	    "220 250 421");
	SAY("GET / HTTP/1.0\n\n", TALK_WHOLE, "220 421");
	SAY("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", TALK_WHOLE,
	    "220 421");
	SAY("{\"a\":1}\r\nNOOP\r\n", TALK_LINES, "220 421");
	SAY(" NOOP\r\nNOOP\r\n", TALK_LINES, "220 421");
	talk_remove();
}
END_TEST

/* RFC 7504 3.1: a host that takes no mail says so, and hears nothing but QUIT. */
START_TEST(no_mail)
{
	talk_begin();
	talk.listen.no_mail = true;
	SAY("EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<alice@example.test>\r\nSTARTTLS\r\nNOOP\r\nQUIT\r\n",
	    TALK_LINES, "521 503 503 503 503 503 221");
	ck_assert(str_starts(buf_str(&talk.out), STR("521 5.3.2 mx.example.test takes no mail\r\n503 5.5.1 ")));
	SAY("QUIT\r\n", TALK_LINES, "521 221");
	talk.listen.no_mail = false;
	SAY("QUIT\r\n", TALK_LINES, "220 221");
	talk_remove();
}
END_TEST

START_TEST(error_limit)
{
	talk_begin();
	SAY("A\r\nB\r\nC\r\nD\r\nE\r\nF\r\nG\r\nNOOP\r\nQUIT\r\n", TALK_WHOLE,
	    "220 500 500 500 500 500 500 500 250 221");
	SAY("A\r\nB\r\nC\r\nD\r\nE\r\nF\r\nG\r\nH\r\nNOOP\r\n", TALK_WHOLE,
	    "220 500 500 500 500 500 500 500 421");
	/* Recipients that are unknown are no protocol errors. */
	SAY("EHLO x\r\nMAIL FROM:<>\r\n"
	    "RCPT TO:<1@example.test>\r\nRCPT TO:<2@example.test>\r\n"
	    "RCPT TO:<3@example.test>\r\nRCPT TO:<4@example.test>\r\n"
	    "RCPT TO:<5@example.test>\r\nRCPT TO:<6@example.test>\r\n"
	    "RCPT TO:<7@example.test>\r\nRCPT TO:<8@example.test>\r\n"
	    "RCPT TO:<9@example.test>\r\nQUIT\r\n", TALK_WHOLE,
	    "220 250 250 550 550 550 550 550 550 550 550 550 221");
	talk_remove();
}
END_TEST

START_TEST(junk_limit)
{
	struct buf in, got;

	talk_begin();
	buf_init(&in, 65536);
	buf_init(&got, 65536);
	for (int i = 0; i < 300; i++)
		buf_adds(&in, "NOOP\r\n");
	talk_codes(talk_say(buf_str(&in), TALK_WHOLE), &got);
	/* 220, 100 and 7 more, and the last word. */
	ck_assert_uint_eq(got.n, 4 * 108 + 3);
	ck_assert(str_ends(buf_str(&got), STR("250 421")));
	buf_free(&in);
	buf_free(&got);
	talk_remove();
}
END_TEST

START_TEST(names)
{
	static const struct {
		const char *name;
		int code;
	} t[] = {
		{ "a", 250 }, { "a.b.test", 250 }, { "my_pc", 250 },
		{ "[192.0.2.1]", 250 }, { "[IPv6:2001:db8::1]", 250 },
		{ "", 501 }, { "a b", 501 }, { "[1.2.3]", 501 },
		{ "() { :;};", 501 }, { "a\tb", 501 }, { "\x1b[31m", 501 },
		{ "\xc3\xa9", 501 }, { "a;b", 501 }, { "<a>", 501 },
		{ "[IPv6:", 501 },
	};
	struct buf in, got, want;

	talk_begin();
	buf_init(&in, 4096);
	buf_init(&got, 4096);
	buf_init(&want, 4096);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		buf_reset(&in);
		buf_reset(&want);
		buf_addf(&in, "EHLO %s\r\nHELO %s\r\nehlo   \r\nQUIT\r\n",
		    t[i].name, t[i].name);
		buf_addf(&want, "220 %d %d 501 221", t[i].code, t[i].code);
		talk_codes(talk_say(buf_str(&in), TALK_WHOLE), &got);
		ck_assert_msg(strcmp(buf_cstr(&got), buf_cstr(&want)) == 0,
		    "%s: %s", t[i].name, buf_cstr(&got));
	}
	buf_free(&in);
	buf_free(&got);
	buf_free(&want);
	talk_remove();
}
END_TEST

/* RFC 2034: the class of the enhanced code is the code's first digit. */
START_TEST(enhanced)
{
	struct str replies, line;
	bool greeted = false;

	talk_begin();
	replies = talk_say(STR(
	    "FOO\r\nHELP\r\nMAIL\r\nEHLO x\r\nMAIL\r\nMAIL FROM:<a@b.test>\r\n"
	    "RCPT\r\nRCPT TO:<no@example.test>\r\nDATA x\r\nDATA\r\nVRFY\r\n"
	    "VRFY x\r\nEXPN\r\nRSET x\r\nRSET\r\nNOOP\r\nQUIT x\r\nQUIT\r\n"),
	    TALK_WHOLE);
	while (replies.n > 0) {
		str_cut(replies, '\n', &line, &replies);
		if (str_starts(line, STR("220 ")) ||
		    str_starts(line, STR("250-"))) {
			greeted = true;
			continue;
		}
		if (str_eq(line, STR("250 HELP\r")))
			continue;
		ck_assert_msg(line.n > 9 && line.p[4] == line.p[0] &&
		    line.p[5] == '.' && line.p[7] == '.', STR_FMT,
		    STR_ARG(line));
		ck_assert_uint_le(line.n, 511);
	}
	ck_assert(greeted);
	talk_remove();
}
END_TEST

START_TEST(offers)
{
	talk_begin();
	ck_str(talk_say(STR("EHLO x\r\nQUIT\r\n"), TALK_WHOLE),
	    STR("220 mx.example.test ESMTP barid\r\n"
		"250-mx.example.test\r\n250-PIPELINING\r\n250-SIZE 1048576\r\n"
		"250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250-DSN\r\n250-CHUNKING\r\n250-BINARYMIME\r\n"
		"250-SMTPUTF8\r\n250-LIMITS RCPTMAX=10\r\n250-MT-PRIORITY\r\n"
		"250 HELP\r\n221 2.0.0 Bye\r\n"));
	ck_str(talk_say(STR("helo x\r\nquit\r\n"), TALK_WHOLE),
	    STR("220 mx.example.test ESMTP barid\r\n250 mx.example.test\r\n"
		"221 2.0.0 Bye\r\n"));
	talk_remove();
}
END_TEST

/* A client that is silent is told so; one that is told to go goes. */
START_TEST(silence)
{
	struct talk_io io = { .in = STR("EHLO x\r\n"), .times_out = 1 << 30 };
	struct buf got;
	volatile int stop = 1;

	talk_begin();
	buf_init(&got, 4096);
	talk.conf->limits.timeout = 20;
	ck_assert_str_eq(talk_codes(talk_io(&io), &got), "220 250 421");
	ck_assert(str_ends(buf_str(&talk.out),
	    STR("421 4.4.2 Nothing was heard for too long\r\n")));
	/* In the middle of a text too, and the text is forgotten. */
	io = (struct talk_io){ .in = STR(TO_RCPT "DATA\r\nabc\r\n"),
		.times_out = 1 << 30, .pace = TALK_LINES };
	ck_assert_str_eq(talk_codes(talk_io(&io), &got),
	    "220 250 250 250 354 421");
	talk.conf->limits.timeout = 20000;
	talk.env.stop = &stop;
	io = (struct talk_io){ .in = STR("EHLO x\r\n") };
	ck_assert_str_eq(talk_codes(talk_io(&io), &got), "220 421");
	ck_assert(str_ends(buf_str(&talk.out),
	    STR("421 4.3.2 The service is going down\r\n")));
	talk.env.stop = NULL;
	buf_free(&got);
	talk_remove();
}
END_TEST

/* CONFORMANCE 4: where few places are left, who is not known has little time, and one mistake. */
START_TEST(hurried)
{
	static const struct {
		const char *peer, *in, *codes;
		bool submission;
		int64_t patience;
	} t[] = {
		{ "198.51.100.7", TO_RCPT "DATA\r\nx\r\n.\r\n", "220 250 250 250 354 250",
		    false, HURRIED_MS },
		{ "198.51.100.7", "NOOP\r\nFOO\r\nNOOP\r\n", "220 250 421", false, HURRIED_MS },
		{ "192.0.2.7", "FOO\r\nNOOP\r\n", "220 500 250", false, 20000 },
		{ "198.51.100.7", "EHLO x\r\nFOO\r\n", "220 250 500", true, HURRIED_MS },
		{ "198.51.100.7", "EHLO x\r\nAUTH PLAIN AGJvYgBiYXJpZA==\r\nNOOP\r\n",
		    "220 250 235 250", true, 20000 },
	};
	struct buf got;

	talk_begin();
	talk_conf("auth { without-tls = {\"PLAIN\"} }\n");
	buf_init(&got, 4096);
	talk.env.crowded = true;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct talk_io io = { .in = str_c(t[i].in), .pace = TALK_LINES };

		ck_assert_int_eq(addr_parse(str_c(t[i].peer), 4711, &talk.env.peer), 0);
		talk.listen.service = t[i].submission ? SERVICE_SUBMISSION : SERVICE_SMTP;
		ck_assert_str_eq(talk_codes(talk_io(&io), &got), t[i].codes);
		ck_assert_msg(io.patience <= t[i].patience && io.patience > t[i].patience - 5000,
		    "%s: %lld", t[i].in, (long long)io.patience);
	}
	buf_free(&got);
	talk_remove();
}
END_TEST

/*
 * A client that always says something, and always too little: a command has a
 * deadline, however many reads it takes, and a text a least rate (500 octets a
 * second).  What it says here would take minutes.
 */
START_TEST(slow)
{
	struct buf in, got;
	struct talk_io io;

	talk_begin();
	talk.conf->limits.timeout = 2000;
	buf_init(&in, 65536);
	buf_init(&got, 4096);
	buf_adds(&in, "NOOP ");
	while (in.n < 2000)
		buf_addc(&in, 'x');
	io = (struct talk_io){ .in = buf_str(&in), .pace = TALK_OCTETS, .slow_ms = 50 };
	ck_assert_str_eq(talk_codes(talk_io(&io), &got), "220 421");
	ck_assert_uint_gt(io.in.n, 1000);
	buf_reset(&in);
	buf_adds(&in, TO_RCPT "DATA\r\n");
	for (int i = 0; i < 30000; i++)
		buf_adds(&in, "\r\n");
	io = (struct talk_io){ .in = buf_str(&in), .pace = TALK_LINES, .slow_ms = 50 };
	ck_assert_str_eq(talk_codes(talk_io(&io), &got), "220 250 250 250 354 421");
	ck_assert_uint_gt(io.in.n, 1000);
	buf_free(&in);
	buf_free(&got);
	talk_remove();
}
END_TEST

/* TLS is demanded before anything that matters. */
START_TEST(tls_required)
{
	talk_begin();
	talk.listen.tls = LISTEN_TLS_REQUIRED;
	SAY("EHLO x\r\nNOOP\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<a@b.test>\r\n"
	    "VRFY a\r\nAUTH PLAIN AGEAYg==\r\nRSET\r\nQUIT\r\n", TALK_WHOLE,
	    "220 250 250 530 530 530 530 250 221");
	talk.listen.tls = LISTEN_TLS_STARTTLS;
	talk_remove();
}
END_TEST

UNIT_MAIN("smtpd/session", states, pipelining, pipelined_text, bad_lines,
    long_lines, not_smtp, out_of_turn, no_mail, error_limit, junk_limit, names, enhanced, offers,
    silence, hurried, slow, tls_required)
