/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A message of the queue as people see it: the next attempt, all attempts, the header. */

#include "queue/tmpspool.h"
#include "report/listing.h"

#define MAIL "Subject: \x1b[31mred\r\nX: y\r\n\tand\tz\r\n\r\nSecret text.\r\n"

static struct tmpspool spool;
static char *text;

static const char *
listed(enum listing_form form)
{
	const struct listing_filter all = { .limit = 0 };
	uint64_t count;
	size_t n;
	FILE *out;

	free(text);
	ck_assert_ptr_nonnull(out = open_memstream(&text, &n));
	ck_assert_int_eq(listing_write(spool.q, &all, NULL, form, out, &count),
	    0);
	fclose(out);
	return text;
}

static void
deferred(int64_t next)
{
	struct queue_file f;
	struct queue_attempt a = { .time = 1795222923, .status = "4.4.1",
		.relay = STR("one[192.0.2.1]:25"), .reply = STR("refused") };

	setenv("TZ", "UTC", 1);
	tmpspool_begin(&spool);
	tmpspool_put(&spool, STR(MAIL), false);
	tmpspool_load(&spool, QUEUE_NEW, &f);
	ck_assert_int_eq(queue_note(&f, &a), 0);
	a.time += 100;
	a.relay = STR("two[192.0.2.2]:25");
	a.reply = STR("450 later");
	ck_assert_int_eq(queue_note(&f, &a), 0);
	ck_assert_int_eq(queue_defer(spool.q, &f, next), 0);
	queue_unload(&f);
}

START_TEST(next)
{
	static const struct {
		int64_t in;
		const char *words;
	} cases[] = {
		{ -5, "next attempt now\n" },
		{ 100, " s\n" },
		{ 3000, " min\n" },
		{ 100000, ", in 27 h\n" },
		{ 500000, ", in 5 days\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		deferred(clock_wall() + cases[i].in + (cases[i].in > 0 ? 9 : 0));
		ck_assert_msg(strstr(listed(LISTING_LONG), cases[i].words) !=
		    NULL, "%s", text);
		/* Who parses mailq gets what Postfix prints. */
		ck_assert_ptr_null(strstr(listed(LISTING_MAILQ), "next"));
		tmpspool_end(&spool);
	}
}
END_TEST

START_TEST(show)
{
	deferred(1795230000);
	(void)listed(LISTING_SHOW);
	ck_assert_ptr_nonnull(strstr(text,
	    "\nattempts: 2 since Sat Nov 21 01:02:03\n"
	    "attempt: Sat Nov 21 01:02:03 for <ann@example.com> at "
	    "one[192.0.2.1]:25: 4.4.1 refused\n"
	    "last attempt: Sat Nov 21 01:03:43 for <ann@example.com> at "
	    "two[192.0.2.2]:25: 4.4.1 450 later\n"
	    "state: deferred\nnext attempt: Sat Nov 21 03:00:00\n"
	    "\nSubject: \\x1b[31mred\nX: y\n\tand\tz\n"));
	ck_assert_ptr_null(strstr(text, "Secret"));
	ck_assert(str_ends(str_c(listed(LISTING_TEXT)), STR(MAIL)));
	ck_assert_int_eq(queue_move(spool.q, QUEUE_CUR, spool.env.id,
	    QUEUE_HOLD), 0);
	ck_assert_ptr_nonnull(strstr(listed(LISTING_SHOW), "\nstate: hold\n"));
	ck_assert_ptr_null(strstr(text, "next attempt"));
	tmpspool_end(&spool);
	free(text);
	text = NULL;
}
END_TEST

/* More than is read at once, and lines longer than that: nothing of them is lost. */
START_TEST(long_envelope)
{
	enum { MANY = 1000, LONG = 40000 };
	struct envelope_rcpt *rcpts = calloc(MANY, sizeof(*rcpts));
	char *chain = malloc(LONG), line[64];
	struct queue_msg *m;
	const char *at;

	memset(chain, 'M', LONG);
	tmpspool_begin(&spool);
	tmpspool_env(&spool);
	for (size_t i = 0; i < MANY; i++) {
		char *local = NULL;

		ck_assert_int_gt(asprintf(&local, "user%zu", i), 0);
		rcpts[i] = (struct envelope_rcpt){ .state = RCPT_QUEUED,
			.path = { str_c(local), STR("example.com") } };
	}
	spool.env.rcpts = rcpts;
	spool.env.rcpt_n = MANY;
	/* Over a place where a read ends, too. */
	spool.env.helo = STR("\xc3\xa4\xc3\xb6");
	spool.env.chain = str_n(chain, LONG);
	m = queue_begin(spool.q, &spool.env, false);
	ck_assert_ptr_nonnull(m);
	ck_assert_int_eq(queue_commit(m), 0);
	at = strstr(listed(LISTING_SHOW), "\ncertificate-chain: ");
	ck_assert_ptr_nonnull(at);
	ck_assert_uint_eq(strspn(strstr(at, ": ") + 2, "M"), LONG);
	ck_assert_int_eq(strncmp(strstr(at, ": ") + 2 + LONG, "\n", 1), 0);
	for (size_t i = 0; i < MANY; i++) {
		snprintf(line, sizeof(line), "\nrcpt: Q <user%zu@example.com>\n", i);
		ck_assert_msg(strstr(text, line) != NULL, "%s", line);
		free((char *)(uintptr_t)rcpts[i].path.local.p);
	}
	tmpspool_end(&spool);
	free(chain);
	free(rcpts);
	free(text);
	text = NULL;
}
END_TEST

UNIT_MAIN("report/listing_text", next, show, long_envelope)
