/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * explain -- `baridctl explain`: each decision about an address, or about a
 * message of the queue, with the line of the configuration that made it.
 *
 * Nothing is sent and nothing is changed.  What is asked: DNS, and the barid
 * that runs, for who has a mailbox and what its runners remember.
 */

#include "explain.h"

#include <sysexits.h>


static int
explain_address(struct explain *x, const struct ctl *t, const char *text)
{
	struct arena a;
	struct path p;
	const char *why;
	int code = EX_OK;

	arena_init(&a, 1 << 20);
	why = inject_address(x->conf, str_c(text), &a, &p);
	if (why == NULL) {
		explain_remap(x, &p);
		if (t->client != NULL)
			code = explain_checks(x, t, &p);
		if (code == EX_OK) {
			explain_sign(x, &x->facts.from);
			explain_rcpt(x, &p, false);
		}
	} else {
		fprintf(stderr, "%s is no address: %s\n", text, why);
		code = EX_DATAERR;
	}
	arena_free(&a);
	return code;
}

/* The listener that was named; false: it takes no mail. */
static bool
take_listener(struct explain *x, const char *name)
{
	x->facts.listener = str_c(name);
	if (name == NULL || strcmp(name, CONF_LISTEN_DROP) == 0 ||
	    strcmp(name, CONF_LISTEN_COLLECT) == 0)
		return true;
	for (size_t i = 0; x->listen == NULL && i < x->conf->listen_n; i++)
		if (strcmp(x->conf->listens[i].name, name) == 0)
			x->listen = &x->conf->listens[i];
	if (x->listen == NULL)
		fprintf(stderr, "there is no listener %s\n", name);
	else if (x->listen->service >= SERVICE_POP3)
		fprintf(stderr, "no mail comes in by the listener %s, whose service is %s\n",
		    name, x->listen->service == SERVICE_POP3 ? "pop3" : "admin");
	else
		return true;
	return false;
}

/* What the message would be known by. */
static int
take_facts(struct explain *x, const struct ctl *t, struct arena *a)
{
	const char *why = NULL;

	if (t->from != NULL && t->from[0] != '\0' &&
	    strcmp(t->from, "<>") != 0)
		why = inject_address(x->conf, str_c(t->from), a,
		    &x->facts.from);
	if (why != NULL) {
		fprintf(stderr, "%s is no address: %s\n", t->from, why);
		return EX_DATAERR;
	}
	x->facts.arena = a;
	x->facts.user = str_c(t->user);
	return take_listener(x, t->listener) ? EX_OK : EX_USAGE;
}

/* Only the daemon's user and root can: without them no such address is known. */
static void
read_secrets(struct explain *x, struct conf *c)
{
	struct buf error;

	buf_init(&error, 4096);
	if (conf_srs_load(c, false, 0, &error) < 0) {
		buf_cut(&error, error.n - 1);
		explain_say(x, "srs", CONF_NOWHERE, "%s", buf_cstr(&error));
	}
	buf_free(&error);
}

/* What cannot be read, or makes no sense, is said; the rest counts. */
static void
read_tables(struct explain *x, struct conf *c)
{
	struct str line, rest;
	struct buf error;

	buf_init(&error, 65536);
	(void)!conf_tables_load(c, &error);
	rest = buf_str(&error);
	while (str_cut(rest, '\n', &line, &rest))
		explain_say(x, "table", CONF_NOWHERE, STR_FMT, STR_ARG(line));
	buf_free(&error);
}

int
ctl_explain(struct ctl *t, int argc, char **argv)
{
	struct explain x = { .conf = t->conf };
	struct arena a;
	int code;

	if (argc != 1)
		return ctl_usage();
	if (t->client == NULL && (t->helo != NULL || t->message != NULL)) {
		fputs("--helo and --message are of a client: expected --client, too\n", stderr);
		return EX_USAGE;
	}
	if (t->client != NULL && queue_id_valid(str_c(argv[0]))) {
		fprintf(stderr, "%s was checked as it came in: --client is for an address\n",
		    argv[0]);
		return EX_USAGE;
	}
	arena_init(&a, 1 << 20);
	steps_init(&x.steps);
	x.dns = lookup_new(t->conf);
	x.running = cmd_is_running(t->conf);
	read_secrets(&x, t->conf);
	read_tables(&x, t->conf);
	code = take_facts(&x, t, &a);
	if (code == EX_OK)
		code = queue_id_valid(str_c(argv[0])) ?
		    explain_message(&x, argv[0]) :
		    explain_address(&x, t, argv[0]);
	if (code == EX_OK && t->json)
		steps_json(argv[0], &x.steps, stdout);
	else if (code == EX_OK)
		steps_print(&x.steps, stdout);
	explain_lists_free(&x);
	lookup_free(x.dns);
	steps_free(&x.steps);
	arena_free(&a);
	return code;
}
