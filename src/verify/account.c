/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * account -- recipients that are accounts of this host.
 *
 * The system is asked by a process of its own, since what it asks in turn may
 * take its time (NSS).  An account below or above the numbers that count is
 * none, so that mail for daemons is refused.
 */

#include "verify.h"

#include <errno.h>
#include <pwd.h>

#include "lib/name.h"

/* 1: NAME is one that counts; 0: it is none; -1: errno. */
static int
is_account(const struct conf_verify *v, const char *name)
{
	const struct passwd *pw;

	errno = 0;
	pw = getpwnam(name);
	if (pw != NULL)
		return pw->pw_uid >= v->uid_min && pw->pw_uid <= v->uid_max;
	/* getpwnam(3): these say that there is nobody of that name. */
	return errno == 0 || errno == ENOENT || errno == ESRCH ? 0 : -1;
}

struct msg_verify_result
ask_account(const struct asking *q)
{
	struct str local = q->about->recipient;
	ptrdiff_t at = str_rfind(local, '@');
	struct msg_verify_result r = { .verdict = VERIFY_NO };
	struct buf b;
	char *name;
	int found;

	if (at >= 0)
		local = str_head(local, (size_t)at);
	/* What could be no account's name is not asked for. */
	if (!name_is_plain(local)) {
		r.verdict = q->whom->check ? VERIFY_YES : VERIFY_NO;
		return r;
	}
	name = arena_cstr(q->a, local);
	found = is_account(q->whom, name);
	if (found == 0 && q->whom->lower) {
		buf_init(&b, 256);
		buf_add_lower(&b, local);
		name = arena_cstr(q->a, buf_str(&b));
		buf_free(&b);
		found = is_account(q->whom, name);
	}
	if (found < 0)
		return cannot_say(q, "the accounts cannot be read: %s", strerror(errno));
	if (found > 0)
		r = (struct msg_verify_result){ .verdict = VERIFY_YES, .address = str_c(name) };
	else if (q->whom->check)
		r.verdict = VERIFY_YES;
	return r;
}
