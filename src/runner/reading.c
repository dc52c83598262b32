/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * reading -- reports that come in for people here, read for the journal.
 *
 * A report is delivered first, like any message; then a descriptor of its text
 * goes to barid-check, which has it read by a process without rights (this one
 * reads strangers' servers and has keys: it is not to read strangers' XML too).  What
 * that says is a line of the journal for the report and some for its rows.  If
 * nobody can read it, or nobody answers, that is the line; no message ever waits
 * for it.  One that goes to several people is read once.  What is being read
 * when this process ends has ten seconds, and one that is killed says nothing.
 */

#include "reading.h"

#include "ask.h"
#include "conf/pattern.h"
#include "ipc/msg.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "runner.h"

/* Under way, of this runner; who comes then is delivered, and not read. */
#define READINGS_MAX 128
/* They wait for each other. */
#define ANSWER_MS 300000
#define ARENA_MAX ((size_t)8 << 20)

struct reading {
	struct runner *r;
	char id[QUEUE_ID_SIZE];
	char *kind, *to;
};

struct readings {
	struct conf_patterns recipients;	/* none: all */
	size_t n;				/* under way */
};

void
reading_open(struct runner *r)
{
	const struct conf_strs *texts = &r->conf->journal.report_recipients;
	struct conf_patterns *p;

	r->readings = mem_alloc(sizeof(*r->readings));
	p = &r->readings->recipients;
	*p = (struct conf_patterns){ .n = texts->n,
		.v = arena_alloc(&r->conf->arena, (texts->n + 1) * sizeof(*p->v)) };
	for (size_t i = 0; i < p->n; i++)
		/* It was looked at when the configuration was. */
		if (pattern_address(&r->conf->arena, str_c(texts->v[i]), &p->v[i]) != NULL)
			p->v[i] = (struct pattern){ .kind = PATTERN_NULL };
}

void
reading_close(struct runner *r)
{
	mem_free(r->readings);
	r->readings = NULL;
}

bool
reading_idle(const struct runner *r)
{
	return r->readings->n == 0;
}

bool
reading_is_wanted(const struct job *j, size_t rcpt)
{
	const struct runner *r = j->r;
	const struct conf_patterns *p = &r->readings->recipients;
	const struct path *to = &j->rcpts[rcpt].path;

	if (j->file.env.report.n == 0 || r->journal == NULL || r->check < 0 ||
	    !r->conf->journal.reports || r->once)
		return false;
	for (size_t i = 0; i < p->n; i++)
		if (pattern_fits(&p->v[i], to->local, to->domain))
			return true;
	return p->n == 0;
}

/* ---- what was read ---------------------------------------------------------------- */

static void
say(const struct reading *g, const struct feedback *f)
{
	struct str who = feedback_find(&f->head, FACT_ORG);

	if (who.n == 0)
		who = feedback_find(&f->head, FACT_REPORTING_MTA);
	if (f->why != NULL)
		log_info(g->id, "report (%s) for %s cannot be read%s: %s", g->kind, g->to,
		    f->kind[0] != '\0' ? " to its end" : "", f->why);
	else
		log_info(g->id, "report (%s) for %s, from " STR_FMT ", rows %llu", f->kind, g->to,
		    STR_ARG(who.n > 0 ? who : STR("somebody")), (unsigned long long)f->row_total);
}

static void
write_down(const struct reading *g, const struct feedback *f)
{
	struct str kind = str_c(f->kind[0] != '\0' ? f->kind : g->kind);
	struct journal_line l = { .event = JOURNAL_REPORT, .id = g->id, .to = str_c(g->to),
		.kind = kind, .reason = str_c(f->why), .rows = f->row_total, .facts = &f->head };

	journal_add(g->r->journal, &l);
	for (size_t i = 0; i < f->row_n; i++) {
		l = (struct journal_line){ .event = JOURNAL_REPORT_ROW, .id = g->id,
			.kind = kind, .facts = &f->rows[i] };
		journal_add(g->r->journal, &l);
	}
}

static void
on_answer(void *arg, struct str answer)
{
	struct reading *g = arg;
	struct feedback f;
	struct arena a;

	arena_init(&a, ARENA_MAX);
	feedback_init(&f, &a, (size_t)g->r->conf->journal.report_rows);
	if (answer.n == 0 || !msg_feedback_result_get(answer, &f)) {
		feedback_init(&f, &a, 0);
		f.why = "who reads it has no answer";
	}
	say(g, &f);
	write_down(g, &f);
	g->r->readings->n--;
	arena_free(&a);
	mem_free(g->kind);
	mem_free(g->to);
	mem_free(g);
}

/* ---- what is to be read ------------------------------------------------------------- */

static struct reading *
begin(const struct job *j, size_t rcpt)
{
	struct reading *g = mem_alloc(sizeof(*g));
	struct buf to;

	g->r = j->r;
	memcpy(g->id, j->id, sizeof(g->id));
	g->kind = mem_dup(j->file.env.report);
	buf_init(&to, 4096);
	path_add(&to, &j->rcpts[rcpt].path);
	g->to = mem_dup(buf_str(&to));
	buf_free(&to);
	j->r->readings->n++;
	return g;
}

void
reading_start(struct job *j, size_t rcpt, const struct local_text *t)
{
	struct msg_hint hint = { .id = str_c(j->id) };
	struct msg_feedback m = { .at = (uint64_t)t->at, .size = t->size,
		.rows = j->r->conf->journal.report_rows };
	struct buf packet, more;

	if (j->read || !reading_is_wanted(j, rcpt))
		return;
	j->read = true;
	if (j->r->readings->n >= READINGS_MAX) {
		log_warn(j->id, "too many reports at once: this one is not read");
		return;
	}
	buf_init(&packet, FRAME_MAX);
	buf_init(&more, FRAME_MAX);
	msg_feedback_put(&packet, &m);
	msg_hint_put(&more, &hint);
	ask_start_with(j->r, j->r->check, buf_str(&packet), buf_str(&more), t->fd, ANSWER_MS,
	    on_answer, begin(j, rcpt));
	buf_free(&more);
	buf_free(&packet);
}
