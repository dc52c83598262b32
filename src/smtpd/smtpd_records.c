/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_records -- what DNS has under the names that a message brings up.
 *
 * barid-check is asked for many names at once, while the text still comes, and
 * no name is asked for twice in a transaction.
 */

#include "smtpd.h"

#include <errno.h>

#include "lib/clock.h"
#include "lib/log.h"

/* For the records of policies where no keys are asked for. */
#define WAIT_MS 10000

static int64_t
wait_ms(const struct session *s)
{
	return s->conf->check.dkim.enabled ? s->conf->check.dkim.timeout : WAIT_MS;
}

void
records_limit(struct session *s)
{
	s->txn.checks.until = clock_ms() + wait_ms(s);
}

/* What is left of that. */
static int64_t
left_ms(const struct session *s)
{
	int64_t until = s->txn.checks.until;

	return until == 0 ? wait_ms(s) : until - clock_ms();
}

static struct record *
find(const struct session *s, struct str name)
{
	struct record *r = s->txn.checks.records;

	while (r != NULL && !str_eq(r->name, name))
		r = r->next;
	return r;
}

const struct txt_answer *
records_find(const struct session *s, struct str name)
{
	const struct record *r = find(s, name);

	return r != NULL ? &r->answer : NULL;
}

bool
records_want(struct session *s, struct str name)
{
	struct checks *c = &s->txn.checks;
	struct record *r;

	if (find(s, name) != NULL)
		return true;
	if (c->asked_n == MSG_TXT_NAMES_MAX || c->question.fd > 0)
		return false;
	r = arena_alloc(&s->txn_arena, sizeof(*r));
	*r = (struct record){ .name = arena_str(&s->txn_arena, name),
		.answer = { .status = TXT_NO_NAME }, .next = c->records };
	c->records = r;
	/* What cannot be asked for is not there. */
	if (msg_txt_may_ask(name)) {
		r->answer.status = TXT_TEMPORARY;
		c->asked[c->asked_n++] = r;
	}
	return true;
}

void
records_send(struct session *s)
{
	struct checks *c = &s->txn.checks;
	int64_t left = left_ms(s);
	struct msg_txt m = { .name_n = c->asked_n };
	struct buf packet;

	if (c->asked_n == 0 || c->question.fd > 0)
		return;
	if (left <= 0) {
		c->asked_n = 0;
		return;
	}
	m.wait_ms = (uint64_t)left;
	for (size_t i = 0; i < c->asked_n; i++)
		m.names[i] = c->asked[i]->name;
	buf_init(&packet, FRAME_MAX);
	msg_txt_put(&packet, &m);
	if (asked_send(&c->question, s->env->check, buf_str(&packet), left) < 0) {
		log_error(s->txn.env.id, "barid-check cannot be asked for keys: %s",
		    strerror(errno));
		c->asked_n = 0;
	}
	buf_free(&packet);
}

static void
take(struct session *s, const struct msg_txt_result *r)
{
	struct checks *c = &s->txn.checks;

	for (size_t i = 0; i < c->asked_n && i < r->answer_n; i++) {
		struct txt_answer *to = &c->asked[i]->answer;

		*to = r->answers[i];
		for (size_t k = 0; k < to->text_n; k++)
			to->texts[k] = arena_str(&s->txn_arena, to->texts[k]);
	}
}

void
records_await(struct session *s)
{
	struct checks *c = &s->txn.checks;
	struct msg_txt_result r;
	struct buf reply;

	if (c->question.fd == 0)
		return;
	buf_init(&reply, FRAME_MAX);
	if (asked_await(&c->question, &reply) == 0 &&
	    msg_txt_result_get(buf_str(&reply), &r))
		take(s, &r);
	else
		log_error(s->txn.env.id, "barid-check does not say what DNS has: %s",
		    strerror(errno));
	c->asked_n = 0;
	buf_free(&reply);
}
