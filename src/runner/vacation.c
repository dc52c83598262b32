/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * vacation -- what a mailbox answers by itself (RFC 3834).
 *
 * It is written down first that the sender was answered, and the answer made
 * then: a crash between the two costs an answer, which nobody misses, and none
 * is sent twice.  The answer has a null sender and wants no report.
 */

#include "vacation.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "list.h"
#include "mail/answer.h"
#include "mail/limits.h"
#include "mailbox/answered.h"
#include "policy/vacation.h"
#include "runner.h"

#define MESSAGE_MAX (4 * ANSWER_TEXT_MAX)

void
vacation_open(struct runner *r, uid_t owner)
{
	r->answered = -1;
	if (r->conf->vacation_n == 0)
		return;
	r->answered = answered_dir(r->conf->spool, owner);
	if (r->answered < 0)
		log_error(NULL, "%s/%s: %s: no mailbox answers by itself",
		    r->conf->spool, ANSWERED_DIR, strerror(errno));
}

/* ---- the text of the mailbox -------------------------------------------- */

/* The path with the mailbox, whose name is plain, in the place of "*". */
static void
path_make(struct buf *b, const char *path, const char *mailbox)
{
	for (; *path != '\0'; path++)
		if (*path == '*')
			buf_adds(b, mailbox);
		else
			buf_addc(b, *path);
}

/* False: there is none, and nothing is answered. */
static bool
read_text(const struct conf_vacation *v, const struct delivery *d, struct buf *text)
{
	struct stat st = { .st_mode = 0 };
	struct buf path;
	char *room;
	ssize_t n = -1;
	int fd;

	buf_init(&path, 8192);
	path_make(&path, v->message, d->mailbox);
	fd = open(buf_cstr(&path), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd >= 0 && fstat(fd, &st) == 0 && !S_ISREG(st.st_mode))
		errno = EINVAL;
	else if (fd >= 0 && (room = buf_room(text, ANSWER_TEXT_MAX)) != NULL)
		n = read(fd, room, ANSWER_TEXT_MAX);
	if (n > 0)
		buf_grew(text, (size_t)n);
	else if (n < 0 && errno != ENOENT)
		log_warn(d->job->id, "%s: %s: no answer for the sender",
		    buf_cstr(&path), strerror(errno));
	if (fd >= 0)
		close(fd);
	buf_free(&path);
	return n > 0;
}

/* ---- the answer --------------------------------------------------------- */

static bool
write_answer(const struct runner *r, const struct vacation_mail *m,
    const struct envelope *o, struct str text, char id[QUEUE_ID_SIZE])
{
	struct envelope_rcpt rcpt = { .state = RCPT_QUEUED, .path = m->from,
		.notify = NOTIFY_NEVER };
	struct envelope e = { .arrival_us = clock_wall_us(),
		.client = STR("barid"),
		.proto = STR("ANSWER"),
		.ours = true,
		.smtputf8 = o->smtputf8,
		.rcpts = &rcpt,
		.rcpt_n = 1 };
	struct answer_form f = { .from = m->to, .to = m->from,
		.original = m->text, .text = text, .now = clock_wall() };
	struct buf b, message_id;
	bool done;

	queue_id_new(id);
	memcpy(e.id, id, sizeof(e.id));
	buf_init(&b, MESSAGE_MAX);
	buf_init(&message_id, 512);
	buf_addf(&message_id, "%s@%s", id, r->conf->hostname);
	f.message_id = buf_str(&message_id);
	answer_add(&b, &f);
	e.body = str_has_8bit(buf_str(&b)) ? BODY_8BITMIME : BODY_7BIT;
	done = buf_ok(&b) && queue_put(r->queue, &e, false, buf_str(&b)) == 0;
	if (!done)
		log_warn(id, "no answer can be written: %s", strerror(errno));
	buf_free(&message_id);
	buf_free(&b);
	return done;
}

static bool
is_due(const struct delivery *d, const struct conf_vacation *v,
    const struct vacation_mail *m, struct arena *a)
{
	const struct runner *r = d->job->r;
	const char *why = vacation_why_not(r->conf, v, m);
	bool due;

	if (why != NULL) {
		log_debug(d->job->id, "mailbox %s does not answer: %s", d->mailbox,
		    why);
		return false;
	}
	due = answered_take(r->answered, d->mailbox, path_str(a, &m->from),
	    clock_wall(), v->interval / 1000);
	if (!due && errno != 0)
		log_warn(d->job->id, "%s/%s/%s: %s: no answer for the sender",
		    r->conf->spool, ANSWERED_DIR, d->mailbox, strerror(errno));
	return due;
}

bool
vacation_answer(const struct delivery *d, char id[QUEUE_ID_SIZE])
{
	const struct job *j = d->job;
	const struct conf_vacation *v = vacation_of(j->r->conf, str_c(d->mailbox));
	struct vacation_mail m = { .from = j->file.env.from,
		.to = j->rcpts[d->rcpts[0]].path, .mailbox = str_c(d->mailbox) };
	struct buf header, text;
	struct arena a;
	bool done = false;

	if (v == NULL || j->r->answered < 0)
		return false;
	if (m.to.domain.n == 0 && j->r->conf->domains.n > 0)
		m.to.domain = str_c(j->r->conf->domains.v[0]);
	arena_init(&a, 65536);
	buf_init(&header, MAIL_HEADER_MAX);
	buf_init(&text, ANSWER_TEXT_MAX);
	if (read_text(v, d, &text) && queue_read(&j->file, MAIL_HEADER_MAX, &header) == 0) {
		m.text = buf_str(&header);
		done = is_due(d, v, &m, &a) &&
		    write_answer(j->r, &m, &j->file.env, buf_str(&text), id);
	}
	buf_free(&text);
	buf_free(&header);
	arena_free(&a);
	return done;
}
