/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CHECK_SPF_MACRO_H
#define CHECK_SPF_MACRO_H

/* spf_macro -- macro-strings (RFC 7208 7). */

#include "check/spf.h"

/* A piece of one. */
struct spf_macro {
	char letter;		/* in lower case; '\0': it is TEXT */
	struct str text;
	bool escaped;		/* as in a URL */
	bool reversed;
	size_t keep;		/* so many parts from the right; 0: all */
	struct str delimiters;
};

/* Takes the next piece of *S.  1; 0: there is none; -1: it is no macro-string. */
int spf_macro_next(struct str *s, struct spf_macro *m) MUST_USE;
/* False if S is none, or has letters that only an explanation may have. */
bool spf_macros_valid(struct str s, bool explanation);
/* True if S has LETTER. */
bool spf_macros_use(struct str s, char letter);

/* What macros stand for. */
struct spf_scope {
	const struct spf_client *client;
	const struct addr *address;	/* its own, IPv4 if it is such a one in IPv6 clothes */
	struct str domain;
	struct str validated;	/* the name of the client: only for %{p} */
};

/* Adds S, which is valid, with all macros carried out. */
void spf_macros_add(struct buf *b, struct str s, const struct spf_scope *scope);

#endif
