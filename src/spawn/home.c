/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * home -- the .forward of an account, read as that account, and its Maildir.
 *
 * A child of its own becomes the account first, for good, and then opens the
 * file: what the account cannot read, or should not, is not read.  The runner
 * gets the text, and takes it apart itself.  Programs in it are found by their
 * digits, in the file as it is then, by a child that is the account, too.
 */

#include "spawn.h"

#include <errno.h>

#include "ipc/channel.h"
#include "lib/log.h"
#include "lib/proc.h"
#include "mailbox/forward.h"
#include "mailbox/person.h"

/* Less than a runner waits for the answer. */
#define READ_MS 30000

/* As the account PW, which this process is not yet. */
static void
look(const struct passwd *pw, struct buf *text, struct msg_forward_result *m)
{
	struct proc_user u = { pw->pw_uid, pw->pw_gid, true };
	const char *why = NULL;

	proc_confine(&u, NULL);
	m->state = forward_read(pw->pw_dir, pw->pw_uid, text, &why);
	if (why != NULL)
		log_warn(NULL, "%s/" FORWARD_NAME ": %s", pw->pw_dir, why);
	m->text = m->state == FORWARD_FOUND ? buf_str(text) :
	    str_c(why != NULL ? why : "");
}

void
home_tell(const struct conf *c, const struct msg_forward *m, int reply)
{
	struct msg_forward_result result = { .state = FORWARD_NONE };
	struct arena a;
	const struct passwd *pw;
	struct buf text, packet;

	end_after(READ_MS);
	arena_init(&a, 1 << 16);
	buf_init(&text, FORWARD_MAX);
	buf_init(&packet, FRAME_MAX);
	errno = 0;
	pw = conf_has_homes(c) ? person_find(arena_cstr(&a, m->user),
	    proc_is_root()) : NULL;
	result.account = pw != NULL;
	if (pw == NULL && errno != 0) {
		result.state = FORWARD_LATER;
		result.text = str_c(strerror(errno));
	} else if (pw != NULL && c->recipients.forward)
		look(pw, &text, &result);
	msg_forward_result_put(&packet, &result);
	if (channel_send(reply, buf_str(&packet), -1) < 0 && errno != EPIPE)
		log_warn(NULL, "cannot answer: %s", strerror(errno));
	buf_free(&packet);
	buf_free(&text);
	arena_free(&a);
}

void
home_maildir(const struct conf *c, const struct passwd *pw, struct arena *a,
    struct part *p)
{
	*p = (struct part){ true, pw->pw_uid, arena_printf(a, "%s/%s/",
	    pw->pw_dir, c->recipients.home_maildir) };
}

bool
home_find(const struct passwd *pw, struct str part, struct arena *a,
    struct part *p, const char **why)
{
	char digits[ALIAS_PART_SIZE];
	struct alias_list list;
	struct buf text;

	buf_init(&text, FORWARD_MAX);
	*why = NULL;
	if (forward_read(pw->pw_dir, pw->pw_uid, &text, why) != FORWARD_FOUND ||
	    (*why = forward_parse(buf_str(&text), a, &list)) != NULL)
		list.n = 0;
	buf_free(&text);
	for (size_t i = 0; i < list.n; i++) {
		alias_part(&list.v[i], digits);
		if (list.v[i].kind == ALIAS_ADDRESS ||
		    !str_eq(str_c(digits), part))
			continue;
		*p = (struct part){ list.v[i].kind == ALIAS_FILE, pw->pw_uid,
			arena_cstr(a, list.v[i].text) };
		return true;
	}
	*why = "the file .forward has changed, and leads there no more";
	return false;
}
