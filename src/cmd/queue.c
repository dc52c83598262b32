/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * queue -- `baridctl queue`: looking at it, and steering it.
 *
 * Which messages an order is for is looked up first and asked for by their
 * ids, so that what is listed is what is steered, and in portions, each of
 * which is answered soon, however slow the disk; only a flush of all goes to
 * the runners as such.  Who sits at a terminal is asked before more than one
 * message is changed.
 */

#include "ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/mem.h"

/* Of a request: a change of each may cost two writes to the disk. */
#define PORTION 128

struct order {
	const char *name;
	enum control_op op;
	/* Whom filters mean where no state is named. */
	unsigned states;
	/* Without a filter, an id or --all it is for all that wait. */
	bool harmless;
	unsigned takes;		/* enum ctl_option, beside the common ones */
	const char *verb;	/* "hold 12 messages?" */
};

#define WAITING (LISTING_NEW | LISTING_ACTIVE | LISTING_DEFERRED)

static const struct order orders[] = {
	{ "flush", CONTROL_FLUSH, WAITING, true, 0, "try" },
	{ "retry", CONTROL_FLUSH, WAITING, true, CTL_AT, "try" },
	{ "hold", CONTROL_HOLD, WAITING, false, 0, "hold" },
	{ "release", CONTROL_RELEASE, LISTING_HOLD, false, 0, "release" },
	{ "delete", CONTROL_DELETE, WAITING | LISTING_HOLD, false, 0,
	    "delete" },
	{ "bounce", CONTROL_BOUNCE, WAITING | LISTING_HOLD, false, 0,
	    "return" },
	{ "move", CONTROL_CHANGE, WAITING | LISTING_HOLD, false, 0,
	    "move" },
};

/* The ids of an order. */
struct ids {
	char *text;		/* that they stand in, or NULL */
	struct str *v;
	size_t n;
};

/* ---- looking ---------------------------------------------------------------- */

static enum listing_form
list_form(const struct ctl *t)
{
	if (t->summary)
		return t->json ? LISTING_SUMMARY_JSON : LISTING_SUMMARY;
	if (t->count)
		return LISTING_COUNT;
	return t->json ? LISTING_JSON : LISTING_LONG;
}

static int
list(struct ctl *t, int argc, char **argv)
{
	struct listing_filter f = t->filter;
	struct str *ids = mem_array((size_t)argc + 1, sizeof(*ids));
	uint64_t count;
	int code;

	for (int i = 0; i < argc; i++)
		ids[i] = str_c(argv[i]);
	f.ids = ids;
	f.id_n = (size_t)argc;
	code = cmd_list(t->conf, &f, list_form(t), stdout, &count);
	if (code == EX_OK && t->count)
		printf(t->json ? "{\"count\":%llu}\n" : "%llu\n",
		    (unsigned long long)count);
	mem_free(ids);
	return code;
}

/* ---- whom it is for ----------------------------------------------------------- */

static bool
has_filter(const struct ctl *t)
{
	const struct listing_filter *f = &t->filter;

	return f->domain.n + f->sender.n + f->recipient.n + f->reason.n +
	    f->route.n + f->states + f->limit > 0 || f->before_us != 0 ||
	    f->after_us != 0;
}

/* Splits lines of ids in place. */
static void
split(struct ids *ids, size_t size)
{
	struct str rest = str_n(ids->text, size), one;

	ids->v = mem_array(size / (QUEUE_ID_LEN + 1) + 1, sizeof(*ids->v));
	while (rest.n > 0 && str_cut(rest, '\n', &one, &rest))
		ids->v[ids->n++] = one;
}

/* Looks up the ids that the filters mean, among those given if there are any. */
static int
look_up(const struct ctl *t, const struct order *o, struct ids *ids)
{
	struct listing_filter f = t->filter;
	size_t size = 0;
	uint64_t count;
	FILE *out;
	int code;

	if (f.states == 0 && ids->n == 0)
		f.states = o->states;
	f.ids = ids->v;
	f.id_n = ids->n;
	out = open_memstream(&ids->text, &size);
	if (out == NULL)
		return EX_OSERR;
	code = cmd_list(t->conf, &f, LISTING_IDS, out, &count);
	if (fclose(out) != 0)
		code = EX_OSERR;
	mem_free(ids->v);
	ids->v = NULL;
	ids->n = 0;
	if (code == EX_OK)
		split(ids, size);
	return code;
}

static int
given(struct ids *ids, int argc, char **argv)
{
	ids->v = mem_array((size_t)argc + 1, sizeof(*ids->v));
	for (int i = 0; i < argc; i++) {
		ids->v[ids->n++] = str_c(argv[i]);
		if (!queue_id_valid(str_c(argv[i]))) {
			fprintf(stderr, "%s is no queue id\n", argv[i]);
			return EX_USAGE;
		}
	}
	return EX_OK;
}

/* ---- asking first -------------------------------------------------------------- */

static int
how_many(const struct ctl *t, const struct order *o, const struct ids *ids,
    bool all, uint64_t *n)
{
	struct listing_filter f = { .states = o->states };

	*n = ids->n;
	return all ? cmd_list(t->conf, &f, LISTING_COUNT, stdout, n) : EX_OK;
}

/* True if whoever sits at the terminal agrees, or nobody is to be asked. */
static int
agreed(const struct ctl *t, const struct order *o, const struct ids *ids,
    bool all)
{
	char line[16] = "";
	uint64_t n;
	int code;

	if (t->yes || o->harmless || !isatty(STDIN_FILENO) ||
	    !isatty(STDERR_FILENO))
		return EX_OK;
	code = how_many(t, o, ids, all, &n);
	if (code != EX_OK || n < 2)
		return code;
	fprintf(stderr, "%s %llu messages? [y/N] ", o->verb,
	    (unsigned long long)n);
	if (fgets(line, sizeof(line), stdin) != NULL &&
	    (line[0] == 'y' || line[0] == 'Y'))
		return EX_OK;
	fputs("nothing was changed\n", stderr);
	return EX_TEMPFAIL;
}

/* ---- doing it ------------------------------------------------------------------- */

/* One request to the runners; adds to *COUNT. */
static int
steer(struct ctl *t, const struct msg_control *m, uint64_t *count)
{
	struct msg_control_result r;
	struct buf answer;
	int code = EX_OK;

	buf_init(&answer, FRAME_MAX);
	if (cmd_control(t->conf, m, &answer, &r) < 0)
		code = ctl_not_running();
	else {
		*count += r.count;
		if (r.text.n > 0)
			fprintf(stderr, STR_FMT, STR_ARG(r.text));
		code = r.ok ? EX_OK : EX_NOPERM;
	}
	buf_free(&answer);
	return code;
}

static int
report_count(const struct ctl *t, int code, uint64_t count, bool named)
{
	if (t->json)
		printf("{\"ok\":%s,\"count\":%llu}\n",
		    code == EX_OK ? "true" : "false",
		    (unsigned long long)count);
	else if (code == EX_OK)
		printf("%llu message%s\n", (unsigned long long)count,
		    count == 1 ? "" : "s");
	return code == EX_OK && named && count == 0 ? EX_DATAERR : code;
}

static void
progress(size_t at, size_t n)
{
	if (n > PORTION && isatty(STDERR_FILENO))
		fprintf(stderr, "\r%zu of %zu%s", at, n, at < n ? "" : "\n");
}

/* Asks in portions; who is told of a few that could not be changed gets the rest. */
static int
steer_ids(struct ctl *t, struct msg_control *m, const struct ids *ids,
    uint64_t *count)
{
	int one = EX_OK, code = EX_OK;

	for (size_t at = 0; at < ids->n && (one == EX_OK ||
	     (one == EX_NOPERM && *count > 0));) {
		for (m->id_n = 0; m->id_n < PORTION && at < ids->n; at++)
			m->ids[m->id_n++] = ids->v[at];
		one = steer(t, m, count);
		if (one != EX_OK)
			code = one;
		progress(at, ids->n);
	}
	return code;
}

static int
carry_out(struct ctl *t, const struct order *o, const struct ids *ids, bool all,
    bool named)
{
	struct msg_control *m = mem_alloc(sizeof(*m));
	uint64_t count = 0;
	int code;

	m->op = o->op;
	m->route = STR("");
	if (o->op == CONTROL_CHANGE)
		m->route = t->filter.route;
	if (t->at != 0) {
		m->op = CONTROL_CHANGE;
		m->at = (uint64_t)t->at;
	}
	code = all ? steer(t, m, &count) : steer_ids(t, m, ids, &count);
	mem_free(m);
	return report_count(t, code, count, named);
}

/* A route that leads nowhere would hold the mail up for nothing. */
static int
check_route(struct ctl *t, const struct order *o)
{
	struct conf_via way;
	struct arena a;
	const char *why;

	if (o->op != CONTROL_CHANGE)
		return EX_OK;
	if (t->filter.route.n == 0) {
		fputs("say where to: --route mx, or the name of an upstream\n",
		    stderr);
		return EX_USAGE;
	}
	arena_init(&a, 1 << 20);
	why = conf_via_own(t->conf, t->filter.route, STR(""), STR(""), &a,
	    &way);
	if (why != NULL)
		fprintf(stderr, "--route %s: %s\n", t->filter.route.p, why);
	arena_free(&a);
	return why == NULL ? EX_OK : EX_USAGE;
}

static int
change(struct ctl *t, const struct order *o, int argc, char **argv)
{
	struct ids ids = { .n = 0 };
	bool all, filtered, everything;
	struct str route = t->filter.route;
	int code = check_route(t, o);

	/* Of a move it is where to, not where from. */
	if (o->op == CONTROL_CHANGE)
		t->filter.route = STR("");
	filtered = has_filter(t);
	all = everything = argc == 0 && !filtered;
	/* What cannot be undone for everything wants to be asked for in so many words. */
	if (code == EX_OK && all && !t->all && !o->harmless) {
		fputs("name the messages, choose them by a filter such as "
		    "--domain, or say --all\n", stderr);
		code = EX_USAGE;
	}
	if (code == EX_OK)
		code = given(&ids, argc, argv);
	if (all && (o->op != CONTROL_FLUSH || t->at != 0))
		filtered = true;
	if (code == EX_OK && filtered)
		code = look_up(t, o, &ids);
	/* Where there is nothing the runners say so, or that they do not run. */
	all = all && (!filtered || ids.n == 0);
	t->filter.route = route;
	if (code == EX_OK)
		code = agreed(t, o, &ids, all);
	if (code == EX_OK)
		code = carry_out(t, o, &ids, all, !everything);
	mem_free(ids.v);
	mem_free(ids.text);
	return code;
}

int
ctl_queue(struct ctl *t, int argc, char **argv)
{
	const char *name = argc > 0 ? argv[0] : "list";

	if (queue_id_valid(str_c(name))) {
		/* "list" may be left out. */
		name = "list";
		argc++;
		argv--;
	}
	if (strcmp(name, "list") == 0) {
		if ((t->given & ~(CTL_FILTER | CTL_LIST | CTL_LIMIT |
			CTL_ROUTE)) != 0)
			return ctl_usage();
		return list(t, argc > 0 ? argc - 1 : 0, argv + (argc > 0));
	}
	if (strcmp(name, "show") == 0) {
		if (argc != 2 || (t->given & ~CTL_TEXT) != 0)
			return ctl_usage();
		return cmd_show(t->conf, argv[1], t->text, t->json, stdout);
	}
	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		const struct order *o = &orders[i];

		if (strcmp(name, o->name) != 0)
			continue;
		if ((t->given & ~(CTL_FILTER | CTL_ALL | CTL_YES | CTL_LIMIT |
			CTL_ROUTE | o->takes)) != 0)
			return ctl_usage();
		return change(t, o, argc - 1, argv + 1);
	}
	return ctl_usage();
}
