/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * listing_text -- the queue, and one message of it, for people.
 *
 * The list's form is Postfix's, which monitoring tools parse: the queue id
 * with '*' (being tried, or fresh) or '!' (held), size, arrival, sender, then
 * the reason in parentheses and the recipients, and a sum at the end.  The
 * long form has a line more, with the next attempt.  Nothing foreign in it
 * can steer a terminal.
 */

#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "listing_forms.h"

/* Octets that are made safe at once: each may become four. */
#define PIECE (LOG_LINE_MAX / 4)
#define INDENT 41
/* A header that has no end is not shown to its end. */
#define HEADER_MAX (64 << 10)

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

static void
print_date(FILE *out, int64_t seconds)
{
	char date[64];
	time_t t = (time_t)seconds;
	struct tm tm;

	localtime_r(&t, &tm);
	strftime(date, sizeof(date), "%a %b %e %H:%M:%S", &tm);
	fputs(date, out);
}

/* "12m", "3h", "2d": with one unit, rounded down. */
static void
print_span(FILE *out, int64_t seconds)
{
	if (seconds < 120)
		fprintf(out, "%lld s", (long long)seconds);
	else if (seconds < 7200)
		fprintf(out, "%lld min", (long long)seconds / 60);
	else if (seconds < 172800)
		fprintf(out, "%lld h", (long long)seconds / 3600);
	else
		fprintf(out, "%lld days", (long long)seconds / 86400);
}

/* ---- mailq ------------------------------------------------------------------ */

static void
mailq_rcpts(struct listing *l, const struct listing_one *m)
{
	const struct envelope *e = &m->f->env;
	struct str shown = { NULL, 0 };

	for (size_t i = 0; i < e->rcpt_n; i++) {
		if (!listing_open(m->f, &e->rcpts[i]))
			continue;
		/* A reason stands once above all recipients that share it. */
		if (m->last[i].time != 0 && !str_eq(m->last[i].reply, shown)) {
			shown = m->last[i].reply;
			fputs("(", l->out);
			print_safe(l->out, shown);
			fputs(")\n", l->out);
		}
		fprintf(l->out, "%*s", INDENT, "");
		print_path(l->out, &e->rcpts[i].path);
		fputc('\n', l->out);
	}
}

static void
mailq_next(struct listing *l, const struct listing_one *m)
{
	int64_t next = m->f->next, now = clock_wall();

	if (l->form != LISTING_LONG || m->state != LISTING_DEFERRED)
		return;
	fprintf(l->out, "%*snext attempt ", INDENT, "");
	if (next <= now)
		fputs("now", l->out);
	else {
		print_date(l->out, next);
		fputs(", in ", l->out);
		print_span(l->out, next - now);
	}
	fputc('\n', l->out);
}

static char
mailq_mark(enum listing_state s)
{
	if (s == LISTING_HOLD)
		return '!';
	return s == LISTING_NEW || s == LISTING_ACTIVE ? '*' : ' ';
}

void
listing_mailq_one(struct listing *l, const struct listing_one *m)
{
	int64_t arrival = m->f != NULL ? m->f->env.arrival_us / 1000000 :
					 m->mtime;

	if (l->count == 1)
		fprintf(l->out, "%-20s --Size-- ----Arrival Time---- "
		    "-Sender/Recipient-------\n", "-Queue ID-");
	fprintf(l->out, "%s%c %8llu ", m->id, mailq_mark(m->state),
	    (unsigned long long)(m->f != NULL ? m->f->size : m->size));
	print_date(l->out, arrival);
	fputs("  ", l->out);
	if (m->f != NULL) {
		print_path(l->out, &m->f->env.from);
		fputc('\n', l->out);
		mailq_rcpts(l, m);
		mailq_next(l, m);
	} else
		fprintf(l->out, "?\n(cannot be read: %s)\n",
		    m->reason != NULL ? m->reason : "broken");
	fputc('\n', l->out);
}

void
listing_mailq_end(const struct listing *l)
{
	if (l->count == 0)
		fputs("Mail queue is empty\n", l->out);
	else
		fprintf(l->out, "-- %llu Kbytes in %llu Request%s.\n",
		    (unsigned long long)(l->octets + 1023) / 1024,
		    (unsigned long long)l->count, l->count == 1 ? "" : "s");
}

/* ---- one message -------------------------------------------------------------- */

/* S, however long it is; characters stay whole. */
static void
print_long(FILE *out, struct str s)
{
	while (s.n > 0) {
		size_t n = s.n;

		if (n > PIECE)
			for (n = PIECE; n > PIECE - 4 && (s.p[n] & 0xc0) == 0x80;)
				n--;
		print_safe(out, str_head(s, n));
		s = str_skip(s, n);
	}
}

/* A line of the envelope, made safe; passwords and keys are for no eyes. */
static void
show_line(FILE *out, struct str line)
{
	static const char *const secrets[] = { "route-password: ", "dkim: " };
	bool hidden = false;

	for (size_t i = 0; i < ARRAY_LEN(secrets) && !hidden; i++) {
		hidden = str_starts(line, str_c(secrets[i]));
		if (hidden)
			line = str_c(secrets[i]);
	}
	print_long(out, line);
	fputs(hidden ? "********\n" : "\n", out);
}

/*
 * Prints the lines of BLOCK, and what is longer than that in parts; the octets
 * that were printed.  The last line is left for the next block if it is cut off.
 */
static size_t
show_block(FILE *out, struct str block)
{
	struct str rest = block, line, tail;

	while (str_cut(rest, '\n', &line, &tail)) {
		show_line(out, line);
		rest = tail;
	}
	if (rest.n < block.n)
		return block.n - rest.n;
	print_long(out, block);
	return block.n;
}

static void
show_envelope(struct listing *l, const struct queue_file *f)
{
	char block[16384];
	off_t at = 0;
	ssize_t n;

	while (at < f->text_at &&
	    (n = pread(f->fd, block, sizeof(block), at)) > 0)
		at += (off_t)show_block(l->out, str_head(str_n(block, (size_t)n),
		    (size_t)(f->text_at - at)));
}

static void
show_attempt(struct listing *l, const struct queue_file *f,
    const struct queue_attempt *a, const char *which)
{
	fprintf(l->out, "%s: ", which);
	print_date(l->out, a->time);
	fputs(" for <", l->out);
	print_path(l->out, &f->env.rcpts[a->rcpt].path);
	fputs("> at ", l->out);
	print_safe(l->out, a->relay.n > 0 ? a->relay : STR("none"));
	fprintf(l->out, ": %s ", a->status);
	print_safe(l->out, a->reply);
	fputc('\n', l->out);
}

/* What was tried for each recipient: how often, and at which hosts at last. */
static void
show_attempts(struct listing *l, const struct listing_one *m)
{
	size_t n = m->f->env.rcpt_n;
	struct queue_history *h = arena_alloc(l->arena, n * sizeof(*h));
	size_t *all = arena_alloc(l->arena, n * sizeof(*all));

	for (size_t i = 0; i < n; i++)
		all[i] = i;
	if (queue_history(m->f, all, n, l->arena, h) < 0)
		memset(h, 0, n * sizeof(*h));
	for (size_t i = 0; i < n; i++) {
		if (m->last[i].time == 0)
			continue;
		if (h[i].attempts > 1) {
			fprintf(l->out, "attempts: %zu since ", h[i].attempts);
			print_date(l->out, h[i].first);
			fputc('\n', l->out);
		}
		for (size_t k = 0; k + 1 < h[i].host_n; k++)
			show_attempt(l, m->f, &h[i].hosts[k], "attempt");
		show_attempt(l, m->f, &m->last[i], "last attempt");
	}
}

static void
show_next(struct listing *l, const struct listing_one *m)
{
	fprintf(l->out, "state: %s\n", listing_state_name(m->state));
	if (m->state != LISTING_DEFERRED)
		return;
	fputs("next attempt: ", l->out);
	print_date(l->out, m->f->next);
	fputc('\n', l->out);
}

/* A line of a header, of which tabs are a part. */
static void
print_field(FILE *out, struct str line)
{
	struct str piece;
	bool more;

	do {
		more = str_cut(line, '\t', &piece, &line);
		print_safe(out, piece);
		if (more)
			fputc('\t', out);
	} while (more);
	fputc('\n', out);
}

/* The header, each line made safe. */
static void
show_header(struct listing *l, const struct queue_file *f)
{
	char block[HEADER_MAX];
	size_t want = f->size < sizeof(block) ? (size_t)f->size : sizeof(block);
	ssize_t n = pread(f->fd, block, want, f->text_at);
	struct str rest = str_n(block, n > 0 ? (size_t)n : 0), one;

	fputc('\n', l->out);
	while (str_cut(rest, '\n', &one, &rest)) {
		if (str_ends(one, STR("\r")))
			one = str_head(one, one.n - 1);
		if (one.n == 0)
			break;
		print_field(l->out, one);
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

void
listing_show_one(struct listing *l, const struct listing_one *m)
{
	if (m->f == NULL) {
		fprintf(l->out, "%s cannot be read: %s\n", m->id,
		    m->reason != NULL ? m->reason : "broken");
		return;
	}
	show_envelope(l, m->f);
	show_attempts(l, m);
	show_next(l, m);
	if (l->form == LISTING_TEXT)
		show_text(l, m->f);
	else
		show_header(l, m->f);
}
