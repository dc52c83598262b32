/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * C-11: a POP3 session whose n-th allocation fails, for every n.  What is gone
 * from the mailbox was deleted, and only if a QUIT was read; the next session
 * finds the mailbox free.
 */

#include "unit.h"

#include "pop3d/popper.h"

#include "memory.h"

#define KEPT "new/1.kept.host"
#define DELETED "new/2.deleted.host"

static const char in_text[] =
    "CAPA\r\nUSER alice\r\nPASS barid\r\nSTAT\r\nLIST\r\nUIDL\r\n"
    "RETR 1\r\nTOP 2 1\r\nLANG\r\nNONSENSE\r\nDELE 2\r\nUIDL 1\r\nQUIT\r\n";

static void
session(void)
{
	struct str in = str_c(in_text);
	struct pop3_session s;

	pop3d_init(&s, &popper.env);
	stream_init(&s.stream, &memory_ops, &in);
	pop3d_run(&s);
	pop3d_end(&s);
}

START_TEST(every_allocation)
{
	unsigned n = 0;

	memory_begin();
	popper_begin();
	do {
		ck_assert_uint_lt(++n, ALLOCATIONS_MAX);
		popper_put("alice", KEPT, STR("Subject: \303\266\n\nkept\n"));
		popper_put("alice", DELETED, STR("Subject: x\n\ndeleted\n"));
		memory_run(n, session);
		ck_assert_msg(popper_has("alice", KEPT), "allocation %u", n);
		ck_assert_msg(popper_has("alice", DELETED) ||
		    memory->failed || memory_said(STR("+OK good bye")) == 1,
		    "allocation %u", n);
		/* Without memory there may have been no login, and no DELE. */
		ck_assert_msg(memory_said(STR("+OK message 2")) == 0 ||
		    memory_said(STR("+OK good bye")) == 0 ||
		    !popper_has("alice", DELETED), "allocation %u", n);
		ck_assert_uint_eq(memory_said(STR("-ERR [IN-USE]")), 0);
	} while (memory->failed);
	ck_assert_uint_eq(memory_said(STR("+OK message 2")), 1);
	ck_assert_uint_eq(memory_said(STR("+OK good bye")), 1);
	ck_assert(BUILD_ASAN || n > 30);
	popper_end();
}
END_TEST

UNIT_MAIN("fault/memory_pop3", every_allocation)
