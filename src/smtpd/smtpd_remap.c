/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_remap -- addresses that become others when mail comes in.
 *
 * The envelope first: everything that is decided of a message is decided by
 * the new addresses.  Who may send as whom was looked at before.  What goes to
 * drop/ is left as it is: who takes it from there sees to it.
 */

#include "smtpd.h"

#include "policy/recipient.h"
#include "queue/remap.h"

static struct remap
remap_of(const struct session *s)
{
	struct client_facts f = session_facts(s);
	const struct conf_listen *l = s->env->listen;

	return (struct remap){ .conf = s->conf, .at = REWRITE_AT_RECEIVE,
		.listener = l != NULL ? str_c(l->name) : STR(""),
		.stranger = !access_may_relay(s->conf, &f) };
}

static bool
is_wanted(const struct session *s)
{
	return s->conf->rewrite_n > 0 && !s->env->to_drop;
}

void
remap_envelope(struct session *s, unsigned what, struct arena *a, struct path *p)
{
	struct remap r;

	if (!is_wanted(s))
		return;
	r = remap_of(s);
	(void)remap_path(&r, what, a, p);
}

struct answer
remap_text(struct session *s)
{
	struct answer a = { .code = 0 };
	struct remap r;
	struct buf out;
	size_t was;

	if (!is_wanted(s))
		return a;
	r = remap_of(s);
	buf_init(&out, s->text.max);
	was = remap_header(&r, buf_str(&s->text), &out);
	if (was > 0)
		buf_add(&out, str_skip(buf_str(&s->text), was));
	if (!buf_ok(&out))
		a = ANSWER(554, "5.6.0", "The header of the message is too large");
	if (was == 0 || a.code != 0) {
		buf_free(&out);
		return a;
	}
	buf_free(&s->text);
	s->text = out;
	return a;
}
