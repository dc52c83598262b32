/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * listing -- the queue for people and for programs.
 *
 * The text form is Postfix's, which monitoring tools parse: the queue id
 * with '*' (being tried now: fresh) or '!' (held), size, arrival, sender,
 * then the reason in parentheses and the recipients, and a sum at the end.
 */

#include "report/listing.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "lib/log.h"
#include "report/json.h"

struct listing {
	const struct listing_filter *filter;
	struct queue *queue;
	enum queue_place place;
	FILE *out;
	uint64_t count, octets;
	void (*one)(struct listing *l, const struct queue_file *f, struct queue_attempt *last);
};

static const struct {
	enum queue_place place;
	const char *name;
} places[] = {
	{ QUEUE_DROP, "drop" }, { QUEUE_NEW, "new" }, { QUEUE_CUR, "deferred" },
	{ QUEUE_HOLD, "hold" }, { QUEUE_DEAD, "dead" },
};

static const char *
place_name(enum queue_place place)
{
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (places[i].place == place)
			return places[i].name;
	return "?";
}

/* Foreign text for a terminal: nothing in it can steer one. */
static void
print_safe(FILE *out, struct str s)
{
	char line[LOG_LINE_MAX];
	size_t n = log_escape(line, sizeof(line), s);

	fwrite(line, 1, n, out);
}

static void
print_path(FILE *out, const struct path *p)
{
	struct buf b;

	buf_init(&b, 2048);
	if (path_is_null(p))
		buf_adds(&b, "MAILER-DAEMON");
	else
		path_add(&b, p);
	print_safe(out, buf_str(&b));
	buf_free(&b);
}

/* What is still to be done; in dead/ and bad/ that is everything. */
static bool
rcpt_open(const struct queue_file *f, const struct envelope_rcpt *r)
{
	return r->state == RCPT_QUEUED || (f->place == QUEUE_DEAD && r->state != RCPT_DONE);
}

static bool
wanted(const struct listing_filter *f, const struct queue_file *q)
{
	bool domain = f->domain.n == 0, sender = f->sender.n == 0;

	for (size_t i = 0; i < q->env.rcpt_n && !domain; i++)
		domain = rcpt_open(q, &q->env.rcpts[i]) &&
		    str_ieq(q->env.rcpts[i].path.domain, f->domain);
	if (!sender) {
		struct buf b;
		buf_init(&b, 2048);
		path_add(&b, &q->env.from);
		sender = memmem(b.p ? b.p : "", b.n, f->sender.p, f->sender.n) != NULL;
		buf_free(&b);
	}
	return domain && sender;
}

static void
visit(struct listing *l, const char *id)
{
	struct queue_file f;
	struct queue_attempt *last = NULL;
	struct arena a;
	const char *reason;

	arena_init(&a, 64u << 20);
	/* One that was delivered since the directory was read is not missed. */
	if (queue_load(l->queue, l->place, id, false, &a, &f, &reason) == 0) {
		if (wanted(l->filter, &f) && queue_notes(&f, &a, &last) == 0) {
			l->count++;
			l->octets += f.size;
			l->one(l, &f, last);
		}
		queue_unload(&f);
	}
	arena_free(&a);
}

static bool
on_message(void *arg, const char *id, int64_t mtime UNUSED, uint64_t size UNUSED)
{
	struct listing *l = arg;

	if (id)
		visit(l, id);
	/* Nobody reads on: why go on? */
	return !ferror(l->out);
}

static void
walk_ids(struct listing *l)
{
	for (size_t i = 0; i < l->filter->id_n; i++) {
		char id[QUEUE_ID_SIZE] = "";
		if (!queue_id_valid(l->filter->ids[i]))
			continue;
		memcpy(id, l->filter->ids[i].p, l->filter->ids[i].n);
		visit(l, id);
	}
}

/* Goes on where it can: what is listed then is not all, and the result says so. */
static int
walk(struct listing *l)
{
	int error = 0;

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		l->place = places[i].place;
		if (l->filter->id_n > 0)
			walk_ids(l);
		else if (queue_scan(l->queue, l->place, on_message, l) < 0)
			error = errno;
	}
	errno = error;
	return error == 0 ? 0 : -1;
}

/* ---- mailq ------------------------------------------------------------------------ */

static void
mailq_rcpts(struct listing *l, const struct queue_file *f, const struct queue_attempt *last)
{
	struct str shown = { NULL, 0 };

	for (size_t i = 0; i < f->env.rcpt_n; i++) {
		if (!rcpt_open(f, &f->env.rcpts[i]))
			continue;
		/* A reason stands once above all recipients that share it. */
		if (last[i].time != 0 && !str_eq(last[i].reply, shown)) {
			shown = last[i].reply;
			fputs("(", l->out);
			print_safe(l->out, shown);
			fputs(")\n", l->out);
		}
		fprintf(l->out, "%*s", 41, "");
		print_path(l->out, &f->env.rcpts[i].path);
		fputc('\n', l->out);
	}
	fputc('\n', l->out);
}

static void
mailq_one(struct listing *l, const struct queue_file *f, struct queue_attempt *last)
{
	char date[32];
	struct tm tm;
	time_t t = (time_t)(f->env.arrival_us / 1000000);
	char mark = f->place == QUEUE_HOLD ? '!' : f->place == QUEUE_NEW ? '*' : ' ';

	if (l->count == 1)
		fprintf(l->out, "%-20s --Size-- ----Arrival Time---- -Sender/Recipient-------\n",
		    "-Queue ID-");
	localtime_r(&t, &tm);
	strftime(date, sizeof(date), "%a %b %e %H:%M:%S", &tm);
	fprintf(l->out, "%s%c %8llu %s  ", f->env.id, mark, (unsigned long long)f->size, date);
	print_path(l->out, &f->env.from);
	fputc('\n', l->out);
	mailq_rcpts(l, f, last);
}

static void
mailq_end(const struct listing *l)
{
	if (l->count == 0)
		fputs("Mail queue is empty\n", l->out);
	else
		fprintf(l->out, "-- %llu Kbytes in %llu Request%s.\n",
		    (unsigned long long)(l->octets + 1023) / 1024, (unsigned long long)l->count,
		    l->count == 1 ? "" : "s");
}

/* ---- ids ------------------------------------------------------------------------------ */

static void
id_one(struct listing *l, const struct queue_file *f, struct queue_attempt *last UNUSED)
{
	fprintf(l->out, "%s\n", f->env.id);
}

/* ---- JSON --------------------------------------------------------------------------- */

static void
json_one(struct listing *l, const struct queue_file *f, struct queue_attempt *last)
{
	json_message(f, place_name(f->place), last, l->out);
}

/* ---- one message ----------------------------------------------------------------------- */

static void
show_envelope(struct listing *l, const struct queue_file *f)
{
	char line[LOG_LINE_MAX];
	char block[16384];
	off_t at = 0;
	ssize_t n;

	/* The envelope is lines of text, made safe one by one; the message is as it is. */
	while (at < f->text_at && (n = pread(f->fd, block, sizeof(block), at)) > 0) {
		struct str rest = str_n(block, (size_t)n), one;
		rest = str_head(rest, (size_t)(f->text_at - at));
		size_t had = rest.n;
		while (str_cut(rest, '\n', &one, &rest)) {
			fwrite(line, 1, log_escape(line, sizeof(line), one), l->out);
			fputc('\n', l->out);
		}
		at += (off_t)had;
	}
}

/* What became of the last attempt for each recipient. */
static void
show_attempts(struct listing *l, const struct queue_file *f, const struct queue_attempt *last)
{
	char date[64];
	struct tm tm;

	for (size_t i = 0; i < f->env.rcpt_n; i++) {
		time_t t = (time_t)last[i].time;
		if (t == 0)
			continue;
		localtime_r(&t, &tm);
		strftime(date, sizeof(date), "%a %b %e %H:%M:%S", &tm);
		fprintf(l->out, "last attempt: %s for <", date);
		print_path(l->out, &f->env.rcpts[i].path);
		fprintf(l->out, "> at ");
		print_safe(l->out, last[i].relay.n > 0 ? last[i].relay : STR("none"));
		fprintf(l->out, ": %s ", last[i].status);
		print_safe(l->out, last[i].reply);
		fputc('\n', l->out);
	}
}

static void
show_text(struct listing *l, const struct queue_file *f)
{
	char block[65536];
	uint64_t left = f->size;
	off_t at = f->text_at;
	ssize_t n;

	while (left > 0 && (n = pread(f->fd, block,
	    left < sizeof(block) ? (size_t)left : sizeof(block), at)) > 0) {
		fwrite(block, 1, (size_t)n, l->out);
		at += n;
		left -= (uint64_t)n;
	}
}

static void
show_one(struct listing *l, const struct queue_file *f, struct queue_attempt *last)
{
	show_envelope(l, f);
	show_attempts(l, f, last);
}

static void
show_with_text(struct listing *l, const struct queue_file *f, struct queue_attempt *last)
{
	show_envelope(l, f);
	show_attempts(l, f, last);
	show_text(l, f);
}

/* ---- all of it ----------------------------------------------------------------------------- */

int
listing_write(struct queue *q, const struct listing_filter *f, enum listing_form form, FILE *out,
    uint64_t *count)
{
	struct listing l = { .filter = f, .queue = q, .out = out };
	int result;

	switch (form) {
	case LISTING_MAILQ: l.one = mailq_one; break;
	case LISTING_JSON: l.one = json_one; break;
	case LISTING_IDS: l.one = id_one; break;
	case LISTING_SHOW: l.one = show_one; break;
	case LISTING_TEXT: l.one = show_with_text; break;
	}
	result = walk(&l);
	if (result == 0 && form == LISTING_MAILQ)
		mailq_end(&l);
	*count = l.count;
	return result;
}
