/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The audit: each way that a message can go closes, each hole is named, and
 * the same comes out in one pass and in many.
 */

#include "report/audit.h"

#include <sys/stat.h>

#include "queue/tmpspool.h"

static struct tmpspool spool;
static struct buf findings;
static struct audit_sum sum;

/* 21 November 2026, 01:02:03 UTC. */
#define TIME INT64_C(1795222923000000)
#define FILE_NAME "journal/2026-11-21.0.000.jsonl"

static void
begin(void)
{
	char path[256];

	tmpspool_begin(&spool);
	snprintf(path, sizeof(path), "%s/journal", spool.dir);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	buf_init(&findings, 1 << 20);
}

static void
end(void)
{
	buf_free(&findings);
	tmpspool_end(&spool);
}

static void
put_raw(const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/" FILE_NAME, spool.dir);
	ck_assert_ptr_nonnull(f = fopen(path, "a"));
	fputs(text, f);
	fclose(f);
}

static void
put(const struct journal_line *l)
{
	struct buf b;

	buf_init(&b, 65536);
	journal_format(&b, l, TIME);
	put_raw(buf_cstr(&b));
	buf_free(&b);
}

static void
say(enum journal_event event, const char *id, size_t rcpt, size_t rcpts)
{
	struct journal_line l = { .event = event, .id = id, .rcpt = rcpt,
		.rcpts = rcpts };

	put(&l);
}

static void
started(void)
{
	struct journal_line l = { .event = JOURNAL_START, .of = 1 };

	put(&l);
}

/* The id of message N, which came in AGO microseconds before the journal. */
static const char *
id_of(unsigned n, int64_t ago)
{
	static char ids[8][QUEUE_ID_SIZE];
	static unsigned at;
	char *id = ids[at++ % 8];

	snprintf(id, QUEUE_ID_SIZE, "%013llX%06X",
	    (unsigned long long)(TIME - ago), n);
	return id;
}

#define M(n) id_of(n, -1000)

static void
on_finding(void *arg, const struct audit_finding *f)
{
	(void)arg;
	buf_addf(&findings, "%s %s %llu\n", audit_kind_name(f->kind), f->id,
	    (unsigned long long)f->rcpt);
}

static void
audit(int64_t since_us, uint32_t at_once)
{
	struct journal_reader *r = journal_reader_open(spool.dir, since_us);
	uint64_t all = 0;

	ck_assert_ptr_nonnull(r);
	buf_reset(&findings);
	ck_assert_int_eq(audit_run(spool.q, r, since_us, at_once, on_finding,
	    NULL, &sum), 0);
	journal_reader_close(r);
	for (int e = 0; e < AUDIT_END_N; e++)
		all += sum.ends[e];
	ck_assert_uint_eq(all, sum.received);
}

static void
closes(void)
{
	audit(0, AUDIT_MESSAGES_MAX);
	ck_assert_str_eq(buf_cstr(&findings), "");
	ck_assert_uint_eq(sum.wrong, 0);
	ck_assert_uint_eq(sum.ends[AUDIT_LOST], 0);
}

static void
finds(const char *want)
{
	audit(0, AUDIT_MESSAGES_MAX);
	ck_assert_str_eq(buf_cstr(&findings), want);
}

/* A file in the spool for ID. */
static void
place(const char *id, enum queue_place where, size_t rcpts)
{
	struct envelope *e = tmpspool_env(&spool);
	struct queue_msg *m;

	memcpy(e->id, id, QUEUE_ID_SIZE);
	e->rcpt_n = rcpts;
	ck_assert_ptr_nonnull(m = queue_begin(spool.q, e, false));
	ck_assert_int_eq(queue_commit(m), 0);
	if (where != QUEUE_NEW)
		ck_assert_int_eq(queue_move(spool.q, QUEUE_NEW, id, where), 0);
}

/* Every end that there is. */
START_TEST(ends)
{
	static const struct {
		enum journal_event event;
		enum audit_end end;
	} outcomes[] = {
		{ JOURNAL_DELIVERED, AUDIT_DELIVERED },
		{ JOURNAL_RELAYED, AUDIT_RELAYED },
		{ JOURNAL_BOUNCED, AUDIT_BOUNCED },
		{ JOURNAL_EXPIRED, AUDIT_EXPIRED },
		{ JOURNAL_DISCARDED, AUDIT_DISCARDED },
		{ JOURNAL_EXPANDED, AUDIT_EXPANDED },
	};
	static const struct {
		enum queue_place place;
		enum audit_end end;
	} places[] = {
		{ QUEUE_NEW, AUDIT_QUEUED }, { QUEUE_CUR, AUDIT_QUEUED },
		{ QUEUE_HOLD, AUDIT_HELD }, { QUEUE_DEAD, AUDIT_DEAD },
		{ QUEUE_BAD, AUDIT_BAD },
	};

	begin();
	started();
	for (unsigned i = 0; i < ARRAY_LEN(outcomes); i++) {
		say(JOURNAL_RECEIVED, M(i), 0, 2);
		say(JOURNAL_DEFERRED, M(i), 0, 2);
		say(outcomes[i].event, M(i), 0, 2);
		say(outcomes[i].event, M(i), 1, 2);
		say(JOURNAL_REMOVED, M(i), 0, 2);
	}
	for (unsigned i = 0; i < ARRAY_LEN(places); i++) {
		say(JOURNAL_RECEIVED, M(100 + i), 0, 3);
		say(JOURNAL_RELAYED, M(100 + i), 1, 3);
		place(M(100 + i), places[i].place, 3);
	}
	/* Deleted: who has no outcome gets none. */
	say(JOURNAL_RECEIVED, M(200), 0, 3);
	say(JOURNAL_RELAYED, M(200), 0, 3);
	say(JOURNAL_DELETED, M(200), 0, 0);
	/* Not taken up yet; and in drop/. */
	place(M(300), QUEUE_NEW, 2);
	memcpy(tmpspool_env(&spool)->id, M(301), QUEUE_ID_SIZE);
	ck_assert_int_eq(queue_commit(queue_begin(spool.q, &spool.env, true)),
	    0);
	closes();
	for (unsigned i = 0; i < ARRAY_LEN(outcomes); i++)
		ck_assert_uint_eq(sum.ends[outcomes[i].end],
		    outcomes[i].event == JOURNAL_RELAYED ? 2 + 5 + 1 : 2);
	ck_assert_uint_eq(sum.ends[AUDIT_QUEUED], 2 + 2 + 2 + 3);
	ck_assert_uint_eq(sum.ends[AUDIT_HELD], 2);
	ck_assert_uint_eq(sum.ends[AUDIT_DEAD], 2);
	ck_assert_uint_eq(sum.ends[AUDIT_BAD], 2);
	ck_assert_uint_eq(sum.ends[AUDIT_DELETED], 2);
	ck_assert_uint_eq(sum.messages,
	    ARRAY_LEN(outcomes) + ARRAY_LEN(places) + 1 + 2);
	end();
}
END_TEST

/* Each kind of hole. */
START_TEST(holes)
{
	char want[512];

	begin();
	started();
	say(JOURNAL_RECEIVED, M(1), 0, 2);
	say(JOURNAL_RELAYED, M(1), 0, 2);
	snprintf(want, sizeof(want), "missing %s 0\n", M(1));
	finds(want);
	ck_assert_uint_eq(sum.ends[AUDIT_LOST], 1);
	ck_assert_uint_eq(sum.ends[AUDIT_RELAYED], 1);
	say(JOURNAL_REMOVED, M(1), 0, 2);
	snprintf(want, sizeof(want), "no-outcome %s 1\n", M(1));
	finds(want);
	say(JOURNAL_BOUNCED, M(1), 1, 2);
	closes();
	/* All outcomes, and nobody said that it went. */
	say(JOURNAL_RECEIVED, M(2), 0, 1);
	say(JOURNAL_RELAYED, M(2), 0, 1);
	snprintf(want, sizeof(want), "no-removed %s 0\n", M(2));
	finds(want);
	ck_assert_uint_eq(sum.ends[AUDIT_LOST], 0);
	say(JOURNAL_REMOVED, M(2), 0, 1);
	closes();
	/* A report that was committed and is nowhere. */
	struct journal_line dsn = { .event = JOURNAL_DSN, .id = M(3),
		.cause = M(1), .rcpts = 1 };
	put(&dsn);
	snprintf(want, sizeof(want), "missing %s 0\n", M(3));
	finds(want);
	place(M(3), QUEUE_NEW, 1);
	closes();
	/* An end without a beginning. */
	say(JOURNAL_RELAYED, M(4), 0, 1);
	say(JOURNAL_REMOVED, M(4), 0, 1);
	snprintf(want, sizeof(want), "no-received %s 0\n", M(4));
	finds(want);
	say(JOURNAL_RECEIVED, M(4), 0, 1);
	closes();
	/* What is dead is kept. */
	say(JOURNAL_RECEIVED, M(5), 0, 1);
	say(JOURNAL_BOUNCED, M(5), 0, 1);
	say(JOURNAL_DEAD, M(5), 0, 1);
	snprintf(want, sizeof(want), "missing %s 0\n", M(5));
	finds(want);
	ck_assert_uint_eq(sum.ends[AUDIT_LOST], 1);
	/* Released, it has another chance, and must use it. */
	say(JOURNAL_RELEASED, M(5), 0, 0);
	finds(want);
	say(JOURNAL_RELAYED, M(5), 0, 1);
	say(JOURNAL_REMOVED, M(5), 0, 1);
	closes();
	/* The journal itself. */
	struct journal_line gap = { .event = JOURNAL_GAP, .lost = 9,
		.since_us = TIME };
	put(&gap);
	finds("gap  0\n");
	ck_assert_uint_eq(sum.wrong, 1);
	end();
}
END_TEST

/* What is no hole, but is told. */
START_TEST(notes)
{
	char want[512];

	begin();
	started();
	/* Killed between journal and spool: delivered and told again. */
	for (int i = 0; i < 2; i++) {
		say(JOURNAL_RECEIVED, M(1), 0, 1);
		say(JOURNAL_RELAYED, M(1), 0, 1);
		say(JOURNAL_REMOVED, M(1), 0, 1);
	}
	snprintf(want, sizeof(want), "twice %s 0\n", M(1));
	finds(want);
	ck_assert_uint_eq(sum.wrong, 0);
	ck_assert_uint_eq(sum.received, 1);
	/* The same while it is in the spool still. */
	place(M(1), QUEUE_NEW, 1);
	finds(want);
	ck_assert_uint_eq(sum.ends[AUDIT_RELAYED], 1);
	/* A line that was cut off, and what was never one. */
	put_raw("{\"time\":17952\n\n[]\n");
	say(JOURNAL_QUEUED, M(1), 0, 0);
	put_raw("{\"time\":1795222923.000000,\"event\":\"removed\",\"id\":\"x\"}\n");
	put_raw("{\"time\":1795222923.000000,\"event\":\"relayed\",\"id\":\"x\","
	    "\"rcpt\":4000000000}\n{\"half");
	audit(0, AUDIT_MESSAGES_MAX);
	ck_assert_uint_eq(sum.notes, 4);
	ck_assert_uint_eq(sum.wrong, 0);
	end();
}
END_TEST

/* What began before the journal, or before what is asked for. */
START_TEST(older)
{
	struct queue_file f;
	const char *reason;

	begin();
	started();
	/* Only its end is told. */
	say(JOURNAL_RELAYED, id_of(1, 5000), 0, 1);
	say(JOURNAL_REMOVED, id_of(1, 5000), 0, 1);
	/* In the queue since then, its first recipient done before. */
	say(JOURNAL_QUEUED, id_of(2, 5000), 0, 0);
	place(id_of(2, 5000), QUEUE_CUR, 2);
	ck_assert_int_eq(queue_load(spool.q, QUEUE_CUR, id_of(2, 5000), true,
	    &spool.a, &f, &reason), 0);
	ck_assert_int_eq(queue_mark(&f, 0, RCPT_DONE), 0);
	queue_unload(&f);
	closes();
	ck_assert_uint_eq(sum.older, 1);
	ck_assert_uint_eq(sum.received, 2);
	ck_assert_uint_eq(sum.ends[AUDIT_QUEUED], 1);
	/* Gone since: with a word, and without. */
	ck_assert_int_eq(queue_remove(spool.q, QUEUE_CUR, id_of(2, 5000)), 0);
	audit(0, AUDIT_MESSAGES_MAX);
	ck_assert_uint_eq(sum.wrong, 1);
	say(JOURNAL_RELAYED, id_of(2, 5000), 1, 2);
	say(JOURNAL_REMOVED, id_of(2, 5000), 0, 2);
	closes();
	ck_assert_uint_eq(sum.received, 1);
	/* A report of which its own runner has told in a file that is gone. */
	say(JOURNAL_DSN, id_of(4, 5000), 0, 1);
	closes();
	ck_assert_uint_eq(sum.older, 2);
	/* One that was queued since is missing, and so is a younger one. */
	say(JOURNAL_DSN, id_of(5, -500), 0, 1);
	say(JOURNAL_QUEUED, id_of(4, 5000), 0, 0);
	audit(0, AUDIT_MESSAGES_MAX);
	ck_assert_uint_eq(sum.wrong, 2);
	say(JOURNAL_DELETED, id_of(5, -500), 0, 1);
	say(JOURNAL_DELETED, id_of(4, 5000), 0, 1);
	/* Nothing is asked of what is older than that. */
	say(JOURNAL_RECEIVED, M(3), 0, 1);
	audit(TIME + 900, AUDIT_MESSAGES_MAX);
	ck_assert_uint_eq(sum.messages, 1);
	ck_assert_uint_eq(sum.wrong, 1);
	audit(TIME + 1100, AUDIT_MESSAGES_MAX);
	ck_assert_uint_eq(sum.messages, 0);
	ck_assert_uint_eq(sum.wrong, 0);
	end();
}
END_TEST

/* More than fit: several passes, and the same comes out. */
START_TEST(passes)
{
	struct audit_sum one;

	begin();
	started();
	for (unsigned i = 0; i < 3000; i++) {
		say(JOURNAL_RECEIVED, M(i), 0, 1 + i % 12);
		for (unsigned k = 0; k < 1 + i % 12; k++)
			say(JOURNAL_RELAYED, M(i), k, 1 + i % 12);
		if (i % 1000 != 7)
			say(JOURNAL_REMOVED, M(i), 0, 1 + i % 12);
	}
	put_raw("broken\n");
	audit(0, AUDIT_MESSAGES_MAX);
	one = sum;
	ck_assert_uint_eq(one.passes, 1);
	ck_assert_uint_eq(one.wrong, 3);
	ck_assert_uint_eq(one.notes, 1);
	audit(0, 500);
	ck_assert_uint_ge(sum.passes, 8);
	one.passes = sum.passes;
	ck_assert_mem_eq(&one, &sum, sizeof(sum));
	end();
}
END_TEST

START_TEST(names)
{
	ck_assert_str_eq(audit_end_name(AUDIT_END_N), "unknown");
	ck_assert_str_eq(audit_kind_name((enum audit_kind)99), "unknown");
	for (int e = 0; e < AUDIT_END_N; e++)
		ck_assert_ptr_nonnull(audit_end_name((enum audit_end)e));
}
END_TEST

UNIT_MAIN("report/audit", ends, holes, notes, older, passes, names)
