/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * feedback -- reports of others that are read for runners.
 *
 * Each is read by a process of its own, forked for it: that has its text in
 * memory, the way to answer, and nothing else; it can neither open nor connect
 * anything (CONFINE_SIGNER), has so much memory and time, and comes after all
 * others that want a processor.  Whatever a report does to it is done to that
 * one report.  A few are at work at once, more wait, and beyond that nobody does:
 * his runner hears at once that there is no answer.
 */

#include "checkd.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "ipc/msg.h"
#include "lib/confine.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/proc.h"
#include "lib/sys.h"
#include "report/feedback_read.h"

#define RUNNING_MAX 2
#define WAITING_MAX 256
/* Octets of a message that are read. */
#define TEXT_MAX ((uint64_t)32 << 20)
/* Seconds of a processor; a report of the largest kind takes two. */
#define SECONDS_MAX 20
#define NICE 10
#define ARENA_MAX ((size_t)8 << 20)

struct report {
	struct report *next;
	struct msg_feedback about;
	int text, reply;
};

struct readers {
	struct report *first, **last;
	size_t waiting;
	pid_t pids[RUNNING_MAX];	/* 0: nobody */
	struct confine *confine;
};

/* ---- who reads ------------------------------------------------------------------- */

/* The text, which nobody writes to any more; false: it cannot be read. */
static bool
get_text(const struct report *p, struct buf *text)
{
	char *room = buf_room(text, (size_t)p->about.size);
	size_t n = 0;

	while (n < p->about.size) {
		ssize_t got = sys_pread(p->text, room + n, (size_t)p->about.size - n,
		    (off_t)(p->about.at + n));

		if (got <= 0)
			return false;
		n += (size_t)got;
	}
	buf_grew(text, n);
	return true;
}

static void
limit(const struct report *p)
{
	struct rlimit seconds = { SECONDS_MAX, SECONDS_MAX };

	if (setrlimit(RLIMIT_CPU, &seconds) < 0)
		fatal(EX_OSERR, "cannot limit who reads a report: %s", strerror(errno));
	proc_alone(FEEDBACK_MEMORY + 2 * p->about.size);
	/* The least of those; it is worse without, and no worse than that. */
	(void)!nice(NICE);
}

static void NORETURN
reader(struct checkd *d, const struct report *p)
{
	struct feedback f;
	struct buf text, packet;
	struct arena a;

	proc_default(SIGTERM);
	proc_default(SIGCHLD);
	proc_default(SIGUSR1);
	grey_close(d);
	limit(p);
	buf_init(&text, TEXT_MAX);
	buf_init(&packet, FRAME_MAX);
	arena_init(&a, ARENA_MAX);
	feedback_init(&f, &a, (size_t)p->about.rows);
	if (p->about.size > TEXT_MAX)
		f.why = "it is larger than is read";
	else if (!get_text(p, &text))
		f.why = "its text cannot be read";
	proc_close_from(STDERR_FILENO + 1, &p->reply, 1);
	confine_calls(d->readers->confine);
	if (f.why == NULL)
		feedback_read(&f, buf_str(&text), str_c(d->conf->hostname));
	msg_feedback_result_put(&packet, &f);
	(void)!channel_send(p->reply, buf_str(&packet), -1);
	proc_child_exit(EX_OK);
}

/* ---- who waits ------------------------------------------------------------------- */

static void
report_free(struct report *p)
{
	if (p->text >= 0)
		close(p->text);
	close(p->reply);
	mem_free(p);
}

static struct report *
next_one(struct readers *s)
{
	struct report *p = s->first;

	s->first = p->next;
	if (s->first == NULL)
		s->last = &s->first;
	s->waiting--;
	return p;
}

static void
start_next(struct checkd *d)
{
	struct readers *s = d->readers;

	for (size_t i = 0; i < RUNNING_MAX && s->first != NULL; i++) {
		struct report *p;

		if (s->pids[i] != 0)
			continue;
		p = next_one(s);
		s->pids[i] = fork();
		if (s->pids[i] == 0)
			reader(d, p);
		if (s->pids[i] < 0) {
			log_error(NULL, "cannot fork who reads a report: %s", strerror(errno));
			s->pids[i] = 0;
		}
		/* Who asked hears of it by the end of the way to answer. */
		report_free(p);
	}
}

static void
on_child(void *arg)
{
	struct checkd *d = arg;
	pid_t *pids = d->readers->pids;
	int status;

	/* Not whoever else has ended: others wait for theirs. */
	for (size_t i = 0; i < RUNNING_MAX; i++) {
		if (pids[i] == 0 || waitpid(pids[i], &status, WNOHANG) != pids[i])
			continue;
		pids[i] = 0;
		if (WIFSIGNALED(status))
			log_warn(NULL, "who read a report died of signal %d (%s)",
			    WTERMSIG(status), strsignal(WTERMSIG(status)));
	}
	start_next(d);
}

/* The text has been on the way of the answer since before the question. */
static bool
get_descriptor(struct report *p)
{
	struct msg_hint hint;
	struct buf packet;
	struct stat st;
	bool ok;

	buf_init(&packet, FRAME_MAX);
	ok = channel_recv(p->reply, &packet, &p->text) == 1 && p->text >= 0 &&
	    msg_hint_get(buf_str(&packet), &hint) && fstat(p->text, &st) == 0 &&
	    S_ISREG(st.st_mode);
	buf_free(&packet);
	return ok;
}

void
feedback_take(struct checkd *d, struct str packet, int reply)
{
	struct readers *s = d->readers;
	struct report *p = mem_alloc(sizeof(*p));

	*p = (struct report){ .text = -1, .reply = reply };
	if (!msg_feedback_get(packet, &p->about) || !get_descriptor(p) ||
	    s->waiting >= WAITING_MAX || s->confine == NULL) {
		report_free(p);
		return;
	}
	*s->last = p;
	s->last = &p->next;
	s->waiting++;
	start_next(d);
}

/* ---- life ------------------------------------------------------------------------ */

void
readers_open(struct checkd *d)
{
	struct readers *s = mem_alloc(sizeof(*s));
	struct buf error;

	d->readers = s;
	s->last = &s->first;
	feedback_read_prepare();
	buf_init(&error, 1024);
	s->confine = confine_new(CONFINE_SIGNER, (enum confine_mode)d->conf->sandbox, &error);
	if (s->confine == NULL)
		log_error(NULL, "no report is read: sandbox: %s", buf_cstr(&error));
	buf_free(&error);
	loop_signal(d->loop, SIGCHLD, on_child, d);
}

void
readers_close(struct checkd *d)
{
	struct readers *s = d->readers;

	while (s->first != NULL)
		report_free(next_one(s));
	confine_free(s->confine);
	mem_free(s);
}
