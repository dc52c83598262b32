/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * audit -- is every recipient that was accepted accounted for?
 *
 * The journal is read, then the directories of the spool, then the rest of
 * the journal, so that a barid that works meanwhile is no reason for a
 * complaint: what left the spool had its lines written before, and what
 * came since the look is in the queue.  A message that seems to be missing
 * is looked up by its name before anybody says so.
 *
 * A message counts from its received line, from a line that says that it is
 * in the queue, from the report's line of a report, or because it is there.
 * Each of its recipients has one end: the outcome that the journal tells,
 * or where the message stands.  One of which only the end is told began
 * before the journal did if its id is older than the first line; else the
 * line is missing.
 *
 * Time is linear; memory is bounded by passes that each look at a share of
 * the ids.
 */

#include "report/audit.h"

#include <errno.h>

#include "lib/mem.h"

#include "audit_table.h"

/* Looked up again, it may have been on its way from a place to another. */
#define LOOKS 3
/* Runners of which it is known when they began; there are no more (conf). */
#define RUNNERS_MAX 64
/* Two days: of runners that write side by side none begins later than another. */
#define BEGIN_US INT64_C(172800000000)
/* No line about a message is shorter. */
#define LINE_MIN 70

struct audit {
	struct queue *q;
	struct journal_reader *reader;
	int64_t since_us;
	void (*fn)(void *arg, const struct audit_finding *f);
	void *arg;
	struct audit_sum *sum;
	struct audit_table *table;
	uint32_t at_once;
	uint32_t pass;
	bool full;		/* the table: more passes are needed */
	enum queue_place place;	/* being scanned */
	struct arena arena;
	int64_t first_us;	/* the first line of all */
	bool seen[RUNNERS_MAX];	/* a line of this runner */
};

const char *
audit_end_name(enum audit_end e)
{
	static const char *const names[AUDIT_END_N] = {
		[AUDIT_DELIVERED] = "delivered",
		[AUDIT_RELAYED] = "relayed",
		[AUDIT_BOUNCED] = "bounced",
		[AUDIT_EXPIRED] = "expired",
		[AUDIT_DISCARDED] = "discarded",
		[AUDIT_EXPANDED] = "expanded",
		[AUDIT_DELETED] = "deleted",
		[AUDIT_DEAD] = "dead",
		[AUDIT_BAD] = "unreadable",
		[AUDIT_HELD] = "held",
		[AUDIT_QUEUED] = "queued",
		[AUDIT_LOST] = "lost",
	};

	return (unsigned)e < AUDIT_END_N ? names[e] : "unknown";
}

const char *
audit_kind_name(enum audit_kind k)
{
	static const char *const names[] = { [AUDIT_MISSING] = "missing",
		[AUDIT_NO_OUTCOME] = "no-outcome",
		[AUDIT_NO_RECEIVED] = "no-received",
		[AUDIT_NO_REMOVED] = "no-removed",
		[AUDIT_GAP] = "gap",
		[AUDIT_TWICE] = "twice",
		[AUDIT_BROKEN] = "broken-line" };

	return (unsigned)k < ARRAY_LEN(names) ? names[k] : "unknown";
}

static void
finding(struct audit *a, const struct audit_finding *f)
{
	if (audit_is_wrong(f->kind))
		a->sum->wrong++;
	else
		a->sum->notes++;
	a->fn(a->arg, f);
}

static void
find_message(struct audit *a, enum audit_kind kind,
    const struct audit_entry *e, uint64_t rcpt)
{
	struct audit_finding f = { .kind = kind, .rcpt = rcpt };

	queue_number_id(e->id, f.id);
	finding(a, &f);
}

/* ---- the journal -------------------------------------------------------- */

/* True if the message is one of this audit, and of this pass. */
static bool
concerns(const struct audit *a, struct str id)
{
	return queue_id_valid(id) && audit_id_time(id) >= a->since_us &&
	    (a->sum->passes == 1 ||
		audit_id_hash(id) % a->sum->passes == a->pass);
}

static struct audit_entry *
entry(struct audit *a, struct str id)
{
	if (audit_table_count(a->table) >= a->at_once)
		a->full = true;
	return audit_table_get(a->table, id);
}

static void
take_outcome(struct audit *a, struct audit_entry *e,
    const struct journal_entry *l, enum audit_end end)
{
	uint8_t *rcpt;

	audit_entry_grow(e, (uint32_t)l->rcpt + 1);
	rcpt = audit_entry_rcpt(e, (uint32_t)l->rcpt);
	if (*rcpt != 0 && (end == AUDIT_DELIVERED || end == AUDIT_RELAYED))
		find_message(a, AUDIT_TWICE, e, l->rcpt);
	*rcpt = (uint8_t)(end + 1);
	e->flags |= AUDIT_ENDED;
}

/* Who failed and could not be told has another chance. */
static void
take_released(struct audit_entry *e)
{
	if ((e->flags & AUDIT_WAS_DEAD) == 0)
		return;
	e->flags &= (uint8_t)~(AUDIT_WAS_DEAD | AUDIT_REMOVED);
	for (uint32_t i = 0; i < e->rcpt_n; i++)
		if (*audit_entry_rcpt(e, i) == AUDIT_BOUNCED + 1 ||
		    *audit_entry_rcpt(e, i) == AUDIT_EXPIRED + 1)
			*audit_entry_rcpt(e, i) = 0;
}

static void
take_change(struct audit *a, struct audit_entry *e,
    const struct journal_entry *l)
{
	switch (l->event) {
	case JOURNAL_RECEIVED:
		e->flags |= AUDIT_SAID | AUDIT_OWN | AUDIT_WHOLE;
		break;
	case JOURNAL_DSN:
		e->flags |= AUDIT_SAID | AUDIT_WHOLE;
		break;
	case JOURNAL_QUEUED:
	case JOURNAL_HELD:
	case JOURNAL_CHANGED:
	case JOURNAL_BAD:
		e->flags |= AUDIT_SAID | AUDIT_OWN;
		break;
	case JOURNAL_RELEASED:
		e->flags |= AUDIT_SAID | AUDIT_OWN;
		take_released(e);
		break;
	case JOURNAL_DEAD:
		e->flags |= AUDIT_SAID | AUDIT_OWN | AUDIT_WAS_DEAD;
		break;
	case JOURNAL_DELETED:
		e->flags |= AUDIT_ERASED;
		break;
	case JOURNAL_REMOVED:
		e->flags |= AUDIT_REMOVED;
		break;
	case JOURNAL_DELIVERED:
		take_outcome(a, e, l, AUDIT_DELIVERED);
		break;
	case JOURNAL_RELAYED:
		take_outcome(a, e, l, AUDIT_RELAYED);
		break;
	case JOURNAL_BOUNCED:
		take_outcome(a, e, l, AUDIT_BOUNCED);
		break;
	case JOURNAL_EXPIRED:
		take_outcome(a, e, l, AUDIT_EXPIRED);
		break;
	case JOURNAL_DISCARDED:
		take_outcome(a, e, l, AUDIT_DISCARDED);
		break;
	case JOURNAL_EXPANDED:
		take_outcome(a, e, l, AUDIT_EXPANDED);
		break;
	case JOURNAL_REPORT:
	case JOURNAL_REPORT_ROW:
	case JOURNAL_DEFERRED:
	case JOURNAL_START:
	case JOURNAL_STOP:
	case JOURNAL_GAP:
	case JOURNAL_N:
		break;
	}
}

static void
take_gap(struct audit *a, const struct journal_entry *l)
{
	struct audit_finding f = { .kind = AUDIT_GAP, .runner = l->runner,
		.lost = l->lost, .since_us = l->since_us,
		.time_us = l->time_us };

	if (a->pass == 0 && l->time_us >= a->since_us)
		finding(a, &f);
}

/* The number of the runner that wrote FILE, "2026-11-21.0.000.jsonl". */
static uint64_t
runner_of_file(const char *file)
{
	struct str day, number, rest;
	uint64_t n = 0;

	(void)str_cut(str_c(file), '.', &day, &rest);
	(void)str_cut(rest, '.', &number, &rest);
	return str_u64(number, UINT64_MAX, &n) == 0 ? n : UINT64_MAX;
}

/*
 * The journal begins with the latest of the first lines of all runners: one
 * may begin a day a little later than another.  But one that came when there
 * were others for days has no say.
 */
static void
note_begin(struct audit *a, const char *file, int64_t time_us)
{
	uint64_t runner = runner_of_file(file);

	if (runner >= ARRAY_LEN(a->seen) || a->seen[runner])
		return;
	a->seen[runner] = true;
	if (a->first_us == 0)
		a->first_us = time_us;
	if (time_us - a->first_us < BEGIN_US && time_us > a->sum->begins_us)
		a->sum->begins_us = time_us;
}

static void
on_line(void *arg, const char *file, uint64_t number, struct str line)
{
	struct audit *a = arg;
	struct journal_entry l;
	struct audit_entry *e;

	if (a->pass == 0)
		a->sum->lines++;
	if (!journal_parse(line, &l) || l.rcpt >= ENVELOPE_RCPT_MAX ||
	    l.rcpts > ENVELOPE_RCPT_MAX) {
		struct audit_finding f = { .kind = AUDIT_BROKEN, .file = file,
			.number = number };

		if (a->pass == 0)
			finding(a, &f);
		return;
	}
	note_begin(a, file, l.time_us);
	if (l.event == JOURNAL_GAP)
		take_gap(a, &l);
	if (l.id.n == 0 || !concerns(a, l.id))
		return;
	/* What a message said is nothing that became of it, and is told after its end. */
	if (l.event == JOURNAL_REPORT || l.event == JOURNAL_REPORT_ROW)
		return;
	e = entry(a, l.id);
	audit_entry_grow(e, (uint32_t)l.rcpts);
	take_change(a, e, &l);
}

/* ---- the spool ---------------------------------------------------------- */

static const enum queue_place places[] = { QUEUE_DROP, QUEUE_NEW, QUEUE_CUR,
	QUEUE_HOLD, QUEUE_DEAD, QUEUE_BAD };

static bool
on_message(void *arg, const char *id, int64_t mtime, uint64_t size)
{
	struct audit *a = arg;
	struct audit_entry *e;

	(void)mtime;
	(void)size;
	if (id == NULL || !concerns(a, str_c(id)))
		return true;
	e = entry(a, str_c(id));
	e->place = (uint8_t)a->place;
	return !a->full;
}

static int
scan_spool(struct audit *a)
{
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		a->place = places[i];
		if (queue_scan(a->q, places[i], on_message, a) < 0)
			return -1;
	}
	return 0;
}

/* Loads the message from wherever it is.  -1: it is nowhere, or unreadable. */
static int
load(struct audit *a, struct audit_entry *e, struct queue_file *f)
{
	char id[QUEUE_ID_SIZE];
	const char *reason;

	queue_number_id(e->id, id);
	for (int i = 0; i < LOOKS; i++)
		for (size_t k = 0; k < ARRAY_LEN(places); k++) {
			arena_reset(&a->arena);
			if (queue_load(a->q, places[k], id, false, &a->arena,
				f, &reason) == 0) {
				e->place = (uint8_t)places[k];
				return 0;
			}
			if (errno != ENOENT) {
				e->place = (uint8_t)places[k];
				return -1;
			}
		}
	return -1;
}

static bool
is_closed(const struct audit_entry *e)
{
	return (e->flags & (AUDIT_REMOVED | AUDIT_ERASED)) != 0;
}

/* Looks for those that seem to be missing. */
static void
look_up(struct audit *a)
{
	struct queue_file f;

	for (uint32_t i = 0; i < audit_table_count(a->table); i++) {
		struct audit_entry *e = audit_table_at(a->table, i);

		e->flags |= AUDIT_LOOKED;
		if (e->place == AUDIT_NOWHERE && !is_closed(e) &&
		    load(a, e, &f) == 0)
			queue_unload(&f);
	}
}

/* ---- adding up ---------------------------------------------------------- */

static void
count(struct audit *a, enum audit_end end)
{
	a->sum->received++;
	a->sum->ends[end]++;
}

static enum audit_end
end_of_place(const struct audit_entry *e)
{
	switch (e->place) {
	case QUEUE_HOLD:
		return AUDIT_HELD;
	case QUEUE_DEAD:
		return AUDIT_DEAD;
	case QUEUE_BAD:
		return AUDIT_BAD;
	default:
		return AUDIT_QUEUED;
	}
}

/* What was dealt with before the journal began stands in the envelope. */
static void
recall(struct audit *a, struct audit_entry *e)
{
	struct queue_file f;

	if ((e->flags & AUDIT_WHOLE) != 0 || load(a, e, &f) < 0)
		return;
	audit_entry_grow(e, (uint32_t)f.env.rcpt_n);
	for (uint32_t i = 0; i < f.env.rcpt_n; i++) {
		uint8_t *rcpt = audit_entry_rcpt(e, i);

		if (*rcpt != 0)
			continue;
		switch (f.env.rcpts[i].state) {
		case RCPT_QUEUED:
			break;
		case RCPT_DONE:
		case RCPT_SENT:
			*rcpt = AUDIT_RELAYED + 1;
			break;
		case RCPT_FAILED:
		case RCPT_BOUNCED:
			*rcpt = AUDIT_BOUNCED + 1;
			break;
		}
	}
	queue_unload(&f);
}

static void
add_present(struct audit *a, struct audit_entry *e)
{
	enum audit_end here;

	recall(a, e);
	here = end_of_place(e);
	for (uint32_t i = 0; i < e->rcpt_n; i++) {
		uint8_t rcpt = *audit_entry_rcpt(e, i);

		/* Who failed there cannot be told of it: that is why it is there. */
		if (here == AUDIT_DEAD && (rcpt == AUDIT_BOUNCED + 1 ||
			rcpt == AUDIT_EXPIRED + 1))
			rcpt = 0;
		count(a, rcpt != 0 ? (enum audit_end)(rcpt - 1) : here);
	}
	/* Unreadable, and never seen before: it has at least one. */
	if (e->rcpt_n == 0)
		count(a, here);
}

/* A message that is neither in the spool nor closed. */
static void
add_missing(struct audit *a, struct audit_entry *e)
{
	bool lost = e->rcpt_n == 0 || (e->flags & AUDIT_WAS_DEAD) != 0;

	for (uint32_t i = 0; i < e->rcpt_n; i++) {
		uint8_t rcpt = *audit_entry_rcpt(e, i);

		if ((e->flags & AUDIT_WAS_DEAD) != 0 &&
		    rcpt == AUDIT_BOUNCED + 1)
			rcpt = 0;
		lost = lost || rcpt == 0;
		count(a, rcpt != 0 ? (enum audit_end)(rcpt - 1) : AUDIT_LOST);
	}
	if (e->rcpt_n == 0)
		count(a, AUDIT_LOST);
	find_message(a, lost ? AUDIT_MISSING : AUDIT_NO_REMOVED, e, 0);
}

static void
add_closed(struct audit *a, struct audit_entry *e)
{
	bool erased = (e->flags & AUDIT_ERASED) != 0;

	for (uint32_t i = 0; i < e->rcpt_n; i++) {
		uint8_t rcpt = *audit_entry_rcpt(e, i);

		if (rcpt != 0)
			count(a, (enum audit_end)(rcpt - 1));
		else if (erased)
			count(a, AUDIT_DELETED);
		else if ((e->flags & AUDIT_WHOLE) != 0) {
			count(a, AUDIT_LOST);
			find_message(a, AUDIT_NO_OUTCOME, e, i);
		}
		/* Else it was dealt with before the journal began. */
	}
}

/*
 * Only its end is told: true if it began before the journal.  Or nothing is
 * told but that it is a report, by the runner that wrote it: its own had begun
 * another day a moment later, and has all of it in a file that is gone.
 */
static bool
is_older(const struct audit *a, const struct audit_entry *e)
{
	if (e->place != AUDIT_NOWHERE ||
	    (int64_t)e->id.time >= a->sum->begins_us)
		return false;
	return (e->flags & AUDIT_SAID) == 0 ||
	    ((e->flags & AUDIT_OWN) == 0 && !is_closed(e) &&
		(e->flags & AUDIT_ENDED) == 0);
}

static void
add_up(struct audit *a)
{
	for (uint32_t i = 0; i < audit_table_count(a->table); i++) {
		struct audit_entry *e = audit_table_at(a->table, i);

		if (is_older(a, e)) {
			a->sum->older++;
			continue;
		}
		a->sum->messages++;
		if (e->place != AUDIT_NOWHERE) {
			add_present(a, e);
			continue;
		}
		/* Deleted before it was loaded: that line has it all. */
		if ((e->flags & (AUDIT_SAID | AUDIT_ERASED)) == 0)
			find_message(a, AUDIT_NO_RECEIVED, e, 0);
		if (is_closed(e))
			add_closed(a, e);
		else if ((e->flags & AUDIT_LOOKED) != 0)
			add_missing(a, e);
		else
			/* It came when everything had been looked at. */
			add_present(a, e);
	}
}

/* ---- all of it ---------------------------------------------------------- */

static int
one_pass(struct audit *a)
{
	audit_table_reset(a->table);
	journal_rewind(a->reader);
	if (journal_read(a->reader, on_line, a) < 0 || a->full ||
	    scan_spool(a) < 0 || a->full)
		return -1;
	look_up(a);
	if (journal_read(a->reader, on_line, a) < 0)
		return -1;
	add_up(a);
	return 0;
}

/* Findings of a pass that is made again would be told twice. */
static void
tell_nobody(void *arg, const struct audit_finding *f)
{
	(void)arg;
	(void)f;
}

static int
all_passes(struct audit *a)
{
	*a->sum = (struct audit_sum){ .passes = a->sum->passes };
	for (a->pass = 0; a->pass < a->sum->passes; a->pass++)
		if (one_pass(a) < 0)
			return -1;
	return 0;
}

/* How many passes it takes: only counted, and not where it is clear. */
static int
count_passes(struct audit *a)
{
	if (journal_octets(a->reader) / LINE_MIN < a->at_once)
		return 0;
	do {
		a->full = false;
		a->pass = 0;
		audit_table_reset(a->table);
		journal_rewind(a->reader);
		if (journal_read(a->reader, on_line, a) < 0 ||
		    (!a->full && scan_spool(a) < 0))
			return -1;
		/* Room for what comes while it runs. */
		if (!a->full &&
		    audit_table_count(a->table) <= a->at_once / 8 * 7)
			return 0;
		a->sum->passes *= 2;
	} while (a->sum->passes < 1u << 16);
	errno = EFBIG;
	return -1;
}

int
audit_run(struct queue *q, struct journal_reader *r, int64_t since_us,
    uint32_t at_once, void (*fn)(void *arg, const struct audit_finding *f),
    void *arg, struct audit_sum *sum)
{
	struct audit a = { .q = q, .reader = r, .since_us = since_us,
		.fn = tell_nobody, .arg = arg, .sum = sum,
		.at_once = at_once, .table = audit_table_new() };
	int result;

	arena_init(&a.arena, ENVELOPE_ARENA);
	*sum = (struct audit_sum){ .passes = 1 };
	result = count_passes(&a);
	a.fn = fn;
	/* More came than there was room for: at last there is. */
	a.at_once = UINT32_MAX;
	a.full = false;
	a.first_us = 0;
	memset(a.seen, 0, sizeof(a.seen));
	if (result == 0)
		result = all_passes(&a);
	arena_free(&a.arena);
	audit_table_free(a.table);
	return result;
}
