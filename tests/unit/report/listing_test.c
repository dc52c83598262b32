/* SPDX-License-Identifier: GPL-3.0-or-later */

/* listing_test -- the queue as people and programs see it, octet by octet. */

#include "queue/tmpspool.h"
#include "report/listing.h"

static struct tmpspool spool;
static char *text;
static size_t text_n;

/* Lists with filter F into TEXT; the count. */
static uint64_t
list(const struct listing_filter *f, enum listing_form form)
{
	uint64_t count = 99;

	free(text);
	FILE *out = open_memstream(&text, &text_n);
	ck_assert_ptr_nonnull(out);
	ck_assert_int_eq(listing_write(spool.q, f, form, out, &count), 0);
	ck_assert_int_eq(fclose(out), 0);
	return count;
}

static const struct listing_filter all;

static void
begin(void)
{
	tmpspool_begin(&spool);
	setenv("TZ", "UTC", 1);
}

static void
end(void)
{
	free(text);
	text = NULL;
	tmpspool_end(&spool);
}

/* Puts a message from FROM that arrived at T; ID names it. */
static void
put(struct path from, int64_t t, const char *id)
{
	struct envelope *e = tmpspool_env(&spool);
	struct queue_msg *m;

	memcpy(e->id, id, QUEUE_ID_SIZE);
	e->from = from;
	e->arrival_us = t * 1000000;
	ck_assert_ptr_nonnull(m = queue_begin(spool.q, e, false));
	ck_assert_int_eq(queue_write(m, STR(TEXT1)), 0);
	ck_assert_int_eq(queue_commit(m), 0);
}

#define ID1 "06510000000000000A1"
#define ID2 "06510000000000000A2"
#define ALICE ((struct path){ STR("alice"), STR("example.org") })
#define NOBODY ((struct path){ STR(""), STR("") })
/* Sat Nov 21 01:02:03 2026. */
#define TIME 1795222923

/* An attempt for recipient I of ID that failed, and its deferral. */
static void
attempt(const char *id, size_t i, const char *reply, bool done)
{
	struct queue_file f;
	struct queue_attempt a = { .time = TIME + 60, .rcpt = i, .status = "4.4.1",
		.relay = STR("mx.example.net[192.0.2.1]:25"), .reply = str_c(reply) };

	memcpy(spool.env.id, id, QUEUE_ID_SIZE);
	tmpspool_load(&spool, QUEUE_CUR, &f);
	ck_assert_int_eq(queue_note(&f, &a), 0);
	if (done)
		ck_assert_int_eq(queue_mark(&f, i, RCPT_DONE), 0);
	ck_assert_int_eq(queue_sync(&f), 0);
	queue_unload(&f);
}

#define HEAD "-Queue ID-           --Size-- ----Arrival Time---- -Sender/Recipient-------\n"
#define PAD "                                         "

START_TEST(mailq)
{
	begin();
	ck_assert_uint_eq(list(&all, LISTING_MAILQ), 0);
	ck_assert_str_eq(text, "Mail queue is empty\n");
	put(ALICE, TIME, ID1);
	ck_assert_uint_eq(list(&all, LISTING_MAILQ), 1);
	ck_assert_str_eq(text, HEAD ID1 "*       24 Sat Nov 21 01:02:03  alice@example.org\n"
	    PAD "ann@example.com\n" PAD "bob@example.com\n" PAD "cyd@example.com\n\n"
	    "-- 1 Kbytes in 1 Request.\n");
	/* Held; reports go to nobody. */
	put(NOBODY, TIME, ID2);
	ck_assert_int_eq(queue_move(spool.q, QUEUE_NEW, ID2, QUEUE_HOLD), 0);
	ck_assert_int_eq(queue_move(spool.q, QUEUE_NEW, ID1, QUEUE_CUR), 0);
	/* A reason stands once for those who share it; who is done is not listed. */
	attempt(ID1, 0, "connect to mx.example.net[192.0.2.1]:25: Connection refused", false);
	attempt(ID1, 1, "250 thanks", true);
	attempt(ID1, 2, "connect to mx.example.net[192.0.2.1]:25: Connection refused", false);
	ck_assert_uint_eq(list(&all, LISTING_MAILQ), 2);
	ck_assert_str_eq(text, HEAD ID1 "        24 Sat Nov 21 01:02:03  alice@example.org\n"
	    "(connect to mx.example.net[192.0.2.1]:25: Connection refused)\n"
	    PAD "ann@example.com\n" PAD "cyd@example.com\n\n"
	    ID2 "!       24 Sat Nov 21 01:02:03  MAILER-DAEMON\n"
	    PAD "ann@example.com\n" PAD "bob@example.com\n" PAD "cyd@example.com\n\n"
	    "-- 1 Kbytes in 2 Requests.\n");
	end();
}
END_TEST

START_TEST(filters)
{
	const struct str both[] = { STR(ID2), STR(ID1), STR("06510000000000000FF"), STR("../x"),
		STR("") };
	struct listing_filter f = { .domain = STR("EXAMPLE.com") };

	begin();
	put(ALICE, TIME, ID1);
	put(NOBODY, TIME, ID2);
	ck_assert_uint_eq(list(&f, LISTING_IDS), 2);
	f.domain = STR("xample.com");
	ck_assert_uint_eq(list(&f, LISTING_IDS), 0);
	ck_assert_str_eq(text, "");
	f = (struct listing_filter){ .sender = STR("alice@") };
	ck_assert_uint_eq(list(&f, LISTING_IDS), 1);
	ck_assert_str_eq(text, ID1 "\n");
	f = (struct listing_filter){ .ids = both, .id_n = ARRAY_LEN(both) };
	ck_assert_uint_eq(list(&f, LISTING_IDS), 2);
	ck_assert_str_eq(text, ID2 "\n" ID1 "\n");
	f.sender = STR("alice");
	ck_assert_uint_eq(list(&f, LISTING_MAILQ), 1);
	f.sender = STR("bob");
	ck_assert_uint_eq(list(&f, LISTING_MAILQ), 0);
	ck_assert_str_eq(text, "Mail queue is empty\n");
	/* A domain none of whose recipients is left. */
	ck_assert_int_eq(queue_move(spool.q, QUEUE_NEW, ID1, QUEUE_CUR), 0);
	for (size_t i = 0; i < 3; i++)
		attempt(ID1, i, "250", true);
	f = (struct listing_filter){ .domain = STR("example.com") };
	ck_assert_uint_eq(list(&f, LISTING_IDS), 1);
	ck_assert_str_eq(text, ID2 "\n");
	end();
}
END_TEST

/* Foreign octets steer no terminal and make no second line. */
START_TEST(foreign)
{
	static const char evil[] = "550 \033]0;x\007\r\nfake: \xe2\x80\xae \xff";

	begin();
	put(ALICE, TIME, ID1);
	ck_assert_int_eq(queue_move(spool.q, QUEUE_NEW, ID1, QUEUE_CUR), 0);
	attempt(ID1, 0, evil, false);
	for (enum listing_form form = LISTING_MAILQ; form <= LISTING_SHOW; form++) {
		list(&all, form);
		for (size_t i = 0; i < text_n; i++)
			ck_assert_msg((text[i] >= ' ' && text[i] != 0x7f) || text[i] == '\n',
			    "%d: octet %x", form, (unsigned char)text[i]);
		ck_assert_ptr_null(strstr(text, "\nfake"));
		ck_assert_ptr_null(strchr(text, '\xff'));
		/* U+202E turns the rest of a line around. */
		ck_assert_ptr_null(strstr(text, "\xe2\x80\xae"));
	}
	end();
}
END_TEST

START_TEST(show)
{
	const struct str id = STR(ID1);
	const struct listing_filter f = { .ids = &id, .id_n = 1 };

	begin();
	put(ALICE, TIME, ID1);
	ck_assert_int_eq(queue_move(spool.q, QUEUE_NEW, ID1, QUEUE_CUR), 0);
	attempt(ID1, 1, "450 later", false);
	ck_assert_uint_eq(list(&f, LISTING_SHOW), 1);
	ck_assert_ptr_nonnull(strstr(text, "alice@example.org"));
	ck_assert_ptr_nonnull(strstr(text, "\nlast attempt: Sat Nov 21 01:03:03 for "
	    "<bob@example.com> at mx.example.net[192.0.2.1]:25: 4.4.1 450 later\n"));
	ck_assert_ptr_null(strstr(text, "Hello"));
	ck_assert_uint_eq(list(&f, LISTING_TEXT), 1);
	ck_assert(str_ends(str_n(text, text_n), STR(TEXT1)));
	end();
}
END_TEST

/* What is unreadable is left out, and so is what was delivered meanwhile. */
START_TEST(unreadable)
{
	begin();
	put(ALICE, TIME, ID1);
	tmpspool_file(tmpspool_path(&spool, "new", ID2), STR("garbage"));
	tmpspool_file(tmpspool_path(&spool, "new", "README"), STR("no message"));
	ck_assert_uint_eq(list(&all, LISTING_IDS), 1);
	/* Who does not read on is not written to. */
	uint64_t count = 0;
	FILE *out = fopen("/dev/full", "w");
	if (out) {
		setvbuf(out, NULL, _IONBF, 0);
		ck_assert_int_eq(listing_write(spool.q, &all, LISTING_MAILQ, out, &count), 0);
		ck_assert(ferror(out));
		fclose(out);
	}
	end();
}
END_TEST

UNIT_MAIN("report/listing", mailq, filters, foreign, show, unreadable)
