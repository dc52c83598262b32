/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CHECK_RESULT_H
#define CHECK_RESULT_H

/*
 * result -- what checks found of a message, for those who come after: the
 * field Authentication-Results (RFC 8601) and JSON in the envelope.
 */

#include "conf/checks.h"
#include "lib/buf.h"
#include "mail/header.h"

/* What one message has room for; more are left out. */
#define RESULTS_MAX 32
#define RESULT_PROPS_MAX 5
/* Of a value, octets: the rest is left out. */
#define RESULT_VALUE_MAX 300

struct result_prop {
	/* "smtp.mailfrom": RFC 8601 2.3, and 6.4; one without a dot is a comment there. */
	const char *name;
	struct str value;
};

struct check_result {
	const char *method;	/* "spf", "dkim", "dmarc", "arc", "iprev", "auth" */
	const char *value;	/* "pass": RFC 8601 2.7 */
	struct str reason;	/* for people, or empty */
	bool apart;		/* RFC 8601 has no such method: it is not in the field */
	struct result_prop props[RESULT_PROPS_MAX];
	size_t prop_n;
};

/* What it points to lives as long as whoever filled it says. */
struct results {
	struct check_result v[RESULTS_MAX];
	size_t n;
};

/* The next one, all empty; one that nobody looks at if there is no more room. */
struct check_result *results_add(struct results *r, const char *method, const char *value);
/* An empty VALUE is left out. */
void result_prop(struct check_result *r, const char *name, struct str value);

/* True if R has something for that field. */
bool results_have_field(const struct results *r) MUST_USE;
/*
 * Adds a field Authentication-Results of the server AUTHSERV, folded, with its
 * line end; without results it says "none".  Values may be foreign: what has no
 * place in a field becomes "?".
 */
void results_add_field(struct buf *b, const char *authserv, const struct results *r);
/*
 * Adds an array of JSON in one line and ASCII: [{"spf":"pass",
 * "smtp.mailfrom":"a@b.example"}, ...].  The properties header.d and header.s
 * of DKIM are "domain" and "selector".
 */
void results_add_json(struct buf *b, const struct results *r);

/*
 * True if F is a field Authentication-Results that AUTHSERV seems to have
 * written, or that nobody can say who has: whoever reads it would believe it
 * (RFC 8601 5).  The first name in it is compared without case, whatever else
 * but letters and digits stands around it; comments before it are skipped.
 */
bool result_is_claimed(const struct field *f, struct str authserv) MUST_USE;
/* The same of what the checks K say in a header, the line of "quarantine" too; without any: no. */
bool result_is_ours(const struct field *f, const struct conf_checks *k) MUST_USE;

/*
 * True if the ARC-Authentication-Results of the highest instance in HEADER says
 * that the message had passed DMARC (RFC 8617 4.1.1); who seals it is another
 * question.
 */
bool result_sealed_pass(struct str header) MUST_USE;

#endif
