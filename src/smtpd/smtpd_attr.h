/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SMTPD_SMTPD_ATTR_H
#define SMTPD_SMTPD_ATTR_H

/* attr -- what XCLIENT and XFORWARD say of a client (Postfix's protocols). */

#include "smtpd.h"

enum attr {
	ATTR_NAME, ATTR_ADDR, ATTR_PORT, ATTR_PROTO, ATTR_HELO, ATTR_LOGIN,
	ATTR_DESTADDR, ATTR_DESTPORT, ATTR_IDENT, ATTR_SOURCE, ATTR_N
};
#define ATTR_BIT(a) (1u << (a))
#define ATTR_MAX 255

struct attrs {
	unsigned given;		/* by ATTR_BIT() */
	unsigned known;		/* of them, those that have a value */
	char value[ATTR_N][ATTR_MAX + 1];
};

/*
 * Adds what REST says to A; only those of ALLOWED.  Code 0: every attribute
 * was one, and its value of its kind.  Else the refusal, and A is no good.
 */
struct answer attrs_parse(struct attrs *a, unsigned allowed, struct str rest) MUST_USE;
/* The value, or NULL if it was not given, or is not known. */
const char *attr_get(const struct attrs *a, enum attr which);
/* The address that ATTR_ADDR or ATTR_DESTADDR means; with len 0 if it is not known. */
struct addr attr_addr(const struct attrs *a, enum attr which, enum attr port);

#endif
