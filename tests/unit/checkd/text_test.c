/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * text -- names are asked for at once, answered together, in time and from
 * memory; with a DNS of the test's own.
 */

#include "asker.h"

#include "ipc/msg_txt.h"

/* The way to the answer. */
static int
ask(const struct msg_txt *m)
{
	struct buf b;

	buf_init(&b, FRAME_MAX);
	msg_txt_put(&b, m);
	return asker_ask(&b, text_take);
}

/* True if there is an answer, which is then in R. */
static bool
answered(int fd, struct buf *b, struct msg_txt_result *r)
{
	if (!asker_answered(fd, b))
		return false;
	ck_assert(msg_txt_result_get(buf_str(b), r));
	return true;
}

static void
reply(size_t n, enum dns_status status, uint32_t ttl, struct str text, size_t copies)
{
	struct str texts[64];

	for (size_t i = 0; i < copies; i++)
		texts[i] = text;
	queries[n].on_txt(queries[n].arg, &(struct dns_txt_answer){ .status = status, .reason = "x",
		.text = texts, .text_n = copies, .ttl = ttl });
}

/* ---- the tests ------------------------------------------------------------------------ */

static struct msg_txt
three_names(void)
{
	return (struct msg_txt){ .wait_ms = 60000, .names = { STR("A._DomainKey.X.example"),
	    STR("_dmarc.x.example"), STR("b._domainkey.x.example") }, .name_n = 3 };
}

START_TEST(together)
{
	const struct msg_txt m = three_names();
	struct msg_txt_result r;
	struct buf b;
	int fd;

	asker_begin();
	buf_init(&b, FRAME_MAX);
	fd = ask(&m);
	ck_assert_uint_eq(query_n, 3);
	ck_assert_uint_eq(d->places[PLACE_TEXTS].open, 1);
	ck_assert_str_eq(queries[0].name, "a._domainkey.x.example");
	reply(2, DNS_TEMPORARY, 0, STR(""), 0);
	reply(0, DNS_OK, 300, STR("v=DKIM1; p="), 2);
	ck_assert(!answered(fd, &b, &r));
	reply(1, DNS_NO_NAME, 0, STR(""), 0);
	ck_assert(answered(fd, &b, &r));
	ck_assert_uint_eq(r.answer_n, 3);
	ck_assert_uint_eq(r.answers[0].status, TXT_OK);
	ck_assert_uint_eq(r.answers[0].text_n, 2);
	ck_str(r.answers[0].texts[1], STR("v=DKIM1; p="));
	ck_assert_uint_eq(r.answers[1].status, TXT_NO_NAME);
	ck_assert_uint_eq(r.answers[2].status, TXT_TEMPORARY);
	/* Only what nobody knew is asked for again, and in any case of letters. */
	fd = ask(&m);
	ck_assert_uint_eq(query_n, 4);
	ck_assert_str_eq(queries[3].name, "b._domainkey.x.example");
	reply(3, DNS_NO_DATA, 0, STR(""), 0);
	ck_assert(answered(fd, &b, &r));
	ck_str(r.answers[0].texts[0], STR("v=DKIM1; p="));
	ck_assert_uint_eq(r.answers[1].status, TXT_NO_NAME);
	ck_assert_uint_eq(r.answers[2].status, TXT_NO_DATA);
	/* Now all is known, and the answer comes at once. */
	fd = ask(&m);
	ck_assert_uint_eq(query_n, 4);
	ck_assert(answered(fd, &b, &r));
	buf_free(&b);
	asker_end();
}
END_TEST

START_TEST(in_time)
{
	struct msg_txt m = three_names();
	struct msg_txt_result r;
	struct buf b;
	int fd;

	asker_begin();
	buf_init(&b, FRAME_MAX);
	m.wait_ms = 1;
	fd = ask(&m);
	reply(0, DNS_OK, 300, STR("x"), 1);
	while (d->places[PLACE_TEXTS].open > 0)
		loop_once(d->loop, true);
	ck_assert(answered(fd, &b, &r));
	ck_assert_uint_eq(r.answers[0].status, TXT_OK);
	ck_assert_uint_eq(r.answers[1].status, TXT_TEMPORARY);
	/* What comes later is for the next. */
	reply(1, DNS_OK, 300, STR("late"), 1);
	reply(2, DNS_NO_NAME, 0, STR(""), 0);
	fd = ask(&m);
	ck_assert_uint_eq(query_n, 3);
	ck_assert(answered(fd, &b, &r));
	ck_str(r.answers[1].texts[0], STR("late"));
	buf_free(&b);
	asker_end();
}
END_TEST

/* Who asked is gone; what DNS says then is known to the next. */
START_TEST(nobody_waits)
{
	const struct msg_txt m = three_names();
	struct msg_txt_result r;
	struct buf b;
	int fd;

	asker_begin();
	buf_init(&b, FRAME_MAX);
	fd = ask(&m);
	reply(0, DNS_OK, 300, STR("x"), 1);
	asker_goes(fd, PLACE_TEXTS);
	reply(1, DNS_NO_NAME, 0, STR(""), 0);
	reply(2, DNS_OK, 300, STR("y"), 1);
	fd = ask(&m);
	ck_assert_uint_eq(query_n, 3);
	ck_assert(answered(fd, &b, &r));
	ck_str(r.answers[2].texts[0], STR("y"));
	buf_free(&b);
	asker_end();
}
END_TEST

/* Too many records, or octets, are told as that; a name without text has none. */
START_TEST(bounded)
{
	static char text[MSG_TXT_NAME_MAX + 1];
	const struct msg_txt m = three_names();
	struct msg_txt_result r;
	struct buf b;
	int fd;

	asker_begin();
	buf_init(&b, FRAME_MAX);
	fd = ask(&m);
	reply(0, DNS_OK, 300, STR("x"), MSG_TXT_RECORDS_MAX + 1);
	reply(1, DNS_OK, 300, str_n(text, sizeof(text)), 1);
	reply(2, DNS_OK, 300, STR(""), 0);
	ck_assert(answered(fd, &b, &r));
	ck_assert_uint_eq(r.answers[0].status, TXT_LARGE);
	ck_assert_uint_eq(r.answers[1].status, TXT_LARGE);
	ck_assert_uint_eq(r.answers[2].status, TXT_NO_DATA);
	buf_free(&b);
	asker_end();
}
END_TEST

START_TEST(broken)
{
	struct msg_txt m = three_names();
	struct msg_txt_result r;
	char octet;
	struct buf b;
	int fd;

	asker_begin();
	buf_init(&b, FRAME_MAX);
	m.names[2] = STR("www.x.example");
	fd = ask(&m);
	ck_assert_uint_eq(query_n, 0);
	ck_assert(!answered(fd, &b, &r));
	/* The way to answer is closed. */
	ck_assert_int_eq(read(fd, &octet, 1), 0);
	close(fd);
	buf_free(&b);
	asker_end();
}
END_TEST

UNIT_MAIN("checkd/text", together, in_time, nobody_waits, bounded, broken)
