/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * main -- the program barid-verify: asks others for sessions whether there is
 * a recipient, and looks whether its mailbox has room.
 *
 * Questions come as packets on descriptor 3, each with the way to answer.  For
 * each a child is forked, which asks whom recipients.verify names, answers the
 * session by itself, and ends: what hangs, or is taken over by what a server
 * says, is that one question.  The way to barid-spawn, which has more rights, is
 * for those alone that look whether there is room.  With a server of the line
 * protocol it stays, and gets the next question, for which the connection is
 * there then; its end is said by who asks, who closes the way to it, so that no
 * question meets one that is about to end.  What a server of SMTP says is
 * remembered here, by the same packet, which is foreign.  Who gets no answer in
 * time answers 4xx by itself.
 */

#include "verify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "ipc/answers.h"
#include "ipc/channel.h"
#include "lib/clock.h"
#include "lib/confine.h"
#include "lib/helper.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/proc.h"
#include "mailbox/usage.h"

#define CHANNEL_FD HELPER_FD
/* Behind the scoreboard and the set of users. */
#define SPAWN_FD (HELPER_FD + 3)
/* Beyond these, questions wait in the channel. */
#define WORKERS_MAX 64
#define WORKER_FILES 64
#define WORKER_FILE_SIZE ((uint64_t)1 << 20)
#define ARENA_MAX_OCTETS ((size_t)1 << 20)
/* For so long a connection is kept for a question that does not come, */
#define IDLE_MS (60 * 1000)
/* and for so many that do. */
#define QUESTIONS_MAX 1000

static struct helper_signals came;

struct worker {
	pid_t pid;		/* 0: this place is free */
	int fd;			/* questions go there; what it has answered comes, too */
	char *recipient;	/* of the question under way; "" of a mailbox; NULL: it has none */
	unsigned answered;	/* questions */
	int64_t since_ms;	/* it has none */
};

struct verify {
	struct conf *conf;
	struct answers *known;
	int mailboxes;		/* their directory; -1: errno when it was opened */
	struct worker workers[WORKERS_MAX];
	size_t busy_n;
};

/* ---- in a child ------------------------------------------------------------------ */

struct msg_verify_result
cannot_say(const struct asking *q, const char *fmt, ...)
{
	struct buf b;
	va_list ap;

	buf_init(&b, 1000);
	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	struct msg_verify_result r = { .verdict = VERIFY_LATER,
		.why = arena_str(q->a, buf_str(&b)) };
	buf_free(&b);
	return r;
}

/* What could begin another line, or argument, is no address: whoever asks has parsed it. */
static bool
is_broken(const struct msg_verify *m)
{
	return m->recipient.n == 0 || str_has_ctl(m->recipient) ||
	    str_has_ctl(m->sender) || str_has_ctl(m->client) ||
	    str_has_ctl(m->mechanism) || str_has_ctl(m->login);
}

static struct msg_verify_result
ask(const struct asking *q)
{
	if (is_broken(q->about))
		return cannot_say(q, "the question is broken");
	switch (q->whom->kind) {
	case VERIFY_EXEC:
		return ask_program(q);
	case VERIFY_NET:
		return ask_server(q);
	case VERIFY_SMTP:
		return ask_smtp(q);
	case VERIFY_ACCOUNT:
		return ask_account(q);
	case VERIFY_NOBODY:
		break;
	}
	return cannot_say(q, "the configuration has changed");
}

/* Whoever is gone needs no answer. */
static void
send_to(int fd, struct str packet)
{
	if (channel_send(fd, packet, -1) < 0 && errno != EPIPE)
		log_warn(NULL, "cannot answer: %s", strerror(errno));
}

/* Answers on REPLY, and says the same on OWN; false: there it cannot. */
static bool
work(const struct verify *v, struct line *line, const struct msg_verify *m, int reply,
    int own)
{
	struct arena a;
	struct asking q = { .conf = v->conf, .whom = &v->conf->recipients.asked,
		.about = m, .a = &a, .line = line,
		.spawn = m->recipient.n == 0 ? SPAWN_FD : -1,
		.deadline = clock_ms() + v->conf->recipients.verify_timeout };
	struct msg_verify_result r;
	struct buf b;
	bool said;

	arena_init(&a, ARENA_MAX_OCTETS);
	r = m->mailbox.n > 0 ? ask_room(&q, v->mailboxes) : ask(&q);
	if (r.verdict == VERIFY_LATER && m->mailbox.n > 0)
		log_warn(NULL, "nobody can say whether there is room: " STR_FMT,
		    STR_ARG(r.why));
	else if (r.verdict == VERIFY_LATER)
		log_warn(NULL, "nobody can say whether there is <" STR_FMT ">: " STR_FMT,
		    STR_ARG(m->recipient), STR_ARG(r.why));
	buf_init(&b, FRAME_MAX);
	msg_verify_result_put(&b, &r);
	if (buf_ok(&b))
		send_to(reply, buf_str(&b));
	said = buf_ok(&b) && channel_send(own, buf_str(&b), -1) == 0;
	buf_free(&b);
	arena_free(&a);
	return said;
}

/* Waits for a question on OWN, with the way to answer it; false: there will be none. */
static bool
next_question(struct line *line, int own, struct buf *packet, int *reply)
{
	for (;;) {
		struct pollfd p[] = { { .fd = own, .events = POLLIN },
			{ .fd = line_fd(line), .events = POLLIN } };
		int got;

		if (poll(p, ARRAY_LEN(p), -1) < 0) {
			if (errno != EINTR)
				return false;
			continue;
		}
		/* Whatever it is that nobody asked for: most often the end. */
		if (p[1].revents != 0)
			line_drop(line);
		got = channel_recv(own, packet, reply);
		if (got != 0)
			return got > 0 && *reply >= 0;
	}
}

/* Whether a worker for mailboxes, or for recipients, is asked again. */
static bool
is_asked_again(const struct verify *v, bool rooms)
{
	return !rooms && v->conf->recipients.asked.kind == VERIFY_NET;
}

static void
answer_questions(const struct verify *v, int own)
{
	struct line *line = line_new();
	struct msg_verify m;
	struct buf packet;
	bool more = true;
	int reply;

	buf_init(&packet, FRAME_MAX);
	while (more && next_question(line, own, &packet, &reply) &&
	    msg_verify_get(buf_str(&packet), &m)) {
		/* What no deadline stops. */
		alarm((unsigned)(v->conf->recipients.verify_timeout / 1000) + 2);
		more = work(v, line, &m, reply, own);
		alarm(0);
		close(reply);
	}
	line_free(line);
	buf_free(&packet);
}

static void
child(const struct verify *v, int own, bool rooms)
{
	sigset_t none;

	proc_default(SIGTERM);
	proc_default(SIGCHLD);
	proc_default(SIGALRM);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(CHANNEL_FD);
	if (!rooms)
		close(SPAWN_FD);
	for (size_t i = 0; i < WORKERS_MAX; i++)
		if (v->workers[i].pid > 0)
			close(v->workers[i].fd);
	proc_limit(WORKER_FILES, 0, WORKER_FILE_SIZE);
	answer_questions(v, own);
	proc_child_exit(0);
}

/* ---- workers ----------------------------------------------------------------------- */

/* W has ended, or is to. */
static void
let_go(struct verify *v, struct worker *w)
{
	if (w->recipient != NULL)
		v->busy_n--;
	close(w->fd);
	mem_free(w->recipient);
	*w = (struct worker){ .pid = 0 };
}

/* One that has no question; NULL: there is none. */
static struct worker *
idle_one(struct verify *v)
{
	for (size_t i = 0; i < WORKERS_MAX; i++)
		if (v->workers[i].pid > 0 && v->workers[i].recipient == NULL)
			return &v->workers[i];
	return NULL;
}

/* A place for one, of which not all are busy: free, or one with no question goes. */
static struct worker *
place_for_one(struct verify *v)
{
	struct worker *w;

	for (w = v->workers; w < v->workers + WORKERS_MAX; w++)
		if (w->pid == 0)
			return w;
	w = idle_one(v);
	let_go(v, w);
	return w;
}

/* A new one for a mailbox, or for recipients; NULL: it cannot be had. */
static struct worker *
new_one(struct verify *v, bool room)
{
	struct worker *w = place_for_one(v);
	int pair[2];
	pid_t pid;

	if (channel_pair(pair) < 0) {
		log_error(NULL, "cannot start a worker: %s", strerror(errno));
		return NULL;
	}
	pid = fork();
	if (pid == 0) {
		close(pair[0]);
		child(v, pair[1], room);
	}
	close(pair[1]);
	if (pid < 0) {
		log_error(NULL, "cannot start a worker: %s", strerror(errno));
		close(pair[0]);
		return NULL;
	}
	*w = (struct worker){ .pid = pid, .fd = pair[0] };
	return w;
}

/* ---- questions ------------------------------------------------------------------- */

/*
 * Hands PACKET, which is about RECIPIENT, to whoever is free, or a new one.  About
 * a mailbox it has none, and those who are free have heard servers.
 */
static void
start(struct verify *v, struct str packet, struct str recipient, int reply)
{
	bool room = recipient.n == 0;
	struct worker *w = NULL;

	/* An idle one may have gone just now. */
	while (!room && (w = idle_one(v)) != NULL && channel_send(w->fd, packet, reply) < 0)
		let_go(v, w);
	if (w == NULL && (w = new_one(v, room)) != NULL && channel_send(w->fd, packet, reply) < 0) {
		log_error(NULL, "cannot ask a worker: %s", strerror(errno));
		let_go(v, w);
		w = NULL;
	}
	if (w == NULL)
		return;
	w->recipient = mem_dup(recipient);
	v->busy_n++;
}

/* A mailbox is known by itself, or a child counts what is in it. */
static void
take_room(struct verify *v, const struct msg_verify *m, struct str packet, int reply)
{
	struct msg_verify_result r;
	struct buf b;

	if (!room_look(v->conf, v->mailboxes, m, &r)) {
		start(v, packet, m->recipient, reply);
		return;
	}
	buf_init(&b, FRAME_MAX);
	msg_verify_result_put(&b, &r);
	if (buf_ok(&b))
		send_to(reply, buf_str(&b));
	buf_free(&b);
}

static void
take(struct verify *v, struct str packet, int reply)
{
	struct msg_verify m;
	struct str known;

	if (!msg_verify_get(packet, &m)) {
		channel_complain("a question");
		return;
	}
	if (m.mailbox.n > 0) {
		take_room(v, &m, packet, reply);
		return;
	}
	known = answers_get(v->known, m.recipient, clock_ms());
	if (known.n > 0)
		send_to(reply, known);
	else
		start(v, packet, m.recipient, reply);
}

/* Of a server of SMTP a yes or a no is known for a while; others may change their minds. */
static void
keep(struct verify *v, const struct worker *w, struct str packet)
{
	const struct conf_recipients *r = &v->conf->recipients;
	struct msg_verify_result m;

	if (w->recipient[0] != '\0' && r->asked.kind == VERIFY_SMTP && r->verify_cache > 0 &&
	    msg_verify_result_get(packet, &m) &&
	    (m.verdict == VERIFY_YES || m.verdict == VERIFY_NO))
		answers_put(v->known, str_c(w->recipient), packet,
		    clock_ms() + r->verify_cache);
}

/* W has answered, or ended. */
static void
hear(struct verify *v, struct worker *w, struct buf *packet)
{
	int passed = -1, got = channel_recv(w->fd, packet, &passed);

	if (passed >= 0)
		close(passed);
	if (got == 0)
		return;
	if (got > 0 && w->recipient != NULL)
		keep(v, w, buf_str(packet));
	if (got < 0 || w->recipient == NULL || !is_asked_again(v, w->recipient[0] == '\0') ||
	    ++w->answered == QUESTIONS_MAX) {
		let_go(v, w);
		return;
	}
	w->since_ms = clock_ms();
	mem_free(w->recipient);
	w->recipient = NULL;
	v->busy_n--;
}

/* Lets those go that were idle for long.  Milliseconds to the next of them; -1: there is none. */
static int
let_idle_go(struct verify *v)
{
	int64_t now = clock_ms(), left, least = -1;

	for (struct worker *w = v->workers; w < v->workers + WORKERS_MAX; w++) {
		if (w->pid == 0 || w->recipient != NULL)
			continue;
		left = w->since_ms + IDLE_MS - now;
		if (left <= 0)
			let_go(v, w);
		else if (least < 0 || left < least)
			least = left;
	}
	return (int)least;
}

/* ---- the loop -------------------------------------------------------------------- */

/* Waits for something to happen.  False: the channel has ended. */
static bool
turn(struct verify *v, const sigset_t *mask, struct buf *packet)
{
	struct pollfd p[1 + WORKERS_MAX];
	struct worker *who[1 + WORKERS_MAX];
	int reply = -1, got, left = let_idle_go(v);
	const struct timespec wait = { .tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000L };
	nfds_t n = 1;

	p[0] = (struct pollfd){ .events = POLLIN,
		.fd = v->busy_n < WORKERS_MAX ? CHANNEL_FD : -1 };
	for (size_t i = 0; i < WORKERS_MAX; i++)
		if (v->workers[i].pid != 0) {
			who[n] = &v->workers[i];
			p[n++] = (struct pollfd){ .fd = v->workers[i].fd, .events = POLLIN };
		}
	if (ppoll(p, n, left < 0 ? NULL : &wait, mask) <= 0)
		return true;
	for (nfds_t i = 1; i < n; i++)
		if (p[i].revents != 0)
			hear(v, who[i], packet);
	if (p[0].revents == 0)
		return true;
	got = channel_recv(CHANNEL_FD, packet, &reply);
	if (got > 0 && reply >= 0)
		take(v, buf_str(packet), reply);
	if (reply >= 0)
		close(reply);
	return got >= 0;
}

static void
loop(struct verify *v)
{
	struct buf packet;
	sigset_t none;

	sigemptyset(&none);
	buf_init(&packet, FRAME_MAX);
	while (!came.term && turn(v, &none, &packet)) {
		helper_heed(&came);
	}
	buf_free(&packet);
	/* Their sessions say 4xx. */
	for (size_t i = 0; i < WORKERS_MAX; i++)
		if (v->workers[i].pid > 0)
			(void)kill(v->workers[i].pid, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

/* ---- the start ------------------------------------------------------------------- */

static void
load(struct verify *v, const char *path)
{
	struct buf error;

	buf_init(&error, 16384);
	if (!(v->conf = conf_inherit(path, false, &error)))
		fatal(EX_CONFIG, "%s", buf_cstr(&error));
	buf_free(&error);
	conf_forget_secrets(v->conf);
	conf_forget_backends(v->conf);
	conf_forget_proxy(v->conf);
	(void)conf_open_log(v->conf);
	v->mailboxes = usage_is_limited(v->conf) ?
	    open(v->conf->mailboxes, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
}

int
main(int argc, char **argv)
{
	struct verify *v = mem_alloc(sizeof(*v));
	const char *path = helper_begin(argc, argv, "verify", 4);
	struct proc_user user;

	load(v, path);
	user = proc_user(v->conf->user);
	if (proc_is_root() && !user.found)
		fatal(EX_NOUSER, "there is no user %s", v->conf->user);
	proc_confine(&user, NULL);
	/* A program may do what programs do. */
	if (v->conf->recipients.asked.kind != VERIFY_EXEC)
		confine_now(CONFINE_HELPER, (enum confine_mode)v->conf->sandbox);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	helper_signals(&came);
	v->known = answers_new();
	loop(v);
	answers_free(v->known);
	conf_free(v->conf);
	mem_free(v);
	return EX_OK;
}
