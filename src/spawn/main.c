/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * main -- the program barid-spawn: runs other people's programs for processes
 * that cannot.
 *
 * Requests come as packets on descriptor 3, each with the way to answer.  One
 * names a section of the configuration, and nothing but the program that stands
 * there is ever run.  A child is forked for each (work.c), which answers by
 * itself: so that what runs goes on if this process is lost.  Of each so many
 * run at once; the others wait here, and who gives up meanwhile is not served.
 *
 * It stays root only where a section, or who has a file, is another account, and then reads
 * its number in a request and nothing else; the rest is read by the child.
 */

#include "spawn.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "conf/program.h"
#include "ipc/channel.h"
#include "lib/clock.h"
#include "lib/helper.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/proc.h"

#define CHANNEL_FD HELPER_FD
#define RUNNING_MAX 256
/* Beyond these, requests wait in the channel. */
#define WAITING_MAX 512
/* Lines behind those of the configuration's commands; who waits in one is in no other's way. */
enum { LINE_ALIASES, LINE_FORWARDS, LINE_HOMES, LINE_READING, LINES_MORE };
/* What runs at the end has so long, as in a runner. */
#define STOP_MS 10000
#define STOP_LOOK_MS 100

static struct helper_signals came;

struct request {
	struct request *next;
	char *packet;
	size_t n;
	size_t command;		/* or one of those behind: see line_of() */
	char *who;		/* of LINE_FORWARDS: the account; else NULL */
	int reply;
};

struct running {
	pid_t pid;		/* 0: this place is free */
	size_t command;
	char *who;
};

struct spawn {
	struct conf *conf;
	struct request *first, **last;
	size_t waiting;
	struct running running[RUNNING_MAX];
	size_t running_n;
	size_t *of_command;	/* how many run */
};

/* ---- running ----------------------------------------------------------------- */

static void
request_free(struct request *q)
{
	close(q->reply);
	mem_free(q->who);
	mem_free(q->packet);
	mem_free(q);
}

static void
child(struct spawn *s, struct request *q)
{
	struct msg_forward home;
	struct msg_spawn m;

	/* Nobody else's answers, and no request, are for it. */
	close(CHANNEL_FD);
	for (const struct request *o = s->first; o != NULL; o = o->next)
		close(o->reply);
	if (msg_spawn_get(str_n(q->packet, q->n), &m))
		work(s->conf, &m, q->reply);
	else if (msg_forward_get(str_n(q->packet, q->n), &home))
		home_tell(s->conf, &home, q->reply);
	proc_child_exit(0);
}

static bool
is_given_up(const struct request *q)
{
	struct pollfd p = { .fd = q->reply };

	return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR)) != 0;
}

static void
start(struct spawn *s, struct request *q)
{
	struct running *w = s->running;

	while (w->pid != 0)
		w++;
	w->pid = fork();
	if (w->pid == 0)
		child(s, q);
	if (w->pid < 0) {
		log_error(NULL, "cannot start a worker: %s", strerror(errno));
		w->pid = 0;
		return;
	}
	w->command = q->command;
	w->who = q->who;
	q->who = NULL;
	s->running_n++;
	s->of_command[q->command]++;
}

/*
 * True if there is room in its line, and for another one of its account: each
 * runner bounds them, too, but knows only its own.
 */
static bool
may_start(const struct spawn *s, const struct request *q)
{
	size_t of_who = 0;

	if (s->of_command[q->command] >= s->conf->limits.programs)
		return false;
	for (size_t i = 0; q->who != NULL && i < RUNNING_MAX; i++)
		if (s->running[i].who != NULL && strcmp(s->running[i].who, q->who) == 0)
			of_who++;
	return of_who < SPAWN_FORWARD_ACTIVE;
}

/* Starts what has its turn. */
static void
serve(struct spawn *s)
{
	struct request **at = &s->first, *q;

	while ((q = *at) != NULL && s->running_n < RUNNING_MAX) {
		bool gone = is_given_up(q);

		if (!gone && !may_start(s, q)) {
			at = &q->next;
			continue;
		}
		*at = q->next;
		if (*at == NULL)
			s->last = at;
		s->waiting--;
		if (!gone)
			start(s, q);
		request_free(q);
	}
}

/* It died of SIGNO. */
static void
say_died(pid_t pid, int signo)
{
	if (signo == SIGALRM)
		log_warn(NULL, "a worker (pid %d) was ended: files that it reads or "
		    "writes for an account have not answered in time", (int)pid);
	else
		log_error(NULL, "a worker (pid %d) died of signal %d (%s)", (int)pid, signo,
		    strsignal(signo));
}

static void
reap(struct spawn *s)
{
	int status;
	pid_t pid;

	came.chld = 0;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (WIFSIGNALED(status))
			say_died(pid, WTERMSIG(status));
		for (size_t i = 0; i < RUNNING_MAX; i++) {
			struct running *w = &s->running[i];

			if (w->pid != pid)
				continue;
			w->pid = 0;
			mem_free(w->who);
			w->who = NULL;
			s->running_n--;
			s->of_command[w->command]--;
		}
	}
}

/* ---- requests ---------------------------------------------------------------- */

/*
 * In which line PACKET stands: that of a command, or behind them of aliases, of
 * what a .forward leads to, of mailboxes at home, for which no program runs, and of
 * the reading of a .forward; *WHO, for the caller, is whose .forward it is, or
 * NULL.  False: it is broken.
 */
static bool
line_of(const struct spawn *s, struct str packet, size_t *line, char **who)
{
	size_t commands = program_commands(s->conf);
	struct msg_forward home;
	struct msg_spawn m;

	*who = NULL;
	if (msg_forward_get(packet, &home)) {
		*line = commands + LINE_READING;
		return true;
	}
	if (!msg_spawn_get(packet, &m))
		return false;
	*line = m.kind == SPAWN_COMMAND ? (size_t)m.command :
	    m.kind == SPAWN_ALIAS	? commands + LINE_ALIASES :
	    m.via.n > 0			? commands + LINE_FORWARDS :
					  commands + LINE_HOMES;
	if (m.kind == SPAWN_HOME && m.via.n > 0)
		*who = mem_dup(m.who);
	return m.kind != SPAWN_COMMAND || m.command < commands;
}

static void
take(struct spawn *s, struct str packet, int reply)
{
	struct request *q;
	size_t line;
	char *who;

	if (!line_of(s, packet, &line, &who)) {
		channel_complain("a request");
		close(reply);
		return;
	}
	q = mem_alloc(sizeof(*q));
	q->reply = reply;
	q->packet = mem_dup(packet);
	q->n = packet.n;
	q->command = line;
	q->who = who;
	*s->last = q;
	s->last = &q->next;
	s->waiting++;
}

/* Waits for something to happen.  False: the channel has ended. */
static bool
turn(struct spawn *s, const sigset_t *mask, struct buf *packet)
{
	struct pollfd p = { .fd = s->waiting < WAITING_MAX ? CHANNEL_FD : -1,
		.events = POLLIN };
	int reply, got;

	if (ppoll(&p, 1, NULL, mask) <= 0 || p.revents == 0)
		return true;
	got = channel_recv(CHANNEL_FD, packet, &reply);
	if (got > 0 && reply >= 0)
		take(s, buf_str(packet), reply);
	return got >= 0;
}

/* Those that run may end; those that wait are asked for again. */
static void
stop(struct spawn *s, const sigset_t *mask)
{
	int64_t end = clock_ms() + STOP_MS;
	struct timespec wait = { 0, STOP_LOOK_MS * 1000000 };
	struct request *q;

	while ((q = s->first) != NULL) {
		s->first = q->next;
		request_free(q);
	}
	while (s->running_n > 0 && clock_ms() < end) {
		(void)ppoll(NULL, 0, &wait, mask);
		reap(s);
	}
	for (size_t i = 0; i < RUNNING_MAX; i++) {
		if (s->running[i].pid != 0)
			(void)kill(s->running[i].pid, SIGTERM);
		mem_free(s->running[i].who);
	}
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static void
loop(struct spawn *s)
{
	struct buf packet;
	sigset_t none;

	sigemptyset(&none);
	buf_init(&packet, FRAME_MAX);
	while (!came.term && turn(s, &none, &packet)) {
		if (came.chld)
			reap(s);
		if (came.usr1) {
			came.usr1 = 0;
			log_reopen();
		}
		serve(s);
	}
	buf_free(&packet);
	stop(s, &none);
}

/* ---- the start --------------------------------------------------------------- */

static void
load(struct spawn *s, const char *path)
{
	struct buf error;

	buf_init(&error, 16384);
	if (!(s->conf = conf_inherit(path, false, &error)))
		fatal(EX_CONFIG, "%s", buf_cstr(&error));
	buf_free(&error);
	(void)conf_open_log(s->conf);
	conf_forget_secrets(s->conf);
	conf_forget_backends(s->conf);
}

static bool
needs_root(const struct conf *c)
{
	struct program_command p;

	for (size_t i = 0; i < program_commands(c); i++)
		if (program_command(c, i, &p) && p.run_as[0] != '\0' &&
		    strcmp(p.run_as, c->user) != 0)
			return true;
	if (conf_has_homes(c))
		return true;
	/* Whoever run_as is: what others' files have runs as those. */
	return c->aliases.n > 0 && c->recipients.run_as[0] != '\0';
}

static void
confine(const struct spawn *s)
{
	struct proc_user user = proc_user(s->conf->user);

	if (proc_is_root() && !user.found)
		fatal(EX_NOUSER, "there is no user %s", s->conf->user);
	if (proc_is_root() && needs_root(s->conf))
		(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	else
		proc_confine(&user, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
}

int
main(int argc, char **argv)
{
	struct spawn *s = mem_alloc(sizeof(*s));
	const char *path = helper_begin(argc, argv, "spawn", 1);

	load(s, path);
	(void)proc_files_max();
	confine(s);
	helper_signals(&came);
	s->last = &s->first;
	s->of_command = mem_array(program_commands(s->conf) + LINES_MORE,
	    sizeof(*s->of_command));
	loop(s);
	mem_free(s->of_command);
	conf_free(s->conf);
	mem_free(s);
	return EX_OK;
}
