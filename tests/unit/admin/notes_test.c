/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Notes of who has logged in: those of an administrator count, and nothing else does. */

#include "admin/admin.h"

#include <sys/socket.h>

#include "../with_conf.h"
#include "lib/clock.h"

static struct admin a;
static unsigned char id[SHA256_SIZE];

static void
begin(void)
{
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	a.notes = pair[0];
	a.notes_in = pair[1];
	a.conf = with_conf("admin { users = {root, 'ops-*'} }\n");
	ck_assert_int_eq(session_id(STR("token"), id), 0);
}

static const struct session *
now(void)
{
	return sessions_find(&a.sessions, id, clock_ms());
}

START_TEST(logins)
{
	begin();
	ck_assert(note_send(&a, NOTE_BEGIN, id, "ops-1"));
	ck_assert_ptr_null(now());
	notes_take(&a);
	ck_assert_str_eq(now()->user, "ops-1");
	ck_assert(note_send(&a, NOTE_TOUCH, id, ""));
	notes_take(&a);
	ck_assert_ptr_nonnull(now());
	ck_assert(note_send(&a, NOTE_END, id, ""));
	notes_take(&a);
	ck_assert_ptr_null(now());
	conf_free(a.conf);
}
END_TEST

START_TEST(lies)
{
	char name[SESSION_USER_MAX + 2];

	begin();
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	ck_assert(!note_send(&a, NOTE_BEGIN, id, name));
	ck_assert(note_send(&a, NOTE_BEGIN, id, "alice"));
	ck_assert(note_send(&a, NOTE_BEGIN, id, ""));
	ck_assert_int_eq(send(a.notes_in, "\1\0\0\0root", 8, 0), 8);
	notes_take(&a);
	ck_assert_ptr_null(now());
	conf_free(a.conf);
}
END_TEST

UNIT_MAIN("admin/notes", logins, lies)
