/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_misc -- the verbs that move no mail.
 *
 * Nothing here changes more than RFC 5321 says: RSET ends a transaction, and
 * neither greeting nor login.
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

static const struct {
	const char *verb, *text;
} topics[] = {
	{ "EHLO", "EHLO name: begins a session, and shows what there is" },
	{ "HELO", "HELO name: the same without extensions" },
	{ "MAIL", "MAIL FROM:<address> [SIZE=octets] [BODY=7BIT|8BITMIME|"
		  "BINARYMIME] [RET=FULL|HDRS] [ENVID=id] [AUTH=address]" },
	{ "RCPT", "RCPT TO:<address> [NOTIFY=NEVER|SUCCESS,FAILURE,DELAY] "
		  "[ORCPT=type;address]: once for each recipient" },
	{ "DATA", "DATA: the message follows, up to a line with a single dot" },
	{ "BDAT", "BDAT octets [LAST]: a part of the message follows" },
	{ "RSET", "RSET: forgets the message that was begun" },
	{ "STARTTLS", "STARTTLS: a TLS handshake follows, and then EHLO" },
	{ "AUTH", "AUTH mechanism [initial response]: logs in" },
	{ "NOOP", "NOOP: does nothing" },
	{ "VRFY", "VRFY name: whether there is such a recipient, where it is told" },
	{ "EXPN", "EXPN name: where it leads to, where it is told" },
	{ "ETRN", "ETRN domain: what waits for it is tried now" },
	{ "HELP", "HELP [command]: this" },
	{ "QUIT", "QUIT: the end" },
};

/* RFC 5321 4.1.1.8: of all, or of what was asked for. */
struct answer
smtpd_help(struct session *s, const struct command *c)
{
	struct answer a = { .code = 214, .enhanced = "2.0.0" };
	struct buf b;

	for (size_t i = 0; i < ARRAY_LEN(topics); i++)
		if (str_ieq(c->arg, str_c(topics[i].verb))) {
			a.text = str_c(topics[i].text);
			return a;
		}
	if (c->arg.n > 0)
		return ANSWER(504, "5.5.4", "There is no help on that");
	buf_init(&b, 1024);
	buf_adds(&b, "barid speaks SMTP as RFC 5321 has it:\n");
	for (size_t i = 0; i < ARRAY_LEN(topics); i++)
		buf_addf(&b, "%s%s", i > 0 ? " " : "", topics[i].verb);
	buf_addf(&b, "\nHELP with one of them says more; people write to %s",
	    s->conf->postmaster);
	a.text = arena_str(&s->line_arena, buf_str(&b));
	buf_free(&b);
	return a;
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
