/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_store -- what is known of a message, and its way into the spool.
 *
 * 250 is answered after queue_commit() said that the message survives a
 * crash, and never else.  The lines in the log come before the runner hears
 * of the message, the hint after; a hint that is lost costs the runner a
 * scan.
 */

#include "smtpd.h"

#include <errno.h>
#include <string.h>

#include "ipc/channel.h"
#include "ipc/msg.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "mail/header.h"
#include "mail/limits.h"
#include "policy/recipient.h"
#include "queue/archive.h"
#include "queue/prefix.h"
#include "queue/tray.h"

/* What the log gets of a Message-ID. */
#define MESSAGE_ID_MAX 500
#define PREFIX_MAX 16384

/* ---- the header --------------------------------------------------------- */

/*
 * True if the header ends in TEXT: at a blank line, or before it begins.  A
 * text that comes octet by octet is not looked at from its start each time.
 */
static bool
is_whole(struct str text, struct header_facts *h)
{
	size_t from = h->scanned > 3 ? h->scanned - 3 : 0;
	struct str rest = text;
	struct field f;

	if (str_starts(text, STR("\r\n")))
		return true;
	if (text.n > from &&
	    memmem(text.p + from, text.n - from, "\r\n\r\n", 4) != NULL)
		return true;
	h->scanned = text.n;
	if (!h->is_field && str_find(text, '\n') >= 0) {
		if (field_next(&rest, &f) < 0)
			return true;
		h->is_field = true;
	}
	return false;
}

static void
note_field(struct session *s, const struct field *f, struct header_facts *h)
{
	report_look(&h->report, f);
	h->no_tls = h->no_tls || field_needs_no_tls(f);
	if (str_ieq(f->name, STR("Received"))) {
		h->received++;
	} else if (str_ieq(f->name, STR("Date"))) {
		h->has_date = true;
	} else if (str_ieq(f->name, STR("From"))) {
		h->has_from = true;
	} else if (str_ieq(f->name, STR("Message-ID"))) {
		if (!h->has_message_id)
			h->message_id = str_head(
			    field_unfold(&s->txn_arena, f), MESSAGE_ID_MAX);
		h->has_message_id = true;
	}
}

int
header_look(struct session *s, struct str text, bool end,
    struct header_facts *h)
{
	struct str rest = text;
	struct field f;

	if (!end && text.n <= MAIL_HEADER_MAX && !is_whole(text, h))
		return 0;
	h->message_id = STR("");
	h->none = field_next(&rest, &f) < 0;
	if (h->none)
		return 1;
	for (rest = text; field_seek(&rest, &f);)
		note_field(s, &f, h);
	return (size_t)(rest.p - text.p) > MAIL_HEADER_MAX ? -1 : 1;
}

/* ---- the envelope ------------------------------------------------------- */

static struct str
certificate_of(struct session *s)
{
	const struct tls_client *t = s->certificate;

	if (t == NULL)
		return STR("");
	return str_c(arena_printf(&s->txn_arena, "%s sha256:%s%s%s",
	    t->verified ? "verified" : "unverified", t->fingerprint,
	    t->subject[0] != '\0' ? " " : "", t->subject));
}

static void
fill_envelope(struct session *s)
{
	struct envelope *e = &s->txn.env;
	const struct session_env *env = s->env;
	struct client_facts f = session_facts(s);
	struct buf b;

	e->arrival_us = clock_wall_us();
	e->ours = access_may_relay(s->conf, &f);
	e->helo = s->helo;
	e->proto = str_c(session_proto(s));
	e->user = str_c(s->user);
	e->tls = str_c(s->tls_facts);
	e->certificate = certificate_of(s);
	e->chain = s->certificate != NULL ? s->chain : STR("");
	e->listener = env->listen != NULL ? str_c(env->listen->name) :
					    STR("");
	if (e->envid.n == 0)
		e->envid = STR("");
	e->local = STR("");
	buf_init(&b, 512);
	if (addr_octets(&env->local) != NULL) {
		addr_add_port(&b, &env->local);
		e->local = arena_str(&s->txn_arena, buf_str(&b));
		buf_reset(&b);
	}
	if (env->local_user != NULL) {
		buf_addf(&b, "local %s", env->local_user);
	} else {
		buf_adds(&b, s->client);
		if (addr_octets(&env->peer) != NULL)
			buf_addf(&b, ":%u", addr_port(&env->peer));
	}
	e->client = arena_str(&s->txn_arena, buf_str(&b));
	buf_free(&b);
}

void
store_archive(struct session *s)
{
	struct envelope *e = &s->txn.env;

	/* Who takes it from drop/ sees to it. */
	if (s->env->to_drop || s->conf->archive_n == 0)
		return;
	e->user = str_c(s->user);
	e->listener = str_c(s->env->listen != NULL ? s->env->listen->name : "");
	archive_add(s->conf, &s->txn_arena, e);
}

struct queue_msg *
store_begin(struct session *s, struct header_facts *h)
{
	struct queue_msg *m;
	struct buf b;

	fill_envelope(s);
	s->txn.env.report = str_c(report_name(h->report));
	if (h->no_tls && s->txn.env.tls_wish == TLS_UNSAID)
		s->txn.env.tls_wish = TLS_WISH_NONE;
	m = queue_begin(s->env->queue, &s->txn.env, s->env->to_drop);
	if (m == NULL)
		return NULL;
	if (found_is_due(s))
		queue_reserve(m, &s->txn.env);
	buf_init(&b, PREFIX_MAX);
	spf_add(s, &b);
	received_add(s, &b);
	if (s->submission || s->local || s->conf->add_missing_headers)
		complete_add(s, h, &b);
	if (scan_is_wanted(s))
		s->txn.trace = arena_str(&s->txn_arena, buf_str(&b));
	/* Else the first lines of the body would be taken for header. */
	if (h->none)
		buf_adds(&b, "\r\n");
	if (!buf_ok(&b))
		panic("smtpd: trace fields of more than %d", PREFIX_MAX);
	if (queue_write(m, buf_str(&b)) < 0) {
		int err = errno;

		queue_abort(m);
		m = NULL;
		errno = err;
	}
	buf_free(&b);
	return m;
}

/* ---- the end ------------------------------------------------------------ */

struct answer
store_failed(const struct session *s, const char *call)
{
	int err = errno;

	log_error(s->txn.env.id, "the message from %s cannot be stored: "
	    "%s: %s", s->client, call, strerror(err));
	if (err == ENOSPC || err == EDQUOT)
		return ANSWER(452, "4.3.1", "There is no room for mail now");
	return ANSWER(451, "4.3.0", "The message cannot be stored now");
}

void
store_hint(struct session *s, const char *id)
{
	const struct session_env *env = s->env;
	struct msg_hint m = { .id = str_c(id) };
	struct buf b;

	if (env->to_drop)
		return;
	m.tray = queue_tray(env->queue);
	buf_init(&b, 256);
	msg_hint_put(&b, &m);
	if ((env->runner_n == 0 ||
		channel_send(env->runners[runner_of(id, env->runner_n)], buf_str(&b), -1) < 0) &&
	    env->score != NULL)
		score_add(env->score, COUNT_SCAN_WANTED, 1);
	buf_free(&b);
}

struct answer
store_commit(struct session *s, struct queue_msg *m, struct str message_id)
{
	struct score_slot *slot = s->env->slot;
	uint64_t size = queue_size(m);

	session_score(s, SCORE_COMMIT);
	if (queue_commit(m) < 0) {
		struct answer a = store_failed(s, "queue_commit");

		/* If it had its name, the runner is to remove it. */
		store_hint(s, s->txn.env.id);
		return a;
	}
	s->junk = 0;
	session_count(s, COUNT_MESSAGES_IN);
	if (slot != NULL) {
		atomic_fetch_add_explicit(&slot->messages, 1,
		    memory_order_relaxed);
		atomic_fetch_add_explicit(&slot->bytes, size,
		    memory_order_relaxed);
	}
	log_accepted(s, message_id);
	store_hint(s, s->txn.env.id);
	return (struct answer){ .code = 250, .enhanced = "2.0.0",
		.text = str_c(arena_printf(&s->line_arena,
		    "Ok: queued as %s", s->txn.env.id)) };
}
