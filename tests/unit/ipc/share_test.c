/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What the runners have in common: connections, rates, and who died. */

#include "ipc/share.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/buf.h"
#include "unit.h"

#define A STR("mx/a.test")
#define B STR("mx/b.test")
#define SECOND 1000000

static struct share *share;

static struct share_user
user(unsigned i, unsigned count)
{
	return (struct share_user){ .share = share, .i = i, .count = count };
}

static void
begin(void)
{
	share = share_new();
	ck_assert_ptr_nonnull(share);
}

static void
end(void)
{
	share_free(share);
}

START_TEST(mapping)
{
	struct share_place p, q;
	struct share *other;
	int fd, wrong;

	begin();
	fd = dup(share_fd(share));
	ck_assert_int_ge(fd, 0);
	other = share_attach(fd);
	ck_assert_ptr_nonnull(other);
	ck_assert(share_take(user(0, 2), A, 2, 0, &p));
	ck_assert_uint_eq(share_total((struct share_user){ other, 1, 2 }, p), 1);
	ck_assert(share_take((struct share_user){ other, 1, 2 }, A, 2, 0, &q));
	ck_assert_uint_eq(p.at, q.at);
	ck_assert_uint_eq(share_total(user(0, 2), p), 2);
	share_free(other);
	wrong = open("/dev/null", O_RDONLY | O_CLOEXEC);
	ck_assert_ptr_null(share_attach(wrong));
	close(wrong);
	share_free(NULL);
	end();
}
END_TEST

/* One number for all of them, whoever asks. */
START_TEST(connections)
{
	struct share_place p[8], all;
	unsigned n = 0;

	begin();
	for (unsigned i = 0; i < 8; i++)
		n += share_take(user(i % 4, 4), A, 5, 0, &p[n]);
	ck_assert_uint_eq(n, 5);
	ck_assert(share_take(user(0, 4), B, 5, 0, &all));
	share_give(user(0, 4), all);
	share_give(user(0, 4), p[0]);
	/* Whoever was refused first has its turn. */
	ck_assert_uint_eq(share_total(user(1, 4), p[1]), 4);
	/* Everything is another count. */
	ck_assert(share_take(user(0, 4), STR(""), 1, 0, &all));
	ck_assert(!share_take(user(1, 4), STR(""), 1, 0, &all));
	ck_assert_uint_eq(share_total(user(1, 4), SHARE_ALL), 1);
	ck_assert_uint_eq(share_mine(user(1, 4), SHARE_ALL), 0);
	ck_assert_uint_eq(share_mine(user(0, 4), SHARE_ALL), 1);
	/* Nobody can give what it has not. */
	share_give(user(1, 4), SHARE_ALL);
	ck_assert_uint_eq(share_total(user(1, 4), SHARE_ALL), 1);
	end();
}
END_TEST

/* Two runners and four connections: the one that has all gives two back. */
START_TEST(fair)
{
	struct share_place p;

	begin();
	for (int i = 0; i < 4; i++)
		ck_assert(share_take(user(0, 2), A, 4, 0, &p));
	ck_assert(!share_wanted(user(0, 2), p, 4, 0));
	ck_assert(!share_take(user(1, 2), A, 4, 0, &p));
	for (int i = 0; i < 2; i++) {
		ck_assert(share_wanted(user(0, 2), p, 4, 10));
		share_give(user(0, 2), p);
		/* It is not for the one who gave it. */
		ck_assert(!share_take(user(0, 2), A, 4, 10, &p));
		ck_assert(share_take(user(1, 2), A, 4, 10, &p));
		ck_assert(!share_take(user(1, 2), A, 4, 10, &p));
	}
	ck_assert_uint_eq(share_mine(user(0, 2), p), 2);
	ck_assert_uint_eq(share_mine(user(1, 2), p), 2);
	/* It has its part: nothing is asked of the other. */
	ck_assert(!share_wanted(user(0, 2), p, 4, 10));
	end();
}
END_TEST

/* Who waited and came no more is forgotten. */
START_TEST(gone_away)
{
	struct share_place p;

	begin();
	ck_assert(share_take(user(0, 2), A, 1, 0, &p));
	ck_assert(!share_take(user(1, 2), A, 1, 0, &p));
	ck_assert(share_wanted(user(0, 2), p, 1, 0));
	share_give(user(0, 2), p);
	ck_assert(!share_take(user(0, 2), A, 1, 0, &p));
	ck_assert(share_take(user(0, 2), A, 1, 60000, &p));
	end();
}
END_TEST

/* A runner that is killed leaves no lock and no connection. */
START_TEST(killed)
{
	struct share_place p;
	int status;
	pid_t pid;
	int fd;

	begin();
	/* A child has the mapping by its descriptor only. */
	fd = dup(share_fd(share));
	pid = fork();
	if (pid == 0) {
		struct share *mine = share_attach(fd);
		struct share_user u = { mine, 1, 2 };

		while (share_take(u, A, 3, 0, &p))
			;
		while (share_take(u, STR(""), 7, 0, &p))
			;
		(void)kill(getpid(), SIGKILL);
		_exit(1);
	}
	close(fd);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
	ck_assert(!share_take(user(0, 2), A, 3, 0, &p));
	ck_assert_uint_eq(share_total(user(0, 2), SHARE_ALL), 7);
	share_forget(share, 1);
	ck_assert(share_take(user(0, 2), A, 3, 0, &p));
	ck_assert_uint_eq(share_total(user(0, 2), p), 1);
	ck_assert_uint_eq(share_total(user(0, 2), SHARE_ALL), 0);
	end();
}
END_TEST

/* S-66: a million keys take no more room, and what is in use is kept. */
START_TEST(many_keys)
{
	struct share_rate r = { .n = 1, .per = 3600000 };
	struct share_place first, p;
	struct buf b;

	begin();
	ck_assert(share_take(user(0, 1), A, 1, 0, &first));
	buf_init(&b, 64);
	for (unsigned i = 0; i < 1000000; i++) {
		buf_reset(&b);
		buf_addf(&b, "mx/%u.test", i);
		if (i % 3 == 0)
			(void)share_pass(user(0, 1), buf_str(&b), r, 0);
		else if (share_take(user(0, 1), buf_str(&b), 1, 0, &p))
			share_give(user(0, 1), p);
	}
	buf_free(&b);
	ck_assert(!share_take(user(0, 1), A, 1, 0, &p));
	ck_assert_uint_eq(p.at, first.at);
	end();
}
END_TEST

/* Never more than N in any span of PER, and nearly N in the long run. */
START_TEST(rate)
{
	static const struct share_rate rates[] = { { 1, 1000 }, { 2, 1000 },
		{ 10, 1000 }, { 11, 60000 }, { 100, 3600000 }, { 1000, 1000 } };

	for (size_t i = 0; i < ARRAY_LEN(rates); i++) {
		int64_t per = rates[i].per * 1000, free_at = 0, sent[4000];
		size_t n = 0, at_once = 0;

		/* After a long silence, at every moment. */
		for (int64_t now = per * 100; n < 4 * rates[i].n;
		     now = now < free_at ? free_at : now) {
			if (!share_rate_pass(rates[i], now, &free_at))
				continue;
			sent[n++] = now;
			at_once += now == sent[0];
			if (n > rates[i].n)
				ck_assert_int_ge(sent[n - 1] -
				    sent[n - 1 - rates[i].n], per);
		}
		ck_assert_uint_ge(at_once, 1);
		ck_assert_uint_le(at_once, 1 + rates[i].n / 10);
		ck_assert_int_lt(sent[n - 1] - sent[0], per * 5);
	}
}
END_TEST

START_TEST(rate_waits)
{
	struct share_rate r = { .n = 2, .per = 1000 };
	int64_t now = 60LL * SECOND, wait;

	begin();
	ck_assert_int_eq(share_wait(user(0, 1), A, r, now), 0);
	ck_assert_int_eq(share_wait(user(0, 1), A, r, now), 0);
	ck_assert_int_eq(share_pass(user(0, 1), A, r, now), 0);
	ck_assert_int_gt(share_wait(user(0, 1), A, r, now), 0);
	wait = share_pass(user(0, 1), A, r, now);
	ck_assert_int_gt(wait, 0);
	ck_assert_int_le(wait, SECOND / 2);
	/* Others have their own, and all together another. */
	ck_assert_int_eq(share_pass(user(0, 1), B, r, now), 0);
	ck_assert_int_eq(share_pass(user(0, 1), STR(""), r, now), 0);
	ck_assert_int_gt(share_pass(user(0, 1), A, r, now + wait - 1), 0);
	ck_assert_int_eq(share_pass(user(0, 1), A, r, now + wait), 0);
	share_undo(user(0, 1), A, r);
	ck_assert_int_eq(share_pass(user(0, 1), A, r, now + wait), 0);
	end();
}
END_TEST

/* Of two that always want to send each sends as much. */
START_TEST(rate_is_fair)
{
	struct share_rate r = { .n = 10, .per = 1000 };
	int64_t due[3] = { 0 }, now = 60LL * SECOND;
	unsigned sent[3] = { 0 };

	begin();
	for (int i = 0; i < 30000; i++, now += 1000) {
		for (unsigned u = 0; u < 3; u++) {
			int64_t wait;

			if (now < due[u])
				continue;
			wait = share_pass(user(u, 3), A, r, now);
			sent[u] += wait == 0;
			due[u] = now + wait;
		}
	}
	/* 30 seconds of ten a second. */
	ck_assert_uint_ge(sent[0] + sent[1] + sent[2], 285);
	ck_assert_uint_le(sent[0] + sent[1] + sent[2], 301);
	for (unsigned u = 0; u < 3; u++) {
		ck_assert_uint_ge(sent[u], 80);
		ck_assert_uint_le(sent[u], 120);
	}
	end();
}
END_TEST

UNIT_MAIN("share", mapping, connections, fair, gone_away, killed, many_keys, rate, rate_waits, rate_is_fair)
