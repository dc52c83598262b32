/* SPDX-License-Identifier: GPL-3.0-or-later */

/* import -- what sendmail left: believed where it may be, else not. */

#include "lib/hash.h"
#include "tmpspool.h"

#include <sys/time.h>

#include "counted.h"

struct taken {
	unsigned n;
	char id[QUEUE_ID_SIZE];
};

static void
took(void *arg, const char *id)
{
	struct taken *t = arg;

	t->n++;
	memcpy(t->id, id, sizeof(t->id));
}

START_TEST(from_sendmail)
{
	struct taken got = { 0 };
	struct queue_file f;
	struct tmpspool t;
	char said[64], text[64];

	tmpspool_begin(&t);
	tmpspool_put(&t, STR(TEXT1), true);
	ck_assert_int_eq(queue_import(t.q, took, &got), 1);
	ck_assert_int_eq(queue_import(t.q, took, &got), 0);
	ck_assert_uint_eq(got.n, 1);
	/* What sendmail has told its caller stays true. */
	ck_assert_str_eq(got.id, t.env.id);
	ck_assert(!tmpspool_has(&t, "drop", t.env.id));
	tmpspool_load(&t, QUEUE_NEW, &f);
	snprintf(said, sizeof(said), "local user (%u)", (unsigned)getuid());
	ck_str(f.env.client, str_c(said));
	ck_assert_uint_eq(f.env.rcpt_n, 3);
	ck_assert(path_eq(&f.env.from, &t.env.from));
	ck_assert_int_eq(pread(f.fd, text, sizeof(text), f.text_at),
	    sizeof(TEXT1) - 1);
	ck_str(str_n(text, sizeof(TEXT1) - 1), STR(TEXT1));
	queue_unload(&f);
	tmpspool_end(&t);
}
END_TEST

/* A local user cannot make facts. */
START_TEST(forged_facts)
{
	struct envelope_extra extra = { STR("trusted"), STR("yes") };
	struct taken got = { 0 };
	struct queue_msg *m;
	struct queue_file f;
	struct tmpspool t;

	tmpspool_begin(&t);
	tmpspool_env(&t);
	t.env.user = t.env.tls = t.env.helo = t.env.certificate = t.env.chain = STR("forged");
	t.env.listener = t.env.local = t.env.proto = STR("forged");
	t.env.arrival_us = 4000000000000000;
	t.env.delays = 5;
	t.env.extras = &extra;
	t.env.extra_n = 1;
	t.env.envid = STR("mine");
	t.env.ret = RET_FULL;
	t.env.rcpts[1].state = RCPT_DONE;
	t.env.rcpts[2].notify = NOTIFY_DELAY;
	m = queue_begin(t.q, &t.env, true);
	ck_assert_ptr_nonnull(m);
	ck_assert_int_eq(queue_commit(m), 0);
	ck_assert_int_eq(queue_import(t.q, took, &got), 1);
	tmpspool_load(&t, QUEUE_NEW, &f);
	ck_str(f.env.user, STR(""));
	ck_assert(f.env.ours);
	ck_str(f.env.tls, STR(""));
	ck_str(f.env.certificate, STR(""));
	ck_str(f.env.chain, STR(""));
	ck_str(f.env.helo, STR(""));
	ck_str(f.env.listener, STR("sendmail"));
	ck_str(f.env.local, STR(""));
	ck_str(f.env.proto, STR(""));
	ck_assert_uint_eq(f.env.extra_n, 0);
	ck_assert_uint_eq(f.env.delays, 0);
	ck_assert_int_le(f.env.arrival_us, clock_wall_us());
	ck_assert_int_eq(f.env.rcpts[1].state, RCPT_QUEUED);
	/* But what is the sender's to say. */
	ck_str(f.env.envid, STR("mine"));
	ck_assert_int_eq(f.env.ret, RET_FULL);
	ck_assert_uint_eq(f.env.rcpts[2].notify, NOTIFY_DELAY);
	queue_unload(&f);
	tmpspool_end(&t);
}
END_TEST

/* S-52, S-53: cut, altered, linked, no file: all of it goes to bad/. */
START_TEST(what_is_bad)
{
	struct taken got = { 0 };
	struct tmpspool t;
	struct buf b;
	char id[QUEUE_ID_SIZE];

	tmpspool_begin_with(&t, "drop", &b);
	memcpy(id, t.env.id, sizeof(id));
	ck_assert_int_eq(unlink(tmpspool_path(&t, "drop", id)), 0);
	for (size_t n = 0; n < b.n; n += 7) {
		tmpspool_file(tmpspool_path(&t, "drop", id), str_n(b.p, n));
		ck_assert_int_eq(queue_import(t.q, took, &got), 0);
		ck_assert(!tmpspool_has(&t, "drop", id));
	}
	b.p[b.n - 1] ^= 1;
	tmpspool_file(tmpspool_path(&t, "drop", id), buf_str(&b));
	b.p[b.n - 1] ^= 1;
	ck_assert_int_eq(queue_import(t.q, took, &got), 0);
	/* Another name than its own. */
	tmpspool_file(tmpspool_path(&t, "drop", tmpspool_env(&t)->id),
	    buf_str(&b));
	ck_assert_int_eq(queue_import(t.q, took, &got), 0);
	/* A second name of it somewhere. */
	tmpspool_file(tmpspool_path(&t, "drop", id), buf_str(&b));
	{
		char path[256];

		memcpy(path, tmpspool_path(&t, "drop", id), sizeof(path));
		ck_assert_int_eq(link(path, tmpspool_path(&t, "hold", "x")), 0);
	}
	ck_assert_int_eq(queue_import(t.q, took, &got), 0);
	ck_assert_int_eq(symlink("/etc/passwd",
	    tmpspool_path(&t, "drop", id)), 0);
	ck_assert_int_eq(queue_import(t.q, took, &got), 0);
	ck_assert_int_eq(mkfifo(tmpspool_path(&t, "drop", id), 0600), 0);
	ck_assert_int_eq(queue_import(t.q, took, &got), 0);
	ck_assert_int_eq(mkdir(tmpspool_path(&t, "drop", id), 0700), 0);
	ck_assert_int_eq(queue_import(t.q, took, &got), 0);
	ck_assert(!tmpspool_has(&t, "drop", id));
	ck_assert_uint_eq(got.n, 0);
	ck_assert_int_eq(counted(t.q, QUEUE_NEW), 0);
	/* And the good one still comes through. */
	tmpspool_file(tmpspool_path(&t, "drop", id), buf_str(&b));
	ck_assert_int_eq(queue_import(t.q, took, &got), 1);
	buf_free(&b);
	tmpspool_end(&t);
}
END_TEST

START_TEST(other_names_stay)
{
	struct taken got = { 0 };
	struct tmpspool t;

	tmpspool_begin(&t);
	tmpspool_file(tmpspool_path(&t, "drop", "tmp.0651F0C3D2A1BF00042"),
	    STR("x"));
	tmpspool_file(tmpspool_path(&t, "drop", ".x.eml"), STR("x"));
	tmpspool_file(tmpspool_path(&t, "drop", "x.eml.part"), STR("x"));
	tmpspool_file(tmpspool_path(&t, "drop", "young.eml"), STR("x"));
	ck_assert_int_eq(queue_import(t.q, took, &got), 0);
	ck_assert(tmpspool_has(&t, "drop", "tmp.0651F0C3D2A1BF00042"));
	ck_assert(tmpspool_has(&t, "drop", ".x.eml"));
	ck_assert(tmpspool_has(&t, "drop", "x.eml.part"));
	ck_assert(tmpspool_has(&t, "drop", "young.eml"));
	ck_assert_int_eq(counted(t.q, QUEUE_BAD), 0);
	tmpspool_end(&t);
}
END_TEST

/* A crash between commit and removal: taken once, wherever it is by now. */
START_TEST(taken_before)
{
	static const enum queue_place places[] = { QUEUE_NEW, QUEUE_CUR,
		QUEUE_HOLD, QUEUE_DEAD };
	struct taken got = { 0 };
	struct tmpspool t;
	struct buf b;

	tmpspool_begin_with(&t, "drop", &b);
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		struct timeval then[2] = { { 1000000, 0 }, { 1000000, 0 } };

		tmpspool_write(&t, "drop", buf_str(&b));
		ck_assert_int_eq(utimes(tmpspool_path(&t, "drop", t.env.id),
		    then), 0);
		if (i == 0)
			ck_assert_int_eq(queue_import(t.q, took, &got), 1);
		else
			ck_assert_int_eq(queue_move(t.q, places[i - 1],
			    t.env.id, places[i]), 0);
		if (i > 0)
			ck_assert_int_eq(queue_import(t.q, took, &got), 0);
		ck_assert(!tmpspool_has(&t, "drop", t.env.id));
		ck_assert_int_eq(counted(t.q, places[i]), 1);
	}
	ck_assert_uint_eq(got.n, 1);
	/* Another message with that id is not lost either. */
	ck_assert_int_eq(queue_move(t.q, QUEUE_DEAD, t.env.id, QUEUE_NEW), 0);
	tmpspool_write(&t, "drop", buf_str(&b));
	ck_assert_int_eq(queue_import(t.q, took, &got), 0);
	ck_assert_int_eq(counted(t.q, QUEUE_BAD), 1);
	buf_free(&b);
	tmpspool_end(&t);
}
END_TEST

/* The same where its runner has put members of an alias behind its recipients by then. */
START_TEST(rewritten_before)
{
	const struct timeval then[2] = { { 1000000, 0 }, { 1000000, 0 } };
	struct taken got = { 0 };
	struct envelope_rcpt more[10];
	struct queue_file f;
	struct tmpspool t;
	struct buf b;

	tmpspool_begin_with(&t, "drop", &b);
	for (int i = 0; i < 3; i++) {
		/* In the end with another text. */
		if (i == 2) {
			b.p[b.n - 3] ^= 1;
			envelope_seal(b.p, STR(TEXT1).n, crc32c(envelope_sum(buf_str(&b)),
			    b.p + b.n - STR(TEXT1).n, STR(TEXT1).n));
		}
		tmpspool_write(&t, "drop", buf_str(&b));
		ck_assert_int_eq(utimes(tmpspool_path(&t, "drop", t.env.id), then), 0);
		ck_assert_int_eq(queue_import(t.q, took, &got), i == 0);
		ck_assert(!tmpspool_has(&t, "drop", t.env.id));
		ck_assert_int_eq(counted(t.q, QUEUE_NEW), 1);
		ck_assert_int_eq(counted(t.q, QUEUE_BAD), i == 2);
		if (i > 0)
			continue;
		tmpspool_load(&t, QUEUE_NEW, &f);
		ck_assert_uint_lt(f.env.rcpt_n, ARRAY_LEN(more));
		memcpy(more, f.env.rcpts, f.env.rcpt_n * sizeof(*more));
		more[f.env.rcpt_n] = more[0];
		f.env.rcpts = more;
		f.env.rcpt_n++;
		ck_assert_int_eq(queue_rewrite(t.q, &f, 7), 0);
	}
	buf_free(&b);
	tmpspool_end(&t);
}
END_TEST

/* A power cut amid an import: what it left is no reason to lose the file. */
START_TEST(half_taken)
{
	struct taken got = { 0 };
	struct queue_file f;
	struct tmpspool t;
	struct buf b;

	tmpspool_begin_with(&t, "drop", &b);
	tmpspool_write(&t, "new", str_n(b.p, b.n - 3));
	ck_assert_int_eq(queue_import(t.q, took, &got), 1);
	tmpspool_load(&t, QUEUE_NEW, &f);
	queue_unload(&f);
	ck_assert_int_eq(counted(t.q, QUEUE_BAD), 1);
	buf_free(&b);
	tmpspool_end(&t);
}
END_TEST

/* The disk failed amid an earlier one, which could take the octet back and no more. */
START_TEST(withdrawn_before)
{
	struct taken got = { 0 };
	struct queue_file f;
	struct tmpspool t;
	struct buf b;

	tmpspool_begin_with(&t, "drop", &b);
	*tmpspool_crc(&b) = '.';
	tmpspool_write(&t, "new", buf_str(&b));
	ck_assert_int_eq(queue_import(t.q, took, &got), 1);
	ck_assert(!tmpspool_has(&t, "drop", t.env.id));
	tmpspool_load(&t, QUEUE_NEW, &f);
	queue_unload(&f);
	ck_assert_int_eq(counted(t.q, QUEUE_BAD), 0);
	/* In drop/ it is no message, and is kept. */
	tmpspool_env(&t);
	memcpy(strstr(b.p, "id: ") + 4, t.env.id, QUEUE_ID_LEN);
	tmpspool_write(&t, "drop", buf_str(&b));
	ck_assert_int_eq(queue_import(t.q, took, &got), 0);
	ck_assert_int_eq(counted(t.q, QUEUE_BAD), 1);
	buf_free(&b);
	tmpspool_end(&t);
}
END_TEST

UNIT_MAIN("queue/import", from_sendmail, forged_facts, what_is_bad,
    other_names_stay, taken_before, rewritten_before, half_taken, withdrawn_before)
