/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * main -- the program barid-auth: may this user with this password log in?
 *
 * This process is the keeper.  Requests come as packets on descriptor 3, and
 * it hands that descriptor to the broker, which it forks first; what it does
 * itself is what may need root: a worker is forked, a password file is opened,
 * a worker that hangs is killed.  The orders for it are three numbers; it
 * reads nothing that a client sent.  With the broker it ends, and with it
 * everything below.
 */

#include "auth.h"

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
#include "lib/clock.h"
#include "lib/helper.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/random.h"

#define CHANNEL_FD HELPER_FD
#define SCORE_FD 4
#define USERS_FD 5
#define ORDER_MS 10000

static struct helper_signals came;

/* ---- orders: the broker's side -------------------------------------------------------- */

enum what { ORDER_WORKER = 1, ORDER_FILE, ORDER_KILL };

struct order {
	uint32_t what, place, serial;
};

static struct str
bytes_of(const struct order *o)
{
	return str_n((const char *)o, sizeof(*o));
}

/* Sends O and waits for the descriptor that comes back; -1: errno. */
static int
obtain(int keeper, enum what what, unsigned place, uint32_t serial)
{
	const struct order o = { what, place, serial };
	struct pollfd p = { .fd = keeper, .events = POLLIN };
	int64_t deadline = clock_ms() + ORDER_MS, left;
	int fd = -1, n = 0, err = ETIMEDOUT;
	struct buf b;

	if (channel_send(keeper, bytes_of(&o), -1) < 0)
		return -1;
	buf_init(&b, 16);
	while (n == 0 && (left = deadline - clock_ms()) > 0)
		if (poll(&p, 1, (int)left) > 0)
			n = channel_recv(keeper, &b, &fd);
	if (n > 0 && b.n == sizeof(err))
		memcpy(&err, b.p, sizeof(err));
	buf_free(&b);
	/* What comes later would be taken for the answer to the next order. */
	if (n <= 0)
		fatal(EX_SOFTWARE, "the keeper of the workers does not answer");
	errno = err;
	return fd;
}

int
keeper_worker(int keeper, unsigned place, uint32_t serial)
{
	return obtain(keeper, ORDER_WORKER, place, serial);
}

int
keeper_file(int keeper, unsigned place)
{
	return obtain(keeper, ORDER_FILE, place, 0);
}

void
keeper_kill(int keeper, uint32_t serial)
{
	const struct order o = { ORDER_KILL, 0, serial };

	if (channel_send(keeper, bytes_of(&o), -1) < 0)
		log_error(NULL, "a worker cannot be ended: %s", strerror(errno));
}

/* ---- orders: the keeper's side ---------------------------------------------------------- */

struct child {
	pid_t pid;
	uint32_t serial;
	unsigned place;
	bool killed;
};

struct keeper {
	struct auth a;
	int broker;		/* the socket */
	pid_t broker_pid;
	struct child *children;
	size_t child_n, child_size;
};

/* In a child of the keeper: as a new process, but for what it was given. */
static void
be_child(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	proc_default(SIGTERM);
	proc_default(SIGCHLD);
	proc_default(SIGUSR1);
}

static void
answer_order(const struct keeper *k, int fd, int err)
{
	if (channel_send(k->broker, str_n((char *)&err, sizeof(err)), fd) < 0 && errno != EPIPE)
		log_error(NULL, "cannot answer the broker: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
}

static void
start_worker(struct keeper *k, const struct order *o)
{
	int pair[2];
	pid_t pid;

	if (channel_pair(pair) < 0) {
		answer_order(k, -1, errno);
		return;
	}
	pid = fork();
	if (pid == 0) {
		be_child();
		close(k->broker);
		close(pair[0]);
		worker_run(&k->a, o->place, pair[1]);
	}
	int err = pid < 0 ? errno : 0;
	close(pair[1]);
	if (pid < 0) {
		log_error(NULL, "cannot fork a worker: %s", strerror(err));
		close(pair[0]);
		answer_order(k, -1, err);
		return;
	}
	if (k->child_n == k->child_size) {
		k->child_size = k->child_size ? k->child_size * 2 : 64;
		k->children = mem_grow(k->children, k->child_size, sizeof(*k->children));
	}
	k->children[k->child_n++] = (struct child){ pid, o->serial, o->place, false };
	answer_order(k, pair[0], 0);
}

static void
open_file(const struct keeper *k, const struct order *o)
{
	int fd = -1;

	errno = EINVAL;
	if (o->place < k->a.backend_n && k->a.backends[o->place].c.kind == BACKEND_FILE)
		fd = open(k->a.backends[o->place].c.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	answer_order(k, fd, fd < 0 ? errno : 0);
}

static void
end_worker(const struct keeper *k, const struct order *o)
{
	for (size_t i = 0; i < k->child_n; i++)
		if (k->children[i].serial == o->serial) {
			k->children[i].killed = true;
			(void)kill(k->children[i].pid, SIGKILL);
		}
}

/* False: the broker has gone. */
static bool
take_order(struct keeper *k)
{
	struct order o;
	struct buf b;
	int pass, n;

	buf_init(&b, 64);
	n = channel_recv(k->broker, &b, &pass);
	if (pass >= 0)
		close(pass);
	if (n > 0 && b.n == sizeof(o)) {
		memcpy(&o, b.p, sizeof(o));
		if (o.what == ORDER_WORKER && o.place < PLACES)
			start_worker(k, &o);
		else if (o.what == ORDER_FILE)
			open_file(k, &o);
		else if (o.what == ORDER_KILL)
			end_worker(k, &o);
	}
	buf_free(&b);
	return n >= 0;
}

/* ---- the keeper --------------------------------------------------------------------------- */

static void
worker_ended(const struct keeper *k, const struct child *c, int status)
{
	const char *what = c->place < k->a.backend_n ? k->a.backends[c->place].c.show :
	    c->place == PLACE_HOME ? "a mailbox at home" : "its own";

	if (WIFSIGNALED(status) && !c->killed)
		log_error(NULL, "a worker (pid %d, %s) died of signal %d (%s)", (int)c->pid, what,
		    WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (c->killed)
		log_warn(NULL, "a worker (pid %d, %s) took too long and was ended", (int)c->pid,
		    what);
}

static void
broker_ended(struct keeper *k, int status)
{
	k->broker_pid = 0;
	if (WIFSIGNALED(status))
		log_error(NULL, "the broker died of signal %d (%s)", WTERMSIG(status),
		    strsignal(WTERMSIG(status)));
}

/* Takes leave of those that have ended. */
static void
reap(struct keeper *k)
{
	int status;
	pid_t pid;

	came.chld = 0;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == k->broker_pid)
			broker_ended(k, status);
		for (size_t i = 0; i < k->child_n; i++)
			if (k->children[i].pid == pid) {
				worker_ended(k, &k->children[i], status);
				k->children[i] = k->children[--k->child_n];
				break;
			}
	}
}

static void
take_signals(const struct keeper *k)
{
	if (k->broker_pid == 0)
		return;
	if (came.usr1) {
		came.usr1 = 0;
		log_reopen();
		(void)kill(k->broker_pid, SIGUSR1);
	}
	if (came.term == 1) {
		came.term = 2;
		(void)kill(k->broker_pid, SIGTERM);
	}
}

/* Who has a mailbox at home open stays: he ends with the session that asks him. */
static void
end_all(struct keeper *k)
{
	int status;

	for (size_t i = 0; i < k->child_n; i++)
		if (k->children[i].place != PLACE_HOME)
			(void)kill(k->children[i].pid, SIGKILL);
	for (size_t i = 0; i < k->child_n; i++)
		if (k->children[i].place != PLACE_HOME)
			(void)waitpid(k->children[i].pid, NULL, 0);
	/* Its socket may end before anybody has heard of its death. */
	if (k->broker_pid != 0 && waitpid(k->broker_pid, &status, 0) > 0)
		broker_ended(k, status);
}

static int
keep(struct keeper *k)
{
	struct pollfd p = { .fd = k->broker, .events = POLLIN };
	bool alive = true;
	sigset_t none;

	sigemptyset(&none);
	while (alive) {
		int n = ppoll(&p, 1, NULL, &none);
		if (came.chld)
			reap(k);
		take_signals(k);
		/* The end of the socket is that of the broker, too. */
		alive = k->broker_pid != 0 && (n <= 0 || take_order(k));
	}
	end_all(k);
	return came.term ? EX_OK : EX_SOFTWARE;
}

static void
start_broker(struct keeper *k)
{
	int pair[2];

	if (channel_pair(pair) < 0)
		fatal(EX_OSERR, "cannot make a channel: %s", strerror(errno));
	k->broker_pid = fork();
	if (k->broker_pid < 0)
		fatal(EX_OSERR, "cannot fork: %s", strerror(errno));
	if (k->broker_pid == 0) {
		close(pair[0]);
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		broker_run(&k->a, CHANNEL_FD, pair[1]);
		proc_child_exit(0);
	}
	close(pair[1]);
	close(CHANNEL_FD);
	k->broker = pair[0];
}

/* Without the file all goes on, but for what it would keep. */
static void
open_logins(struct auth *a)
{
	int dir = open(a->conf->spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir >= 0)
		a->logins = logins_open(dir, a->user.found ? a->user.uid : geteuid(),
		    a->user.found ? a->user.gid : getegid());
	if (!a->logins)
		log_warn(NULL, "%s/" LOGINS_FILE ": %s", a->conf->spool, strerror(errno));
	if (dir >= 0)
		close(dir);
	if (a->logins)
		memcpy(a->nobody, logins_secret(a->logins), sizeof(a->nobody));
	else
		random_bytes(a->nobody, sizeof(a->nobody));
}

static void
load(struct auth *a, const char *path)
{
	struct buf error;

	buf_init(&error, 65536);
	if (!(a->conf = conf_inherit(path, false, &error)))
		fatal(EX_CONFIG, "%s", buf_cstr(&error));
	/* The workers read what clients sent: these are not for them. */
	conf_forget_secrets(a->conf);
	(void)conf_open_log(a->conf);
	if (!auth_backends_load(a, &error))
		fatal(EX_CONFIG, "auth.backends: %s", buf_cstr(&error));
	a->user = proc_user(a->conf->user);
	a->root = proc_is_root();
	open_logins(a);
	if (!(a->users = userset_attach(USERS_FD)))
		fatal(EX_OSERR, "cannot use what was inherited: %s", strerror(errno));
	close(SCORE_FD);
	a->mailboxes = open(a->conf->mailboxes, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (a->mailboxes < 0)
		log_error(NULL, "%s: %s", a->conf->mailboxes, strerror(errno));
	a->session = confine_new(CONFINE_SESSION, (enum confine_mode)a->conf->sandbox, &error);
	a->helper = confine_new(CONFINE_HELPER, (enum confine_mode)a->conf->sandbox, &error);
	if (!a->session || !a->helper)
		fatal(EX_OSERR, "sandbox: %s", buf_cstr(&error));
	buf_free(&error);
}

int
main(int argc, char **argv)
{
	struct keeper *k = mem_alloc(sizeof(*k));
	const char *path = helper_begin(argc, argv, "auth", 1);
	int code;

	load(&k->a, path);
	helper_signals(&came);
	start_broker(k);
	code = keep(k);
	confine_free(k->a.session);
	confine_free(k->a.helper);
	userset_free(k->a.users);
	logins_free(k->a.logins);
	arena_wipe(&k->a.arena);
	conf_free(k->a.conf);
	mem_free(k->children);
	mem_free(k);
	return code;
}
