/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * verdict -- how a question ends: what the log has of it, and what is answered.
 *
 * The log has what each backend said, so that an administrator sees which of
 * them is wrong; a client hears none of it.  What was said in the question is
 * overwritten with the answer.
 */

#include "broker.h"

#include <unistd.h>

#include "answer.h"
#include "lib/clock.h"
#include "lib/log.h"

static void
request_free(struct broker *b, struct request *r)
{
	close(r->reply);
	buf_wipe(&r->packet);
	buf_free(&r->packet);
	arena_wipe(&r->arena);
	r->number = 0;
	b->request_n--;
}

static const char *
step_word(const struct request *r, size_t i)
{
	switch (r->steps[i]) {
	case STEP_YES: return "yes";
	case STEP_NO: return "no";
	case STEP_CANNOT: return r->why[i];
	case STEP_NONE: return "not asked";
	case STEP_QUEUED:
	case STEP_ASKED: break;
	}
	return "no answer yet";
}

/* What each backend said, in their order. */
static void
add_words(const struct broker *b, const struct request *r, struct buf *words,
    const char *is, const char *between)
{
	for (size_t i = 0; i < b->a->backend_n; i++)
		if ((r->test && i < r->end) || (r->steps[i] != STEP_NONE &&
			(r->steps[i] != STEP_QUEUED)))
			buf_addf(words, "%s%s%s%s", words->n ? between : "",
			    b->a->backends[i].c.show, is, step_word(r, i));
	if (r->steps[PLACE_SECRETS] != STEP_NONE)
		buf_addf(words, "%s%s%s%s", words->n ? between : "",
		    "passwords as they are", is, step_word(r, PLACE_SECRETS));
}

void
verdict_log(const struct broker *b, const struct request *r, enum auth_verdict v, bool cached)
{
	static const char *const words[] = { "yes", "no", "nobody can say", "more" };
	struct buf said;

	buf_init(&said, 3000);
	if (cached)
		buf_addf(&said, "%s: yes, a moment ago", b->a->backends[r->place].c.show);
	else if (r->proof == AUTH_BY_CERTIFICATE)
		buf_adds(&said, "auth.certificates");
	else
		add_words(b, r, &said, ": ", "; ");
	log_as("auth", v == AUTH_TEMPORARY ? LOG_LEVEL_WARNING :
	    v == AUTH_MORE ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, NULL,
	    "service=" STR_FMT ", method=" STR_FMT ", ip=" STR_FMT ", user=" STR_FMT
	    "%s%s: %s in %lld ms (%s)",
	    STR_ARG(r->m->service), STR_ARG(r->m->mechanism), STR_ARG(r->m->client),
	    STR_ARG(str_head(str_c(r->user), 128)), r->app[0] ? ", app=" : "", r->app, words[v],
	    (long long)(clock_ms() - r->begun_ms), buf_cstr(&said));
	buf_free(&said);
}

void
verdict_send(struct broker *b, struct request *r, enum auth_verdict v, int box)
{
	struct msg_auth_result result = { .verdict = v, .user = str_c(r->user),
		.app = str_c(r->app), .said = r->said };
	struct buf why;

	buf_init(&why, FRAME_MAX / 2);
	if (r->test)
		add_words(b, r, &why, "\t", "\n");
	result.why = buf_str(&why);
	auth_answer(r->reply, &result, box);
	buf_free(&why);
	request_free(b, r);
}
