/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_complete -- the fields that a submitted message lacks (RFC 6409 8).
 *
 * Only what is missing is added; a field that is there stays as it is, right
 * or wrong, since it may be signed.  Mail from other servers gets nothing
 * but its trace (RFC 5321 6.4), unless it is to (add-missing-headers).
 */

#include "smtpd.h"

#include "mail/date.h"

void
complete_add(struct session *s, struct header_facts *h, struct buf *b)
{
	const struct envelope *e = &s->txn.env;

	if (!h->has_date) {
		buf_adds(b, "Date: ");
		date_add(b, e->arrival_us / 1000000);
		buf_adds(b, "\r\n");
	}
	/* The queue id is never used again on this host. */
	if (!h->has_message_id) {
		h->message_id = str_c(arena_printf(&s->txn_arena, "<%s@%s>",
		    e->id, s->env->hostname));
		buf_addf(b, "Message-ID: " STR_FMT "\r\n",
		    STR_ARG(h->message_id));
	}
	if (!h->has_from && !path_is_null(&e->from)) {
		buf_adds(b, "From: <");
		path_add(b, &e->from);
		buf_adds(b, ">\r\n");
	}
}
