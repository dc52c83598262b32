/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * ahead -- a large text is hashed for its signatures before it is sent.
 *
 * The loop would read and hash it when the first host is told of it, and hold
 * up all other mail for that long: a tenth of a second for 50 MB.  So the pool
 * does it, as soon as it is known that the text goes to other hosts, and only
 * then its deliveries get into their lines.  It is hashed as it is; a host that
 * needs another form, which is rare, has that one hashed by conn_text.c.
 */

#include "conn_text.h"
#include "dest.h"
#include "job.h"
#include "lib/mem.h"
#include "mail/dkim.h"
#include "runner.h"
#include "signing.h"

/* What is read and hashed within a millisecond or two is left to the loop. */
#define LARGE ((uint64_t)1 << 20)

struct ahead {
	struct job *j;
	struct delivery *first;
	struct dkim_text *text;
	bool read;
};

static void
work(void *arg)
{
	struct ahead *a = arg;

	a->read = conn_text_each(a->j, signing_read, a->text) == 0;
}

static void
done(void *arg)
{
	struct ahead *a = arg;
	struct job *j = a->j;
	struct runner *r = j->r;

	r->finishing--;
	/* What cannot be read now is told when it is to be sent. */
	if (a->read) {
		j->text->signatures[0] = signing_fields(j, a->text);
		j->text->is_signed[0] = true;
	}
	dkim_text_free(a->text);
	if (r->closing) {
		/* Nothing was done yet: it is the next one's. */
		index_wait(r->index, j->slot, runner_now(r));
		job_free(j);
	} else
		job_go(j, a->first);
	mem_free(a);
}

bool
job_leaves(const struct delivery *v)
{
	for (; v != NULL; v = v->next)
		if (v->dest->way->kind == DEST_MX ||
		    v->dest->way->kind == DEST_UPSTREAM)
			return true;
	return false;
}

bool
ahead_begin(struct job *j, struct delivery *first)
{
	struct ahead *a;

	if (j->file.size < LARGE || j->file.env.body == BODY_BINARYMIME ||
	    !signing_wanted(j) || !job_leaves(first))
		return false;
	conn_text_know(j);
	a = mem_alloc(sizeof(*a));
	a->j = j;
	a->first = first;
	a->text = dkim_text_new(false, signing_simple(j));
	j->r->finishing++;
	loop_pool_run(j->r->disk, work, done, a);
	return true;
}
