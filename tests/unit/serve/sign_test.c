/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The way to who signs: it answers, refuses, and is not asked before its time. */

#include "serve/sign.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "ipc/msg.h"

#include "unit.h"

/* Takes one question and answers it with its own content, or not at all. */
static void
answer_one(int server, bool refuse)
{
	struct pollfd p = { .fd = server, .events = POLLIN };
	struct msg_sign_result r;
	struct msg_sign m;
	struct buf b, out;
	int reply;

	buf_init(&b, FRAME_MAX);
	buf_init(&out, FRAME_MAX);
	if (poll(&p, 1, 30000) != 1 || channel_recv(server, &b, &reply) != 1 ||
	    !msg_sign_get(buf_str(&b), &m) || m.scheme != 0x0403 ||
	    !str_eq(m.key, STR("the key")))
		_exit(1);
	r.signature = m.content;
	msg_sign_result_put(&out, &r);
	if (!refuse && channel_send(reply, buf_str(&out), -1) < 0)
		_exit(1);
	_exit(0);
}

static bool
ask(bool in_force, bool refuse, struct buf *signature)
{
	struct sign_way w;
	int pair[2], status;
	pid_t pid;

	ck_assert_int_eq(channel_pair(pair), 0);
	pid = fork();
	if (pid == 0) {
		close(pair[1]);
		answer_one(pair[0], refuse);
	}
	close(pair[0]);
	sign_way_init(&w, pair[1]);
	w.in_force = in_force;
	bool ok = w.tls.sign(w.tls.arg, STR("the key"), 0x0403, STR("content"), signature);
	close(pair[1]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	/* Who was not asked saw the end of the way. */
	ck_assert_int_eq(status == 0, in_force);
	return ok;
}

START_TEST(answers)
{
	struct buf b;

	buf_init(&b, 1024);
	ck_assert(ask(true, false, &b));
	ck_str(buf_str(&b), STR("content"));
	buf_free(&b);
}
END_TEST

START_TEST(refusals)
{
	struct buf b;

	buf_init(&b, 1024);
	ck_assert(!ask(true, true, &b));
	ck_assert(!ask(false, false, &b));
	ck_assert_uint_eq(b.n, 0);
	/* What is larger than there is room for is no signature. */
	buf_init(&b, 3);
	ck_assert(!ask(true, false, &b));
	buf_free(&b);
}
END_TEST

UNIT_MAIN("serve/sign", answers, refusals)
