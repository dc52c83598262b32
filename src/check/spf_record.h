/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CHECK_SPF_RECORD_H
#define CHECK_SPF_RECORD_H

/* spf_record -- what a record says (RFC 7208 4.6, 5, 6, 12). */

#include "check/spf.h"

enum spf_mechanism { SPF_M_ALL, SPF_M_INCLUDE, SPF_M_A, SPF_M_MX, SPF_M_PTR, SPF_M_IP4,
	SPF_M_IP6, SPF_M_EXISTS };

struct spf_directive {
	enum spf_mechanism mechanism;
	enum spf_code code;	/* of its qualifier */
	struct str text;	/* as it stands there, without the qualifier */
	struct str spec;	/* domain-spec; empty: the domain itself */
	unsigned char net[16];	/* of ip4 and ip6 */
	unsigned bits4, bits6;
};

struct spf_record {
	struct spf_directive *v;
	size_t n;
	struct str redirect, exp;	/* domain-specs; empty: there is none */
};

/* True if TEXT is one of version 1 (4.5), well formed or not. */
bool spf_record_is(struct str text);
/*
 * Reads one that spf_record_is(), into A; what it views is TEXT's.  NULL, or
 * what is wrong in it, in printable ASCII and in A.
 */
const char *spf_record_parse(struct str text, struct arena *a, struct spf_record *r);

#endif
