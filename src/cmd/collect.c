/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * collect -- `baridctl collect`: mail from mailboxes elsewhere is fetched now,
 * and what came of it is told when that is over.
 *
 * What a server said is foreign, and escaped as the log does it.
 */

#include "ctl.h"

#include <stdlib.h>
#include <sysexits.h>

#include "forms.h"
#include "lib/log.h"
#include "lib/mem.h"

/* A run may take that long, and the one before it that is under way. */
#define WAIT_MS (31 * 60 * 1000)

static bool
is_section(const struct conf *c, const char *name)
{
	for (size_t i = 0; i < c->collect_n; i++)
		if (strcmp(c->collects[i].name, name) == 0)
			return true;
	return false;
}

static void
print_foreign(struct str s)
{
	char out[LOG_LINE_MAX];

	printf("%.*s", (int)log_escape(out, sizeof(out), s), out);
}

/* "NAME: 3 fetched (12345 octets), 3 deleted, 10 left, 1 refused". */
static void
print_one(struct str line)
{
	static const char *const words[] = { " fetched", " octets)", " deleted", " left",
		" refused" };
	static const char *const before[] = { ": ", " (", ", ", ", ", ", " };
	struct str word;

	(void)str_cut(line, '\t', &word, &line);
	print_foreign(word);
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		(void)str_cut(line, '\t', &word, &line);
		fputs(before[i], stdout);
		print_foreign(word);
		fputs(words[i], stdout);
	}
	if (line.n > 0) {
		fputs(": ", stdout);
		print_foreign(line);
	}
	putchar('\n');
}

static int
show(const struct ctl *t, const struct msg_control_result *r)
{
	struct str line, rest = r->text;

	/* No line of a section: it is a refusal. */
	if (!r->ok && str_find(rest, '\t') < 0) {
		fprintf(stderr, "baridctl: " STR_FMT, STR_ARG(rest));
		return EX_UNAVAILABLE;
	}
	if (t->json)
		forms_collects(rest, stdout);
	while (!t->json && rest.n > 0) {
		(void)str_cut(rest, '\n', &line, &rest);
		print_one(line);
	}
	return r->ok ? EX_OK : EX_TEMPFAIL;
}

int
ctl_collect(struct ctl *t, int argc, char **argv)
{
	struct msg_control_result r;
	struct msg_control *m;
	struct buf answer;
	int code;

	if (argc > 1)
		return ctl_usage();
	if (argc == 1 && !is_section(t->conf, argv[0])) {
		fprintf(stderr, "baridctl: there is no section collect \"%s\"\n", argv[0]);
		return EX_USAGE;
	}
	m = mem_alloc(sizeof(*m));
	m->op = CONTROL_COLLECT;
	m->domain = str_c(argc == 1 ? argv[0] : "");
	buf_init(&answer, FRAME_MAX);
	code = cmd_control_wait(t->conf, m, WAIT_MS, &answer, &r) < 0 ? ctl_not_running() :
								       show(t, &r);
	buf_free(&answer);
	mem_free(m);
	return code;
}
