/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_verify -- recipients that somebody else is asked about.
 *
 * A session has no way out, so it asks barid-verify, which asks whom the
 * configuration names.  Only what policy would take is asked about, or refuses
 * because it knows no such user, and of our own domains alone; the postmaster
 * is always there (RFC 5321 4.5.1), and so is an address for reports.  Who
 * cannot be asked in time is a failure that passes (4xx), for that recipient.
 *
 * It is asked, too, whether a mailbox with a limit has room.
 */

#include "smtpd.h"

#include <errno.h>
#include <string.h>

#include "ipc/channel.h"
#include "ipc/msg_verify.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "mailbox/usage.h"
#include "policy/recipient.h"
#include "policy/srs.h"

/* What barid-verify has beside the time of the question. */
#define GRACE_MS 3000

static bool
is_asked_about(const struct session *s, const struct answer *a, const struct path *p)
{
	const struct conf *c = s->conf;

	if (c->recipients.asked.kind == VERIFY_NOBODY || s->env->verify < 0 ||
	    p->domain.n == 0 || !conf_is_local(c, p->domain) ||
	    str_ieq(p->local, STR("postmaster")) ||
	    (c->srs.secrets.n > 0 && srs_looks_so(p->local)))
		return false;
	return a->code == 250 ||
	    (a->code == 550 && strcmp(a->enhanced, "5.1.1") == 0);
}

/* Has the answer in R, which views REPLY; false: there is none. */
static bool
call(struct session *s, const struct msg_verify *m, struct buf *reply,
    struct msg_verify_result *r)
{
	struct buf packet;
	bool ok;

	buf_init(&packet, FRAME_MAX);
	msg_verify_put(&packet, m);
	ok = buf_ok(&packet) && channel_call(s->env->verify, buf_str(&packet),
	    clock_ms() + s->conf->recipients.verify_timeout + GRACE_MS, reply) == 0 &&
	    msg_verify_result_get(buf_str(reply), r);
	buf_free(&packet);
	return ok;
}

static bool
ask(struct session *s, const struct path *p, struct buf *reply,
    struct msg_verify_result *r)
{
	struct arena *a = &s->line_arena;
	struct msg_verify m = { .recipient = path_str(a, p),
		.sender = path_str(a, &s->txn.env.from),
		/* An AUTH that failed, or was before STARTTLS, has one as well. */
		.mechanism = str_c(s->user[0] != '\0' ? s->auth_mechanism : ""),
		.login = str_c(s->user[0] != '\0' ? s->user : s->trusted) };
	struct buf client;
	bool ok;

	buf_init(&client, 128);
	addr_add_port(&client, &s->env->peer);
	m.client = buf_str(&client);
	ok = call(s, &m, reply, r);
	if (!ok)
		log_error(NULL, "barid-verify does not say whether there is <" STR_FMT ">: %s",
		    STR_ARG(m.recipient), strerror(errno));
	buf_free(&client);
	return ok;
}

/* P becomes who is NAMED, a local part or an address; false: that is neither. */
static bool
take_name(struct session *s, struct str named, struct path *p)
{
	struct path to;

	if (named.n == 0)
		return true;
	if (path_parse_addr(named, PATH_BARE | PATH_UTF8, &s->line_arena, &to) != NULL)
		return false;
	if (to.domain.n == 0)
		to.domain = p->domain;
	if (path_check(&to) != NULL)
		return false;
	*p = to;
	return true;
}

/* Who was named is whom the administrator's own program means: also elsewhere. */
static struct answer
named_answer(struct session *s, const struct path *p)
{
	if (!conf_is_local(s->conf, p->domain))
		return ANSWER(250, "2.1.5", "Ok");
	return rcpt_answer(s, p);
}

static struct answer
yes(struct session *s, const struct msg_verify_result *r, struct path *p)
{
	struct answer a;

	if (!take_name(s, r->address, p)) {
		log_error(NULL, "recipients.verify names \"" STR_FMT "\", which is no "
		    "address", STR_ARG(r->address));
		return ANSWER(451, "4.3.5", "Recipient address cannot be verified now");
	}
	a = named_answer(s, p);
	if (a.code == 550 && strcmp(a.enhanced, "5.1.1") == 0) {
		log_error(NULL, "recipients.verify knows <" STR_FMT ">, for whom there is "
		    "no mailbox", STR_ARG(path_str(&s->line_arena, p)));
		return ANSWER(451, "4.3.5", "There is no mailbox for that recipient yet");
	}
	return a;
}

/* What somebody else wrote, as it may stand in a reply. */
static struct str
words(struct session *s, struct str text, const char *otherwise)
{
	if (text.n == 0 || text.n > 300 || str_has_ctl(text) || str_has_8bit(text))
		return str_c(otherwise);
	return str_c(arena_printf(&s->line_arena, "Recipient address rejected: " STR_FMT,
	    STR_ARG(text)));
}

struct answer
smtpd_verify(struct session *s, struct answer a, struct path *p)
{
	struct msg_verify_result r = { .verdict = VERIFY_LATER };
	struct buf reply;

	if (!is_asked_about(s, &a, p))
		return a;
	buf_init(&reply, FRAME_MAX);
	a = ANSWER(451, "4.4.3", "Recipient address cannot be verified now");
	if (ask(s, p, &reply, &r)) {
		switch (r.verdict) {
		case VERIFY_YES:
			a = yes(s, &r, p);
			break;
		case VERIFY_NO:
			a = (struct answer){ .code = 550, .enhanced = "5.1.1",
				.text = words(s, r.text,
				    "Recipient address rejected: User unknown") };
			if (r.why.n > 0)
				log_info(NULL, "<" STR_FMT "> is nobody: " STR_FMT,
				    STR_ARG(path_str(&s->line_arena, p)), STR_ARG(r.why));
			break;
		case VERIFY_LATER:
			a.text = words(s, r.text, "Recipient address cannot be verified now");
			break;
		case VERIFY_ABORT:
			a = (struct answer){ .code = 421, .enhanced = "4.7.0",
				.text = STR("This is not wanted here"), .then = THEN_CLOSE };
			break;
		}
	}
	buf_free(&reply);
	return a;
}

/* ---- room --------------------------------------------------------------------------- */

/*
 * The section that limits the mailbox that P leads to, whose name NAME gets.
 * NULL: nothing does.
 */
static const struct conf_account *
limited(struct session *s, const struct path *p, char name[65])
{
	struct mail_facts m = rcpt_facts(s, s->txn.env.from);
	struct target t;

	if (s->env->verify < 0 || !usage_is_limited(s->conf))
		return NULL;
	t = target_of(s->conf, s->env->users, &m, p);
	if (t.kind != TARGET_MAILBOX)
		return NULL;
	memcpy(name, t.mailbox, sizeof(t.mailbox));
	return usage_rule(s->conf, name);
}

struct answer
smtpd_room(struct session *s, const struct path *p)
{
	struct msg_verify_result r = { .verdict = VERIFY_LATER };
	char name[65];
	const struct conf_account *rule = limited(s, p, name);
	struct answer a = { .code = 0 };
	struct msg_verify m = { .octets = s->txn.declared };
	struct buf reply;

	if (rule == NULL)
		return a;
	m.mailbox = str_c(name);
	buf_init(&reply, FRAME_MAX);
	/* Who delivers it looks again; so what cannot be said is a yes. */
	if (!call(s, &m, &reply, &r))
		log_error(NULL, "barid-verify does not say whether mailbox %s has "
		    "room: %s", name, strerror(errno));
	else if (r.verdict == VERIFY_NO && rule->mailbox_reject)
		a = ANSWER(552, "5.2.2", "The mailbox is full");
	else if (r.verdict == VERIFY_NO)
		a = ANSWER(452, "4.2.2", "The mailbox is full");
	buf_free(&reply);
	return a;
}
