/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * explain_scan -- what servers of spam and viruses make of a message.
 *
 * They are asked as for a session: by barid-check, if barid runs, to which the
 * control socket leads.  Nothing is shown to anybody where there is no message.
 */

#include "explain_checks.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/sys.h"
#include "policy/recipient.h"
#include "report/control.h"

/* What barid-check has beside the time of the server. */
#define GRACE_MS 2000

static const char *
path_text(struct looked *k, const struct path *p)
{
	return path_is_null(p) ? "" : arena_cstr(k->a, path_str(k->a, p));
}

/* A file that has TEXT; -1: errno. */
static int
file_of(struct str text)
{
	int fd = memfd_create("message", MFD_CLOEXEC), err;

	if (fd < 0 || sys_write_all(fd, text.p, text.n) == 0)
		return fd;
	err = errno;
	close(fd);
	errno = err;
	return -1;
}

/* What the server of KIND makes of TEXT: R, in ANSWER.  Empty, or why nobody knows. */
static struct str
ask(struct looked *k, enum scan_kind kind, const struct conf_check_scan *c, struct str text,
    struct buf *answer, struct msg_scan_result *r)
{
	struct msg_scan m = { .kind = kind, .size = text.n, .id = STR("explain"),
		.from = str_c(path_text(k, k->from)), .client = str_c(k->address),
		.name = STR(""), .helo = k->helo, .login = k->x->facts.user,
		.rcpts = { str_c(path_text(k, k->to)) }, .rcpt_n = 1 };
	int file = file_of(text), edited;
	struct str why;

	if (file < 0)
		return str_c(strerror(errno));
	why = control_scan(k->c->run, &m, file, (int)c->timeout + GRACE_MS, answer, r, &edited);
	close(file);
	if (edited >= 0)
		close(edited);
	return why;
}

static const char *
words_of(struct looked *k, const struct conf_check_scan *c, const struct msg_scan_result *r)
{
	const char *text;
	struct buf b;

	buf_init(&b, 4096);
	buf_addf(&b, "%s: ", c->server);
	scan_words_add(&b, r);
	if (r->edited > 0)
		buf_adds(&b, "; its text becomes what the server makes of it");
	text = arena_cstr(k->a, buf_str(&b));
	buf_free(&b);
	return text;
}

static void
say_verdict(struct looked *k, const char *name, enum scan_kind kind,
    const struct conf_check_scan *c, struct str text)
{
	bool postmaster = k->postmaster;
	bool for_desk = postmaster || str_ieq(k->to->local, STR("abuse"));
	struct msg_scan_result r;
	struct buf answer;
	struct str why;

	buf_init(&answer, FRAME_MAX);
	why = ask(k, kind, c, text, &answer, &r);
	/* For the postmaster's sake spam is taken, but neither a virus nor what nobody knows. */
	k->postmaster = false;
	if (why.n > 0)
		looked_skip(k, name, c->place, arena_printf(k->a, "%s cannot be shown it: " STR_FMT,
		    c->server, STR_ARG(why)));
	else
		looked_say(k, name, c->place, words_of(k, c, &r),
		    refusal_scan(c, &r, for_desk, k->a), false);
	k->postmaster = postmaster;
	buf_free(&answer);
}

static void
say_server(struct looked *k, const char *name, enum scan_kind kind,
    const struct conf_check_scan *c, const struct str *text)
{
	if (!c->enabled)
		looked_skip(k, name, CONF_NOWHERE, arena_printf(k->a, "there is no check \"%s\"",
		    name));
	else if (k->relays && !c->relayed)
		looked_skip(k, name, c->place, "the client may send anywhere");
	else if (access_listed(&c->exempt, &k->client))
		looked_skip(k, name, c->place, "the client is exempt");
	else if (text == NULL)
		looked_skip(k, name, c->place, "the message was not given (--message)");
	else if (c->max_size > 0 && text->n > c->max_size)
		looked_skip(k, name, c->place, "it is longer than max-size");
	else
		say_verdict(k, name, kind, c, *text);
}

void
explain_scan(struct looked *k, const struct str *text)
{
	say_server(k, "spam", SCAN_KIND_SPAM, &k->c->check.spam, text);
	say_server(k, "virus", SCAN_KIND_VIRUS, &k->c->check.virus, text);
}
