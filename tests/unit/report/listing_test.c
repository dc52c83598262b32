/* SPDX-License-Identifier: GPL-3.0-or-later */

/* listing_test -- the queue as people and programs see it, octet by octet. */

#include "lib/mem.h"
#include "queue/tmpspool.h"
#include "report/listing.h"

static struct tmpspool spool;
static const struct listing_facts *facts;	/* of list() */
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
	ck_assert_int_eq(listing_write(spool.q, f, facts, form, out, &count), 0);
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

/* What is unreadable is shown as such, what was delivered meanwhile left out. */
START_TEST(unreadable)
{
	struct listing_filter f = { .sender = STR("alice") };

	begin();
	put(ALICE, TIME, ID1);
	tmpspool_file(tmpspool_path(&spool, "new", ID2), STR("garbage"));
	tmpspool_file(tmpspool_path(&spool, "new", "README"), STR("no message"));
	tmpspool_file(tmpspool_path(&spool, "bad", "06510000000000000A3"),
	    STR("garbage"));
	ck_assert_uint_eq(list(&all, LISTING_IDS), 2);
	ck_assert_uint_eq(list(&all, LISTING_MAILQ), 2);
	ck_assert_ptr_nonnull(strstr(text, ID2 "*        7 "));
	ck_assert_ptr_nonnull(strstr(text, "  ?\n(cannot be read: "));
	ck_assert_uint_eq(list(&all, LISTING_JSON), 2);
	ck_assert_ptr_nonnull(strstr(text, "{\"queue_name\":\"new\",\"queue_id\":\""
	    ID2 "\",\"file_size\":7,\"unreadable\":\""));
	/* It is nobody's. */
	ck_assert_uint_eq(list(&f, LISTING_IDS), 1);
	/* What was put aside is shown where it is asked for. */
	f = (struct listing_filter){ .states = LISTING_BAD };
	ck_assert_uint_eq(list(&f, LISTING_IDS), 1);
	ck_assert_str_eq(text, "06510000000000000A3\n");
	/* Who does not read on is not written to. */
	uint64_t count = 0;
	FILE *out = fopen("/dev/full", "w");
	if (out) {
		setvbuf(out, NULL, _IONBF, 0);
		ck_assert_int_eq(listing_write(spool.q, &all, NULL, LISTING_MAILQ, out, &count), 0);
		ck_assert(ferror(out));
		fclose(out);
	}
	end();
}
END_TEST

#define ID3 "06510000000000000A3"

/* Three messages: deferred of alice, held of nobody, new and newest of bob. */
static void
three(void)
{
	begin();
	put(ALICE, TIME, ID1);
	put(NOBODY, TIME + 100, ID2);
	put((struct path){ STR("bob"), STR("example.net") }, TIME + 200, ID3);
	ck_assert_int_eq(queue_move(spool.q, QUEUE_NEW, ID2, QUEUE_HOLD), 0);
	ck_assert_int_eq(queue_move(spool.q, QUEUE_NEW, ID1, QUEUE_CUR), 0);
	attempt(ID1, 0, "Connection Refused", false);
}

static const char *
ids(const struct listing_filter *f)
{
	(void)list(f, LISTING_IDS);
	return text;
}

START_TEST(chosen)
{
	const struct {
		struct listing_filter f;
		const char *ids;
	} cases[] = {
		{ { .states = LISTING_NEW }, ID3 "\n" },
		{ { .states = LISTING_HOLD | LISTING_DEFERRED }, ID1 "\n" ID2 "\n" },
		{ { .states = LISTING_DEAD | LISTING_DROP }, "" },
		{ { .sender = STR("<>") }, ID2 "\n" },
		{ { .recipient = STR("cyd@") }, ID3 "\n" ID1 "\n" ID2 "\n" },
		{ { .recipient = STR("dan@") }, "" },
		{ { .reason = STR("connection refused") }, ID1 "\n" },
		{ { .reason = STR("4.4.1") }, ID1 "\n" },
		{ { .reason = STR("4.4") }, ID1 "\n" },
		{ { .reason = STR("4") }, ID1 "\n" },
		{ { .reason = STR("4.41") }, "" },
		{ { .reason = STR("5") }, "" },
		/* One recipient must fit all of it. */
		{ { .reason = STR("4.4"), .recipient = STR("ann") }, ID1 "\n" },
		{ { .reason = STR("4.4"), .recipient = STR("bob") }, "" },
		{ { .before_us = (TIME + 100) * INT64_C(1000000) }, ID1 "\n" },
		{ { .after_us = (TIME + 100) * INT64_C(1000000) }, ID3 "\n" },
		{ { .limit = 1 }, ID3 "\n" },
		{ { .sort = LISTING_BY_ARRIVAL }, ID1 "\n" ID2 "\n" ID3 "\n" },
		{ { .sort = LISTING_BY_ARRIVAL, .reverse = true, .limit = 2 },
		    ID3 "\n" ID2 "\n" },
		{ { .sort = LISTING_BY_SENDER }, ID2 "\n" ID1 "\n" ID3 "\n" },
		{ { .sort = LISTING_BY_SIZE, .reverse = true, .limit = 1 }, ID1 "\n" },
		{ { .sort = LISTING_BY_NEXT, .states = LISTING_NEW | LISTING_HOLD,
		      .sender = STR("bob") }, ID3 "\n" },
	};

	three();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ck_assert_msg(strcmp(ids(&cases[i].f), cases[i].ids) == 0,
		    "case %zu: %s", i, text);
	ck_assert_uint_eq(list(&all, LISTING_COUNT), 3);
	ck_assert_str_eq(text, "");
	end();
}
END_TEST

/* What the runners are at. */
START_TEST(active)
{
	char lines[] = ID3 "\n" ID1 "\n" ID2 "\n";
	struct listing_facts f = { .conf = NULL };
	struct listing_filter only = { .states = LISTING_ACTIVE };
	const char **v = listing_active(lines, &f.active_n);
	char nothing[] = "";
	size_t n;

	ck_assert_uint_eq(f.active_n, 3);
	ck_assert_str_eq(v[0], ID1);
	ck_assert_str_eq(v[2], ID3);
	mem_free(listing_active(nothing, &n));
	ck_assert_uint_eq(n, 0);
	three();
	f.active = v;
	facts = &f;
	/* What is on hold is not tried, whatever was said a moment ago. */
	ck_assert_str_eq(ids(&only), ID3 "\n" ID1 "\n");
	only.states = LISTING_DEFERRED;
	ck_assert_str_eq(ids(&only), "");
	(void)list(&all, LISTING_MAILQ);
	ck_assert_ptr_nonnull(strstr(text, ID1 "* "));
	ck_assert_ptr_nonnull(strstr(text, ID2 "! "));
	(void)list(&all, LISTING_JSON);
	ck_assert_ptr_nonnull(strstr(text, "\"active\",\"queue_id\":\"" ID1));
	facts = NULL;
	mem_free(v);
	end();
}
END_TEST

START_TEST(words)
{
	struct listing_filter f = { .limit = 0 };
	unsigned states;

	ck_assert_int_eq(listing_states(STR("hold, DEAD,corrupt"), &states), 0);
	ck_assert_uint_eq(states, LISTING_HOLD | LISTING_DEAD | LISTING_BAD);
	ck_assert_int_eq(listing_states(STR("active"), &states), 0);
	ck_assert_uint_eq(states, LISTING_ACTIVE);
	ck_assert_int_eq(listing_states(STR(""), &states), -1);
	ck_assert_int_eq(listing_states(STR("hold,,dead"), &states), -1);
	ck_assert_int_eq(listing_states(STR("melted"), &states), -1);
	ck_assert_int_eq(listing_sort_word(STR("-size"), &f), 0);
	ck_assert(f.reverse && f.sort == LISTING_BY_SIZE);
	ck_assert_int_eq(listing_sort_word(STR("next"), &f), 0);
	ck_assert(!f.reverse && f.sort == LISTING_BY_NEXT);
	ck_assert_int_eq(listing_sort_word(STR("colour"), &f), -1);
	ck_assert_int_eq(listing_sort_word(STR(""), &f), -1);
}
END_TEST

UNIT_MAIN("report/listing", mailq, filters, foreign, show, unreadable, chosen, active, words)
