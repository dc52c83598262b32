/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RUNNER_CONN_TEXT_H
#define RUNNER_CONN_TEXT_H

/* conn_text -- the text of a message in the form that a host can take. */

#include "client/client.h"
#include "mail/downgrade.h"
#include "mail/facts.h"

struct conn;
struct job;

/* What is known of a message's text, for all hosts; in the job's arena. */
struct job_text {
	/* With rewrite at = "send": what stands in the place of its first octets. */
	struct str head;
	uint64_t head_of;	/* of so many of them */
	bool headed;		/* that was looked at */
	bool known;		/* FACTS are of all of it */
	bool long_line;		/* one was found on the way: it has to be looked at */
	unsigned facts;		/* FACT_* */
	bool planned;
	struct downgrade_plan plan;
	uint64_t sizes[DOWNGRADE_TARGETS];	/* of the forms, once they are known */
	/* Of it as it is, and of each form; once it is signed. */
	struct str signatures[1 + DOWNGRADE_TARGETS];
	bool is_signed[1 + DOWNGRADE_TARGETS];
};

/* What a connection keeps of the text that it sends. */
struct conn_text {
	const struct job *job;	/* whose text SMALL is; NULL: nobody's */
	struct buf small;	/* a whole text that one read gets */
	struct facts facts;	/* of what was read so far */
	uint64_t facts_at;
	bool stopped;		/* a long line was found: again, another way */
	struct str signatures;	/* what goes before it */
	bool unread;		/* it could not be read to be signed */

	struct downgrade *form;	/* being written; NULL: it goes as it is */
	enum downgrade_to to;
	struct buf out;		/* of FORM, from octet OUT_AT on */
	uint64_t out_at, from_at;
};

void conn_text_init(struct conn_text *t);
void conn_text_free(struct conn_text *t);
/* Fills in what M says of the text, for the host of C. */
void conn_text_fit(struct conn *c, struct client_message *m);
/* J has a text that can be read: before conn_text_each(). */
void conn_text_know(struct job *j);
/* Calls FN with the start of that, in which its header is; -1 with errno. */
int conn_text_header(const struct job *j,
    void (*fn)(void *arg, struct str piece), void *arg) MUST_USE;
/* Calls FN with all of J's text, in pieces, in whatever thread; -1 with errno. */
int conn_text_each(const struct job *j,
    void (*fn)(void *arg, struct str piece), void *arg) MUST_USE;
/* For client_message.read: ARG is the connection. */
ssize_t conn_text_read(void *arg, uint64_t at, char *p, size_t n);
/* The message under way is over. */
void conn_text_end(struct conn_text *t);

#endif
