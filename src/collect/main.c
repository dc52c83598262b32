/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * main -- the program barid-collect: fetches mail from mailboxes elsewhere.
 *
 * This process has the passwords and reads nothing that a network sends: for each
 * look into a mailbox it forks a worker, which forgets the other passwords and
 * sends back one packet, which is foreign.  A mailbox is looked into by one worker
 * at a time: when its time has come, or when baridctl asks, who is answered
 * when that run is over.  What a worker that died has left staged is seen to
 * after its end, and at the start; where that fails, by the next worker, before it
 * does anything else.
 */

#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "ipc/msg.h"
#include "ipc/score.h"
#include "lib/clock.h"
#include "lib/confine.h"
#include "lib/helper.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/proc.h"
#include "lib/subdir.h"
#include "lib/sys.h"

#define CHANNEL_FD HELPER_FD
#define SCORE_FD (HELPER_FD + 1)
#define USERS_FD (HELPER_FD + 2)
#define RUNNERS_FD (HELPER_FD + 3)
#define WORKERS_MAX 16
#define ASKERS_MAX 32
/* After failures the waits get longer, up to this; a server may be counting, too. */
#define PAUSE_MAX_MS (3600 * INT64_C(1000))
#define PASSWORD_MAX 1024
#define TEXT_MAX (FRAME_MAX / 2)

static struct helper_signals came;

struct account {
	const struct conf_collect *of;
	int dir;
	pid_t pid;		/* of its worker; 0: none */
	int fd;			/* that says there what came of it */
	int64_t next_ms;	/* when its turn is */
	unsigned failures;	/* one after the other */
};

/* What is waited for of an account. */
enum wait { WAIT_NOT, WAIT_RUN, WAIT_NEXT_RUN };

/* Somebody who wants to know what comes of runs. */
struct asker {
	int fd;			/* -1: this place is free */
	unsigned char *waits;	/* enum wait, of each account */
	size_t left;		/* that it waits for */
	bool ok;
	uint64_t count;
	struct buf text;
};

struct collect {
	struct conf *conf;
	struct queue *queue;
	struct userset *users;
	struct score *score;
	int runners[RUNNERS_MAX];
	size_t runner_n;
	struct account *accounts;	/* one for each section */
	size_t worker_n;
	struct asker askers[ASKERS_MAX];
};

/* ---- workers ------------------------------------------------------------------------- */

/* In the child: what is not its own is closed, and forgotten. */
static void
forget_others(struct collect *c, size_t own)
{
	close(CHANNEL_FD);
	for (size_t i = 0; i < ASKERS_MAX; i++)
		if (c->askers[i].fd >= 0)
			close(c->askers[i].fd);
	for (size_t i = 0; i < c->conf->collect_n; i++) {
		struct account *a = &c->accounts[i];

		if (i == own)
			continue;
		if (a->pid != 0)
			close(a->fd);
		if (a->dir >= 0)
			close(a->dir);
		mem_wipe((void *)(uintptr_t)c->conf->collects[i].password,
		    strlen(c->conf->collects[i].password));
	}
}

static void
child(struct collect *c, size_t i, int fd)
{
	struct collector k = { .queue = c->queue, .users = c->users, .score = c->score,
		.runner_n = c->runner_n, .dir = c->accounts[i].dir };
	sigset_t none;

	proc_default(SIGTERM);
	proc_default(SIGCHLD);
	proc_default(SIGALRM);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	forget_others(c, i);
	memcpy(k.runners, c->runners, sizeof(k.runners));
	worker(&k, c->conf, i, fd);
	proc_child_exit(0);
}

static void
start(struct collect *c, struct account *a)
{
	size_t i = (size_t)(a - c->accounts);
	int pair[2];

	a->next_ms = clock_ms() + a->of->every;
	if (channel_pair(pair) < 0) {
		log_error(NULL, "cannot start a worker: %s", strerror(errno));
		return;
	}
	a->pid = fork();
	if (a->pid == 0) {
		close(pair[0]);
		child(c, i, pair[1]);
	}
	close(pair[1]);
	if (a->pid < 0) {
		log_error(NULL, "cannot start a worker: %s", strerror(errno));
		close(pair[0]);
		a->pid = 0;
		return;
	}
	a->fd = pair[0];
	c->worker_n++;
}

static void
start_due(struct collect *c)
{
	int64_t now = clock_ms();

	for (size_t i = 0; i < c->conf->collect_n && c->worker_n < WORKERS_MAX; i++) {
		struct account *a = &c->accounts[i];

		if (a->pid == 0 && a->dir >= 0 && now >= a->next_ms)
			start(c, a);
	}
}

/* ---- those who ask ------------------------------------------------------------------- */

static void
answer(struct asker *s)
{
	struct msg_control_result r = { .ok = s->ok, .count = s->count,
		.text = buf_str(&s->text) };
	struct buf b;

	buf_init(&b, FRAME_MAX);
	msg_control_result_put(&b, &r);
	if (channel_send(s->fd, buf_str(&b), -1) < 0)
		log_debug(NULL, "who asked is gone: %s", strerror(errno));
	buf_free(&b);
	buf_free(&s->text);
	mem_free(s->waits);
	close(s->fd);
	*s = (struct asker){ .fd = -1 };
}

static void
refuse(int fd, const char *why)
{
	struct asker s = { .fd = fd };

	buf_init(&s.text, TEXT_MAX);
	buf_adds(&s.text, why);
	answer(&s);
}

/* Everything that NAME means is looked into once more. */
static void
take(struct collect *c, struct str name, int fd)
{
	struct asker *s = c->askers;

	while (s < c->askers + ASKERS_MAX && s->fd >= 0)
		s++;
	if (s == c->askers + ASKERS_MAX) {
		refuse(fd, "too many ask at once\n");
		return;
	}
	*s = (struct asker){ .fd = fd, .ok = true };
	s->waits = mem_alloc(c->conf->collect_n + 1);
	buf_init(&s->text, TEXT_MAX);
	for (size_t i = 0; i < c->conf->collect_n; i++) {
		struct account *a = &c->accounts[i];

		if (name.n > 0 && !str_eq(name, str_c(a->of->name)))
			continue;
		if (a->dir < 0) {
			s->ok = false;
			buf_addf(&s->text, "%s\t0\t0\t0\t0\t0\tits directory in the spool "
			    "cannot be opened\n", a->of->name);
			continue;
		}
		/* A run that is under way may have looked already. */
		s->waits[i] = a->pid != 0 ? WAIT_NEXT_RUN : WAIT_RUN;
		a->next_ms = 0;
		s->left++;
	}
	if (s->left == 0)
		answer(s);
}

static void
tell_askers(struct collect *c, size_t i, const struct msg_control_result *r)
{
	for (struct asker *s = c->askers; s < c->askers + ASKERS_MAX; s++) {
		if (s->fd < 0 || s->waits[i] == WAIT_NOT)
			continue;
		if (s->waits[i] == WAIT_NEXT_RUN) {
			s->waits[i] = WAIT_RUN;
			c->accounts[i].next_ms = 0;
			continue;
		}
		s->waits[i] = WAIT_NOT;
		s->ok = s->ok && r->ok;
		s->count += r->count;
		buf_add(&s->text, r->text);
		if (--s->left == 0)
			answer(s);
	}
}

/* ---- the end of a run ---------------------------------------------------------------- */

static void
on_accepted(void *arg, const char *id)
{
	struct collect *c = arg;

	hint(c->runners, c->runner_n, c->score, id);
}

static void
recover(struct collect *c, const struct account *a)
{
	if (staged_recover(c->queue, a->dir, on_accepted, c) < 0)
		log_error(NULL, "collect %s: what is in its directory cannot be "
		    "accepted: %s", a->of->name, strerror(errno));
}

/* It waits the longer the more often it has failed. */
static void
put_off(struct account *a, bool ok)
{
	int64_t pause = a->of->every, most = pause > PAUSE_MAX_MS ? pause : PAUSE_MAX_MS;

	a->failures = ok ? 0 : a->failures + 1;
	for (unsigned i = 1; i < a->failures && pause < most; i++)
		pause *= 2;
	a->next_ms = clock_ms() + (pause < most ? pause : most);
}

/* One line of ours; what a worker says may be what a server wants. */
static bool
is_line_of(const struct account *a, struct str text)
{
	struct str name, rest;

	return text.n > 0 && str_find(text, '\n') == (ptrdiff_t)text.n - 1 &&
	    str_cut(text, '\t', &name, &rest) && str_eq(name, str_c(a->of->name));
}

static void
end_run(struct collect *c, struct account *a, struct buf *packet)
{
	struct msg_control_result r;
	struct buf died;
	int passed = -1;
	bool told = channel_recv(a->fd, packet, &passed) > 0 &&
	    msg_control_result_get(buf_str(packet), &r) && is_line_of(a, r.text);

	if (passed >= 0)
		close(passed);
	buf_init(&died, WHY_MAX);
	if (!told) {
		buf_addf(&died, "%s\t0\t0\t0\t0\t0\tits worker died\n", a->of->name);
		r = (struct msg_control_result){ .text = buf_str(&died) };
	}
	close(a->fd);
	a->pid = 0;
	c->worker_n--;
	recover(c, a);
	put_off(a, r.ok);
	tell_askers(c, (size_t)(a - c->accounts), &r);
	buf_free(&died);
}

/* ---- the loop ------------------------------------------------------------------------ */

/* Milliseconds until something is due; -1: nothing is. */
static int64_t
wait_ms(const struct collect *c)
{
	int64_t next = INT64_MAX, now = clock_ms();

	for (size_t i = 0; i < c->conf->collect_n && c->worker_n < WORKERS_MAX; i++)
		if (c->accounts[i].pid == 0 && c->accounts[i].dir >= 0 &&
		    c->accounts[i].next_ms < next)
			next = c->accounts[i].next_ms;
	return next == INT64_MAX ? -1 : next > now ? next - now : 0;
}

static void
take_packet(struct collect *c, struct str packet, int reply)
{
	struct msg_control *m = mem_alloc(sizeof(*m));

	if (msg_control_get(packet, m) && m->op == CONTROL_COLLECT)
		take(c, m->domain, reply);
	else
		refuse(reply, "this is no request\n");
	mem_free(m);
}

/* Waits for something to happen.  False: the channel has ended. */
static bool
turn(struct collect *c, const sigset_t *mask, struct buf *packet)
{
	struct pollfd p[1 + WORKERS_MAX] = { { .fd = CHANNEL_FD, .events = POLLIN } };
	struct account *who[1 + WORKERS_MAX];
	int64_t ms = wait_ms(c);
	struct timespec wait = { ms / 1000, ms % 1000 * 1000000 };
	int reply = -1, got;
	nfds_t n = 1;

	for (size_t i = 0; i < c->conf->collect_n; i++)
		if (c->accounts[i].pid != 0) {
			who[n] = &c->accounts[i];
			p[n++] = (struct pollfd){ .fd = c->accounts[i].fd,
				.events = POLLIN };
		}
	if (ppoll(p, n, ms < 0 ? NULL : &wait, mask) <= 0)
		return true;
	for (nfds_t i = 1; i < n; i++)
		if (p[i].revents != 0)
			end_run(c, who[i], packet);
	if (p[0].revents == 0)
		return true;
	got = channel_recv(CHANNEL_FD, packet, &reply);
	if (got > 0 && reply >= 0)
		take_packet(c, buf_str(packet), reply);
	return got >= 0;
}

static void
loop(struct collect *c)
{
	struct buf packet;
	sigset_t none;

	sigemptyset(&none);
	buf_init(&packet, FRAME_MAX);
	start_due(c);
	while (!came.term && turn(c, &none, &packet)) {
		helper_heed(&came);
		start_due(c);
	}
	buf_free(&packet);
	/* What they have staged is seen to at the next start. */
	for (size_t i = 0; i < c->conf->collect_n; i++)
		if (c->accounts[i].pid > 0)
			(void)kill(c->accounts[i].pid, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

/* ---- the start ----------------------------------------------------------------------- */

/* The first line of its file; without one the run says so. */
static void
read_password(struct conf *conf, struct conf_collect *of)
{
	char text[PASSWORD_MAX];
	struct str line, rest;
	ssize_t n;
	int fd = sys_openat(AT_FDCWD, of->password_file, O_RDONLY | O_NONBLOCK, 0);

	n = fd >= 0 ? sys_read(fd, text, sizeof(text)) : -1;
	if (n < 0)
		log_error(NULL, "collect %s: %s: %s", of->name, of->password_file,
		    strerror(errno));
	if (fd >= 0)
		(void)sys_close(fd);
	if (n <= 0)
		return;
	(void)str_cut(str_n(text, (size_t)n), '\n', &line, &rest);
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	if (!str_has_ctl(line))
		of->password = arena_cstr(&conf->arena, line);
	mem_wipe(text, sizeof(text));
}

static void
load(struct collect *c, const char *path)
{
	struct buf error;

	buf_init(&error, 16384);
	if (!(c->conf = conf_inherit(path, true, &error)))
		fatal(EX_CONFIG, "%s", buf_cstr(&error));
	buf_free(&error);
	conf_forget_upstreams(c->conf);
	conf_forget_backends(c->conf);
	conf_forget_proxy(c->conf);
	(void)conf_open_log(c->conf);
	for (size_t i = 0; i < c->conf->collect_n; i++)
		if (c->conf->collects[i].password_file[0] != '\0')
			read_password(c->conf, &c->conf->collects[i]);
}

static void
open_all(struct collect *c, const struct proc_user *u)
{
	struct buf b;
	int base;

	buf_init(&b, 4096);
	c->queue = queue_open(c->conf->spool, 0, u->uid, u->gid, &b);
	if (c->queue == NULL)
		fatal(EX_CANTCREAT, "%s", buf_cstr(&b));
	base = subdir_open(c->conf->spool, COLLECT_DIR, true, u->uid);
	if (base < 0)
		fatal(EX_CANTCREAT, "%s/" COLLECT_DIR ": %s", c->conf->spool, strerror(errno));
	close(base);
	buf_reset(&b);
	buf_addf(&b, "%s/" COLLECT_DIR, c->conf->spool);
	c->accounts = mem_array(c->conf->collect_n + 1, sizeof(*c->accounts));
	for (size_t i = 0; i < c->conf->collect_n; i++) {
		struct account *a = &c->accounts[i];

		*a = (struct account){ .of = &c->conf->collects[i], .fd = -1 };
		a->dir = subdir_open(buf_cstr(&b), a->of->name, true, u->uid);
		if (a->dir < 0)
			log_error(NULL, "collect %s: %s/%s: %s", a->of->name, buf_cstr(&b),
			    a->of->name, strerror(errno));
	}
	buf_free(&b);
}

static void
inherit(struct collect *c)
{
	c->score = score_attach(SCORE_FD);
	c->users = userset_attach(USERS_FD);
	if (c->score == NULL || c->users == NULL)
		fatal(EX_OSERR, "cannot use what was inherited: %s", strerror(errno));
	while (c->runner_n < RUNNERS_MAX &&
	    fcntl(RUNNERS_FD + (int)c->runner_n, F_GETFD) >= 0) {
		c->runners[c->runner_n] = RUNNERS_FD + (int)c->runner_n;
		c->runner_n++;
	}
	for (size_t i = 0; i < ASKERS_MAX; i++)
		c->askers[i].fd = -1;
}

int
main(int argc, char **argv)
{
	struct collect *c = mem_alloc(sizeof(*c));
	const char *path = helper_begin(argc, argv, "collect", 3);
	struct proc_user user;

	/* Before anything else is opened: how many there are is seen by their numbers. */
	inherit(c);
	load(c, path);
	user = proc_user(c->conf->user);
	if (proc_is_root() && !user.found)
		fatal(EX_NOUSER, "there is no user %s", c->conf->user);
	open_all(c, &user);
	proc_confine(&user, NULL);
	confine_now(CONFINE_HELPER, (enum confine_mode)c->conf->sandbox);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	helper_signals(&came);
	for (size_t i = 0; i < c->conf->collect_n; i++)
		if (c->accounts[i].dir >= 0)
			recover(c, &c->accounts[i]);
	loop(c);
	mem_free(c->accounts);
	queue_close(c->queue);
	userset_free(c->users);
	score_free(c->score);
	conf_free(c->conf);
	mem_free(c);
	return EX_OK;
}
