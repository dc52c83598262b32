/* SPDX-License-Identifier: GPL-3.0-or-later */

/* bdat_test -- what of chunks reaches the spool (RFC 3030), wherever they are cut. */

#include "unit.h"

#include "talk.h"

#define TO_TEXT(params)                                                        \
	"EHLO client.test\r\nMAIL FROM:<a@b.test>" params "\r\n"               \
	"RCPT TO:<alice@example.test>\r\n"

static struct buf in, got;

static void
begin(void)
{
	talk_begin();
	buf_init(&in, 128u << 20);
	buf_init(&got, 1u << 20);
}

static void
end(void)
{
	buf_free(&in);
	buf_free(&got);
	talk_remove();
}

static void
add_chunk(struct str s, bool last)
{
	buf_addf(&in, "BDAT %zu%s\r\n", s.n, last ? " LAST" : "");
	buf_add(&in, s);
}

/* The one message in the spool ends with TEXT and has nothing else of ours but the trace. */
static void
check_stored(struct str text)
{
	struct talk_message m;
	struct str all;

	talk_take(&m, QUEUE_NEW);
	ck_assert_uint_eq(m.n, 1);
	all = buf_str(&m.text);
	ck_assert(str_starts(all, STR("Received: from client.test ")));
	ck_assert_uint_gt(all.n, text.n);
	ck_assert_int_eq(memcmp(all.p + all.n - text.n, text.p, text.n), 0);
	talk_drop(&m);
}

/* RFC 3030 01: exact octets, wherever a chunk and a segment ends. */
START_TEST(octets)
{
	static const struct str text = { "A: b\r\n\r\n.\r\n..\r\n\r\n.\r\nQUIT\r\n", 26 };
	static const enum talk_pace paces[] = { TALK_LINES, TALK_WHOLE, TALK_OCTETS };

	begin();
	for (size_t cut = 1; cut <= text.n; cut++) {
		for (size_t p = 0; p < ARRAY_LEN(paces); p++) {
			buf_reset(&in);
			buf_adds(&in, TO_TEXT(""));
			add_chunk(str_head(text, cut), false);
			add_chunk(str_skip(text, cut), true);
			buf_adds(&in, "QUIT\r\n");
			ck_assert_str_eq(talk_codes(talk_say(buf_str(&in), paces[p]), &got),
			    "220 250 250 250 250 250 221");
			check_stored(text);
		}
	}
	end();
}
END_TEST

START_TEST(binary)
{
	static const struct str text = { "A: b\r\n\r\n\0\r.\n\r\r\n.\r\n\xff\n", 20 };

	begin();
	for (size_t cut = 1; cut < text.n; cut++) {
		buf_reset(&in);
		buf_adds(&in, TO_TEXT(" BODY=BINARYMIME"));
		add_chunk(str_head(text, cut), false);
		add_chunk(str_skip(text, cut), true);
		buf_adds(&in, "QUIT\r\n");
		talk_codes(talk_say(buf_str(&in), TALK_WHOLE), &got);
		ck_assert_str_eq(buf_cstr(&got), "220 250 250 250 250 250 221");
		check_stored(text);
	}
	end();
}
END_TEST

/* What begins with a line that is no field has no header to be looked at, wherever it is cut. */
START_TEST(binary_alone)
{
	static const struct str text = { "no field\n\0\r\r\n\r\nA: b\n\r\n\r\n\xff\n", 26 };

	begin();
	buf_adds(&in, TO_TEXT(" BODY=BINARYMIME"));
	add_chunk(text, true);
	for (size_t second = 0; second < text.n; second++) {
		struct talk_io io = { .in = buf_str(&in), .pace = TALK_SPLIT,
			.text = text.n, .second = second };

		talk_codes(talk_io(&io), &got);
		ck_assert_msg(strcmp(buf_cstr(&got), "220 250 250 250 250") == 0,
		    "%zu: %s", second, buf_cstr(&got));
		check_stored(text);
	}
	end();
}
END_TEST

/* A last line without an end gets one; a CR alone is none. */
START_TEST(last_line)
{
	begin();
	buf_adds(&in, TO_TEXT(""));
	add_chunk(STR("A: b\r\n\r\nno end"), true);
	ck_assert_str_eq(talk_codes(talk_say(buf_str(&in), TALK_WHOLE), &got), "220 250 250 250 250");
	check_stored(STR("A: b\r\n\r\nno end\r\n"));
	buf_reset(&in);
	buf_adds(&in, TO_TEXT(""));
	add_chunk(STR("A: b\r\n\r\nno end\r"), true);
	ck_assert_str_eq(talk_codes(talk_say(buf_str(&in), TALK_WHOLE), &got), "220 250 250 250 550");
	end();
}
END_TEST

/* S-21, RFC 3030 02: in no state, and after no refusal, are they commands. */
START_TEST(swallowed)
{
	static const struct {
		const char *said, *codes;
	} t[] = {
		{ "BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n", "220 503 250" },
		{ "HELO x\r\nMAIL FROM:<>\r\nRCPT TO:<bob@example.test>\r\n"
		  "BDAT 6 LAST\r\nQUIT\r\nDATA\r\n", "220 250 250 250 503 503" },
		{ TO_TEXT("") "BDAT 6\r\nA\nBC\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n",
		    "220 250 250 250 550 503 250" },
		{ TO_TEXT("") "BDAT 0006 last\r\nA: b\r\nNOOP\r\n", "220 250 250 250 250 250" },
		{ TO_TEXT("") "BDAT 6 NOW\r\nQUIT\r\nDATA\r\nNOOP\r\n",
		    "220 250 250 250 501 503 250" },
		{ "BDAT 6\rX\r\nQUIT\r\n", "220 500" },
		{ "BDAT 0000000000000000000000000000000000000000000000000000000000000000006\r\n"
		  "QUIT\r\n", "220 501" },
	};

	begin();
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		ck_assert_msg(strcmp(talk_codes(talk_say(str_c(t[i].said), TALK_WHOLE), &got),
		    t[i].codes) == 0, "case %zu: %s", i, buf_cstr(&got));
	/* Longer than a line may be. */
	buf_reset(&in);
	buf_addf(&in, TO_TEXT("") "bdat 6 LAST %020000d\r\nQUIT\r\nNOOP\r\n", 0);
	ck_assert_str_eq(talk_codes(talk_say(buf_str(&in), TALK_WHOLE), &got), "220 250 250 250 500");
	/* Where TLS has to be first. */
	talk.listen.tls = LISTEN_TLS_REQUIRED;
	talk_codes(talk_say(STR("EHLO x\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n"), TALK_WHOLE), &got);
	ck_assert_str_eq(buf_cstr(&got), "220 250 530 250");
	end();
}
END_TEST

/* A chunk that is refused while it comes is not read for ever. */
START_TEST(flood)
{
	begin();
	talk.conf->limits.message_size = 0;
	buf_adds(&in, TO_TEXT("") "BDAT 9223372036854775807 LAST\r\n");
	buf_addc(&in, '\0');
	while (buf_ok(&in) && in.n < TEXT_FLOOD + (1u << 20))
		buf_adds(&in, "0123456789012345678901234567890123456789012345678901234567890123");
	ck_assert(buf_ok(&in));
	ck_assert_str_eq(talk_codes(talk_say(buf_str(&in), TALK_WHOLE), &got),
	    "220 250 250 250 421");
	end();
}
END_TEST

/* The client is gone, or says something else, within a text: nothing of it is left. */
START_TEST(given_up)
{
	static const char *const t[] = {
		TO_TEXT("") "BDAT 6\r\nA: b\r\n",
		TO_TEXT("") "BDAT 100\r\nA: b\r\n",
		TO_TEXT("") "BDAT 8\r\nA: b\r\n\r\nRSET\r\nQUIT\r\n",
		TO_TEXT("") "BDAT 8\r\nA: b\r\n\r\nEHLO x\r\nQUIT\r\n",
		TO_TEXT("") "BDAT 8\r\nA: b\r\n\r\nQUIT\r\n",
		TO_TEXT("") "BDAT 8\r\nA: b\r\n\r\nBDAT x\r\nQUIT\r\n",
	};
	struct talk_message m;

	begin();
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		talk_say(str_c(t[i]), TALK_WHOLE);
		talk_take(&m, QUEUE_NEW);
		ck_assert_msg(m.n == 0, "case %zu", i);
		talk_drop(&m);
	}
	end();
}
END_TEST

UNIT_MAIN("smtpd/bdat", octets, binary, binary_alone, last_line,
    swallowed, flood, given_up)
