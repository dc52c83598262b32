/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * block -- baridctl's commands about who is refused: block, unblock, blocks,
 * and services that take nobody: smtp, submission, pop3.
 */

#include "ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <sysexits.h>

#include "forms.h"
#include "lib/clock.h"
#include "lib/mem.h"

int
ctl_order(const struct ctl *t, const struct msg_control *m)
{
	struct msg_control_result r;
	struct buf answer;
	int code = EX_OK;

	buf_init(&answer, FRAME_MAX);
	if (cmd_control(t->conf, m, &answer, &r) < 0) {
		code = ctl_not_running();
	} else {
		fprintf(stderr, STR_FMT, STR_ARG(r.text));
		if (t->json)
			printf("{\"ok\":%s}\n", r.ok ? "true" : "false");
		code = r.ok ? EX_OK : EX_UNAVAILABLE;
	}
	buf_free(&answer);
	return code;
}

static int
change_one(const struct ctl *t, enum control_op op, struct str network)
{
	struct msg_control *m = mem_alloc(sizeof(*m));
	int code;

	m->op = op;
	m->domain = network;
	m->reason = str_c(t->why);
	if (t->for_ms > 0)
		m->at = (uint64_t)(clock_wall() + (t->for_ms + 999) / 1000);
	code = ctl_order(t, m);
	mem_free(m);
	return code;
}

/* Several may stand behind each other, and in one with semicolons, as in the configuration. */
static int
change(const struct ctl *t, enum control_op op, int argc, char **argv)
{
	int code = EX_OK;

	if (argc < 1)
		return ctl_usage();
	for (int i = 0; i < argc && code == EX_OK; i++) {
		struct str network, rest = str_c(argv[i]);
		bool more = true;

		while (more && code == EX_OK) {
			more = str_cut(rest, ';', &network, &rest);
			code = change_one(t, op, str_trim(network));
		}
	}
	return code;
}

int
ctl_block(struct ctl *t, int argc, char **argv)
{
	return change(t, CONTROL_BLOCK, argc, argv);
}

int
ctl_unblock(struct ctl *t, int argc, char **argv)
{
	return change(t, CONTROL_UNBLOCK, argc, argv);
}

static int
service(struct ctl *t, const char *name, int argc, char **argv)
{
	bool off = argc == 1 && strcmp(argv[0], "disable") == 0;
	struct msg_control *m;
	int code;

	if (!off && (argc != 1 || strcmp(argv[0], "enable") != 0))
		return ctl_usage();
	m = mem_alloc(sizeof(*m));
	m->op = CONTROL_SERVICE;
	m->domain = str_c(name);
	m->states = off;
	code = ctl_order(t, m);
	mem_free(m);
	return code;
}

int
ctl_smtp(struct ctl *t, int argc, char **argv)
{
	return service(t, "smtp", argc, argv);
}

int
ctl_submission(struct ctl *t, int argc, char **argv)
{
	return service(t, "submission", argc, argv);
}

int
ctl_pop3(struct ctl *t, int argc, char **argv)
{
	return service(t, "pop3", argc, argv);
}

/* "in 59 min": what is left, in the unit that says enough. */
static void
print_left(struct str seconds)
{
	uint64_t s;

	if (str_u64(seconds, INT64_MAX, &s) < 0)
		printf("%-10s", "for ever");
	else if (s < 120)
		printf("%6llu s  ", (unsigned long long)s);
	else if (s < 120 * 60)
		printf("%6llu min", (unsigned long long)s / 60);
	else if (s < 48 * 3600)
		printf("%6llu h  ", (unsigned long long)s / 3600);
	else
		printf("%6llu d  ", (unsigned long long)s / 86400);
}

static void
print_blocks(struct str text)
{
	struct str line, network, left, kind;

	while (text.n > 0) {
		(void)str_cut(text, '\n', &line, &text);
		network = str_word(&line);
		left = str_word(&line);
		kind = str_word(&line);
		printf("%-40.*s ", (int)network.n, network.p);
		print_left(left);
		printf("  " STR_FMT "  " STR_FMT "\n", STR_ARG(kind),
		    STR_ARG(str_trim(line)));
	}
}

int
ctl_blocks(struct ctl *t, int argc, char **argv UNUSED)
{
	struct msg_control *m;
	struct msg_control_result r = { .ok = false };
	size_t size = 0;
	int code = EX_OK;

	if (argc != 0)
		return ctl_usage();
	m = mem_alloc(sizeof(*m));
	m->op = CONTROL_BLOCKS;
	char *text = cmd_control_text(t->conf, m, &size, &r);
	if (!text)
		code = ctl_not_running();
	else if (!r.ok) {
		fprintf(stderr, STR_FMT, STR_ARG(str_n(text, size)));
		code = EX_NOPERM;
	} else if (t->json)
		forms_blocks(str_n(text, size), stdout);
	else
		print_blocks(str_n(text, size));
	mem_free(text);
	mem_free(m);
	return code;
}
