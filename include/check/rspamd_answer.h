/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CHECK_RSPAMD_ANSWER_H
#define CHECK_RSPAMD_ANSWER_H

/* rspamd_answer -- what Rspamd says of a message: the answer to /checkv2. */

#include "lib/arena.h"

struct rspamd_answer {
	double score, required;
	struct str action;
	struct str words;	/* for the client, or empty */
	struct str symbols[64];	/* rules that match; more are left out */
	size_t symbol_n;
	struct str subject;	/* what it should be, or empty */
	/* What it wants of the header ("milter"): more is left out. */
	struct rspamd_wish {
		bool remove;
		struct str name, value;
		bool ordered;	/* of what is added: a place is said */
		int64_t which;	/* that, or which of them is to go */
	} wishes[64];
	size_t wish_n;
};
/* Foreign TEXT; what R points to is in A.  False: it is no such answer. */
bool rspamd_answer_read(struct str text, struct arena *a, struct rspamd_answer *r) MUST_USE;

#endif
