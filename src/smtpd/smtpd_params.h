/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SMTPD_SMTPD_PARAMS_H
#define SMTPD_SMTPD_PARAMS_H

/* smtpd_params -- what MAIL and RCPT have in common: an address, parameters. */

#include "smtpd.h"

/* A parameter that is taken; OF is what it is of. */
struct param_rule {
	const char *name;
	bool bare;		/* has no value, as SMTPUTF8 */
	struct answer (*take)(struct session *s, void *of, struct str value);
};
#define PARAM_RULES_MAX 32

/* The form of a command. */
struct path_form {
	const char *word;	/* "FROM:" */
	const char *usage;	/* what is said to who does not know it */
	const char *enhanced;	/* of an address that is none */
	unsigned flags;		/* of path_parse() */
	const struct param_rule *rules;
	size_t rule_n;
};

/*
 * Takes the address into *TO, in A, and then every parameter.  Code 0, or the
 * reason why not; *TO is set if it is not about the address.
 */
struct answer params_path(struct session *s, const struct command *c, const struct path_form *form,
    struct arena *a, struct path *to, struct str *rest);
struct answer params_take(struct session *s, struct str rest, const struct path_form *form,
    void *of);
/*
 * RFC 6531 3.2 and 3.5: 553 for an address that needs SMTPUTF8 where that was
 * not said.  Else its domain gets the form that DNS knows, in A, so that one
 * domain has one name from here on (RFC 5890 2.3.2.1).
 */
struct answer params_utf8(struct session *s, bool smtputf8, const struct path_form *form,
    struct arena *a, struct path *p);

/* xtext whose meaning is printable ASCII (RFC 3461 4.2, RFC 4954 5). */
bool xtext_printable(struct str s);

/* ---- smtpd_extend.c: what few clients ask for ------------------------------- */

/* True if the client may say when, and how urgently, its mail is delivered. */
bool extend_may(const struct session *s);
/* Adds the lines of EHLO. */
void extend_offer(const struct session *s, struct buf *b);
/* RFC 4865, RFC 2852, RFC 6710, RFC 8689. */
struct answer extend_holdfor(struct session *s, void *of, struct str value);
struct answer extend_holduntil(struct session *s, void *of, struct str value);
struct answer extend_by(struct session *s, void *of, struct str value);
struct answer extend_priority(struct session *s, void *of, struct str value);
struct answer extend_requiretls(struct session *s, void *of, struct str value);
/* What the parameters say together.  Code 0, or a refusal. */
struct answer extend_check(struct session *s);

#endif
