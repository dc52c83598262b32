/* SPDX-License-Identifier: GPL-3.0-or-later */

/* asked_test -- a question to barid-check: its time runs from when it is asked. */

#include "../../../src/smtpd/smtpd_asked.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "lib/clock.h"
#include "unit.h"

static int channel[2];

static void
begin(void)
{
	ck_assert_int_eq(channel_pair(channel), 0);
}

static void
end(void)
{
	close(channel[0]);
	close(channel[1]);
}

/* What barid-check does: reads WANT, and answers, unless ANSWER is NULL; the way to do so. */
static int
serve(const char *want, const char *answer)
{
	struct buf b;
	int reply = -1;

	buf_init(&b, 100);
	ck_assert_int_eq(channel_recv(channel[1], &b, &reply), 1);
	ck_str(buf_str(&b), str_c(want));
	if (answer != NULL)
		ck_assert_int_eq(channel_send(reply, str_c(answer), -1), 0);
	buf_free(&b);
	return reply;
}

static void
wait_until(int64_t when)
{
	while (clock_ms() < when)
		(void)poll(NULL, 0, 1);
}

START_TEST(answered)
{
	struct asked a = { 0 }, none = { 0 };
	struct buf b;

	begin();
	buf_init(&b, 100);
	ck_assert_int_eq(asked_send(&a, channel[0], STR("q"), 60000), 0);
	close(serve("q", "yes"));
	ck_assert_int_eq(asked_await(&a, &b), 0);
	ck_str(buf_str(&b), STR("yes"));
	/* Once; and where nothing was asked. */
	ck_assert_int_eq(asked_await(&a, &b), -1);
	ck_assert_int_eq(errno, ENOTCONN);
	ck_assert_int_eq(asked_await(&none, &b), -1);
	ck_assert_int_eq(asked_send(&a, -1, STR("q"), 60000), -1);
	ck_assert_int_eq(errno, ENOTCONN);
	ck_assert_int_eq(a.fd, 0);
	/* Who could answer has gone. */
	ck_assert_int_eq(asked_send(&a, channel[0], STR("q"), 60000), 0);
	close(serve("q", NULL));
	ck_assert_int_eq(asked_await(&a, &b), -1);
	ck_assert_int_eq(errno, EPIPE);
	buf_free(&b);
	end();
}
END_TEST

/* Another question: the answer to the one before is nobody's. */
START_TEST(again)
{
	struct asked a = { 0 };
	struct buf b;

	begin();
	buf_init(&b, 100);
	ck_assert_int_eq(asked_send(&a, channel[0], STR("one"), 60000), 0);
	ck_assert_int_eq(asked_send(&a, channel[0], STR("two"), 60000), 0);
	int reply = serve("one", NULL);
	ck_assert_int_eq(channel_send(reply, STR("old"), -1), -1);
	close(reply);
	close(serve("two", "new"));
	ck_assert_int_eq(asked_await(&a, &b), 0);
	ck_str(buf_str(&b), STR("new"));
	asked_forget(&a);
	buf_free(&b);
	end();
}
END_TEST

/* Several that nobody answers have one time together, however late they are waited for. */
START_TEST(together)
{
	struct asked a[3] = { { 0 } };
	struct buf b;
	int64_t last;

	begin();
	buf_init(&b, 100);
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(asked_send(&a[i], channel[0], STR("q"), -900), 0);
	last = a[2].until;
	ck_assert_int_le(last, clock_ms() + 100);
	close(serve("q", "there"));
	int open = serve("q", NULL);
	wait_until(last + 1);
	/* What has come is read after its time, too. */
	ck_assert_int_eq(asked_await(&a[0], &b), 0);
	ck_str(buf_str(&b), STR("there"));
	for (size_t i = 1; i < 3; i++) {
		ck_assert_int_eq(asked_await(&a[i], &b), -1);
		ck_assert_int_eq(errno, ETIMEDOUT);
		ck_assert_int_le(a[i].until, last);
	}
	close(open);
	buf_free(&b);
	end();
}
END_TEST

UNIT_MAIN("smtpd/asked", answered, again, together)
