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

static int
list_spool(struct queue *q, const struct listing_filter *f, enum listing_form form, FILE *out,
    uint64_t *count)
{
	if (listing_write(q, f, form, out, count) == 0)
		return EX_OK;
	fprintf(stderr, "a part of the queue cannot be read: %s\n", strerror(errno));
	return EX_IOERR;
}

/* Asks for ids in portions of what a request can hold. */
static int
list_by_control(const struct conf *c, const struct listing_filter *f, enum listing_form form,
    FILE *out)
{
	struct msg_control *m = mem_alloc(sizeof(*m));
	struct msg_control_result r = { .ok = false };
	size_t at = 0;
	int code;

	*m = (struct msg_control){ .op = CONTROL_LIST, .form = form, .domain = f->domain,
		.sender = f->sender };
	if (f->id_n > CONTROL_IDS_MAX) {
		fprintf(stderr, "more than %d queue ids\n", CONTROL_IDS_MAX);
		mem_free(m);
		return EX_USAGE;
	}
	while (at < f->id_n)
		m->ids[m->id_n++] = f->ids[at++];
	if (cmd_control_list(c, m, out, &r) < 0) {
		bool down = errno == ENOENT || errno == ECONNREFUSED;
		fprintf(stderr, "barid %s: %s\n", down ? "is not running" : "does not answer",
		    strerror(errno));
		code = down ? EX_NOPERM : EX_UNAVAILABLE;
	} else {
		code = r.ok ? EX_OK : EX_UNAVAILABLE;
		if (!r.ok)
			fprintf(stderr, "barid cannot list the queue\n");
	}
	mem_free(m);
	return code;
}

int
cmd_list(const struct conf *c, const struct listing_filter *f, enum listing_form form, FILE *out)
{
	struct buf error;
	uint64_t count;
	int code;

	buf_init(&error, 1024);
	struct queue *q = queue_open(c->spool, 0, (uid_t)-1, (gid_t)-1, &error);
	if (q) {
		code = list_spool(q, f, form, out, &count);
		queue_close(q);
	} else if ((code = list_by_control(c, f, form, out)) == EX_NOPERM) {
		fprintf(stderr, "the queue cannot be read: %s\n", buf_cstr(&error));
	}
	buf_free(&error);
	return code;
}

int
cmd_show(const struct conf *c, const char *id, bool body, bool json, FILE *out)
{
	struct str one = str_c(id);
	const struct listing_filter f = { .ids = &one, .id_n = 1 };
	enum listing_form form = json ? LISTING_JSON : body ? LISTING_TEXT : LISTING_SHOW;
	struct buf error;
	uint64_t count = 0;
	int code;

	if (!queue_id_valid(one)) {
		fprintf(stderr, "%s is no queue id\n", id);
		return EX_USAGE;
	}
	buf_init(&error, 1024);
	struct queue *q = queue_open(c->spool, 0, (uid_t)-1, (gid_t)-1, &error);
	if (!q) {
		fprintf(stderr, "the queue cannot be read: %s\n", buf_cstr(&error));
		code = EX_NOPERM;
	} else if ((code = list_spool(q, &f, form, out, &count)) == EX_OK && count == 0) {
		fprintf(stderr, "%s: no such message in the queue\n", id);
		code = EX_DATAERR;
	}
	queue_close(q);
	buf_free(&error);
	return code;
}
