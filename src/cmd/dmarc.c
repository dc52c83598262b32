/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dmarc -- `baridctl dmarc`: what is counted for reports to other domains, what
 * they would say, and sending those that are due without waiting for it.
 *
 * No barid need run.  Root becomes the mail user first: what is written is his,
 * and what is read strangers have had a hand in.
 */

#include "ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "check/dmarc_tally.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/proc.h"
#include "lib/subdir.h"
#include "mail/date.h"
#include "mail/path.h"
#include "report/dmarc_send.h"

/* Of "2026-11-21T00:00:00Z" */
#define DATE_OCTETS 10

/* What is printed, of each domain of a day. */
struct summary {
	int dir;
	bool json, any;
	int error;		/* errno */
};

static void
print_group(struct summary *s, const struct dmarc_day *d, bool open, struct str domain,
    uint64_t messages, uint64_t rows)
{
	char day[64];
	struct buf b;

	buf_init_in(&b, day, sizeof(day));
	date_add_iso(&b, d->day * DMARC_DAY_SECONDS);
	buf_cut(&b, DATE_OCTETS);
	/* A file may have been changed by hand; a domain needs no quoting. */
	if (!domain_valid(domain))
		return;
	if (s->json)
		printf("%s{\"day\":\"%s\",\"state\":\"%s\",\"domain\":\"" STR_FMT "\","
		    "\"messages\":%llu,\"rows\":%llu}", s->any ? ",\n " : "", day,
		    open ? "open" : "due", STR_ARG(domain), (unsigned long long)messages,
		    (unsigned long long)rows);
	else
		printf("%s  %-4s  %-30.*s  %llu messages in %llu rows\n", day,
		    open ? "open" : "due", STR_ARG(domain), (unsigned long long)messages,
		    (unsigned long long)rows);
	s->any = true;
}

static void
print_file(void *arg, const char *name)
{
	struct summary *s = arg;
	bool open = strcmp(name, DMARC_TALLY_OPEN) == 0;
	struct str domain, rest, last = STR("");
	uint64_t messages = 0, rows = 0;
	struct dmarc_day d;

	if (dmarc_day_read(s->dir, name, &d) < 0) {
		if (errno != ENOENT)
			s->error = errno;
		return;
	}
	for (size_t i = 0; i < d.kind_n; i++) {
		(void)str_cut(d.kinds[i].line, ' ', &domain, &rest);
		if (i > 0 && !str_eq(domain, last)) {
			print_group(s, &d, open, last, messages, rows);
			messages = rows = 0;
		}
		last = domain;
		messages += d.kinds[i].count;
		rows++;
	}
	if (d.kind_n > 0)
		print_group(s, &d, open, last, messages, rows);
	dmarc_day_free(&d);
}

static int
reports(const struct ctl *t, int dir)
{
	struct summary s = { .dir = dir, .json = t->json };

	if (s.json)
		putchar('[');
	if (dmarc_tally_list(dir, print_file, &s) < 0)
		s.error = errno;
	print_file(&s, DMARC_TALLY_OPEN);
	if (s.json)
		puts("]");
	if (s.error == 0)
		return EX_OK;
	fprintf(stderr, "%s/" DMARC_TALLY_DIR ": %s\n", t->conf->spool, strerror(s.error));
	return EX_IOERR;
}

static int
send_due(const struct ctl *t, int dir, const char *domain, bool print)
{
	struct dmarc_order o = { .conf = t->conf, .dir = dir, .domain = str_c(domain),
		.now = clock_wall(), .print = print ? stdout : NULL };

	switch (dmarc_send(&o)) {
	case DMARC_ALL_SENT:
		return EX_OK;
	case DMARC_SOME_LEFT:
		return print || domain != NULL ? EX_OK : EX_TEMPFAIL;
	case DMARC_BUSY:
		fputs("reports are being sent already\n", stderr);
		return EX_TEMPFAIL;
	case DMARC_CANNOT:
		break;
	}
	fprintf(stderr, "reports cannot be sent: %s\n", strerror(errno));
	return EX_TEMPFAIL;
}

/* The directory of what is counted, as the mail user; -1: it was said why not. */
static int
enter(const struct ctl *t, bool send)
{
	struct proc_user u = proc_user(t->conf->user);
	int dir;

	/* What is sent is in the log, and here. */
	if (send && conf_open_log(t->conf))
		(void)!log_to("stderr");
	if (proc_is_root() && u.found)
		proc_confine(&u, NULL);
	dir = subdir_open(t->conf->spool, DMARC_TALLY_DIR, false, (uid_t)-1);
	if (dir < 0)
		fprintf(stderr, "%s/" DMARC_TALLY_DIR ": %s\n", t->conf->spool,
		    strerror(errno));
	return dir;
}

int
ctl_dmarc(struct ctl *t, int argc, char **argv)
{
	const char *what = argc > 0 ? argv[0] : "";
	bool list = strcmp(what, "reports") == 0, send = strcmp(what, "send") == 0;
	int dir, code;

	if (argc > (list ? 1 : 2) || (!list && !send && strcmp(what, "print") != 0))
		return ctl_usage();
	if (!t->conf->check.dmarc.reports) {
		fputs("the configuration has no check \"dmarc\" with reports = true\n", stderr);
		return EX_CONFIG;
	}
	if ((dir = enter(t, send)) < 0)
		return errno == ENOENT ? EX_UNAVAILABLE : EX_NOPERM;
	code = list ? reports(t, dir) : send_due(t, dir, argc > 1 ? argv[1] : NULL, !send);
	close(dir);
	return code;
}
