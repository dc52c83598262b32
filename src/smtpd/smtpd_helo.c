/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_helo -- HELO and EHLO.
 *
 * The name that a client gives is a remark for the log and the trace; it
 * decides nothing.  Its form is checked, so that it can stand in a header,
 * and no more: RFC 5321 4.1.4 forbids to refuse one that is not true.
 */

#include "smtpd_params.h"

#include "mail/limits.h"
#include "mail/path.h"

/* RFC 5321 4.1.2 sub-domain; and "_", which the names of many a desktop have. */
static bool
label_valid(struct str label)
{
	if (label.n == 0 || label.p[0] == '-' || label.p[label.n - 1] == '-')
		return false;
	for (size_t i = 0; i < label.n; i++) {
		char c = label.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
		    !(c >= '0' && c <= '9') && c != '-' && c != '_')
			return false;
	}
	return true;
}

/* RFC 5321 4.1.2 Domain or address-literal. */
bool
helo_valid(struct str name)
{
	struct str label;
	bool more = true;

	if (name.n == 0 || name.n > MAIL_DOMAIN_MAX)
		return false;
	if (name.p[0] == '[')
		return domain_is_literal(name);
	while (more) {
		more = str_cut(name, '.', &label, &name);
		if (!label_valid(label))
			return false;
	}
	return true;
}

/*
 * Both begin a new transaction (RFC 5321 4.1.4); the login stays.  NAME is
 * valid, so that it fits; a proxy's own name stands back behind its client's.
 */
static void
greeted(struct session *s, struct str name, bool esmtp)
{
	if (s->said_helo != NULL)
		name = str_c(s->said_helo);
	memcpy(s->helo_name, name.p, name.n);
	s->helo = str_n(s->helo_name, name.n);
	s->esmtp = esmtp;
	session_enter(s, S_GREETED);
	identity_greeted(s);
}

static struct answer
bad_name(void)
{
	return ANSWER(501, "5.5.4",
	    "A host name or an address literal is wanted");
}

struct answer
smtpd_helo(struct session *s, const struct command *c)
{
	struct answer a = { .code = 250 };

	if (!helo_valid(c->arg))
		return bad_name();
	greeted(s, c->arg, false);
	a.text = str_c(s->env->hostname);
	return a;
}

struct answer
smtpd_ehlo(struct session *s, const struct command *c)
{
	struct answer a = { .code = 250 };
	struct buf b;

	if (!helo_valid(c->arg))
		return bad_name();
	greeted(s, c->arg, true);
	buf_init(&b, 2048);
	buf_addf(&b, "%s\nPIPELINING\nSIZE %llu\n8BITMIME\n"
	    "ENHANCEDSTATUSCODES\nDSN\n%sSMTPUTF8\n"
	    "LIMITS RCPTMAX=%llu\n", s->env->hostname,
	    (unsigned long long)s->conf->limits.message_size,
	    s->env->to_drop ? "" : "CHUNKING\nBINARYMIME\n",
	    (unsigned long long)smtpd_rcpts_max(s));
	extend_offer(s, &b);
	if (starttls_offered(s))
		buf_adds(&b, "STARTTLS\n");
	if (auth_offered(s)) {
		buf_adds(&b, "AUTH");
		auth_mechanisms(s, &b);
		buf_addc(&b, '\n');
	}
	if (s->may_xclient)
		buf_adds(&b, "XCLIENT NAME ADDR PORT PROTO HELO LOGIN "
			     "DESTADDR DESTPORT\n");
	if (s->may_xforward)
		buf_adds(&b, "XFORWARD NAME ADDR PORT PROTO HELO IDENT "
			     "SOURCE\n");
	if (session_listed(s, &s->conf->access.etrn))
		buf_adds(&b, "ETRN\n");
	if (session_listed(s, &s->conf->access.verify))
		buf_adds(&b, "VRFY\nEXPN\n");
	buf_adds(&b, "HELP");
	a.text = arena_str(&s->line_arena, buf_str(&b));
	buf_free(&b);
	return a;
}
