/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SMTPD_SMTPD_ANSWER_H
#define SMTPD_SMTPD_ANSWER_H

/* smtpd_answer -- what a handler gives back; only the loop writes it. */

#include "check/refusal.h"
#include "lib/str.h"

/* What the loop does after an answer. */
enum then {
	THEN_NEXT,	/* the next command */
	THEN_CLOSE,	/* nothing more */
	THEN_TLS,	/* a handshake */
	THEN_LINE,	/* a line for smtpd_auth_line() */
	THEN_TEXT,	/* the text of a message, for smtpd_text() */
	THEN_GONE	/* there is nobody left to answer */
};

struct answer {
	int code;
	const char *enhanced;	/* NULL where RFC 2034 wants none */
	struct str text;	/* lines are separated by LF */
	enum then then;
};

/* A final answer; CODE decides if it is an error (RFC 5321 4.2.1). */
#define ANSWER(c, e, t) ((struct answer){ .code = (c), .enhanced = (e), .text = STR(t) })

/* What a check makes of mail, as an answer; code 0 where it is taken. */
static inline struct answer
answer_refusal(struct refusal r)
{
	return (struct answer){ .code = r.code, .enhanced = r.enhanced,
		.text = str_c(r.text != NULL ? r.text : "") };
}

#endif
