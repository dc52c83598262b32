/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_misc -- the verbs that move no mail.
 *
 * VRFY tells nobody who exists (CONFORMANCE S-38), and nothing here changes
 * more than RFC 5321 says: RSET ends a transaction, and neither greeting
 * nor login.
 */

#include "smtpd.h"

struct answer
smtpd_rset(struct session *s, const struct command *c)
{
	if (c->has_arg)
		return ANSWER(501, "5.5.4", "RSET takes no argument");
	if (s->state != S_START)
		session_enter(s, S_GREETED);
	return ANSWER(250, "2.0.0", "Ok");
}

struct answer
smtpd_noop(struct session *s, const struct command *c)
{
	(void)s;
	(void)c;
	return ANSWER(250, "2.0.0", "Ok");
}

struct answer
smtpd_vrfy(struct session *s, const struct command *c)
{
	(void)s;
	if (!c->has_arg)
		return ANSWER(501, "5.5.4", "VRFY takes a name");
	return ANSWER(252, "2.0.0",
	    "Nobody is verified; send the mail and see");
}

struct answer
smtpd_help(struct session *s, const struct command *c)
{
	(void)s;
	(void)c;
	return ANSWER(214, "2.0.0",
	    "barid speaks SMTP as RFC 5321 has it:\n"
	    "HELO EHLO MAIL RCPT DATA BDAT RSET NOOP VRFY STARTTLS AUTH HELP QUIT");
}

struct answer
smtpd_quit(struct session *s, const struct command *c)
{
	(void)s;
	if (c->has_arg)
		return ANSWER(501, "5.5.4", "QUIT takes no argument");
	return (struct answer){ .code = 221, .enhanced = "2.0.0",
		.text = STR("Bye"), .then = THEN_CLOSE };
}

struct answer
smtpd_unimplemented(struct session *s, const struct command *c)
{
	(void)s;
	(void)c;
	return ANSWER(502, "5.5.1", "The command is not implemented");
}
