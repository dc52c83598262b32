/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_vrfy -- VRFY and EXPN.
 *
 * Who exists is told to listed clients alone (access.verify, CONFORMANCE
 * S-38): everybody else gets the same answer whatever the name, which RFC 5321
 * 7.3 has for that.  What is told is what RCPT would say.  There are no lists
 * yet: what EXPN shows is where a name leads to.
 */

#include "smtpd.h"

#include "policy/recipient.h"

/* RFC 6531 3.7.4.2: the only parameter; taken off *TEXT. */
static bool
take_utf8(struct str *text)
{
	struct str word = STR(" SMTPUTF8");

	if (text->n < word.n || !str_ieq(str_skip(*text, text->n - word.n), word))
		return false;
	*text = str_trim(str_head(*text, text->n - word.n));
	return true;
}

/* A name with or without a domain, with or without brackets. */
static const char *
parse(struct session *s, struct str text, bool utf8, struct path *p)
{
	unsigned flags = PATH_BARE | PATH_POSTMASTER | (utf8 ? PATH_UTF8 : 0);
	struct str rest = STR("");
	const char *why;

	if (s->conf->addresses == ADDRESSES_LOOSE)
		flags |= PATH_LOOSE;
	if (!str_starts(text, STR("<")))
		return path_parse_addr(text, flags, &s->line_arena, p);
	why = path_parse(text, flags, &s->line_arena, p, &rest);
	return why == NULL && rest.n > 0 ?
	    "nothing may stand behind the address" : why;
}

static struct answer
shown(struct session *s, const struct target *t, const struct path *p)
{
	struct path known = { t->kind == TARGET_MAILBOX ? str_c(t->mailbox) :
							   t->path.local,
		t->path.domain };
	struct str text;

	if (known.domain.n == 0)
		known.domain = p->domain;
	if (known.domain.n == 0)
		known.domain = str_c(s->conf->domains.n > 0 ?
			s->conf->domains.v[0] : s->conf->hostname);
	text = path_str(&s->line_arena, &known);
	return (struct answer){ .code = 250, .enhanced = "2.1.5",
		.text = str_c(arena_printf(&s->line_arena, "<" STR_FMT ">",
		    STR_ARG(text))) };
}

/* What RCPT would say of P; *T: where it leads to. */
static struct rcpt_verdict
look_up(struct session *s, const struct path *p, struct target *t)
{
	struct client_facts f = session_facts(s);
	struct mail_facts m = rcpt_facts(s, (struct path){ STR(""), STR("") });

	*t = target_of(s->conf, s->env->users, &m, p);
	return rcpt_verdict(s->conf, s->env->users, &f, &m, p);
}

static struct answer
tell(struct session *s, struct str text, bool expand)
{
	struct path p = { STR(""), STR("") };
	struct rcpt_verdict v;
	struct target t;
	const char *why;
	bool utf8 = take_utf8(&text);

	if (str_has_8bit(text) && !utf8)
		return ANSWER(553, "5.6.7",
		    "An address in UTF-8 needs SMTPUTF8");
	why = parse(s, text, utf8, &p);
	if (why != NULL)
		return (struct answer){ .code = 501, .enhanced = "5.1.3",
			.text = str_c(why) };
	v = look_up(s, &p, &t);
	if (v.code == 250 && (t.kind == TARGET_MAILBOX || expand))
		return shown(s, &t, &p);
	if (v.code == 250)
		return ANSWER(252, "2.1.5",
		    "It is not of this host; mail for it would be taken");
	if (v.code / 100 == 4)
		return ANSWER(450, "4.3.0", "That cannot be told now");
	return (struct answer){ .code = 550, .enhanced = v.enhanced,
		.text = str_c(v.text) };
}

struct answer
smtpd_vrfy(struct session *s, const struct command *c)
{
	if (!c->has_arg)
		return ANSWER(501, "5.5.4", "VRFY takes a name");
	if (!session_listed(s, &s->conf->access.verify))
		return ANSWER(252, "2.0.0",
		    "Nobody is verified; send the mail and see");
	return tell(s, c->arg, false);
}

struct answer
smtpd_expn(struct session *s, const struct command *c)
{
	if (!session_listed(s, &s->conf->access.verify))
		return smtpd_unimplemented(s, c);
	if (!c->has_arg)
		return ANSWER(501, "5.5.4", "EXPN takes a name");
	return tell(s, c->arg, true);
}
