/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * dmarc -- messages that were held against a policy are counted, and domains that
 * ask for it are told of theirs (RFC 9990).
 *
 * What sessions say is counted in a file (check/dmarc_tally.h).  When its day is
 * over, and some time more, a child writes the reports: it asks DNS and may take
 * as long as that needs.  It is killed with this process, and what it had not
 * done is the next one's.
 */

#include "checkd.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check/dmarc_tally.h"
#include "ipc/channel.h"
#include "ipc/msg_dmarc.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/proc.h"
#include "lib/subdir.h"
#include "mail/dmarc_row.h"
#include "net/addr.h"
#include "report/dmarc_send.h"

/* A look at the clock, which may be set. */
#define LOOK_MS 5000
/* What could not be sent is tried again; what should have been is looked for. */
#define AGAIN_MS (INT64_C(3600) * 1000)
#define MINUTE_MS 60000

struct desk {
	struct checkd *d;
	int dir;
	struct dmarc_tally *tally;	/* NULL: nothing was counted today */
	bool fresh;			/* nobody has looked what a process before had */
	bool due;			/* there may be files whose day is over; */
	int64_t next_ms;		/* they are not looked at before */
	pid_t child;			/* that sends; 0: none */
	int64_t lost_day;		/* on which it was said that something was not counted */
	struct loop_timer *timer;
};

void
dmarc_open(struct checkd *d)
{
	int dir;

	if (!d->conf->check.dmarc.enabled || !d->conf->check.dmarc.reports)
		return;
	dir = subdir_open(d->conf->spool, DMARC_TALLY_DIR, true, geteuid());
	if (dir < 0) {
		log_error(NULL, "%s/" DMARC_TALLY_DIR ": %s: there are no reports",
		    d->conf->spool, strerror(errno));
		return;
	}
	d->desk = mem_alloc(sizeof(*d->desk));
	*d->desk = (struct desk){ .d = d, .dir = dir, .fresh = true, .due = true };
}

void
dmarc_close(struct checkd *d)
{
	struct desk *k = d->desk;

	if (k == NULL)
		return;
	loop_timer_free(k->timer);
	if (k->child > 0) {
		(void)kill(k->child, SIGKILL);
		(void)waitpid(k->child, NULL, 0);
	}
	dmarc_tally_close(k->tally);
	close(k->dir);
	mem_free(k);
	d->desk = NULL;
}

/* ---- counting ---------------------------------------------------------------------- */

/* The file of this day is open, if there is one; with MAKE there is. */
static bool
turn_over(struct desk *k, bool make)
{
	int64_t today = dmarc_tally_day_of(clock_wall());

	if (k->tally != NULL && dmarc_tally_day(k->tally) == today)
		return true;
	if (k->tally == NULL && !make && !k->fresh)
		return false;
	dmarc_tally_close(k->tally);
	/* One of another day is ended by this. */
	k->tally = dmarc_tally_open(k->dir, today, k->d->conf->check.dmarc.report_rows, make);
	k->due = true;
	k->fresh = k->tally == NULL && errno != ENOENT;
	return k->tally != NULL;
}

void
dmarc_take(struct checkd *d, struct str packet)
{
	struct desk *k = d->desk;
	struct dmarc_row row;
	struct msg_dmarc m;
	struct addr a;
	int64_t today;

	if (!msg_dmarc_get(packet, &m) || !dmarc_row_parse(m.row, &row) || row.rest ||
	    addr_parse(row.source, 0, &a) < 0) {
		channel_complain("what a session says of a message");
		return;
	}
	if (k == NULL || (turn_over(k, true) && dmarc_tally_add(k->tally, m.row) == 0))
		return;
	today = dmarc_tally_day_of(clock_wall());
	if (k->lost_day != today)
		log_error(NULL, "%s/" DMARC_TALLY_DIR ": %s: reports will not have all",
		    d->conf->spool, strerror(errno));
	k->lost_day = today;
}

/* ---- sending ------------------------------------------------------------------------ */

static void NORETURN
child(const struct desk *k)
{
	const struct conf *c = k->d->conf;
	const struct dmarc_order o = { .conf = c, .dir = k->dir, .now = clock_wall(),
		.after = c->check.dmarc.report_after / 1000 };
	enum dmarc_sent sent;
	sigset_t none;

	sigemptyset(&none);
	proc_default(SIGTERM);
	proc_default(SIGCHLD);
	sigprocmask(SIG_SETMASK, &none, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(k->d->channel);
	/* The lock stays with who counts. */
	dmarc_tally_close(k->tally);
	sent = dmarc_send(&o);
	if (sent == DMARC_CANNOT)
		log_error(NULL, "dmarc report: nothing can be sent: %s", strerror(errno));
	proc_child_exit((int)sent);
}

struct look {
	int64_t ended;		/* a day that did so by then is due */
	bool any, due;
};

static void
look_at(void *arg, const char *name)
{
	struct look *l = arg;

	l->any = true;
	l->due = l->due || dmarc_tally_ends(name) <= l->ended;
}

static void
start_due(struct desk *k)
{
	struct look l = { .ended = clock_wall() - k->d->conf->check.dmarc.report_after / 1000 };

	if (!k->due || k->child > 0 || clock_ms() < k->next_ms)
		return;
	k->due = dmarc_tally_list(k->dir, look_at, &l) < 0 || l.any;
	if (!l.due)
		return;
	k->child = fork();
	if (k->child == 0)
		child(k);
	if (k->child < 0) {
		log_error(NULL, "dmarc report: cannot fork: %s", strerror(errno));
		k->child = 0;
		k->next_ms = clock_ms() + AGAIN_MS;
	}
}

static void
on_child(void *arg)
{
	struct desk *k = arg;
	int status;

	if (k->child == 0 || waitpid(k->child, &status, WNOHANG) != k->child)
		return;
	k->child = 0;
	if (!WIFEXITED(status))
		log_error(NULL, "dmarc report: who sends them was ended by signal %d",
		    WTERMSIG(status));
	k->next_ms = clock_ms() + (WIFEXITED(status) &&
	    WEXITSTATUS(status) == DMARC_ALL_SENT ? MINUTE_MS : AGAIN_MS);
}

static void
on_time(void *arg)
{
	struct desk *k = arg;

	(void)turn_over(k, false);
	start_due(k);
	loop_timer_set(k->timer, LOOK_MS);
}

void
dmarc_begin(struct checkd *d)
{
	if (d->desk == NULL)
		return;
	d->desk->timer = loop_timer_new(d->loop, on_time, d->desk);
	loop_signal(d->loop, SIGCHLD, on_child, d->desk);
	loop_timer_set(d->desk->timer, 0);
}
