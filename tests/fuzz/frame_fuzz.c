/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * F-14.  Frames and messages from a process that was taken over: every getter on
 * any octets.  A message that is taken is the same after another round.
 *
 * Parsers: ipc/frame.c ipc/msg.c.
 */

#include <stdlib.h>

#include "ipc/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check(bool ok)
{
	if (!ok)
		abort();
}

static void
fields(struct str packet)
{
	struct frame f;

	if (frame_open(&f, packet) < 0)
		return;
	while (!f.err && f.rest.n > 0) {
		unsigned tag = 0;

		while (tag < 8 && !frame_has(&f, tag))
			tag++;
		struct str v = frame_get(&f, tag);

		check(v.p + v.n <= packet.p + packet.n || v.n == 0);
		for (size_t i = 0; i < v.n; i++)
			(void)*(const volatile char *)(v.p + i);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str packet = str_n((const char *)data, n);
	static struct msg_control control;
	struct msg_hint hint;
	struct msg_auth auth;
	struct msg_auth_result result;
	struct msg_control_result done;
	struct msg_sts sts;
	struct msg_sts_result policy;
	struct msg_token token;
	struct msg_token_result given;
	struct buf b;

	buf_init(&b, FRAME_MAX);
	fields(packet);
	if (msg_hint_get(packet, &hint)) {
		msg_hint_put(&b, &hint);
		check(buf_ok(&b) && str_eq(buf_str(&b), packet));
	}
	if (msg_auth_get(packet, &auth)) {
		msg_auth_put(&b, &auth);
		check(buf_ok(&b) && str_eq(buf_str(&b), packet));
	}
	if (msg_auth_result_get(packet, &result)) {
		msg_auth_result_put(&b, &result);
		check(buf_ok(&b) && str_eq(buf_str(&b), packet));
	}
	if (msg_control_get(packet, &control)) {
		msg_control_put(&b, &control);
		check(buf_ok(&b) && str_eq(buf_str(&b), packet));
	}
	if (msg_control_result_get(packet, &done)) {
		msg_control_result_put(&b, &done);
		check(buf_ok(&b) && str_eq(buf_str(&b), packet));
	}
	if (msg_sts_get(packet, &sts)) {
		msg_sts_put(&b, &sts);
		check(buf_ok(&b) && str_eq(buf_str(&b), packet));
	}
	if (msg_sts_result_get(packet, &policy)) {
		msg_sts_result_put(&b, &policy);
		check(buf_ok(&b) && str_eq(buf_str(&b), packet));
	}
	if (msg_token_get(packet, &token)) {
		msg_token_put(&b, &token);
		check(buf_ok(&b) && str_eq(buf_str(&b), packet));
	}
	if (msg_token_result_get(packet, &given)) {
		msg_token_result_put(&b, &given);
		check(buf_ok(&b) && str_eq(buf_str(&b), packet));
	}
	buf_free(&b);
	return 0;
}
