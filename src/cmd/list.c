/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * list -- looking at the queue: at the spool itself where we may read it,
 * and else by asking the barid that runs.
 *
 * Anybody may know what is in the queue, as with other mail servers; the
 * messages themselves, and the spool of a barid that is down, are for root
 * and barid's own user.
 */

#include "cmd.h"

#include <errno.h>
#include <sysexits.h>

#include "lib/mem.h"

/* What the runners are at, as far as they say: the ids, a line each. */
static char *
active_lines(const struct conf *c)
{
	struct msg_control *m = mem_alloc(sizeof(*m));
	struct msg_control_result r;
	size_t size = 0;

	m->op = CONTROL_ACTIVE;
	/* Of one that does not run nothing is active. */
	char *text = cmd_control_text(c, m, &size, &r);
	mem_free(m);
	return text;
}

void
cmd_tables(struct conf *c)
{
	struct buf error;

	buf_init(&error, 65536);
	conf_tables_free(c);
	(void)!conf_tables_load(c, &error);
	if (error.n > 0)
		fprintf(stderr, "%s", buf_cstr(&error));
	buf_free(&error);
}

static int
list_spool(const struct conf *c, struct queue *q, const struct listing_filter *f,
    enum listing_form form, FILE *out, uint64_t *count)
{
	struct listing_facts facts = { .conf = c };
	char *lines = active_lines(c);
	const char **active = NULL;
	int code = EX_OK;

	if (lines != NULL) {
		active = listing_active(lines, &facts.active_n);
		facts.active = active;
	}
	if (listing_write(q, f, &facts, form, out, count) < 0) {
		fprintf(stderr, "a part of the queue cannot be read: %s\n",
		    strerror(errno));
		code = EX_IOERR;
	}
	mem_free(active);
	mem_free(lines);
	return code;
}

static void
fill(struct msg_control *m, const struct listing_filter *f, enum listing_form form)
{
	*m = (struct msg_control){ .op = CONTROL_LIST,
		.form = form,
		.domain = f->domain,
		.sender = f->sender,
		.recipient = f->recipient,
		.reason = f->reason,
		.route = f->route,
		.states = f->states,
		.before_us = (uint64_t)f->before_us,
		.after_us = (uint64_t)f->after_us,
		.limit = f->limit,
		.sort = f->sort,
		.reverse = f->reverse,
		.by_sender = f->by_sender };
	while (m->id_n < f->id_n) {
		m->ids[m->id_n] = f->ids[m->id_n];
		m->id_n++;
	}
}

/* Asks for ids in portions of what a request can hold. */
static int
list_by_control(const struct conf *c, const struct listing_filter *f,
    enum listing_form form, FILE *out, uint64_t *count)
{
	struct msg_control *m;
	struct msg_control_result r = { .ok = false };
	bool down;
	int code;

	if (f->id_n > CONTROL_IDS_MAX) {
		fprintf(stderr, "more than %d queue ids\n", CONTROL_IDS_MAX);
		return EX_USAGE;
	}
	m = mem_alloc(sizeof(*m));
	fill(m, f, form);
	if (cmd_control_list(c, m, out, &r) < 0) {
		down = errno == ENOENT || errno == ECONNREFUSED;
		fprintf(stderr, "barid %s: %s\n",
		    down ? "is not running" : "does not answer",
		    strerror(errno));
		code = down ? EX_NOPERM : EX_UNAVAILABLE;
	} else {
		code = r.ok ? EX_OK : EX_UNAVAILABLE;
		*count = r.count;
		if (!r.ok)
			fprintf(stderr, "barid cannot list the queue\n");
	}
	mem_free(m);
	return code;
}

static void
complain(const struct buf *error)
{
	fprintf(stderr, "the queue cannot be read: %s\n", buf_cstr(error));
}

struct queue *
cmd_queue(const struct conf *c)
{
	struct buf error;
	struct queue *q;

	buf_init(&error, 1024);
	q = queue_open(c->spool, 0, (uid_t)-1, (gid_t)-1, &error);
	if (q == NULL)
		complain(&error);
	buf_free(&error);
	return q;
}

int
cmd_list(struct conf *c, const struct listing_filter *f,
    enum listing_form form, FILE *out, uint64_t *count)
{
	struct buf error;
	struct queue *q;
	int code;

	*count = 0;
	buf_init(&error, 1024);
	q = queue_open(c->spool, 0, (uid_t)-1, (gid_t)-1, &error);
	if (q != NULL) {
		/* The way of a recipient may stand in one. */
		if (f->route.n > 0)
			cmd_tables(c);
		code = list_spool(c, q, f, form, out, count);
		queue_close(q);
	} else if ((code = list_by_control(c, f, form, out, count)) ==
	    EX_NOPERM)
		complain(&error);
	buf_free(&error);
	return code;
}

int
cmd_show(const struct conf *c, const char *id, bool body, bool json, FILE *out)
{
	struct str one = str_c(id);
	const struct listing_filter f = { .ids = &one, .id_n = 1 };
	enum listing_form form = json ? LISTING_JSON :
	    body		      ? LISTING_TEXT :
					LISTING_SHOW;
	struct queue *q;
	uint64_t count = 0;
	int code;

	if (!queue_id_valid(one)) {
		fprintf(stderr, "%s is no queue id\n", id);
		return EX_USAGE;
	}
	if ((q = cmd_queue(c)) == NULL)
		return EX_NOPERM;
	if ((code = list_spool(c, q, &f, form, out, &count)) == EX_OK &&
	    count == 0) {
		fprintf(stderr, "%s: no such message in the queue\n", id);
		code = EX_DATAERR;
	}
	queue_close(q);
	return code;
}
