/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * listing -- which messages of the queue are shown, and in which order.
 *
 * Unsorted, a message is loaded, looked at, shown and forgotten: a queue of
 * any size takes no memory.  Sorted, what is wanted is first noted with its
 * key, some dozen octets each.  A message that moves or goes while the list
 * is made may be missing from it, and one that cannot be read is shown as
 * such where nothing is asked for that it would have to answer.
 */

#include "report/listing.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/clock.h"
#include "lib/map.h"
#include "lib/mem.h"
#include "listing_forms.h"
#include "policy/recipient.h"

#define LOAD_MAX ((size_t)64 << 20)

static const struct {
	enum queue_place place;
	enum listing_state state;
	const char *name;
} places[] = {
	{ QUEUE_DROP, LISTING_DROP, "drop" },
	{ QUEUE_NEW, LISTING_NEW, "new" },
	{ QUEUE_CUR, LISTING_DEFERRED, "deferred" },
	{ QUEUE_HOLD, LISTING_HOLD, "hold" },
	{ QUEUE_DEAD, LISTING_DEAD, "dead" },
	{ QUEUE_BAD, LISTING_BAD, "unreadable" },
};

/* What a sorted list notes of a message. */
struct noted {
	char id[QUEUE_ID_SIZE];
	uint8_t place;		/* index of PLACES */
	int64_t mtime;
	uint64_t size;
	char *sender;		/* LISTING_BY_SENDER */
};

struct walk {
	struct listing *l;
	size_t place;		/* index of PLACES */
	struct noted *v;	/* where it is sorted */
	size_t n, size;
	/*
	 * What was in a tray, which takes a while to become a file elsewhere, and
	 * what was asked for by its id: who is shown is not met again behind that.
	 */
	struct map *met;
	int error;
};

/* ---- words -------------------------------------------------------------- */

const char *
listing_state_name(enum listing_state s)
{
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (places[i].state == s)
			return places[i].name;
	return s == LISTING_ACTIVE ? "active" : "?";
}

static bool
state_of_word(struct str word, unsigned *state)
{
	/* "incoming" and "corrupt" are what others say. */
	if (str_ieq(word, STR("active")))
		*state = LISTING_ACTIVE;
	else if (str_ieq(word, STR("incoming")))
		*state = LISTING_NEW;
	else if (str_ieq(word, STR("bad")) || str_ieq(word, STR("corrupt")))
		*state = LISTING_BAD;
	else {
		for (size_t i = 0; i < ARRAY_LEN(places); i++)
			if (str_ieq(word, str_c(places[i].name))) {
				*state = places[i].state;
				return true;
			}
		return false;
	}
	return true;
}

int
listing_states(struct str words, unsigned *states)
{
	struct str word;
	unsigned state;

	*states = 0;
	do {
		str_cut(words, ',', &word, &words);
		if (!state_of_word(str_trim(word), &state))
			return -1;
		*states |= state;
	} while (words.n > 0);
	return 0;
}

int
listing_sort_word(struct str word, struct listing_filter *f)
{
	static const char *const words[] = { [LISTING_BY_ARRIVAL] = "arrival",
		[LISTING_BY_SIZE] = "size", [LISTING_BY_NEXT] = "next",
		[LISTING_BY_SENDER] = "sender" };

	f->reverse = word.n > 0 && word.p[0] == '-';
	if (f->reverse)
		word = str_skip(word, 1);
	for (size_t i = LISTING_BY_ARRIVAL; i < ARRAY_LEN(words); i++)
		if (str_ieq(word, str_c(words[i]))) {
			f->sort = (enum listing_sort)i;
			return 0;
		}
	return -1;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **
listing_active(char *lines, size_t *n)
{
	const char **ids;
	size_t size = 1;

	for (const char *p = lines; *p != '\0'; p++)
		size += *p == '\n';
	ids = mem_array(size, sizeof(*ids));
	*n = 0;
	while (*lines != '\0') {
		size_t len = strcspn(lines, "\n");
		char *next = lines + len + (lines[len] == '\n');

		lines[len] = '\0';
		if (len > 0 && *n < size)
			ids[(*n)++] = lines;
		lines = next;
	}
	qsort(ids, *n, sizeof(*ids), by_text);
	return ids;
}

/* ---- which -------------------------------------------------------------- */

/* In dead/ everybody waits for somebody to look. */
bool
listing_open(const struct queue_file *f, const struct envelope_rcpt *r)
{
	return r->state == RCPT_QUEUED ||
	    (f->place == QUEUE_DEAD && r->state != RCPT_DONE);
}

static bool
path_holds(const struct path *p, struct str part)
{
	struct buf b;
	bool holds;

	if (part.n == 0)
		return true;
	if (str_eq(part, STR("<>")))
		return path_is_null(p);
	buf_init(&b, 2048);
	path_add(&b, p);
	holds = b.n > 0 && memmem(b.p, b.n, part.p, part.n) != NULL;
	buf_free(&b);
	return holds;
}

/* "4.4" means 4.4.1 and 4.4.7, and not 4.41.0. */
static bool
is_code(struct str part, struct str code)
{
	return str_starts(code, part) &&
	    (code.n == part.n || code.p[part.n] == '.');
}

static bool
reason_fits(const struct queue_attempt *a, struct str part)
{
	if (part.n == 0)
		return true;
	if (a->time == 0)
		return false;
	if (is_code(part, str_c(a->status)))
		return true;
	for (size_t i = 0; i + part.n <= a->reply.n; i++)
		if (str_ieq(str_head(str_skip(a->reply, i), part.n), part))
			return true;
	return false;
}

/* The way of a recipient in the words of a route: "mx", an upstream, "local". */
static struct str
way_of(const struct listing *l, const struct queue_file *f, size_t i)
{
	const struct envelope *e = &f->env;
	struct mail_facts facts = { .arena = l->arena, .from = e->from,
		.user = e->user, .listener = e->listener, .local = e->local };
	const struct conf *c = l->facts->conf;
	const struct path *p = &e->rcpts[i].path;
	struct target t = e->rcpts[i].of.n > 0 ?
	    target_at_last(c, NULL, &facts, p) :
	    target_of(c, NULL, &facts, p);

	if (e->route.n > 0 && t.kind != TARGET_MAILBOX &&
	    t.kind != TARGET_UNKNOWN)
		return e->route;
	switch (t.kind) {
	case TARGET_UPSTREAM:
		return str_c(t.upstream->name);
	case TARGET_MX:
		return t.way == NULL ? STR("mx") :
		    str_c(t.rule != NULL ? t.rule->via : t.route->via);
	case TARGET_MAILDIR:
	case TARGET_PIPE:
		return str_c(t.rule != NULL ? t.rule->via : t.route->via);
	case TARGET_DISCARD:
		return STR("discard");
	case TARGET_ERROR:
		return STR("error");
	case TARGET_MAILBOX:
	case TARGET_FORWARD:
	case TARGET_ALIAS:
	case TARGET_LIST:
	case TARGET_UNKNOWN:
	case TARGET_NO_ROUTE:
		break;
	}
	return STR("local");
}

static bool
rcpt_wanted(const struct listing *l, const struct queue_file *f, size_t i,
    const struct queue_attempt *last)
{
	const struct listing_filter *w = l->filter;
	const struct envelope_rcpt *r = &f->env.rcpts[i];

	if (!listing_open(f, r))
		return false;
	return (w->domain.n == 0 || str_ieq(r->path.domain, w->domain)) &&
	    path_holds(&r->path, w->recipient) &&
	    (w->reason.n == 0 || reason_fits(&last[i], w->reason)) &&
	    (w->route.n == 0 || l->facts->conf == NULL ||
		str_ieq(way_of(l, f, i), w->route));
}

/* True if nothing is asked of recipients, or one of them fits all of it. */
static bool
rcpts_wanted(const struct listing *l, const struct queue_file *f,
    const struct queue_attempt *last)
{
	const struct listing_filter *w = l->filter;

	if (w->domain.n + w->recipient.n + w->reason.n + w->route.n == 0)
		return true;
	for (size_t i = 0; i < f->env.rcpt_n; i++)
		if (rcpt_wanted(l, f, i, last))
			return true;
	return false;
}

/* True if only a message that can be read can be meant. */
static bool
asks_inside(const struct listing_filter *w)
{
	return w->domain.n + w->recipient.n + w->reason.n + w->route.n +
	    w->sender.n > 0 || w->before_us != 0 || w->after_us != 0;
}

static bool
wanted(const struct listing *l, const struct listing_one *m)
{
	const struct listing_filter *w = l->filter;

	if (w->states != 0 && (w->states & m->state) == 0)
		return false;
	if (m->f == NULL)
		return !asks_inside(w);
	return (w->before_us == 0 || m->f->env.arrival_us < w->before_us) &&
	    (w->after_us == 0 || m->f->env.arrival_us > w->after_us) &&
	    path_holds(&m->f->env.from, w->sender) &&
	    rcpts_wanted(l, m->f, m->last);
}

static int
compare_id(const void *key, const void *member)
{
	return strcmp(key, *(const char *const *)member);
}

static enum listing_state
state_of(const struct listing *l, size_t place, const char *id)
{
	const struct listing_facts *k = l->facts;
	bool tried = places[place].place == QUEUE_NEW ||
	    places[place].place == QUEUE_CUR;

	if (tried && k->active_n > 0 &&
	    bsearch(id, k->active, k->active_n, sizeof(*k->active),
		compare_id) != NULL)
		return LISTING_ACTIVE;
	return places[place].state;
}

/* ---- one ---------------------------------------------------------------- */

static void
show(struct listing *l, const struct listing_one *m)
{
	l->count++;
	l->octets += m->f != NULL ? m->f->size : m->size;
	switch (l->form) {
	case LISTING_MAILQ:
	case LISTING_LONG:
		listing_mailq_one(l, m);
		break;
	case LISTING_JSON:
		listing_json_one(m, l->out);
		break;
	case LISTING_IDS:
		fprintf(l->out, "%s\n", m->id);
		break;
	case LISTING_COUNT:
		break;
	case LISTING_SUMMARY:
	case LISTING_SUMMARY_JSON:
		if (m->f != NULL)
			summary_add(l->summary, m->f);
		break;
	case LISTING_SHOW:
	case LISTING_TEXT:
		listing_show_one(l, m);
		break;
	}
}

static void
note(struct walk *w, const struct listing_one *m)
{
	struct noted *n;
	struct buf b;

	if (w->n == w->size) {
		w->size = w->size ? w->size * 2 : 256;
		w->v = mem_grow(w->v, w->size, sizeof(*w->v));
	}
	n = &w->v[w->n++];
	*n = (struct noted){ .place = (uint8_t)w->place, .mtime = m->mtime,
		.size = m->size };
	memcpy(n->id, m->id, QUEUE_ID_LEN);
	if (w->l->filter->sort != LISTING_BY_SENDER || m->f == NULL)
		return;
	buf_init(&b, 2048);
	path_add(&b, &m->f->env.from);
	n->sender = mem_dup(buf_str(&b));
	buf_free(&b);
}

/* True if notes are needed to say whether, or how, the message is shown. */
static bool
needs_notes(const struct listing *l)
{
	return l->filter->reason.n > 0 || l->form == LISTING_MAILQ ||
	    l->form == LISTING_LONG || l->form == LISTING_JSON ||
	    l->form >= LISTING_SHOW;
}

/* True if F, which is ID, was met before. */
static bool
is_met(struct walk *w, const char *id, const struct queue_file *f)
{
	struct str key = str_c(id);

	if (map_get(w->met, key) != NULL)
		return true;
	if (f->tray != 0 || w->l->filter->id_n > 0)
		(void)map_put(w->met, key, w);
	return false;
}

/* Loads a message and shows it, or notes it, if it is wanted. */
static void
visit(struct walk *w, struct listing_one *m, bool noting)
{
	struct listing *l = w->l;
	struct queue_attempt *last = NULL;
	struct queue_file f;
	bool loaded;

	arena_reset(l->arena);
	loaded = queue_load(l->queue, places[w->place].place, m->id, false,
	    l->arena, &f, &m->reason) == 0;
	/* One that was delivered since the directory was read is not missed. */
	if (!loaded && errno == ENOENT)
		return;
	if (!loaded && errno != EBADMSG)
		m->reason = strerror(errno);
	if (loaded && needs_notes(l) && queue_notes(&f, l->arena, &last) < 0)
		w->error = errno;
	if (loaded && last == NULL)
		last = arena_alloc(l->arena, f.env.rcpt_n * sizeof(*last));
	m->f = loaded ? &f : NULL;
	m->last = last;
	m->state = state_of(l, w->place, m->id);
	if ((!loaded || !is_met(w, m->id, &f)) && wanted(l, m)) {
		if (noting)
			note(w, m);
		else
			show(l, m);
	}
	if (loaded)
		queue_unload(&f);
}

static bool
is_enough(const struct listing *l)
{
	return ferror(l->out) ||
	    (l->filter->limit > 0 && l->count >= l->filter->limit);
}

static bool
on_message(void *arg, const char *id, int64_t mtime, uint64_t size)
{
	struct walk *w = arg;
	struct listing_one m = { .id = id, .mtime = mtime, .size = size };

	if (id != NULL)
		visit(w, &m, w->l->filter->sort != LISTING_UNSORTED);
	/* Nobody reads on: why go on? */
	return !is_enough(w->l);
}

/* ---- all ---------------------------------------------------------------- */

static void
walk_ids(struct walk *w)
{
	const struct listing_filter *f = w->l->filter;

	for (size_t i = 0; i < f->id_n && !is_enough(w->l); i++) {
		char id[QUEUE_ID_SIZE] = "";
		struct listing_one m = { .id = id };

		if (!queue_id_valid(f->ids[i]))
			continue;
		memcpy(id, f->ids[i].p, QUEUE_ID_LEN);
		visit(w, &m, f->sort != LISTING_UNSORTED);
	}
}

/* True if the place may hold what is wanted. */
static bool
place_wanted(const struct listing_filter *f, size_t i)
{
	if (f->states == 0)
		return places[i].state != LISTING_BAD || f->id_n > 0;
	if ((f->states & places[i].state) != 0)
		return true;
	return (f->states & LISTING_ACTIVE) != 0 &&
	    (places[i].place == QUEUE_NEW || places[i].place == QUEUE_CUR);
}

/* Goes on where it can: what is listed then is not all. */
static void
walk_all(struct walk *w)
{
	const struct listing *l = w->l;

	for (size_t i = 0; i < ARRAY_LEN(places) && !is_enough(l); i++) {
		if (!place_wanted(l->filter, i))
			continue;
		w->place = i;
		if (l->filter->id_n > 0)
			walk_ids(w);
		else if (queue_scan(l->queue, places[i].place, on_message, w) <
		    0)
			w->error = errno;
	}
}

static int
compare_noted(const void *a, const void *b, void *arg)
{
	const struct listing_filter *f = arg;
	const struct noted *p = f->reverse ? b : a, *q = f->reverse ? a : b;
	int c = 0;

	if (f->sort == LISTING_BY_SIZE)
		c = p->size < q->size ? -1 : p->size > q->size;
	else if (f->sort == LISTING_BY_NEXT)
		c = p->mtime < q->mtime ? -1 : p->mtime > q->mtime;
	else if (f->sort == LISTING_BY_SENDER)
		c = strcmp(p->sender != NULL ? p->sender : "",
		    q->sender != NULL ? q->sender : "");
	/* An id begins with the time. */
	return c != 0 ? c : strcmp(p->id, q->id);
}

static void
show_sorted(struct walk *w)
{
	struct listing_filter filter = *w->l->filter;

	/* From here on each is visited once, wherever it is by now. */
	map_free(w->met);
	w->met = map_new();
	if (w->n > 0)
		qsort_r(w->v, w->n, sizeof(*w->v), compare_noted, &filter);
	for (size_t i = 0; i < w->n && !is_enough(w->l); i++) {
		struct listing_one m = { .id = w->v[i].id,
			.mtime = w->v[i].mtime, .size = w->v[i].size };

		w->place = w->v[i].place;
		visit(w, &m, false);
	}
	for (size_t i = 0; i < w->n; i++)
		mem_free(w->v[i].sender);
	mem_free(w->v);
}

int
listing_write(struct queue *q, const struct listing_filter *f,
    const struct listing_facts *facts, enum listing_form form, FILE *out,
    uint64_t *count)
{
	static const struct listing_facts nothing;
	struct arena arena;
	struct listing l = { .filter = f, .queue = q, .form = form, .out = out,
		.facts = facts != NULL ? facts : &nothing, .arena = &arena };
	struct walk w = { .l = &l, .met = map_new() };
	bool summary = form == LISTING_SUMMARY || form == LISTING_SUMMARY_JSON;

	arena_init(&arena, LOAD_MAX);
	if (summary)
		l.summary = summary_new(f->by_sender, clock_wall_us());
	walk_all(&w);
	if (f->sort != LISTING_UNSORTED)
		show_sorted(&w);
	if (w.error == 0 && (form == LISTING_MAILQ || form == LISTING_LONG))
		listing_mailq_end(&l);
	if (summary)
		summary_write(l.summary, form == LISTING_SUMMARY_JSON, out);
	summary_free(l.summary);
	arena_free(&arena);
	map_free(w.met);
	*count = l.count;
	errno = w.error;
	return w.error == 0 ? 0 : -1;
}
