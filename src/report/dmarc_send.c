/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * dmarc_send -- sends the reports that a day has made due.
 *
 * A report goes into drop/, durably, and then it is written down in the file of its
 * day that its domain is done; when all are the file is removed.  So a domain gets
 * one report for a file, or after a kill between the two the same once more: its
 * id, its name and its numbers come from that file, in which nothing is counted any
 * more.
 *
 * Nobody is told of a report that cannot be delivered (NOTIFY=NEVER), and where
 * others tell us in spite of that it goes to report-from, of which no report
 * speaks (smtpd_dmarc.c).  That address is the sender, too: a receiver that goes by
 * SPF alone could not believe a report without one.
 */

#include "report/dmarc_send.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "dmarc_target.h"
#include "config.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/packed.h"
#include "lib/sys.h"
#include "mail/dmarc_report.h"
#include "queue/queue.h"

#define LOCK_FILE "lock"
#define BAD ".bad"
/* So long is DNS asked for a day's reports, in seconds. */
#define PATIENCE (3 * DMARC_DAY_SECONDS)
#define XML_MAX ((size_t)256 << 20)
#define PACKED_MAX ((size_t)64 << 20)
#define MESSAGE_MAX ((size_t)96 << 20)
#define ARENA_MAX_OCTETS 65536

struct sending {
	const struct dmarc_order *o;
	struct dmarc_asker *asker;
	struct queue *queue;	/* of drop/; NULL: nothing is sent */
	struct path from;
	struct arena arena;	/* of that */
	const char *name;	/* of the file at hand */
	bool left;		/* something of it is */
	int error;		/* errno; nothing more can be sent */
};

/* ---- one report ------------------------------------------------------------------------ */

/* The kinds of one domain, which stand together. */
struct group {
	const struct dmarc_day *day;
	struct str domain;
	size_t from, to;
	uint64_t messages, rows;
};

static void
fill(const struct sending *s, const struct group *g, const struct dmarc_targets *t,
    struct dmarc_report *r)
{
	const struct conf_check_dmarc *c = &s->o->conf->check.dmarc;

	*r = (struct dmarc_report){ .domain = g->domain, .id = str_c(g->day->id),
		.begin = g->day->day * DMARC_DAY_SECONDS,
		.end = (g->day->day + 1) * DMARC_DAY_SECONDS - 1,
		.submitter = s->from.domain, .org = str_c(c->report_org),
		.from = str_c(c->report_from), .contact = str_c(c->report_contact),
		.generator = STR("barid " BARID_VERSION), .record = t->record };
	if (r->org.n == 0)
		r->org = s->from.domain;
}

/* The XML of G; counts what is in it. */
static void
add_xml(struct group *g, struct dmarc_report *r, struct buf *xml)
{
	struct dmarc_row row;

	for (size_t i = g->from; i < g->to; i++)
		if (dmarc_row_parse(g->day->kinds[i].line, &row) && row.rest)
			r->left_out += g->day->kinds[i].count;
	dmarc_report_begin(xml, r);
	for (size_t i = g->from; i < g->to; i++) {
		const struct dmarc_kind *k = &g->day->kinds[i];

		if (!dmarc_row_parse(k->line, &row) || row.rest)
			continue;
		dmarc_report_row(xml, &row, k->count);
		g->messages += k->count;
		g->rows++;
	}
	dmarc_report_end(xml);
}

static void
add_targets(const struct dmarc_targets *t, struct buf *to)
{
	for (size_t i = 0; i < t->n; i++) {
		if (i > 0)
			buf_adds(to, ", ");
		path_add(to, &t->v[i]);
	}
}

/* The message, and in TO to whom, in words.  False: errno. */
static bool
compose(const struct sending *s, const struct dmarc_report *r, const struct buf *xml,
    const struct dmarc_targets *t, struct buf *to, struct buf *message)
{
	struct buf packed;
	bool ok;

	buf_init(&packed, PACKED_MAX);
	packed_gzip(&packed, buf_str(xml));
	add_targets(t, to);
	dmarc_report_message(message, r, buf_str(to), s->o->now, buf_str(&packed));
	ok = buf_ok(xml) && buf_ok(&packed) && buf_ok(message);
	buf_free(&packed);
	errno = EFBIG;
	return ok;
}

static int
put(const struct sending *s, const struct dmarc_targets *t, const struct buf *message,
    char id[QUEUE_ID_SIZE])
{
	struct envelope_rcpt rcpts[DMARC_RUA_MAX];
	struct envelope e = { .from = s->from, .arrival_us = s->o->now * 1000000,
		.client = STR("barid"), .proto = STR("local"), .listener = STR(CONF_LISTEN_DROP),
		.body = BODY_7BIT, .rcpts = rcpts, .rcpt_n = t->n };

	for (size_t i = 0; i < t->n; i++)
		rcpts[i] = (struct envelope_rcpt){ .state = RCPT_QUEUED,
			.path = t->v[i], .notify = NOTIFY_NEVER };
	queue_id_new(e.id);
	memcpy(id, e.id, QUEUE_ID_SIZE);
	return queue_put(s->queue, &e, true, buf_str(message));
}

static void
send_one(struct sending *s, struct group *g, const struct dmarc_targets *t)
{
	struct buf xml, to, message;
	struct dmarc_report r;
	char id[QUEUE_ID_SIZE];

	fill(s, g, t, &r);
	buf_init(&xml, XML_MAX);
	buf_init(&to, 65536);
	buf_init(&message, MESSAGE_MAX);
	add_xml(g, &r, &xml);
	if (g->rows == 0) {
		log_warn(NULL, "dmarc report: what is kept of " STR_FMT " cannot be read",
		    STR_ARG(g->domain));
	} else if (s->o->print != NULL) {
		fwrite(xml.p, 1, xml.n, s->o->print);
	} else if (!compose(s, &r, &xml, t, &to, &message)) {
		log_error(NULL, "dmarc report: that to " STR_FMT " cannot be written: %s",
		    STR_ARG(g->domain), strerror(errno));
	} else if (put(s, t, &message, id) < 0) {
		s->error = errno;
	} else {
		log_info(id, "dmarc report %s: domain=" STR_FMT ", messages=%llu, rows=%llu, "
		    "to=<" STR_FMT ">", g->day->id, STR_ARG(g->domain),
		    (unsigned long long)g->messages, (unsigned long long)g->rows,
		    STR_ARG(buf_str(&to)));
	}
	buf_free(&xml);
	buf_free(&to);
	buf_free(&message);
}

/* ---- a day ------------------------------------------------------------------------------- */

static void
take_group(struct sending *s, struct group *g)
{
	int64_t ended = (g->day->day + 1) * DMARC_DAY_SECONDS;
	bool patient = s->o->now < ended + PATIENCE;
	struct dmarc_targets *t = mem_alloc(sizeof(*t));

	switch (dmarc_target(s->asker, g->domain, patient, t)) {
	case DMARC_WANTED:
		send_one(s, g, t);
		break;
	case DMARC_UNWANTED:
		log_info(NULL, "dmarc report: none to " STR_FMT ": %s", STR_ARG(g->domain),
		    t->why);
		break;
	case DMARC_NOT_KNOWN_NOW:
		log_info(NULL, "dmarc report: that to " STR_FMT " waits: DNS does not say "
		    "whether it is wanted", STR_ARG(g->domain));
		s->left = true;
		mem_free(t);
		return;
	}
	mem_free(t);
	if (s->error == 0 && s->o->print == NULL &&
	    dmarc_day_done(s->o->dir, s->name, g->domain) < 0)
		s->error = errno;
}

/* The group that begins at FROM. */
static struct group
group_at(const struct dmarc_day *d, size_t from)
{
	struct group g = { .day = d, .from = from, .to = from };
	struct str domain, rest;

	(void)str_cut(d->kinds[from].line, ' ', &g.domain, &rest);
	while (g.to < d->kind_n) {
		(void)str_cut(d->kinds[g.to].line, ' ', &domain, &rest);
		if (!str_eq(domain, g.domain))
			break;
		g.to++;
	}
	return g;
}

static void
take_groups(struct sending *s, const struct dmarc_day *d)
{
	struct group g;

	if (d->lost > 0)
		log_warn(NULL, "dmarc report: of %llu messages nothing is said: there were too "
		    "many domains", (unsigned long long)d->lost);
	for (size_t at = 0; at < d->kind_n && s->error == 0; at = g.to) {
		g = group_at(d, at);
		if (s->o->domain.n > 0 && !str_ieq(s->o->domain, g.domain))
			s->left = true;
		else
			take_group(s, &g);
	}
}

/* NAME cannot be read.  One that is none of ours is put aside, for whoever wonders. */
static void
give_up(struct sending *s, const char *name)
{
	char space[DMARC_TALLY_NAME + sizeof(BAD)];
	struct buf b;

	s->left = errno != EBADMSG && errno != ENOENT;
	if (errno == ENOENT)
		return;
	log_error(NULL, "dmarc report: %s/" DMARC_TALLY_DIR "/%s: %s", s->o->conf->spool, name,
	    s->left ? strerror(errno) : "this is no file of ours");
	if (s->left || s->o->print != NULL)
		return;
	buf_init_in(&b, space, sizeof(space));
	buf_addf(&b, "%s" BAD, name);
	if (sys_renameat(s->o->dir, name, s->o->dir, buf_cstr(&b)) < 0)
		s->error = errno;
}

static void
take_file(struct sending *s, const char *name)
{
	struct dmarc_day d;

	if (dmarc_day_read(s->o->dir, name, &d) < 0) {
		give_up(s, name);
		return;
	}
	s->name = name;
	s->left = s->o->print == NULL && dmarc_tally_ends(name) + s->o->after > s->o->now;
	if (!s->left)
		take_groups(s, &d);
	dmarc_day_free(&d);
	if (s->error == 0 && !s->left && s->o->print == NULL &&
	    sys_unlinkat(s->o->dir, name) < 0)
		s->error = errno;
}

/* ---- all ------------------------------------------------------------------------------------ */

static int
begin(struct sending *s, int *lock)
{
	const struct conf *c = s->o->conf;
	struct buf error;

	arena_init(&s->arena, ARENA_MAX_OCTETS);
	errno = EINVAL;
	if (path_parse_addr(str_c(c->check.dmarc.report_from), 0, &s->arena, &s->from) != NULL)
		return -1;
	*lock = s->o->print != NULL ? -1 : sys_openat(s->o->dir, LOCK_FILE,
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (s->o->print == NULL && (*lock < 0 || sys_flock(*lock) < 0))
		return -1;
	if ((s->asker = dmarc_asker_new(c)) == NULL)
		return -1;
	if (s->o->print != NULL)
		return 0;
	buf_init(&error, 1024);
	s->queue = queue_open(c->spool, QUEUE_DROP_ONLY, (uid_t)-1, (gid_t)-1, &error);
	buf_free(&error);
	return s->queue != NULL ? 0 : -1;
}

/* The names, before files come and go. */
struct names {
	char (*v)[DMARC_TALLY_NAME];
	size_t n;
};

static void
add_name(void *arg, const char *name)
{
	struct names *l = arg;

	l->v = mem_grow(l->v, l->n + 1, sizeof(*l->v));
	memcpy(l->v[l->n++], name, strlen(name) + 1);
}

enum dmarc_sent
dmarc_send(const struct dmarc_order *o)
{
	struct sending s = { .o = o };
	struct names l = { NULL, 0 };
	int lock = -1;
	bool left = false;

	if (begin(&s, &lock) < 0 || dmarc_tally_list(o->dir, add_name, &l) < 0)
		s.error = errno;
	/* What is not over can be looked at. */
	if (s.error == 0 && o->print != NULL)
		add_name(&l, DMARC_TALLY_OPEN);
	for (size_t i = 0; i < l.n && s.error == 0; i++) {
		take_file(&s, l.v[i]);
		left = left || s.left;
	}
	mem_free(l.v);
	dmarc_asker_free(s.asker);
	queue_close(s.queue);
	if (lock >= 0)
		sys_close(lock);
	arena_free(&s.arena);
	errno = s.error;
	return s.error == EAGAIN ? DMARC_BUSY : s.error != 0 ? DMARC_CANNOT :
	    left ? DMARC_SOME_LEFT : DMARC_ALL_SENT;
}
