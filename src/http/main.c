/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * main -- the program barid-http: what the runners need of HTTPS servers.
 *
 * Requests come as packets on descriptor 3, each with the way to answer.
 * This process reads nothing that a network sends: a worker is forked for
 * each request, and what it found comes back as a packet that is parsed like
 * any other.  Who asks for what is being fetched already waits for the same
 * worker.  Policies are kept on the disk (ipc/policies.h) and fetched anew while
 * they are in use (refresh.c), tokens are kept here, and a
 * domain whose policy could not be fetched is left alone for a while (RFC
 * 8461 3.3).  A request is answered in any case, if only by the end of this
 * process.
 */

#include "http.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "ipc/policies.h"
#include "keep.h"
#include "lib/clock.h"
#include "lib/confine.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/proc.h"
#include "mail/sts.h"
#include "refresh.h"

#define CHANNEL_FD 3
/* Beyond these, requests wait in the channel. */
#define WORKERS_MAX 32
/* Of them, those that nobody waits for. */
#define REFRESHES_MAX 4
#define WAITERS_MAX 128
#define WORKER_SECONDS 75
#define WORKER_FILES 64
#define WORKER_FILE_SIZE ((uint64_t)1 << 20)
#define ARENA_MAX ((size_t)1 << 20)
#define POLICIES_MAX 10000
/* The directory is looked at after so many new ones. */
#define TRIM_EVERY 100
/* Runners ask one after the other: what was just fetched is not fetched again. */
#define FRESH_S 60

static volatile int got_term, got_chld, got_usr1;

/* A worker and those who wait for it. */
struct work {
	pid_t pid;		/* 0: this place is free */
	int fd;			/* its answer comes here */
	char *key;
	char *id;		/* of a policy; NULL: it is a token */
	bool refreshes;		/* nobody asked for that policy; its id is empty */
	int waiters[WAITERS_MAX];
	size_t waiter_n;
};

struct http {
	struct conf *conf;
	struct proc_user user;
	int policies;		/* -1: nothing is kept */
	unsigned puts;
	struct keep *keep;
	struct work works[WORKERS_MAX];
	size_t work_n;
	struct refresh *refresh;
	size_t refresh_n;	/* such workers */
};

/* ---- answers ------------------------------------------------------------------ */

static void
answer(int fd, struct str packet)
{
	if (channel_send(fd, packet, -1) < 0 && errno != EPIPE)
		log_warn(NULL, "cannot answer: %s", strerror(errno));
	close(fd);
}

static void
answer_sts(int fd, bool ok, struct str text)
{
	struct msg_sts_result r = { .ok = ok, .id = STR(""), .text = text };
	struct buf b;

	buf_init(&b, FRAME_MAX);
	msg_sts_result_put(&b, &r);
	answer(fd, buf_str(&b));
	buf_free(&b);
}

static void
answer_token(int fd, bool ok, uint64_t seconds, struct str text)
{
	struct msg_token_result r = { ok, seconds, text };
	struct buf b;

	buf_init(&b, FRAME_MAX);
	msg_token_result_put(&b, &r);
	answer(fd, buf_str(&b));
	buf_wipe(&b);
	buf_free(&b);
}

/* ---- workers ------------------------------------------------------------------ */

static struct work *
work_of(struct http *h, const char *key)
{
	for (size_t i = 0; i < WORKERS_MAX; i++)
		if (h->works[i].pid != 0 && strcmp(h->works[i].key, key) == 0)
			return &h->works[i];
	return NULL;
}

static const struct conf_server *
server_of(const struct conf *c, const struct msg_token *m)
{
	for (size_t i = 0; i < c->upstream_n; i++)
		if (str_eq(m->upstream, str_c(c->upstreams[i].name)) &&
		    m->server < c->upstreams[i].server_n)
			return &c->upstreams[i].servers[m->server];
	return NULL;
}

/* In the child: does it, and says what came of it on FD. */
static void
work(struct http *h, struct str packet, int fd)
{
	struct msg_sts_result sts = { .id = STR(""), .text = STR("") };
	struct msg_token_result token = { .text = STR("") };
	struct msg_sts sts_m;
	struct msg_token token_m;
	struct arena a;
	struct buf b;

	arena_init(&a, ARENA_MAX);
	buf_init(&b, FRAME_MAX);
	if (msg_sts_get(packet, &sts_m)) {
		/* It reads what anybody's server sends. */
		conf_forget_secrets(h->conf);
		keep_free(h->keep);
		work_sts(h->conf, &sts_m, &sts, &a);
		msg_sts_result_put(&b, &sts);
	} else if (msg_token_get(packet, &token_m)) {
		work_token(h->conf, server_of(h->conf, &token_m), &token, &a);
		msg_token_result_put(&b, &token);
	}
	if (!buf_ok(&b) || channel_send(fd, buf_str(&b), -1) < 0)
		log_warn(NULL, "a worker cannot answer: %s", strerror(errno));
}

static void
child(struct http *h, struct str packet, int fd)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	proc_default(SIGTERM);
	proc_default(SIGCHLD);
	proc_default(SIGALRM);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(CHANNEL_FD);
	/* The others' answers are not for it. */
	for (size_t i = 0; i < WORKERS_MAX; i++) {
		struct work *w = &h->works[i];

		for (size_t k = 0; w->pid != 0 && k < w->waiter_n; k++)
			close(w->waiters[k]);
		if (w->pid != 0)
			close(w->fd);
	}
	proc_limit(WORKER_FILES, 0, WORKER_FILE_SIZE);
	alarm(WORKER_SECONDS);
	work(h, packet, fd);
	proc_child_exit(0);
}

/* Starts a worker for PACKET, which WAITER waits for (-1: nobody).  NULL: errno. */
static struct work *
start(struct http *h, const char *key, const char *id, struct str packet,
    int waiter)
{
	struct work *w = h->works;
	int pair[2];

	while (w->pid != 0)
		w++;
	if (channel_pair(pair) < 0)
		return NULL;
	w->pid = fork();
	if (w->pid == 0) {
		close(pair[0]);
		if (waiter >= 0)
			close(waiter);
		child(h, packet, pair[1]);
	}
	close(pair[1]);
	if (w->pid < 0) {
		w->pid = 0;
		close(pair[0]);
		return NULL;
	}
	w->fd = pair[0];
	w->key = mem_dup(str_c(key));
	w->id = id ? mem_dup(str_c(id)) : NULL;
	w->waiters[0] = waiter;
	w->waiter_n = waiter >= 0 ? 1 : 0;
	h->work_n++;
	return w;
}

/* ---- what came of it ------------------------------------------------------------- */

static void
keep_policy(struct http *h, const struct work *w, struct str id,
    struct str text)
{
	struct policy_file f = { .fetched = clock_wall() }, old;
	struct sts_policy p;
	struct arena a;

	arena_init(&a, ARENA_MAX);
	if (id.n < sizeof(f.id))
		memcpy(f.id, id.p, id.n);
	/* To fetch it anew is no use of it, where nobody asked. */
	if (w->waiter_n == 0 && h->policies >= 0) {
		if (policies_look(h->policies, str_c(w->key), &old) == 0)
			f.used = old.used;
		buf_free(&old.text);
	}
	buf_init(&f.text, POLICIES_TEXT_MAX);
	/* A worker may have been taken over: what it says is foreign, too. */
	if (sts_policy_parse(text, &a, &p) == NULL) {
		sts_policy_add(&f.text, &p);
		log_info(NULL, "MTA-STS policy of %s: mode %s, max_age %lld, id %s",
		    w->key, sts_mode_name(p.mode), (long long)p.max_age, f.id);
		if (h->policies < 0 ||
		    policies_put(h->policies, str_c(w->key), &f) < 0)
			log_warn(NULL, "MTA-STS policy of %s cannot be kept: %s",
			    w->key, strerror(errno));
		if (h->policies >= 0 && ++h->puts % TRIM_EVERY == 0 &&
		    policies_trim(h->policies, POLICIES_MAX) < 0)
			log_warn(NULL, "cannot forget old policies: %s",
			    strerror(errno));
	}
	buf_free(&f.text);
	arena_free(&a);
}

static void
sts_done(struct http *h, struct work *w, struct str packet)
{
	struct msg_sts_result r = { .text = STR("the worker was lost") };
	struct msg_sts_result got;

	if (msg_sts_result_get(packet, &got))
		r = got;
	if (r.ok)
		keep_policy(h, w, w->refreshes ? r.id : str_c(w->id), r.text);
	else
		keep_failure(h->keep, w->key, r.text);
	if (!r.ok && w->refreshes)
		log_warn(NULL, "MTA-STS policy of %s: cannot be fetched anew: "
		    STR_FMT ": the one that is kept holds until it is over",
		    w->key, STR_ARG(r.text));
	for (size_t i = 0; i < w->waiter_n; i++)
		answer_sts(w->waiters[i], r.ok, r.text);
}

static void
token_done(struct http *h, struct work *w, struct str packet)
{
	struct msg_token_result r = { .text = STR("the worker was lost") };
	struct msg_token_result got;

	if (msg_token_result_get(packet, &got))
		r = got;
	if (r.ok)
		keep_token(h->keep, w->key, r.text, r.seconds);
	for (size_t i = 0; i < w->waiter_n; i++)
		answer_token(w->waiters[i], r.ok, r.seconds, r.text);
}

/* W has an answer, or has ended without one. */
static void
finish(struct http *h, struct work *w)
{
	struct buf packet;
	int pass, n;

	buf_init(&packet, FRAME_MAX);
	n = channel_recv(w->fd, &packet, &pass);
	if (pass >= 0)
		close(pass);
	if (n != 0) {
		if (n < 0)
			buf_reset(&packet);
		if (w->id)
			sts_done(h, w, buf_str(&packet));
		else
			token_done(h, w, buf_str(&packet));
		h->refresh_n -= w->refreshes;
		close(w->fd);
		mem_free(w->key);
		mem_free(w->id);
		*w = (struct work){ .pid = 0 };
		h->work_n--;
	}
	buf_wipe(&packet);
	buf_free(&packet);
}

/* ---- requests -------------------------------------------------------------------- */

/* True if what is kept will do: asked for a moment ago, by another runner. */
static bool
is_fresh(struct http *h, const struct msg_sts *m, int reply)
{
	struct policy_file f = { .fetched = 0 };
	int64_t age;
	bool ok;

	ok = h->policies >= 0 && policies_get(h->policies, m->domain, &f) == 0;
	age = clock_wall() - f.fetched;
	ok = ok && age >= 0 && age <= FRESH_S && str_eq(m->id, str_c(f.id));
	if (ok)
		answer_sts(reply, true, buf_str(&f.text));
	buf_free(&f.text);
	return ok;
}

/* Whoever is served by W, too; false: there is no place. */
static bool
wait_too(struct work *w, int reply)
{
	if (w->waiter_n == WAITERS_MAX) {
		errno = EAGAIN;
		return false;
	}
	w->waiters[w->waiter_n++] = reply;
	return true;
}

static void
take_sts(struct http *h, const struct msg_sts *m, struct str packet, int reply)
{
	struct arena a;
	const char *key, *id, *failed;
	struct work *w;

	arena_init(&a, ARENA_MAX);
	key = arena_cstr(&a, m->domain);
	id = arena_cstr(&a, m->id);
	w = work_of(h, key);
	failed = keep_has_failed(h->keep, key);
	if (m->id.n == 0 || m->id.n > POLICIES_ID_MAX ||
	    !policies_can_have(m->domain))
		answer_sts(reply, false, STR("a broken request"));
	else if (is_fresh(h, m, reply))
		;
	else if (failed)
		answer_sts(reply, false, str_c(arena_printf(&a,
		    "%s (tried a while ago)", failed)));
	else if (w ? !wait_too(w, reply) : !start(h, key, id, packet, reply))
		answer_sts(reply, false, str_c(strerror(errno)));
	arena_free(&a);
}

static void
take_token(struct http *h, const struct msg_token *m, struct str packet,
    int reply)
{
	const struct conf_server *s = server_of(h->conf, m);
	struct arena a;
	const char *key, *token, *why;
	uint64_t seconds;
	struct work *w;

	arena_init(&a, ARENA_MAX);
	key = arena_printf(&a, "token %.*s %llu", STR_ARG(m->upstream),
	    (unsigned long long)m->server);
	w = work_of(h, key);
	why = keep_refused(h->keep, key, m->refused);
	token = keep_get_token(h->keep, key, &seconds);
	if (!s || strncmp(s->token, "refresh:", 8) != 0)
		answer_token(reply, false, 0, STR("a broken request"));
	else if (why)
		answer_token(reply, false, 0, str_c(why));
	else if (token)
		answer_token(reply, true, seconds, str_c(token));
	else if (w ? !wait_too(w, reply) : !start(h, key, NULL, packet, reply))
		answer_token(reply, false, 0, str_c(strerror(errno)));
	arena_free(&a);
}

static void
take(struct http *h, struct str packet, int reply)
{
	struct msg_sts sts;
	struct msg_token token;

	if (msg_sts_get(packet, &sts)) {
		take_sts(h, &sts, packet, reply);
	} else if (msg_token_get(packet, &token)) {
		take_token(h, &token, packet, reply);
	} else {
		log_error(NULL, "a request is broken");
		close(reply);
	}
}

/* What is due to be fetched anew, a few at a time. */
static void
refresh(struct http *h)
{
	const char *domain;

	while (h->refresh_n < REFRESHES_MAX && h->work_n < WORKERS_MAX &&
	    (domain = refresh_next(h->refresh)) != NULL) {
		struct msg_sts m = { str_c(domain), STR("") };
		struct work *w;
		struct buf b;

		if (work_of(h, domain) || keep_has_failed(h->keep, domain))
			continue;
		buf_init(&b, FRAME_MAX);
		msg_sts_put(&b, &m);
		w = start(h, domain, "", buf_str(&b), -1);
		buf_free(&b);
		/* The next look finds it again. */
		if (!w)
			return;
		w->refreshes = true;
		h->refresh_n++;
	}
}

/* ---- the loop -------------------------------------------------------------------- */

static void
reap(void)
{
	int status;
	pid_t pid;

	got_chld = 0;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (WIFSIGNALED(status))
			log_error(NULL, "a worker (pid %d) died of signal %d (%s)",
			    (int)pid, WTERMSIG(status),
			    strsignal(WTERMSIG(status)));
}

/* Waits for something to happen.  False: the channel has ended. */
static bool
turn(struct http *h, const sigset_t *mask, struct buf *packet)
{
	struct pollfd p[1 + WORKERS_MAX];
	struct work *who[1 + WORKERS_MAX];
	nfds_t n = 1;
	int reply, got;
	int64_t ms = h->refresh_n < REFRESHES_MAX && h->work_n < WORKERS_MAX ?
	    refresh_wait(h->refresh) : -1;
	struct timespec wait = { ms / 1000, ms % 1000 * 1000000 };

	/* With all workers busy, only for the end of one. */
	p[0] = (struct pollfd){ .fd = h->work_n < WORKERS_MAX ? CHANNEL_FD : -1,
		.events = POLLIN };
	for (size_t i = 0; i < WORKERS_MAX; i++)
		if (h->works[i].pid != 0) {
			who[n] = &h->works[i];
			p[n++] = (struct pollfd){ .fd = h->works[i].fd,
				.events = POLLIN };
		}
	if (ppoll(p, n, ms < 0 ? NULL : &wait, mask) <= 0)
		return true;
	for (nfds_t i = 1; i < n; i++)
		if (p[i].revents != 0)
			finish(h, who[i]);
	if (p[0].revents == 0)
		return true;
	got = channel_recv(CHANNEL_FD, packet, &reply);
	if (got > 0 && reply >= 0)
		take(h, buf_str(packet), reply);
	buf_wipe(packet);
	return got >= 0;
}

static void
loop(struct http *h)
{
	struct buf packet;
	sigset_t none;

	sigemptyset(&none);
	buf_init(&packet, FRAME_MAX);
	refresh(h);
	while (!got_term && turn(h, &none, &packet)) {
		if (got_chld)
			reap();
		if (got_usr1) {
			got_usr1 = 0;
			log_reopen();
		}
		refresh(h);
	}
	buf_free(&packet);
	/* Their requests fail, and are made again. */
	for (size_t i = 0; i < WORKERS_MAX; i++)
		if (h->works[i].pid > 0)
			(void)kill(h->works[i].pid, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

/* ---- the start ------------------------------------------------------------------- */

static void
load(struct http *h, const char *path)
{
	struct buf error;

	buf_init(&error, 16384);
	if (!(h->conf = conf_inherit(path, &error)))
		fatal(EX_CONFIG, "%s", buf_cstr(&error));
	conf_forget_backends(h->conf);
	buf_free(&error);
	(void)conf_open_log(h->conf);
	log_component("http");
	h->user = proc_user(h->conf->user);
	if (proc_is_root() && !h->user.found)
		fatal(EX_NOUSER, "there is no user %s", h->conf->user);
	h->policies = policies_dir(h->conf->spool, true, h->user.uid);
	if (h->policies < 0)
		log_error(NULL, "%s/%s: %s: no policy is kept", h->conf->spool,
		    POLICIES_DIR, strerror(errno));
}

static void
catch_signals(void)
{
	sigset_t set;

	proc_on_signal(SIGTERM, &got_term);
	proc_on_signal(SIGCHLD, &got_chld);
	proc_on_signal(SIGUSR1, &got_usr1);
	proc_ignore(SIGPIPE);
	/* Ctrl-C is the master's to interpret. */
	proc_ignore(SIGINT);
	proc_ignore(SIGHUP);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

int
main(int argc, char **argv)
{
	struct http *h = mem_alloc(sizeof(*h));
	const char *path = NULL;
	int opt;

	while ((opt = getopt(argc, argv, "c:i:n:")) != -1) {
		switch (opt) {
		case 'c':
			path = optarg;
			break;
		case 'i':
		case 'n':
			break;
		default:
			path = NULL;
			break;
		}
	}
	if (!path || fcntl(CHANNEL_FD, F_GETFD) < 0) {
		(void)fputs("barid-http is started by barid(8)\n", stderr);
		return EX_USAGE;
	}
	proc_fix_stdio();
	log_component("http");
	load(h, path);
	proc_confine(&h->user, NULL);
	/* Its workers have it, too. */
	confine_now(CONFINE_HELPER, (enum confine_mode)h->conf->sandbox);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	catch_signals();
	h->keep = keep_new();
	h->refresh = refresh_new(h->policies);
	loop(h);
	refresh_free(h->refresh);
	keep_free(h->keep);
	if (h->policies >= 0)
		close(h->policies);
	conf_free(h->conf);
	mem_free(h);
	return EX_OK;
}
