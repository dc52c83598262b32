/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * notes -- what processes that serve a client tell the one that lets clients in:
 * who has logged in, is still there, or has logged out.  It is one packet of
 * fixed size, which is in the socket before the client has his answer.
 */

#include "admin.h"

#include <sys/socket.h>

#include "lib/clock.h"

struct note {
	uint32_t what;		/* enum note_what */
	unsigned char id[SHA256_SIZE];
	char user[SESSION_USER_MAX + 1];
};

bool
note_send(const struct admin *a, enum note_what what, const unsigned char id[SHA256_SIZE],
    const char *user)
{
	struct note n = { .what = what };
	struct str u = str_c(user);

	if (u.n > SESSION_USER_MAX)
		return false;
	memcpy(n.id, id, SHA256_SIZE);
	memcpy(n.user, u.p, u.n);
	return send(a->notes_in, &n, sizeof(n), MSG_NOSIGNAL) == sizeof(n);
}

/* Who tells may have been taken over: what he says is looked at. */
void
notes_take(struct admin *a)
{
	struct note n;

	while (recv(a->notes, &n, sizeof(n), MSG_DONTWAIT) == sizeof(n)) {
		n.user[SESSION_USER_MAX] = '\0';
		if (n.what == NOTE_BEGIN && conf_is_admin(&a->conf->admin, str_c(n.user)))
			sessions_begin(&a->sessions, n.id, str_c(n.user), clock_ms());
		else if (n.what == NOTE_TOUCH)
			sessions_touch(&a->sessions, n.id, clock_ms());
		else if (n.what == NOTE_END)
			sessions_end(&a->sessions, n.id);
	}
}
