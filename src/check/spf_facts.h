/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CHECK_SPF_FACTS_H
#define CHECK_SPF_FACTS_H

/* spf_facts -- what DNS has said by now, and what it is to be asked. */

#include "check/spf.h"
#include "spf_record.h"

struct spf_answer {
	struct spf_question q;
	bool there;
	enum dns_status status;
	const struct str *text;	/* of TXT, MX and PTR */
	const unsigned char *octets;	/* of A and AAAA: 4 or 16 of each address */
	size_t n;		/* of either */
	/* Of TXT only those that are records are kept, or the one that there is. */
	size_t total;
	const struct spf_record *record;	/* of the first, once it was read, */
	const char *wrong;	/* or why there is none */
	struct spf_answer *next;
};

/* The answer about NAME; one that is not there is asked for from now on. */
struct spf_answer *spf_facts_get(struct spf_facts *f, enum spf_type type, struct str name);
/* Of all that F has. */
struct arena *spf_facts_arena(struct spf_facts *f);

#endif
