/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SMTPD_SMTPD_STORE_H
#define SMTPD_SMTPD_STORE_H

/* smtpd_store -- from the text of a message to the spool. */

#include "lib/buf.h"
#include "mail/path.h"
#include "smtpd_answer.h"
#include "smtpd_text.h"

struct session;
struct queue_msg;

/* ---- smtpd_store.c, smtpd_settings.c: from text to spool ------------------------ */

/*
 * Looks at the header in TEXT, which grows from call to call while F is
 * kept.  1: it is whole, F is set.  0: more is needed.  -1: it is too large.
 * END: no more will come.
 */
int header_look(struct session *s, struct str text, bool end, struct header_facts *f) MUST_USE;

/*
 * Takes the settings out of the header in S->text, into the envelope, if there
 * are any and the client may say so (extract-headers).  Code 0, or a refusal.
 */
struct answer store_settings(struct session *s) MUST_USE;
/* Begins the message, with what goes before the client's text.  NULL: errno. */
struct queue_msg *store_begin(struct session *s, struct header_facts *f) MUST_USE;
/* The last step; consumes M. */
void store_hint(struct session *s, const char *id);	/* tells the runner, or has it scan */
struct answer store_commit(struct session *s, struct queue_msg *m, struct str message_id);
/* The answer to a failed CALL, by errno, which is logged. */
struct answer store_failed(const struct session *s, const char *call);

/* ---- smtpd_remap.c: addresses that become others ------------------------------- */

/* P of the envelope, where it stands (REWRITE_*). */
void remap_envelope(struct session *s, unsigned what, struct arena *a, struct path *p);
/* The header in S->text.  Code 0, or a refusal. */
struct answer remap_text(struct session *s) MUST_USE;
void received_add(const struct session *s, struct buf *b);	/* RFC 5321 4.4 */
/* RFC 6409 8: the fields that a submitted message lacks. */
void complete_add(struct session *s, struct header_facts *f, struct buf *b);

#endif
