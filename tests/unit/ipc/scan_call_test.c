/* SPDX-License-Identifier: GPL-3.0-or-later */

/* scan_call -- a question and its text, and what may come instead of an answer. */

#include "ipc/scan_call.h"

#include <sys/mman.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "lib/clock.h"
#include "unit.h"

#define SOON (clock_ms() + 20000)

static int fds[2], text;
static struct buf b;

static void
setup(void)
{
	ck_assert_int_eq(channel_pair(fds), 0);
	text = memfd_create("text", MFD_CLOEXEC);
	ck_assert_int_ge(text, 0);
	buf_init(&b, FRAME_MAX);
}

static void
teardown(void)
{
	close(fds[0]);
	close(fds[1]);
	close(text);
	buf_free(&b);
}

static struct msg_scan
question(void)
{
	return (struct msg_scan){ .kind = SCAN_KIND_VIRUS, .size = 7, .id = STR("id"),
		.from = STR("a@b.example"), .client = STR("192.0.2.1"), .name = STR(""),
		.helo = STR("h"), .login = STR(""), .rcpts = { STR("c@d.example") },
		.rcpt_n = 1 };
}

/* What barid-check has of a question M: where it answers, and in *PASSED the text. */
static int
hear(struct msg_scan *m, int *passed)
{
	int reply = -1, none = -1;

	ck_assert_int_eq(channel_recv(fds[1], &b, &reply), 1);
	ck_assert_int_ge(reply, 0);
	ck_assert(msg_scan_get(buf_str(&b), m));
	m->rcpts[0] = STR("");
	ck_assert_int_eq(channel_recv(reply, &b, passed != NULL ? passed : &none), 1);
	ck_assert(msg_scan_text_get(buf_str(&b)));
	if (none >= 0)
		close(none);
	return reply;
}

static void
say(int reply, const struct msg_scan_result *r, int pass)
{
	struct buf packet;

	buf_init(&packet, FRAME_MAX);
	msg_scan_result_put(&packet, r);
	ck_assert_int_eq(channel_send(reply, buf_str(&packet), pass), 0);
	buf_free(&packet);
}

START_TEST(answered)
{
	struct msg_scan_result r = { .result = SCAN_VIRUS, .symbols = STR(""),
		.what = STR("Eicar") };
	struct msg_scan m = question(), heard;
	int fd, reply, passed = -1, edited = 0;
	bool gone = true;
	char c = 'x';

	setup();
	ck_assert_int_eq(write(text, &c, 1), 1);
	fd = scan_ask(fds[0], &m, text, SOON);
	reply = hear(&heard, &passed);
	ck_assert_int_eq(heard.kind, SCAN_KIND_VIRUS);
	ck_assert_uint_eq(heard.size, 7);
	c = 0;
	ck_assert_int_eq(pread(passed, &c, 1, 0), 1);
	ck_assert_int_eq(c, 'x');
	say(reply, &r, -1);
	r.result = SCAN_CLEAN;
	ck_assert_ptr_null(scan_await(fd, SOON, &b, &r, &edited, &gone));
	ck_assert_int_eq(r.result, SCAN_VIRUS);
	ck_str(r.what, STR("Eicar"));
	ck_assert_int_eq(edited, -1);
	ck_assert(!gone);
	close(passed);
	close(reply);
	teardown();
}
END_TEST

/* A text that comes back, one that does not, and one of which nothing is said. */
START_TEST(texts)
{
	setup();
	for (int i = 0; i < 4; i++) {
		bool said = i & 1, sent = i & 2;
		struct msg_scan_result r = { .result = SCAN_SPAM, .symbols = STR(""),
			.what = STR(""), .edited = said ? 5 : 0 };
		struct msg_scan m = question(), heard;
		int fd = scan_ask(fds[0], &m, text, SOON), edited;
		int reply = hear(&heard, NULL);
		const char *why;
		bool gone;

		say(reply, &r, sent ? text : -1);
		why = scan_await(fd, SOON, &b, &r, &edited, &gone);
		ck_assert_int_eq(why == NULL, said == sent);
		ck_assert_int_eq(edited >= 0, sent);
		if (edited >= 0)
			close(edited);
		close(reply);
	}
	teardown();
}
END_TEST

START_TEST(unanswered)
{
	struct msg_scan m = question(), heard;
	struct msg_scan_result r;
	int fd, edited, reply;
	bool gone;

	setup();
	ck_assert_str_eq(scan_await(-1, SOON, &b, &r, &edited, &gone),
	    "barid-check cannot be asked");
	ck_assert(!gone);
	fd = scan_ask(fds[0], &m, text, SOON);
	reply = hear(&heard, NULL);
	ck_assert_str_eq(scan_await(fd, clock_ms(), &b, &r, &edited, &gone),
	    "it took too long");
	ck_assert(!gone);
	close(reply);
	fd = scan_ask(fds[0], &m, text, SOON);
	close(hear(&heard, NULL));
	ck_assert_str_eq(scan_await(fd, SOON, &b, &r, &edited, &gone),
	    "barid-check gives no answer");
	ck_assert(gone);
	fd = scan_ask(fds[0], &m, text, SOON);
	reply = hear(&heard, NULL);
	ck_assert_int_eq(channel_send(reply, STR("noise"), -1), 0);
	ck_assert_str_eq(scan_await(fd, SOON, &b, &r, &edited, &gone),
	    "what barid-check says is no answer");
	close(reply);
	teardown();
}
END_TEST

UNIT_MAIN("ipc/scan_call", answered, texts, unanswered)
