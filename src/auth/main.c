/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * main -- the program barid-auth: may this user with this password log in?
 *
 * Requests come as packets on descriptor 3, each with the way to answer.
 * This process only hands them on: a worker is forked for each, so that a
 * backend that sleeps, hangs or crashes costs its own request and no other.
 * Unless PAM needs root, the worker opens the password file, drops its
 * privileges, and only then looks at what the client sent.
 */

#include "auth.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "ipc/userset.h"
#include "lib/confine.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/name.h"
#include "lib/proc.h"
#include "mailbox/maildir.h"

#define CHANNEL_FD 3
#define USERS_FD 5
/* Beyond this, requests wait in the channel. */
#define WORKERS_MAX 64
#define WORKER_SECONDS 60
#define BACKENDS_MAX 16
#define WORKER_FILES 64
/* The password file is in it, at most 64 MiB, and what a hash may take. */
#define WORKER_MEMORY ((uint64_t)4 << 30)

static volatile int got_term, got_chld, got_usr1;

struct auth {
	struct conf *conf;
	struct auth_backend backends[BACKENDS_MAX];
	size_t backend_n;
	bool needs_root;
	struct confine *calls;	/* that a worker may make, unless it needs root */
	struct proc_user user;
	int mailboxes;		/* their directory, or -1 */
	struct userset *users;
	unsigned workers;
};

static void
answer(int fd, const struct msg_auth_result *r, int pass)
{
	struct buf b;

	buf_init(&b, FRAME_MAX);
	msg_auth_result_put(&b, r);
	if (channel_send(fd, buf_str(&b), pass) < 0 && errno != EPIPE)
		log_warn(NULL, "cannot answer: %s", strerror(errno));
	buf_free(&b);
}

/* "alice@ours" is alice: a local domain says nothing about the account. */
static struct str
account_of(const struct conf *c, struct str user)
{
	ptrdiff_t at = str_rfind(user, '@');

	if (at > 0 && conf_is_local(c, str_skip(user, (size_t)at + 1)))
		return str_head(user, (size_t)at);
	return user;
}

/*
 * The directory of USER's mailbox: a session sees no other, and before that
 * none.  -1: it will say that it cannot have it.
 */
static int
open_mailbox(const struct auth *a, struct str user)
{
	char mailbox[65] = "";
	int fd;

	if (a->needs_root)
		proc_confine(&a->user, NULL);
	if (!userset_has(a->users, user, mailbox)) {
		/* PAM may know people that no list of names has. */
		if (!name_is_plain(user))
			return -1;
		memcpy(mailbox, user.p, user.n);
	}
	fd = maildir_root(a->mailboxes, mailbox);
	if (fd < 0)
		log_warn(NULL, "mailbox %s: %s", mailbox, strerror(errno));
	return fd;
}

/* False: whatever it is, nobody's name and password are these. */
static bool
is_askable(const struct msg_auth *m, struct str user, enum auth_proof *proof)
{
	if (!auth_proof_of(m->mechanism, proof))
		return false;
	if (m->password.n == 0 && *proof != AUTH_BY_SCRAM)
		return false;
	/* A token may say itself whose it is. */
	if (user.n == 0 && *proof != AUTH_BY_TOKEN)
		return false;
	return user.n <= 255 && !str_has_ctl(user) && str_find(m->password, '\0') < 0 &&
	    str_find(m->challenge, '\0') < 0;
}

/* Who M says, if the proof is right; an answer either way. */
static void
judge(const struct auth *a, const struct msg_auth *m, int reply)
{
	struct msg_auth_result r = { .verdict = AUTH_NO, .user = account_of(a->conf, m->user) };
	struct auth_note note = { 0 };
	enum auth_proof proof;
	struct arena arena;

	if (!is_askable(m, r.user, &proof)) {
		answer(reply, &r, -1);
		return;
	}
	arena_init(&arena, 1 << 20);
	buf_init(&note.said, FRAME_MAX / 2);
	struct auth_question q = { arena_cstr(&arena, r.user), arena_cstr(&arena, m->password),
		arena_cstr(&arena, m->client), arena_cstr(&arena, m->challenge), proof, &note };
	r.verdict = auth_ask(a->backends, a->backend_n, &q);
	r.app = str_c(note.app);
	r.said = buf_str(&note.said);
	if (note.user[0] != '\0')
		r.user = account_of(a->conf, str_c(note.user));
	bool fetches = r.verdict == AUTH_YES && str_eq(m->service, STR("pop3"));
	answer(reply, &r, fetches ? open_mailbox(a, r.user) : -1);
	buf_free(&note.said);
	arena_free(&arena);
}

static void
work(struct auth *a, struct str packet, int reply)
{
	struct msg_auth m;

	for (size_t i = 0; i < a->backend_n; i++) {
		struct auth_backend *b = &a->backends[i];
		if (b->kind == AUTH_FILE &&
		    (b->fd = open(b->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) < 0)
			log_error(NULL, "%s: %s", b->path, strerror(errno));
	}
	if (!a->needs_root) {
		proc_confine(&a->user, NULL);
		proc_limit(WORKER_FILES, 0, 0);
		proc_alone(WORKER_MEMORY);
		confine_calls(a->calls);
	}
	if (msg_auth_get(packet, &m))
		judge(a, &m, reply);
	else
		log_error(NULL, "a request is broken");
}

static void
start_worker(struct auth *a, struct buf *packet, int reply)
{
	pid_t pid = fork();

	if (pid == 0) {
		sigset_t none;
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		proc_default(SIGTERM);
		proc_default(SIGCHLD);
		proc_default(SIGALRM);
		close(CHANNEL_FD);
		alarm(WORKER_SECONDS);
		work(a, buf_str(packet), reply);
		buf_wipe(packet);
		proc_child_exit(0);
	}
	if (pid < 0) {
		log_error(NULL, "cannot fork a worker: %s", strerror(errno));
		answer(reply, &(struct msg_auth_result){ .verdict = AUTH_TEMPORARY }, -1);
	} else {
		a->workers++;
	}
	close(reply);
}

static void
reap(struct auth *a)
{
	int status;
	pid_t pid;

	got_chld = 0;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		a->workers--;
		if (WIFSIGNALED(status) && WTERMSIG(status) != SIGTERM)
			log_error(NULL, "a worker (pid %d) died of signal %d (%s)", (int)pid,
			    WTERMSIG(status), strsignal(WTERMSIG(status)));
	}
}

static void
loop(struct auth *a)
{
	sigset_t none;
	struct buf packet;
	int reply;

	sigemptyset(&none);
	buf_init(&packet, FRAME_MAX);
	while (!got_term) {
		struct pollfd p = { .fd = CHANNEL_FD, .events = POLLIN };
		/* With all workers busy, only for the end of one: not for a channel's either. */
		int n = ppoll(&p, a->workers < WORKERS_MAX ? 1 : 0, NULL, &none);
		if (got_chld)
			reap(a);
		if (got_usr1) {
			got_usr1 = 0;
			log_reopen();
		}
		if (n <= 0 || got_term)
			continue;
		n = channel_recv(CHANNEL_FD, &packet, &reply);
		if (n < 0)
			break;
		if (n > 0 && reply >= 0)
			start_worker(a, &packet, reply);
		buf_wipe(&packet);
	}
	buf_free(&packet);
	/* Who is being answered is answered; the workers end by themselves. */
	while (a->workers > 0 && waitpid(-1, NULL, 0) > 0)
		a->workers--;
}

static void
load(struct auth *a, const char *path)
{
	struct buf error;

	buf_init(&error, 16384);
	if (!(a->conf = conf_inherit(path, &error)))
		fatal(EX_CONFIG, "%s", buf_cstr(&error));
	/* The workers read what clients sent: these are not for them. */
	conf_forget_secrets(a->conf);
	(void)conf_open_log(a->conf);
	for (size_t i = 0; i < a->conf->auth.backends.n && a->backend_n < BACKENDS_MAX; i++) {
		struct auth_backend *b = &a->backends[a->backend_n];
		if (!auth_backend_init(b, a->conf->auth.backends.v[i]))
			fatal(EX_CONFIG, "auth backend %s is not known",
			    a->conf->auth.backends.v[i]);
		a->needs_root = a->needs_root || b->kind == AUTH_PAM;
		a->backend_n++;
	}
	a->user = proc_user(a->conf->user);
	if (!(a->users = userset_attach(USERS_FD)))
		fatal(EX_OSERR, "cannot use what was inherited: %s", strerror(errno));
	a->mailboxes = open(a->conf->mailboxes, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (a->mailboxes < 0)
		log_error(NULL, "%s: %s", a->conf->mailboxes, strerror(errno));
	a->calls = confine_new(CONFINE_SESSION, (enum confine_mode)a->conf->sandbox, &error);
	if (!a->calls)
		fatal(EX_OSERR, "sandbox: %s", buf_cstr(&error));
	buf_free(&error);
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
	struct auth *a = mem_alloc(sizeof(*a));
	const char *path = NULL;
	int opt;

	while ((opt = getopt(argc, argv, "c:i:n:")) != -1) {
		switch (opt) {
		case 'c': path = optarg; break;
		case 'i':
		case 'n': break;
		default: path = NULL; break;
		}
	}
	if (!path || fcntl(CHANNEL_FD, F_GETFD) < 0) {
		fputs("barid-auth is started by barid(8)\n", stderr);
		return EX_USAGE;
	}
	log_component("auth");
	load(a, path);
	catch_signals();
	loop(a);
	confine_free(a->calls);
	userset_free(a->users);
	conf_free(a->conf);
	mem_free(a);
	return EX_OK;
}
