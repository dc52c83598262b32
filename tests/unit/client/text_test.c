/* SPDX-License-Identifier: GPL-3.0-or-later */

/* text_test -- transparency, bounded output, the final replies, LMTP. */

#include "dialogue.h"

#include "mail/dot.h"

#define HI "S:220 hello\nC:EHLO me.test\nS:250 peer\n"
#define LHLO "S:220 hello\nC:LHLO me.test\nS:250-peer\nS:250 PIPELINING\n"
#define MAIL "C:MAIL FROM:<>\nS:250\n"
#define RCPT "C:RCPT TO:<b@y.test>\nS:250\n"
#define DATA HI MAIL RCPT "C:DATA\nS:354\n"
#define LDATA \
	LHLO "C:MAIL FROM:<>\nC:RCPT TO:<b@y.test>\nC:RCPT TO:<c@y.test>\n" \
	     "C:RCPT TO:<d@y.test>\nC:DATA\n"

static const struct client_rcpt to[] = {
	{ .path = PATH("b", "y.test") },
	{ .path = PATH("c", "y.test") },
	{ .path = PATH("d", "y.test") },
};

#define M .m = { .rcpts = to, .rcpt_n = 1 }
#define M3 .m = { .rcpts = to, .rcpt_n = 3 }, .o = { .lmtp = true }
#define OK .events = "ready\nrcpt 0 ok text 250\nend\nready\n"
#define FAILED(s, words) \
	.events = "ready\nrcpt 0 temp " s " 0 " words "\nend\nclose temp " s \
		  " 0 " words "\n"

static const struct dialogue texts[] = {
	{ "nothing", M, .text = "", .script = DATA "C:.\nS:250\n", OK },
	{ "a dot", M, .text = ".\r\n", .script = DATA "C:..\nC:.\nS:250\n", OK },
	{ "dots", M, .text = "..\r\n. x\r\nx.\r\n\r\n.",
	    .script = DATA "C:...\nC:.. x\nC:x.\nC:\nC:..\nC:.\nS:250\n", OK },
	{ "no last line end", M, .text = "one\r\ntwo",
	    .script = DATA "C:one\nC:two\nC:.\nS:250\n", OK },
	{ "a bare LF cannot end the text", M,
	    .text = "one\n.\nMAIL FROM:<evil>\n",
	    .script = DATA "C:one\nC:..\nC:MAIL FROM:<evil>\nC:.\nS:250\n",
	    OK },
	{ "nor a bare CR", M, .text = "one\r.\r\rtwo\r",
	    .script = DATA "C:one\nC:..\nC:\nC:two\nC:.\nS:250\n", OK },
	{ "the time for a block of text", M, .text = "x\r\n",
	    .script = DATA "C:x\nC:.\nX:time 600000\nS:451 4.3.0 later\n",
	    .events = "ready\nrcpt 0 temp text 451 4.3.0 later\nend\n"
		      "ready\n" },
	{ "refused for good", M, .text = "x\r\n", .messages = 2,
	    .script = DATA "C:x\nC:.\nS:554 5.6.0 spam\n" MAIL RCPT
			   "C:DATA\nS:354\nC:x\nC:.\nS:250\n",
	    .events = "ready\nrcpt 0 perm text 554 5.6.0 spam\nend\nready\n"
		      "rcpt 0 ok text 250\nend\nready\n" },
	{ "421 to the text", M, .script = DATA "C:.\nS:421 bye\n",
	    .events = "ready\nrcpt 0 temp text 421 bye\nend\n"
		      "close temp text 421 bye\n" },
	{ "354 to the text", M, .script = DATA "C:.\nS:354 more\n",
	    FAILED("text", "4.5.0 protocol error: code 3xx to the text") },
	{ "no reply to the text", M, .script = DATA "C:.\nX:expire\n",
	    FAILED("text",
		"4.4.2 timed out while waiting for the reply to the text") },
	{ "lost after the text", M, .script = DATA "C:.\nX:reset\n",
	    FAILED("text",
		"4.4.2 connection lost while waiting for the reply to the text:"
		" Connection reset by peer") },
	{ "a text that cannot be read is not ended", M, .fail_at = 1,
	    .text = "one\r\n", .script = DATA,
	    FAILED("text",
		"4.3.0 cannot read the message: Input/output error") },
	{ "a text that was cut short is not ended", M, .short_text = true,
	    .text = "one\r\n", .script = DATA,
	    FAILED("text",
		"4.3.0 the message is shorter than it was: 5 of 6 octets") },
};

static const struct dialogue lmtp[] = {
	{ "a reply for each", M3, .messages = 2,
	    .script = LDATA "S:250\nS:250\nS:250\nS:250\nS:354\nC:.\n"
		"S:250 b\nX:time 600000\nS:450 4.2.2 c\nS:550-d\nS:550 d\n"
		"C:MAIL FROM:<>\nC:RCPT TO:<b@y.test>\nC:RCPT TO:<c@y.test>\n"
		"C:RCPT TO:<d@y.test>\nC:DATA\nS:550 no\n",
	    .events = "ready\nrcpt 0 ok text 250 b\n"
		"rcpt 1 temp text 450 4.2.2 c\nrcpt 2 perm text 550 d|d\n"
		"end\nready\nrcpt 0 perm mail 550 no\n"
		"rcpt 1 perm mail 550 no\nrcpt 2 perm mail 550 no\n" },
	{ "only for those accepted", M3,
	    .script = LDATA "S:250\nS:550 b\nS:250\nS:450 d\nS:354\nC:.\n"
		"S:250 c\n",
	    .events = "ready\nrcpt 0 perm rcpt 550 b\n"
		"rcpt 2 temp rcpt 450 d\nrcpt 1 ok text 250 c\nend\nready\n" },
	{ "lost between the replies", M3,
	    .script = LDATA "S:250\nS:250\nS:250\nS:250\nS:354\nC:.\n"
		"S:250 b\nX:eof\n",
	    .events = "ready\nrcpt 0 ok text 250 b\n"
		"rcpt 1 temp text 0 4.4.2 connection lost while waiting for"
		" the reply to the text\nrcpt 2 temp text 0 4.4.2 connection"
		" lost while waiting for the reply to the text\nend\n"
		"close temp text 0 4.4.2 connection lost while waiting for the"
		" reply to the text\n" },
	{ "354 for nobody", M3,
	    .script = LDATA "S:250\nS:550 b\nS:550 c\nS:550 d\nS:354\n",
	    .events = "ready\nrcpt 0 perm rcpt 550 b\n"
		"rcpt 1 perm rcpt 550 c\nrcpt 2 perm rcpt 550 d\nend\n"
		"close temp data 0 4.5.0 protocol error: 354 without a"
		" recipient\n" },
	{ "503 for nobody", M3,
	    .script = LDATA "S:250\nS:550 b\nS:550 c\nS:550 d\nS:503 who\n",
	    .events = "ready\nrcpt 0 perm rcpt 550 b\n"
		"rcpt 1 perm rcpt 550 c\nrcpt 2 perm rcpt 550 d\nend\n"
		"ready\n" },
};

START_TEST(transparency)
{
	dialogues_run(texts, ARRAY_LEN(texts));
}
END_TEST

START_TEST(each)
{
	dialogues_run(lmtp, ARRAY_LEN(lmtp));
}
END_TEST

/* A client that has said DATA, or BDAT, and whose output is not taken yet. */
struct big {
	struct run t;
	struct dialogue d;
	struct buf text;
};

static void
big_start(struct big *b, size_t lines, bool bdat)
{
	buf_init(&b->text, 1 << 24);
	for (size_t i = 0; i < lines; i++)
		buf_addf(&b->text, "%s line %zu of the text\r\n",
		    i % 3 ? "" : ".", i);
	b->d = (struct dialogue){ .o = { .ehlo_name = "me" }, M,
		.text = buf_cstr(&b->text) };
	b->d.m.read = dlg_read;
	b->d.m.size = b->text.n;
	b->d.m.binary = bdat;
	b->t = (struct run){ .d = &b->d, .cut = SIZE_MAX, .step = SIZE_MAX,
		.left = 1 };
	buf_init(&b->t.sent, 1 << 24);
	buf_init(&b->t.log, 10000);
	b->t.c = client_new(&b->d.o, &dlg_events, &b->t);
	dlg_feed(&b->t, STR("220 hi\r\n"));
	dlg_feed(&b->t, STR("250-me\r\n250-CHUNKING\r\n250 BINARYMIME\r\n"));
	dlg_feed(&b->t, STR("250 ok\r\n"));
	if (!bdat)
		dlg_feed(&b->t, STR("250 ok\r\n"));
	buf_reset(&b->t.sent);
	client_input(b->t.c, bdat ? STR("250 ok\r\n") : STR("354 go\r\n"));
}

static void
big_end(struct big *b)
{
	client_free(b->t.c);
	buf_free(&b->text);
	buf_free(&b->t.sent);
	buf_free(&b->t.log);
}

/* However much is taken at once, the output is bounded and the same. */
START_TEST(bounded)
{
	static const size_t steps[] = { SIZE_MAX, 65536, 40000, 1111 };
	struct dot_encoder e;
	struct buf want;

	buf_init(&want, 1 << 24);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		struct big b;
		struct str out;

		big_start(&b, 40000, false);
		buf_reset(&want);
		dot_encoder_init(&e);
		dot_encode(&e, buf_str(&b.text), &want);
		dot_encode_end(&e, &want);
		ck_assert_int_eq(client_timeout(b.t.c), 180000);
		while ((out = client_output(b.t.c)).n > 0) {
			ck_assert_uint_le(out.n, 192 << 10);
			ck_assert_int_eq(client_timeout(b.t.c), 180000);
			out = str_head(out, steps[i]);
			buf_add(&b.t.sent, out);
			client_sent(b.t.c, out.n);
		}
		ck_assert_int_eq(client_timeout(b.t.c), 600000);
		ck_assert(str_eq(buf_str(&b.t.sent), buf_str(&want)));
		client_input(b.t.c, STR("250 in\r\n"));
		ck_assert_str_eq(buf_cstr(&b.t.log),
		    "ready\nrcpt 0 ok text 250 in\nend\nready\n");
		big_end(&b);
	}
	buf_free(&want);
}
END_TEST

/* The dot goes with the last octets, wherever these fall. */
START_TEST(last_piece)
{
	for (size_t lines = 1; lines < 8000; lines = lines * 5 / 4 + 1) {
		struct big b;
		struct str out, last = { 0 };

		big_start(&b, lines, false);
		while ((out = client_output(b.t.c)).n > 0) {
			last = out;
			buf_add(&b.t.sent, out);
			client_sent(b.t.c, out.n);
		}
		ck_assert_uint_gt(last.n, 5);
		ck_assert(str_ends(buf_str(&b.t.sent), STR("\r\n.\r\n")));
		big_end(&b);
	}
}
END_TEST

/* What the server says while the text is still on its way. */
START_TEST(early)
{
	static const struct {
		const char *says;
		const char *events;
	} cases[] = {
		{ "552 5.3.4 too big\r\n",
		    "ready\nrcpt 0 perm text 552 5.3.4 too big\nend\n"
		    "close temp text 0 4.5.0 the server refused before the end"
		    " of the text\n" },
		{ "451 4.3.1 full\r\n",
		    "ready\nrcpt 0 temp text 451 4.3.1 full\nend\n"
		    "close temp text 0 4.5.0 the server refused before the end"
		    " of the text\n" },
		{ "421 4.3.2 bye\r\n",
		    "ready\nrcpt 0 temp text 421 4.3.2 bye\nend\n"
		    "close temp text 421 4.3.2 bye\n" },
		{ "250 sure\r\n",
		    "ready\nrcpt 0 temp text 0 4.5.0 protocol error: a reply"
		    " before the end of the text\nend\n"
		    "close temp text 0 4.5.0 protocol error: a reply before"
		    " the end of the text\n" },
		{ NULL,
		    "ready\nrcpt 0 temp text 0 4.4.2 connection lost while"
		    " sending the text\nend\n"
		    "close temp text 0 4.4.2 connection lost while sending the"
		    " text\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (int last = 0; last < 2; last++) {
			struct big b;

			big_start(&b, last ? 10 : 40000, false);
			client_sent(b.t.c, client_output(b.t.c).n - 1);
			if (cases[i].says)
				client_input(b.t.c, str_c(cases[i].says));
			else
				client_eof(b.t.c, NULL);
			ck_assert_str_eq(buf_cstr(&b.t.log), cases[i].events);
			/* Not even the rest of the text is left to be sent. */
			ck_assert_uint_eq(client_output(b.t.c).n, 0);
			big_end(&b);
		}
}
END_TEST

/* The same of a text behind BDAT, which some servers offer and do not know. */
START_TEST(early_bdat)
{
	static const struct {
		const char *says;
		const char *events;
	} cases[] = {
		{ "502 5.5.1 what?\r\n",
		    "ready\nrcpt 0 temp data 0 4.5.0 the server offers CHUNKING,"
		    " but refuses BDAT: 502 what?\nend\n"
		    "close temp data 0 4.5.0 the server offers CHUNKING, but"
		    " refuses BDAT: 502 what?\n" },
		{ "552 5.3.4 too big\r\n",
		    "ready\nrcpt 0 perm text 552 5.3.4 too big\nend\n"
		    "close temp text 0 4.5.0 the server refused before the end"
		    " of the text\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct big b;

		big_start(&b, 40000, true);
		ck_assert(str_starts(client_output(b.t.c), STR("BDAT ")));
		client_sent(b.t.c, client_output(b.t.c).n - 1);
		client_input(b.t.c, str_c(cases[i].says));
		ck_assert_str_eq(buf_cstr(&b.t.log), cases[i].events);
		ck_assert_uint_eq(client_output(b.t.c).n, 0);
		big_end(&b);
	}
}
END_TEST

UNIT_MAIN("client/text", transparency, each, bounded, last_piece, early, early_bdat)
