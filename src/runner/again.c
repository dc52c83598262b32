/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * again -- the address that a message leaves from when it is tried again.
 *
 * Of several addresses each connection takes the next.  A host that puts off
 * whom it does not know, by address, sender and recipient (greylisting, RFC
 * 6647), would never come to know a message that comes from another address
 * each time.  So that one comes from where it came before; another message,
 * and one that was put off for another reason, from wherever it is the turn.
 */

#include "job.h"
#include "policy/source.h"
#include "runner.h"

/* Servers say it in words; the code of RFC 6647 2.4 may mean other things, too. */
static bool
is_greylisted(const struct queue_attempt *a)
{
	struct str s = a->reply;

	while (s.n > 0 && !str_istarts(s, STR("greylist")) &&
	    !str_istarts(s, STR("graylist")))
		s = str_skip(s, 1);
	return s.n > 0 || strcmp(a->status, "4.7.1") == 0;
}

struct str
again_source(struct job *j, size_t rcpt, struct str source,
    struct queue_attempt **last)
{
	const struct queue_attempt *a;
	struct source_set set;

	if (j->file.place == QUEUE_NEW ||
	    !source_set(j->r->conf, source, &set) || set.n < 2)
		return source;
	/* Without the notes it leaves from anywhere, as it did at first. */
	if (*last == NULL && queue_notes(&j->file, &j->arena, last) < 0) {
		*last = NULL;
		return source;
	}
	a = &(*last)[rcpt];
	return a->source.n > 0 && is_greylisted(a) &&
		source_has(&set, a->source) ? a->source : source;
}
