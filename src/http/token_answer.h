/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef HTTP_TOKEN_ANSWER_H
#define HTTP_TOKEN_ANSWER_H

/* token_answer -- what the server of a token answers (RFC 6749 5.1, 5.2). */

#include "lib/arena.h"

/* What is empty was not there. */
struct token_answer {
	struct str token;
	int64_t seconds;	/* that it is good for; 0: unsaid */
	struct str refresh;	/* another one to be used from now on */
	struct str error, words;
};
/* Foreign TEXT; what T points to is in A.  False: it is no JSON object. */
bool token_answer_read(struct str text, struct arena *a, struct token_answer *t) MUST_USE;

#endif
