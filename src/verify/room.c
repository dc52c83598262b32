/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * room -- mailboxes that have a limit, and whether they have room.
 *
 * A session reads no mailbox, so it asks.  What a file maildirsize knows is
 * read at once; where all has to be counted, a process of its own does it.  A
 * mailbox that there is not yet has room.
 *
 * An account of this host may have its mail at home, or a .forward that leads
 * elsewhere, which barid-spawn reads as that account.  Who asks for it may have to
 * wait, so that a process of its own does it; then there is room, whatever is in
 * the mailbox of its name.
 */

#include "verify.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "ipc/msg.h"
#include "lib/name.h"
#include "mailbox/forward.h"
#include "mailbox/maildir.h"
#include "mailbox/person.h"

static struct msg_verify_result
meant(bool fits)
{
	return (struct msg_verify_result){ .verdict = fits ? VERIFY_YES : VERIFY_NO };
}

/* The directory of M's mailbox; -1: errno. */
static int
open_box(int base, const char *mailbox)
{
	return openat(base, mailbox, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

bool
room_look(const struct conf *c, int base, const struct msg_verify *m,
    struct msg_verify_result *r)
{
	const struct conf_account *rule;
	struct usage_limit limit;
	struct usage u;
	char name[NAME_LEN_MAX + 1];
	bool fits = true;
	int box, known;

	/* Whoever asks may have been taken over. */
	if (!name_is_plain(m->mailbox)) {
		*r = (struct msg_verify_result){ .verdict = VERIFY_LATER,
			.why = STR("the question is broken") };
		return true;
	}
	memcpy(name, m->mailbox.p, m->mailbox.n);
	name[m->mailbox.n] = '\0';
	rule = usage_rule(c, name);
	*r = meant(true);
	if (rule == NULL)
		return true;
	if (conf_has_homes(c))
		return false;
	limit = usage_limit_of(rule);
	if ((box = open_box(base, name)) < 0) {
		*r = meant(usage_fits(&limit, &(struct usage){ 0, 0 }, m->octets));
		return true;
	}
	known = usage_look(box, &limit, m->octets, &u, &fits);
	close(box);
	*r = meant(fits);
	return known > 0;
}

/* True unless it is known that the account has no .forward, or none that is believed. */
static bool
may_forward(const struct asking *q)
{
	const struct msg_forward m = { .user = q->about->mailbox };
	struct msg_forward_result r;
	struct buf packet, reply;
	bool none;

	buf_init(&packet, FRAME_MAX);
	buf_init(&reply, FRAME_MAX);
	msg_forward_put(&packet, &m);
	none = channel_call(q->spawn, buf_str(&packet), q->deadline, &reply) == 0 &&
	    msg_forward_result_get(buf_str(&reply), &r) && r.state == FORWARD_NONE;
	buf_free(&reply);
	buf_free(&packet);
	return !none;
}

/* 1: mail for NAME may be another's than the mailbox's; -1: errno. */
static int
may_be_elsewhere(const struct asking *q, const char *name)
{
	if (!conf_has_homes(q->conf))
		return 0;
	if (person_find(name, true) == NULL)
		return errno == 0 ? 0 : -1;
	return q->conf->recipients.home_maildir[0] != '\0' || may_forward(q);
}

struct msg_verify_result
ask_room(const struct asking *q, int base)
{
	const char *name = arena_cstr(q->a, q->about->mailbox);
	struct usage_limit limit = usage_limit_of(usage_rule(q->conf, name));
	int elsewhere = may_be_elsewhere(q, name), box, r;
	bool fits = true;
	struct usage u;

	if (elsewhere < 0)
		return cannot_say(q, "account %s: %s", name, strerror(errno));
	if (elsewhere > 0)
		return meant(true);
	box = open_box(base, name);
	if (box < 0 && errno == ENOENT)
		return meant(usage_fits(&limit, &(struct usage){ 0, 0 }, q->about->octets));
	if (box < 0)
		return cannot_say(q, "mailbox %s: %s", name, maildir_why(errno));
	r = usage_ask(box, &limit, q->about->octets, &u, &fits);
	if (r < 0)
		return cannot_say(q, "mailbox %s: %s", name, maildir_why(errno));
	close(box);
	return meant(fits);
}
