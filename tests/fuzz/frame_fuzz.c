/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * F-14.  Frames and messages from a process that was taken over: every getter on
 * any octets.  A message that is taken is the same after another round.
 *
 * Parsers: ipc/frame.c ipc/msg.c ipc/msg_box.c ipc/msg_grey.c ipc/msg_lists.c
 * ipc/msg_name.c ipc/msg_scan.c ipc/msg_spf.c ipc/msg_txt.c ipc/msg_verify.c.
 */

#include "fuzz.h"

#include "ipc/feedback.h"
#include "ipc/msg.h"
#include "ipc/msg_box.h"
#include "ipc/msg_dmarc.h"
#include "ipc/msg_grey.h"
#include "ipc/msg_lists.h"
#include "ipc/msg_name.h"
#include "ipc/msg_scan.h"
#include "ipc/msg_spf.h"
#include "ipc/msg_txt.h"
#include "ipc/msg_verify.h"

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

/* Each kind of message: taken, and put once more. */
#define AGAIN(kind) \
	static void \
	kind##_again(struct str packet, struct buf *b) \
	{ \
		static struct msg_##kind m; \
\
		if (!msg_##kind##_get(packet, &m)) \
			return; \
		msg_##kind##_put(b, &m); \
		check(buf_ok(b) && str_eq(buf_str(b), packet)); \
	}
AGAIN(hint)
AGAIN(etrn)
AGAIN(auth)
AGAIN(auth_result)
AGAIN(control)
AGAIN(control_result)
AGAIN(sts)
AGAIN(sts_result)
AGAIN(token)
AGAIN(token_result)
AGAIN(sign)
AGAIN(sign_result)
AGAIN(spawn)
AGAIN(spawn_result)
AGAIN(box)
AGAIN(box_result)
AGAIN(txt)
AGAIN(txt_result)
AGAIN(lists)
AGAIN(lists_result)
AGAIN(grey)
AGAIN(grey_result)
AGAIN(iprev)
AGAIN(iprev_result)
AGAIN(exists)
AGAIN(exists_result)
AGAIN(scan)
AGAIN(scan_result)
AGAIN(spf)
AGAIN(spf_result)
AGAIN(verify)
AGAIN(verify_result)
AGAIN(dmarc)
AGAIN(feedback)

static void (*const again[])(struct str packet, struct buf *b) = {
	hint_again, etrn_again, auth_again, auth_result_again, control_again,
	control_result_again, sts_again, sts_result_again, token_again,
	token_result_again, sign_again, sign_result_again, spawn_again,
	spawn_result_again, box_again, box_result_again, txt_again, txt_result_again,
	lists_again, lists_result_again, grey_again, grey_result_again,
	iprev_again, iprev_result_again, exists_again, exists_result_again,
	scan_again, scan_result_again, spf_again, spf_result_again,
	verify_again, verify_result_again, dmarc_again, feedback_again
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str packet = str_n((const char *)data, n);
	unsigned taken = 0;
	struct buf b;

	buf_init(&b, FRAME_MAX);
	fields(packet);
	for (size_t i = 0; i < ARRAY_LEN(again); i++) {
		buf_reset(&b);
		again[i](packet, &b);
		taken += b.n > 0;
	}
	/* The type says what it is: never two things. */
	check(taken <= 1);
	buf_free(&b);
	return 0;
}
