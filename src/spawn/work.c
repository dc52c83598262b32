/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * work -- one run of a program, by a child of its own.
 *
 * The child becomes the account that the program is to run as, so that it can
 * do no more than that one, and starts the program in a session of its own:
 * with the message on standard input, both outputs into one pipe, no other
 * descriptor, and an environment that is made here.  It feeds the one and reads
 * the other until the program has ended.  When the time is over, or nobody
 * waits for the answer any more, the program is killed with its process group.
 *
 * Of the output the beginning is kept, and the rest thrown away.  What a
 * program leaves behind in the background is its own business.
 */

#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "conf/program.h"
#include "ipc/channel.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/proc.h"
#include "mailbox/maildir.h"
#include "mailbox/person.h"

#define ARENA_MAX ((size_t)4 << 20)
#define OUTPUT_MAX 4096
/* A line of it: with a code and an address it fits into a reply. */
#define LINE_MAX_OCTETS 400
/* The message comes with the request, or not at all. */
#define MESSAGE_MS 10000
#define FILES_MAX 1024
/* Beyond program-time, at which a program and a lock are given up; for what is not. */
#define SLACK_MS 60000
/* What is there behind the end of the program is read, but no more than this. */
#define DRAIN_MAX 64

static volatile int got_term, got_chld;

struct run {
	struct told told;
	struct part part;
	struct arena arena;
	int reply;
	int message;
	int in, out, failed;	/* of the program: its standard input, ... */
	pid_t pid;
	struct feed feed;
	struct buf output;
	int64_t may_take;	/* limits.program-time */
	int64_t deadline;
	struct msg_spawn_result result;
};

static void
fail(struct run *w, const char *what, int error)
{
	w->result.end = SPAWN_FAILED;
	w->result.text = str_c(error == 0 ? arena_printf(&w->arena, "%s", what) :
	    arena_printf(&w->arena, "%s: %s", what, strerror(error)));
}

/* Never runs for the same reason: as if the program had said so. */
static void
refuse(struct run *w, const char *why)
{
	w->result.end = SPAWN_EXITED;
	w->result.code = EX_DATAERR;
	w->result.text = str_c(why);
}

static void
close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* ---- the message ------------------------------------------------------------- */

/* The descriptor that comes by the way to answer; -1. */
static int
take_message(struct run *w, const struct msg_spawn *m)
{
	struct pollfd p = { .fd = w->reply, .events = POLLIN };
	struct msg_hint hint;
	struct buf b;
	struct stat st;
	int fd = -1;

	buf_init(&b, FRAME_MAX);
	if (poll(&p, 1, MESSAGE_MS) > 0 &&
	    channel_recv(w->reply, &b, &fd) > 0 &&
	    (!msg_hint_get(buf_str(&b), &hint) || !str_eq(hint.id, m->id)))
		close_one(&fd);
	buf_free(&b);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || m->at > INT64_MAX / 2 ||
	    m->size > INT64_MAX / 2 || m->at + m->size > (uint64_t)st.st_size)
		close_one(&fd);
	return fd;
}

/* ---- the program ------------------------------------------------------------- */

/* In the child of the child: the end, or the program. */
static void
become_program(struct run *w, char **argv, char **env)
{
	sigset_t none;
	int error;

	(void)setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int signo = 1; signo < NSIG; signo++)
		if (signo != SIGKILL && signo != SIGSTOP)
			(void)signal(signo, SIG_DFL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)umask(077);
	/* These are above 2: proc_fix_stdio() saw to it. */
	if (chdir("/") == 0 && dup2(w->in, 0) == 0 && dup2(w->out, 1) == 1 &&
	    dup2(w->out, 2) == 2) {
		proc_close_from(3, &w->failed, 1);
		execve(argv[0], argv, env);
	}
	error = errno;
	(void)!write(w->failed, &error, sizeof(error));
	_exit(EX_OSERR);
}

static int
make_pipes(int in[2], int out[2], int failed[2])
{
	in[0] = in[1] = out[0] = out[1] = failed[0] = failed[1] = -1;
	return pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0 &&
	    pipe2(failed, O_CLOEXEC) == 0 ? 0 : -1;
}

static void
kill_all(const struct run *w)
{
	if (w->pid <= 0)
		return;
	(void)kill(-w->pid, SIGKILL);
	/* Before it has a group of its own. */
	(void)kill(w->pid, SIGKILL);
}

/* False: W's result says why not. */
static bool
start(struct run *w, char **argv, char **env)
{
	int in[2], out[2], failed[2], error = 0;

	if (make_pipes(in, out, failed) < 0) {
		fail(w, "cannot start a program", errno);
		return false;
	}
	w->pid = fork();
	if (w->pid == 0) {
		w->in = in[0];
		w->out = out[1];
		w->failed = failed[1];
		become_program(w, argv, env);
	}
	if (w->pid < 0)
		error = errno;
	close_one(&in[0]);
	close_one(&out[1]);
	close_one(&failed[1]);
	w->in = in[1];
	w->out = out[0];
	/* Its end, without a word: the program is there. */
	if (error == 0)
		while (read(failed[0], &error, sizeof(error)) < 0 && errno == EINTR)
			;
	close_one(&failed[0]);
	if (error != 0) {
		kill_all(w);
		fail(w, argv[0], error);
		return false;
	}
	return fcntl(w->in, F_SETFL, O_NONBLOCK) == 0 &&
	    fcntl(w->out, F_SETFL, O_NONBLOCK) == 0;
}

/* False: there is no more now, or at all. */
static bool
read_output(struct run *w)
{
	char p[OUTPUT_MAX];
	ssize_t n = read(w->out, p, sizeof(p));
	size_t room = OUTPUT_MAX - w->output.n;

	if (n > 0)
		buf_add(&w->output, str_n(p, (size_t)n < room ? (size_t)n : room));
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		close_one(&w->out);
	return n > 0;
}

static void
feed_it(struct run *w)
{
	int done = feed_write(&w->feed, w->in);

	if (done == 0)
		return;
	/* One that has read enough is no mistake; one that had too little is. */
	if (done < 0 && errno != EPIPE) {
		fail(w, "cannot read the message", errno);
		kill_all(w);
	}
	close_one(&w->in);
}

static void
take_end(struct run *w, int status)
{
	if (w->result.end == SPAWN_TIMEOUT || w->result.text.n > 0)
		return;
	w->result.end = WIFEXITED(status) ? SPAWN_EXITED : SPAWN_KILLED;
	w->result.code = (uint64_t)(WIFEXITED(status) ? WEXITSTATUS(status) :
							 WTERMSIG(status));
}

/* Waits for something, or the time to be over.  False: W is done for. */
static bool
turn(struct run *w, const sigset_t *mask)
{
	struct pollfd p[3] = { { .fd = w->reply }, { .fd = w->out, .events = POLLIN },
		{ .fd = w->in, .events = POLLOUT } };
	int64_t left = w->deadline - clock_ms();
	struct timespec wait = { left / 1000, left % 1000 * 1000000 };

	if (got_term)
		return false;
	if (left <= 0) {
		w->result.end = SPAWN_TIMEOUT;
		return false;
	}
	if (ppoll(p, 3, &wait, mask) < 0)
		return true;
	/* Whoever asked is gone, and will ask again. */
	if ((p[0].revents & (POLLHUP | POLLERR)) != 0)
		return false;
	if (p[1].revents != 0)
		(void)read_output(w);
	if (p[2].revents != 0)
		feed_it(w);
	return true;
}

static void
watch(struct run *w)
{
	sigset_t none;
	int status = 0;

	sigemptyset(&none);
	while (waitpid(w->pid, &status, WNOHANG) == 0) {
		got_chld = 0;
		if (turn(w, &none))
			continue;
		kill_all(w);
		if (waitpid(w->pid, &status, 0) == w->pid)
			break;
	}
	for (int i = 0; i < DRAIN_MAX && w->out >= 0 && read_output(w); i++)
		;
	take_end(w, status);
}

/* ---- before and after -------------------------------------------------------- */

/* The first line that has something. */
static struct str
first_line(struct str output)
{
	struct str line;

	do {
		(void)str_cut(output, '\n', &line, &output);
		line = str_trim(line);
	} while (line.n == 0 && output.n > 0);
	return str_head(line, line.n < LINE_MAX_OCTETS ? line.n : LINE_MAX_OCTETS);
}

static void
answer(struct run *w)
{
	struct buf b;

	if (w->result.text.n == 0)
		w->result.text = first_line(buf_str(&w->output));
	buf_init(&b, FRAME_MAX);
	msg_spawn_result_put(&b, &w->result);
	if (channel_send(w->reply, buf_str(&b), -1) < 0 && errno != EPIPE)
		log_warn(NULL, "cannot answer: %s", strerror(errno));
	buf_free(&b);
}

/* The message, with the lines that go before it. */
static void
feed_begin(struct run *w, const struct msg_spawn *m)
{
	struct buf head;

	buf_init(&head, 8192);
	told_head(&w->told, &head);
	feed_init(&w->feed, w->message, m->at, m->size, buf_str(&head));
	buf_free(&head);
}

static void
run(struct run *w, const struct msg_spawn *m, char **argv, char **env)
{
	feed_begin(w, m);
	if (start(w, argv, env))
		watch(w);
	else if (w->pid > 0)
		(void)waitpid(w->pid, NULL, 0);
	feed_free(&w->feed);
}

static void
append(struct run *w, const struct msg_spawn *m, const char *path)
{
	struct box_wait wait = { w->deadline, w->reply, &got_term,
		w->may_take + SLACK_MS };
	const char *why;

	(void)umask(077);
	feed_begin(w, m);
	why = box_append(path, &w->told, &w->feed, &wait, &w->arena);
	if (why != NULL)
		refuse(w, why);
	feed_free(&w->feed);
}

/* PATH is a Maildir, and has a "/" at its end. */
static void
deliver(struct run *w, const struct conf *c, const struct msg_spawn *m,
    const char *path)
{
	size_t n = strlen(path);
	struct maildir_delivery d = { .base = AT_FDCWD,
		.id = arena_cstr(&w->arena, m->id), .rcpt = (size_t)m->rcpt,
		.arrival = (int64_t)m->arrival, .hostname = c->hostname,
		.fd = w->message, .at = (off_t)m->at, .size = m->size };
	struct buf head;

	while (n > 1 && path[n - 1] == '/')
		n--;
	d.path = arena_cstr(&w->arena, str_n(path, n));
	buf_init(&head, 8192);
	told_head(&w->told, &head);
	d.prefix = buf_str(&head);
	if (maildir_deliver(&d) < 0)
		refuse(w, arena_printf(&w->arena, "%s cannot deliver to "
		    "Maildir %s: %s", errno == EDQUOT || errno == ENOSPC ?
		    "4.2.2" : "4.2.0", d.path, errno == EPERM ?
		    "it is not of the account that writes it, or others can "
		    "write it" : strerror(errno)));
	buf_free(&head);
}

/* What an alias has. */
static void
do_part(struct run *w, const struct conf *c, const struct msg_spawn *m,
    const struct account *as)
{
	const struct part *p = &w->part;

	w->result.end = SPAWN_EXITED;
	w->result.code = 0;
	if (!p->is_file)
		run(w, m, part_args(p->text, &w->arena),
		    told_env(&w->told, as, &w->arena));
	else if (str_ends(str_c(p->text), STR("/")))
		deliver(w, c, m, p->text);
	else
		append(w, m, p->text);
	/* The runner knows no more of it than the digits. */
	if (w->result.end == SPAWN_EXITED && w->result.code == 0)
		w->result.text = str_c(arena_printf(&w->arena,
		    "delivered to %s: %.400s", p->is_file ? "file" : "command",
		    p->text));
}

/* What M asks for, as the account AS. */
static void
do_work(struct run *w, const struct conf *c, const struct msg_spawn *m,
    const struct account *as)
{
	const char *why;
	char **argv;

	/* An answer with this unread behind it would be lost. */
	w->message = take_message(w, m);
	if (!told_read(c, m, &w->arena, &w->told)) {
		fail(w, "the configuration has changed, or a request is broken", 0);
		return;
	}
	if (w->message < 0) {
		fail(w, "a program was to be run without its message", 0);
		return;
	}
	if (m->kind != SPAWN_COMMAND) {
		do_part(w, c, m, as);
		return;
	}
	argv = told_args(&w->told, &w->arena, &why);
	if (argv == NULL)
		refuse(w, why);
	else
		run(w, m, argv, told_env(&w->told, as, &w->arena));
}

/* ---- whose it is ------------------------------------------------------------- */

/* The process is the account PW for good; what is known of it, in A. */
static struct account
become(const struct passwd *pw, struct arena *a)
{
	struct proc_user u = { .found = pw != NULL };
	struct account as = { "nobody", "/", "/bin/sh" };

	if (pw != NULL) {
		u.uid = pw->pw_uid;
		u.gid = pw->pw_gid;
		as.name = arena_cstr(a, str_c(pw->pw_name));
		as.home = arena_cstr(a, str_c(pw->pw_dir));
	}
	/* As root that is the end, without an account or with root's. */
	proc_confine(&u, NULL);
	return as;
}

/* The account that command N runs as. */
static const char *
account_of(const struct conf *c, uint64_t n)
{
	struct program_command command;

	return program_command(c, n, &command) && command.run_as[0] != '\0' ?
	    command.run_as : c->user;
}

/*
 * Whoever has the file where it stands, unless that is root: who writes it may
 * do as himself what he likes.
 */
static const struct passwd *
owner_of(const struct conf *c, const struct part *p)
{
	const char *name = c->recipients.run_as;

	if (!proc_is_root())
		return getpwuid(geteuid());
	return p->owner != 0 ? getpwuid(p->owner) :
			       getpwnam(name[0] != '\0' ? name : c->user);
}

static void
catch_signals(void)
{
	sigset_t set;

	proc_on_signal(SIGTERM, &got_term);
	proc_on_signal(SIGCHLD, &got_chld);
	proc_ignore(SIGPIPE);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_SETMASK, &set, NULL);
}

void
end_after(int64_t ms)
{
	proc_default(SIGALRM);
	(void)alarm((unsigned)((ms + 999) / 1000));
}

/* A part of an alias is found first, and is what says whose it is. */
static void
do_as(struct run *w, const struct conf *c, const struct msg_spawn *m)
{
	const struct passwd *pw;
	const char *why = NULL;
	struct account as;

	if (m->kind == SPAWN_COMMAND)
		pw = getpwnam(account_of(c, m->command));
	else if (m->kind == SPAWN_HOME) {
		pw = conf_has_homes(c) ?
		    person_find(arena_cstr(&w->arena, m->who),
			proc_is_root()) : NULL;
		if (pw == NULL || (m->via.n == 0 &&
		    c->recipients.home_maildir[0] == '\0'))
			why = "there is no such account, or it has no Maildir";
	} else if (part_find(c, m, &w->arena, &w->part, &why)) {
		pw = owner_of(c, &w->part);
		if (pw == NULL)
			why = arena_printf(&w->arena, "there is no account "
			    "with the uid %u, whose file it stands in",
			    w->part.owner);
	} else
		pw = getpwnam(c->user);
	if (pw == NULL && why != NULL)
		pw = getpwnam(c->user);
	as = become(pw, &w->arena);
	/* Only as whom it is that file is opened. */
	if (m->kind == SPAWN_HOME && why == NULL && m->via.n == 0)
		home_maildir(c, pw, &w->arena, &w->part);
	else if (m->kind == SPAWN_HOME && why == NULL &&
	    home_find(pw, m->via, &w->arena, &w->part, &why))
		why = NULL;
	if (why == NULL) {
		do_work(w, c, m, &as);
		return;
	}
	w->message = take_message(w, m);
	fail(w, why, 0);
}

void
work(const struct conf *c, const struct msg_spawn *m, int reply)
{
	struct run w = { .reply = reply, .message = -1, .in = -1, .out = -1 };

	catch_signals();
	end_after(c->limits.program_time + SLACK_MS);
	proc_limit(FILES_MAX, 0, 0);
	arena_init(&w.arena, ARENA_MAX);
	buf_init(&w.output, OUTPUT_MAX);
	w.may_take = c->limits.program_time;
	w.deadline = clock_ms() + w.may_take;
	do_as(&w, c, m);
	if (!got_term)
		answer(&w);
	close_one(&w.message);
	close_one(&w.in);
	close_one(&w.out);
	close_one(&w.reply);
	buf_free(&w.output);
	arena_free(&w.arena);
}
