/* SPDX-License-Identifier: GPL-3.0-or-later */

/* places -- each kind of question has its own; who is gone leaves his; who waits is served in turn. */

#include "asker.h"

#include "ipc/frame.h"

/* As many are open at once as this test finds. */
#define QUESTIONS 700

static struct question {
	struct waiter waiter;
	int place;
	bool gone;
} questions[QUESTIONS];
static size_t taken;
static int ends[QUESTIONS];

static void
on_gone(void *arg)
{
	struct question *q = arg;

	q->gone = true;
	waiter_close(&q->waiter);
	place_end(d, (enum place)q->place);
}

/* The packet says of which kind it is. */
static void
take(struct checkd *c, struct str packet, int reply)
{
	struct question *q = &questions[taken++];

	ck_assert_ptr_eq(c, d);
	*q = (struct question){ .place = packet.p[0] - '0' };
	waiter_open(&q->waiter, d, reply, on_gone, q);
	place_begin(d, (enum place)q->place);
}

static void
ask(size_t n, enum place k)
{
	char packet[] = "0";
	int fds[2];

	packet[0] = (char)('0' + k);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds), 0);
	ends[n] = fds[0];
	place_ask(d, k, take, str_c(packet), fds[1]);
}

static void
hang_up(size_t n)
{
	close(ends[n]);
	ends[n] = -1;
}

/* The N-th that was taken, to who waits at END. */
static void
answer(size_t n, size_t end)
{
	struct buf b;

	waiter_answer(&questions[n].waiter, STR("yes"));
	place_end(d, (enum place)questions[n].place);
	buf_init(&b, FRAME_MAX);
	ck_assert(asker_answered(ends[end], &b));
	ck_str(buf_str(&b), STR("yes"));
	buf_free(&b);
}

/* Asks until one is not taken at once: its number. */
static size_t
fill(enum place k)
{
	size_t n = 0;

	do {
		ck_assert_uint_lt(n, QUESTIONS);
		ask(n, k);
		n++;
	} while (taken == n);
	return n - 1;
}

static void
forget_all(enum place k)
{
	for (size_t i = 0; i < taken; i++)
		if (questions[i].place == (int)k)
			place_forget(d, k);
}

START_TEST(in_turn)
{
	size_t n;

	asker_begin();
	n = fill(PLACE_SPF);
	/* Another kind does not wait. */
	ask(n + 1, PLACE_TEXTS);
	ck_assert_uint_eq(taken, n + 1);
	ask(n + 2, PLACE_SPF);
	ask(n + 3, PLACE_SPF);
	ck_assert_uint_eq(taken, n + 1);
	/* Who went meanwhile is not taken: the one behind him is. */
	hang_up(n);
	answer(0, 0);
	ck_assert_uint_eq(taken, n + 2);
	ck_assert_uint_eq(d->places[PLACE_SPF].waiting, 1);
	/* Nobody waits for these any more, so others have their places. */
	hang_up(1);
	while (!questions[1].gone)
		loop_once(d->loop, true);
	ck_assert_uint_eq(taken, n + 3);
	for (size_t i = 2; i < n; i++)
		hang_up(i);
	for (size_t i = n + 1; i <= n + 3; i++)
		hang_up(i);
	while (d->places[PLACE_SPF].open + d->places[PLACE_TEXTS].open > 0)
		loop_once(d->loop, true);
	forget_all(PLACE_SPF);
	forget_all(PLACE_TEXTS);
	asker_end();
}
END_TEST

/* What was left is still with DNS, which has only so much of it. */
START_TEST(left)
{
	size_t n = 0;

	asker_begin();
	do {
		ck_assert_uint_lt(n, QUESTIONS);
		ask(n, PLACE_NAMES);
		hang_up(n);
		while (taken == n + 1 && !questions[n].gone)
			loop_once(d->loop, true);
		n++;
	} while (taken == n);
	ck_assert_uint_eq(d->places[PLACE_NAMES].open, 0);
	ck_assert_uint_eq(d->places[PLACE_NAMES].kept, n - 1);
	ask(n, PLACE_NAMES);
	ck_assert_uint_eq(taken, n - 1);
	/* DNS is done with one. */
	place_forget(d, PLACE_NAMES);
	ck_assert_uint_eq(taken, n);
	answer(n - 1, n);
	while (d->places[PLACE_NAMES].kept > 0)
		place_forget(d, PLACE_NAMES);
	asker_end();
}
END_TEST

UNIT_MAIN("checkd/places", in_turn, left)
