/* SPDX-License-Identifier: GPL-3.0-or-later */

/* data_test -- what of a text reaches the spool, and what never does. */

#include "unit.h"

#include "talk.h"

#define TO_DATA                                                                \
	"EHLO client.test\r\nMAIL FROM:<a@b.test>\r\n"                         \
	"RCPT TO:<alice@example.test>\r\nDATA\r\n"

static struct buf in, got;

static void
begin(void)
{
	talk_begin();
	buf_init(&in, 64u << 20);
	buf_init(&got, 65536);
	buf_adds(&in, TO_DATA);
}

static void
end(void)
{
	buf_free(&in);
	buf_free(&got);
	talk_remove();
}

static const char *
say(enum talk_pace pace)
{
	return talk_codes(talk_say(buf_str(&in), pace), &got);
}

static void
none_stored(void)
{
	struct talk_message m;

	talk_take(&m, QUEUE_NEW);
	ck_assert_uint_eq(m.n, 0);
	talk_drop(&m);
	for (const char *const *d = (const char *const[]){ "tmp", NULL }; *d;
	     d++) {
		struct buf path;
		int fd;

		/* An aborted message leaves no file either. */
		buf_init(&path, 256);
		buf_addf(&path, "%s/%s", talk.dir, *d);
		fd = rmdir(buf_cstr(&path));
		ck_assert_msg(fd == 0 || errno == ENOENT, "%s: %s",
		    buf_cstr(&path), strerror(errno));
		if (fd == 0)
			ck_assert_int_eq(mkdir(buf_cstr(&path), 0700), 0);
		buf_free(&path);
	}
}

/* The message less its own first fields: what the client sent. */
static struct str
stored(struct talk_message *m)
{
	struct str text;
	ptrdiff_t at = 0;

	talk_take(m, QUEUE_NEW);
	ck_assert_uint_eq(m->n, 1);
	text = buf_str(&m->text);
	ck_assert(str_starts(text, STR("Received: from client.test (unknown "
	    "[198.51.100.7])\r\n\tby mx.example.test (barid) with ESMTP id ")));
	for (int i = 0; i < 4; i++) {
		ptrdiff_t lf = str_find(str_skip(text, (size_t)at), '\n');

		ck_assert_int_ge(lf, 0);
		at += lf + 1;
	}
	return str_skip(text, (size_t)at);
}

/* CONFORMANCE S-15: octet for octet, however it arrives. */
START_TEST(texts)
{
	static const struct {
		const char *sent, *kept;
	} t[] = {
		{ "Subject: x\r\n\r\nbody\r\n", "Subject: x\r\n\r\nbody\r\n" },
		{ "Subject: x\r\n\r\n..\r\n...\r\n.. x\r\n", "Subject: x\r\n\r\n.\r\n..\r\n. x\r\n" },
		{ "Subject: x\r\n", "Subject: x\r\n" },
		{ "\r\nbody\r\n", "\r\nbody\r\n" },
		{ "", "" },
		/* No header: a blank line keeps the body out of ours. */
		{ "just text\r\n", "\r\njust text\r\n" },
		{ "From a@b Thu Jan  1\r\nSubject: x\r\n\r\n", "\r\nFrom a@b Thu Jan  1\r\nSubject: x\r\n\r\n" },
		{ "A: b\r\nno field\r\nC: d\r\n\r\n", "A: b\r\nno field\r\nC: d\r\n\r\n" },
		{ "A: \xff\xfe\r\n\tfolded\r\n\r\n\x80\r\n", "A: \xff\xfe\r\n\tfolded\r\n\r\n\x80\r\n" },
		{ "Received: of others\r\nReturn-Path: <x@y>\r\n\r\n", "Received: of others\r\nReturn-Path: <x@y>\r\n\r\n" },
	};
	static const enum talk_pace paces[] = { TALK_LINES, TALK_OCTETS };

	begin();
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		for (size_t p = 0; p < ARRAY_LEN(paces); p++) {
			struct talk_message m;

			buf_reset(&in);
			buf_addf(&in, TO_DATA "%s.\r\nQUIT\r\n", t[i].sent);
			ck_assert_str_eq(say(paces[p]),
			    "220 250 250 250 354 250 221");
			ck_str(stored(&m), str_c(t[i].kept));
			talk_drop(&m);
		}
	}
	end();
}
END_TEST

static void
refused(const char *got_codes, size_t form)
{
	ck_assert_msg(strcmp(got_codes, "220 250 250 250 354 550 250 221") == 0,
	    "form %zu: %s", form, got_codes);
	none_stored();
}

/* CONFORMANCE S-13: refused as a whole, whatever is hidden, however it comes. */
START_TEST(smuggling)
{
#define F(s) { "" s, sizeof(s) - 1 }
	static const struct {
		const char *p;
		size_t n;
	} forms[] = {
		F("\n.\n"), F("\r.\r"), F("\r.\n"), F("\n.\r"), F("\n.\r\n"),
		F("\r\n.\n"), F("\r.\r\n"), F("\r\n.\r"), F("\r\n\0.\r\n"),
		F("\r\n.\0\r\n"), F("\r\n.\r\r\n"), F("\r\r\n.\r\r\n"),
		F("\n"), F("\r"), F("\0"),
	};
	static const char hidden[] =
	    "MAIL FROM:<admin@example.test>\r\nRCPT TO:<bob@example.test>\r\n"
	    "DATA\r\nSubject: smuggled\r\n\r\nx\r\n.\r\n";
	struct talk_io io;

	begin();
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		buf_reset(&in);
		buf_adds(&in, TO_DATA "Subject: one\r\n\r\nbody");
		buf_add(&in, str_n(forms[i].p, forms[i].n));
		buf_adds(&in, hidden);
		buf_adds(&in, "NOOP\r\nQUIT\r\n");
		refused(say(TALK_LINES), i);
		refused(say(TALK_OCTETS), i);
		/* Every two pieces of it. */
		for (size_t n = in.n - strlen(TO_DATA), k = 0; k < n; k++) {
			io = (struct talk_io){ .in = buf_str(&in),
				.pace = TALK_SPLIT, .text = n, .second = k };
			refused(talk_codes(talk_io(&io), &got), i);
		}
	}
	end();
}
END_TEST

START_TEST(sizes)
{
	static const struct {
		size_t octets;
		const char *want;
	} t[] = {
		{ 1000, "220 250 250 250 354 250 250 221" },
		{ 70000, "220 250 250 250 354 250 250 221" },
		{ 1048576, "220 250 250 250 354 250 250 221" },
		{ 1048577, "220 250 250 250 354 552 250 221" },
		{ 5000000, "220 250 250 250 354 552 250 221" },
		{ 69000000, "220 250 250 250 354 421" },
	};

	begin();
	in.max = 1u << 28;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct talk_message m;
		size_t start;

		buf_reset(&in);
		buf_adds(&in, TO_DATA);
		start = in.n;
		buf_adds(&in, "A: b\r\n\r\n");
		while (t[i].octets - (in.n - start) > 1000)
			buf_addf(&in, "%098d\r\n", 0);
		while (t[i].octets - (in.n - start) > 2)
			buf_addc(&in, 'x');
		buf_adds(&in, "\r\n");
		ck_assert_uint_eq(in.n - start, t[i].octets);
		buf_adds(&in, ".\r\nNOOP\r\nQUIT\r\n");
		ck_assert_msg(strcmp(say(TALK_LINES), t[i].want) == 0,
		    "%zu: %s", t[i].octets, buf_cstr(&got));
		talk_take(&m, QUEUE_NEW);
		ck_assert_uint_eq(m.n, i < 3);
		if (m.n > 0)
			ck_assert(str_ends(buf_str(&m.text), str_n(in.p + start,
			    t[i].octets)));
		talk_drop(&m);
	}
	end();
}
END_TEST

/* S-15: each offset of a line's dot about one and two pages, and a few of the others. */
static size_t
step_at(size_t n)
{
	bool page = (n >= 4085 && n < 4100) || (n >= 8180 && n < 8196);

	return page ? 1 : n < 8300 ? 5 : 4093;
}

/* Any multiple of a buffer's size, where a seam could be. */
START_TEST(seams)
{
	begin();
	for (size_t n = 4000; n < 65000; n += step_at(n)) {
		struct talk_message m;
		size_t start;

		buf_reset(&in);
		buf_adds(&in, TO_DATA);
		start = in.n;
		buf_adds(&in, "A: b\r\n\r\n");
		while (in.n - start < n)
			buf_addc(&in, 'x');
		buf_adds(&in, "\r\n..\r\n..x\r\n.\r\nQUIT\r\n");
		ck_assert_str_eq(say(n < 8300 ? TALK_OCTETS : TALK_LINES),
		    "220 250 250 250 354 250 221");
		talk_take(&m, QUEUE_NEW);
		ck_assert_uint_eq(m.n, 1);
		ck_assert(str_ends(buf_str(&m.text), STR("x\r\n.\r\n.x\r\n")));
		talk_drop(&m);
	}
	end();
}
END_TEST

START_TEST(headers)
{
	static const struct {
		const char *unit;
		unsigned times;
		const char *code;
	} t[] = {
		{ "Received: x\r\n", 100, "250" },
		{ "Received: x\r\n", 101, "554" },
		{ "RECEIVED: x\r\n", 101, "554" },
		{ "X-F: 0123456789\r\n", 6000, "250" },
		{ "X-F: 0123456789\r\n", 6100, "554" },
		{ "X-F: 0123456789\r\n", 60000, "554" },
		{ "X-F: 0123456789\r\nno field\r\n", 3700, "250" },
		{ "X-F: 0123456789\r\nno field\r\n", 4000, "554" },
		{ "X-F:\r\n", 1, "250" },
		{ "no header 0123456789\r\n", 20000, "250" },
	};

	begin();
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		static const enum talk_pace paces[] = { TALK_LINES,
			TALK_OCTETS };

		for (size_t p = 0; p < (t[i].times > 9999 ? 1 : 2); p++) {
			struct talk_message m;

			buf_reset(&in);
			buf_adds(&in, TO_DATA);
			for (unsigned k = 0; k < t[i].times; k++)
				buf_adds(&in, t[i].unit);
			buf_adds(&in, "\r\nReceived: body\r\n.\r\n");
			say(paces[p]);
			ck_assert_msg(str_ends(buf_str(&got),
			    str_c(t[i].code)), "%s * %u: %s", t[i].unit,
			    t[i].times, buf_cstr(&got));
			talk_take(&m, QUEUE_NEW);
			ck_assert_uint_eq(m.n, t[i].code[0] == '2');
			talk_drop(&m);
		}
	}
	end();
}
END_TEST

/* A text that is cut off is none, wherever the cut is. */
START_TEST(cut_off)
{
	static const char whole[] = TO_DATA
	    "Subject: x\r\n\r\nline one\r\n.\r\n";

	begin();
	for (size_t n = sizeof(TO_DATA) - 1; n < sizeof(whole) - 1; n++) {
		talk_say(str_n(whole, n), TALK_OCTETS);
		ck_assert(str_ends(talk_codes(buf_str(&talk.out), &got) ?
		    buf_str(&got) : STR(""), STR("354")));
		none_stored();
	}
	end();
}
END_TEST

/* RFC 5321 6.1: no 250 without the commit; the disk's troubles are 4xx. */
START_TEST(failures)
{
	begin();
	buf_adds(&in, "Subject: x\r\n\r\n");
	for (int i = 0; i < 20000; i++)
		buf_adds(&in, "0123456789\r\n");
	buf_adds(&in, ".\r\nNOOP\r\nQUIT\r\n");
	talk_remove();
	ck_assert_str_eq(say(TALK_LINES), "220 250 250 250 354 451 250 221");
	end();
}
END_TEST

/* CONFORMANCE S-50: 452 before the disk is full. */
START_TEST(no_room)
{
	struct buf error;

	begin();
	buf_init(&error, 4096);
	queue_close(talk.queue);
	setenv("QUEUE_RESERVE", "9000000000000000000", 1);
	talk.queue = queue_open(talk.dir, QUEUE_CREATE, getuid(), getgid(),
	    &error);
	ck_assert_ptr_nonnull(talk.queue);
	talk.env.queue = talk.queue;
	buf_reset(&in);
	buf_adds(&in, "EHLO x\r\nMAIL FROM:<> SIZE=1000\r\n"
	    "MAIL FROM:<>\r\nRCPT TO:<alice@example.test>\r\nQUIT\r\n");
	ck_assert_str_eq(say(TALK_LINES), "220 250 452 452 503 221");
	buf_free(&error);
	end();
}
END_TEST

/* The runner is told; if it cannot hear, it is asked to scan. */
START_TEST(hints)
{
	struct buf packet;
	struct msg_hint hint;
	struct talk_message m;
	int pass;

	begin();
	buf_init(&packet, FRAME_MAX);
	buf_adds(&in, "A: b\r\n\r\n.\r\nQUIT\r\n");
	say(TALK_LINES);
	talk_take(&m, QUEUE_NEW);
	ck_assert_int_eq(channel_recv(talk.hints[1], &packet, &pass), 1);
	ck_assert(msg_hint_get(buf_str(&packet), &hint));
	ck_str(hint.id, str_c(m.id));
	talk_drop(&m);
	ck_assert_uint_eq(score_get(talk.score, COUNT_SCAN_WANTED), 0);
	ck_assert_uint_eq(score_get(talk.score, COUNT_MESSAGES_IN), 1);
	ck_assert_uint_eq(atomic_load(&talk.env.slot->messages), 1);
	while (channel_send(talk.hints[0], STR("full"), -1) == 0)
		continue;
	say(TALK_LINES);
	talk_take(&m, QUEUE_NEW);
	talk_drop(&m);
	ck_assert_uint_eq(score_get(talk.score, COUNT_SCAN_WANTED), 1);
	talk.env.runner_n = 0;
	say(TALK_LINES);
	talk_take(&m, QUEUE_NEW);
	talk_drop(&m);
	ck_assert_uint_eq(score_get(talk.score, COUNT_SCAN_WANTED), 2);
	buf_free(&packet);
	end();
}
END_TEST

UNIT_MAIN("smtpd/data", texts, smuggling, sizes, seams, headers, cut_off,
    failures, no_room, hints)
