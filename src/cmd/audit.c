/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * audit -- `baridctl audit`: every recipient that was accepted, accounted for.
 *
 * Needs no daemon, and whoever may read the spool: root and barid's user.
 */

#include "ctl.h"

#include <errno.h>
#include <inttypes.h>
#include <sysexits.h>
#include <time.h>

#include "lib/json.h"
#include "report/audit.h"

/* Of what is wrong, so many are named; the rest is counted. */
#define NAMED_MAX 1000

struct told {
	uint64_t n;
	struct json *list;	/* NULL: it is printed for people */
};

static void
print_time(int64_t us)
{
	char text[64];
	time_t t = (time_t)(us / 1000000);
	struct tm tm;

	localtime_r(&t, &tm);
	strftime(text, sizeof(text), "%F %T", &tm);
	fputs(text, stdout);
}

static void
print_finding(const struct audit_finding *f)
{
	switch (f->kind) {
	case AUDIT_MISSING:
		printf("%s: neither in the queue nor dealt with\n", f->id);
		break;
	case AUDIT_NO_OUTCOME:
		printf("%s: left the queue, and recipient %" PRIu64
		    " has no outcome\n", f->id, f->rcpt);
		break;
	case AUDIT_NO_RECEIVED:
		printf("%s: the journal does not say that it was received\n",
		    f->id);
		break;
	case AUDIT_NO_REMOVED:
		printf("%s: was dealt with, and is gone without a word\n",
		    f->id);
		break;
	case AUDIT_GAP:
		printf("runner %" PRIu64 ": %" PRIu64
		    " lines are missing, from ", f->runner, f->lost);
		print_time(f->since_us);
		fputs(" to ", stdout);
		print_time(f->time_us);
		putchar('\n');
		break;
	case AUDIT_TWICE:
		printf("%s: recipient %" PRIu64 " was dealt with twice\n",
		    f->id, f->rcpt);
		break;
	case AUDIT_BROKEN:
		printf("%s:%" PRIu64 ": not a line of a journal, skipped\n",
		    f->file, f->number);
		break;
	}
}

static void
add_finding(struct json *list, const struct audit_finding *f)
{
	struct json *o = json_new_object();

	json_set_text(o, "kind", str_c(audit_kind_name(f->kind)));
	json_set_bool(o, "wrong", audit_is_wrong(f->kind));
	if (f->id[0])
		json_set_text(o, "queue_id", str_c(f->id));
	if (f->kind == AUDIT_NO_OUTCOME || f->kind == AUDIT_TWICE)
		json_set_number(o, "recipient", f->rcpt);
	if (f->kind == AUDIT_GAP) {
		json_set_number(o, "runner", f->runner);
		json_set_number(o, "lines", f->lost);
		json_set_double(o, "from", (double)f->since_us / 1e6);
		json_set_double(o, "to", (double)f->time_us / 1e6);
	}
	if (f->file) {
		json_set_text(o, "file", str_c(f->file));
		json_set_number(o, "line", f->number);
	}
	json_add(list, o);
}

static void
on_finding(void *arg, const struct audit_finding *f)
{
	struct told *t = arg;

	if (t->n++ >= NAMED_MAX)
		return;
	if (t->list != NULL)
		add_finding(t->list, f);
	else
		print_finding(f);
}

static void
print_sum(const struct audit_sum *s, const struct told *t)
{
	if (t->n > NAMED_MAX)
		printf("... and %" PRIu64 " more\n", t->n - NAMED_MAX);
	if (t->n > 0)
		putchar('\n');
	printf("%-12s %10" PRIu64 "   recipients of %" PRIu64 " messages\n",
	    "received", s->received, s->messages);
	for (int e = 0; e < AUDIT_END_N; e++)
		if (s->ends[e] > 0 || e == AUDIT_LOST || e == AUDIT_QUEUED)
			printf("%-12s %10" PRIu64 "\n",
			    audit_end_name((enum audit_end)e), s->ends[e]);
	if (s->older > 0)
		printf("\n%" PRIu64 " messages that ended had begun before "
		    "this journal, and are not counted.\n", s->older);
	if (s->lines == 0)
		puts("\nThere is no journal yet.");
	puts(s->wrong == 0 ? "\nThe sum closes." :
			     "\nThe sum does not close.");
}

/* Takes FINDINGS. */
static void
print_json(const struct audit_sum *s, struct json *findings)
{
	struct json *o = json_new_object(), *ends = json_new_object();

	for (int e = 0; e < AUDIT_END_N; e++)
		json_set_number(ends, audit_end_name((enum audit_end)e), s->ends[e]);
	json_set_bool(o, "closes", s->wrong == 0);
	json_set_number(o, "messages", s->messages);
	json_set_number(o, "received", s->received);
	json_set(o, "ends", ends);
	json_set_number(o, "older", s->older);
	json_set_number(o, "lines", s->lines);
	json_set_number(o, "wrong", s->wrong);
	json_set_number(o, "notes", s->notes);
	json_set(o, "findings", findings);
	json_print(o, JSON_FOR_EYES, stdout);
}

static int
audit(struct ctl *t, struct queue *q, struct journal_reader *r)
{
	struct told told = { .n = 0 };
	struct audit_sum sum;

	if (t->json)
		told.list = json_new_array();
	if (audit_run(q, r, t->since_us, AUDIT_MESSAGES_MAX, on_finding, &told,
		&sum) < 0) {
		fprintf(stderr, "the audit cannot be done: %s\n",
		    strerror(errno));
		json_close(told.list);
		return EX_IOERR;
	}
	if (t->json)
		print_json(&sum, told.list);
	else
		print_sum(&sum, &told);
	return sum.wrong == 0 ? EX_OK : 1;
}

int
ctl_audit(struct ctl *t, int argc, char **argv UNUSED)
{
	struct journal_reader *r;
	struct queue *q;
	int code;

	if (argc != 0)
		return ctl_usage();
	if ((q = cmd_queue(t->conf)) == NULL)
		return EX_NOPERM;
	r = journal_reader_open(t->conf->spool, t->since_us);
	if (r == NULL) {
		fprintf(stderr, "%s/" JOURNAL_DIR ": %s\n", t->conf->spool,
		    strerror(errno));
		code = EX_NOINPUT;
	} else
		code = audit(t, q, r);
	journal_reader_close(r);
	queue_close(q);
	return code;
}
