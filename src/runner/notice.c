/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * notice -- tells the owner of a mailbox that it is nearly full.
 *
 * The delivery that goes over account.mailbox-warning writes the message, so
 * that there is one each time that happens, and none while the mailbox stays
 * above it.  A notice is mail like other mail: from nobody, so that it cannot
 * come back, and it may be what fills the mailbox.
 */

#include "notice.h"

#include <errno.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "mail/date.h"
#include "policy/quota.h"
#include "runner.h"

#define NOTICE_MAX 8192

bool
notice_is_due(const struct conf_account *rule, const struct usage *was,
    const struct usage *now)
{
	struct usage_limit l = usage_limit_of(rule);

	return rule != NULL && rule->mailbox_warning > 0 &&
	    usage_part(&l, was) < rule->mailbox_warning &&
	    usage_part(&l, now) >= rule->mailbox_warning;
}

static void
add_text(const struct conf *c, const struct conf_account *rule, const char *id,
    struct str to, const struct usage *now, struct buf *b)
{
	struct usage_limit l = usage_limit_of(rule);

	buf_addf(b, "From: Mail Delivery System <MAILER-DAEMON@%s>\r\n"
	    "To: <" STR_FMT ">\r\nDate: ", c->hostname, STR_ARG(to));
	date_add(b, clock_wall());
	/* RFC 3834 5: nobody is to answer. */
	buf_addf(b, "\r\nMessage-ID: <%s@%s>\r\n"
	    "Subject: Your mailbox is nearly full\r\n"
	    "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n\r\n", id, c->hostname);
	buf_addf(b, "This is the mail system at %s.\r\n\r\n"
	    "Your mailbox holds ", c->hostname);
	usage_words(&l, now, b);
	buf_addf(b, ".\r\n\r\nWhen it is full, new mail for you %s.  Please "
	    "delete what you do not\r\nneed any more.\r\n",
	    rule->mailbox_reject ? "goes back to its senders" :
				   "has to wait, and goes back to its senders in the end");
}

int
notice_write(const struct runner *r, const struct conf_account *rule,
    const char *mailbox, const struct usage *now, char id[QUEUE_ID_SIZE])
{
	struct envelope_rcpt rcpt = { .state = RCPT_QUEUED, .orcpt = STR(""),
		.of = STR(""), .notify = NOTIFY_NEVER };
	struct envelope e = { .arrival_us = clock_wall_us(),
		.client = STR("barid"), .proto = STR("NOTICE"), .ours = true,
		.body = BODY_8BITMIME, .rcpts = &rcpt, .rcpt_n = 1 };
	struct buf to, text;
	struct arena a;
	int done = -1;

	arena_init(&a, NOTICE_MAX);
	buf_init(&to, 512);
	buf_init(&text, NOTICE_MAX);
	queue_id_new(e.id);
	memcpy(id, e.id, QUEUE_ID_SIZE);
	quota_add_owner(r->conf, str_c(mailbox), &to);
	add_text(r->conf, rule, e.id, buf_str(&to), now, &text);
	errno = EINVAL;
	if (buf_ok(&text) &&
	    path_parse_addr(buf_str(&to), 0, &a, &rcpt.path) == NULL)
		done = queue_put(r->queue, &e, false, buf_str(&text));
	if (done < 0)
		log_error(NULL, "the notice for mailbox %s cannot be stored: %s",
		    mailbox, strerror(errno));
	buf_free(&text);
	buf_free(&to);
	arena_free(&a);
	return done;
}
