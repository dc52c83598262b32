/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * acceptor -- the process that lets clients in and forks their sessions.
 *
 * Each of the two (SMTP, POP3) is this program executed by the master, so that
 * it has only what it is given (handover.c), a memory layout of its own, and
 * few pages for a fork to copy.  As root it reads certificates (no keys) and opens the
 * spool; then it is confined for good, says that it is ready, and is told to
 * begin.  Its sessions are confined by being forked from it.  It reads from no
 * client, and a session is no child of it but the master's: nothing waits for
 * it, so that it can be replaced at any time (acceptors.c).
 */

#include "acceptors.h"
#include "lend.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/environ.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "net/listen.h"
#include "policy/quota.h"

#define TICK_MS 5000
/* How long a key for session tickets lives. */
#define ROTATE_MS (24 * 3600 * 1000)

/* ---- the start -------------------------------------------------------------------- */

/* Tells the master why there will be no acceptor, and ends. */
static NORETURN void
give_up(const struct handover *h, struct str why)
{
	if (why.n < 2)
		why = STR("its configuration makes no sense\n");
	if (send(h->order, why.p, why.n, MSG_NOSIGNAL) < 0)
		log_error(NULL, STR_FMT, STR_ARG(why));
	exit(EX_CONFIG);
}

static void
attach_tls(struct master *m)
{
	for (size_t i = 0; i < m->listener_n; i++)
		m->listeners[i].tls = m->tls[m->listeners[i].conf - m->conf->listens].ctx;
}

/* What accounts have sent: without it there are no quotas, and mail goes on. */
static void
open_quotas(struct master *m)
{
	int dir;

	if (!quota_is_used(m->conf))
		return;
	dir = open(m->conf->spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0)
		m->quotas = quotas_open(dir, m->user.found ? m->user.uid : geteuid(),
		    m->user.found ? m->user.gid : getegid());
	if (m->quotas == NULL)
		log_error(NULL, "%s/" QUOTAS_FILE ": %s: there are no quotas", m->conf->spool,
		    strerror(errno));
	if (dir >= 0)
		close(dir);
}

/* What its service writes to.  -1 after a complaint. */
static int
open_places(struct check *k, struct master *m, bool pop)
{
	const struct conf *c = m->conf;

	if (pop) {
		m->mailboxes = open(c->mailboxes, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (m->mailboxes < 0)
			check_blame(k, conf_where(c, &c->mailboxes, CONF_NOWHERE), "mailboxes",
			    errno, "%s: %s, expected a directory", c->mailboxes, strerror(errno));
		return m->mailboxes < 0 ? -1 : 0;
	}
	open_quotas(m);
	m->queue = queue_open(c->spool, 0, m->user.found ? m->user.uid : geteuid(), (gid_t)-1,
	    k->error);
	if (m->queue)
		m->lender = lend_open(m->queue);
	return m->queue ? 0 : -1;
}

/* All that can fail. */
static int
make_all(struct check *k, struct master *m, bool pop)
{
	if (service_tls_make(k, pop ? TLS_OF_POP3 : TLS_OF_SMTP, m->signer, &m->tls) < 0 ||
	    open_places(k, m, pop) < 0)
		return -1;
	m->tls_n = m->conf->listen_n;
	attach_tls(m);
	return sandbox_make_acceptor(k, m, pop);
}

/* Sessions are forked from here; what only a runner needs is not handed down. */
static struct conf *
load(const char *path, bool pop, struct buf *error)
{
	/* POP3 is asked for no recipient. */
	struct conf *c = conf_inherit(path, !pop, error);

	if (c) {
		conf_forget_secrets(c);
		conf_forget_proxy(c);
		conf_forget_backends(c);
	}
	return c;
}

static void
prepare(struct master *m, struct handover *h)
{
	struct buf error;
	struct check k = { .error = &error };

	buf_init(&error, 16384);
	k.conf = m->conf = load(m->conf_path, h->pop, &error);
	if (!m->conf)
		give_up(h, buf_str(&error));
	(void)conf_open_log(m->conf);
	if (!h->pop && conf_srs_load(m->conf, false, 0, &error) < 0)
		give_up(h, buf_str(&error));
	if (!handover_settle(m, h, m->conf) || make_all(&k, m, h->pop) < 0)
		give_up(h, buf_str(&error));
	buf_free(&error);
	accept_init();
}

static void
catch_signals(void)
{
	sigset_t set;

	accept_catch_term();
	proc_ignore(SIGPIPE);
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* What neither an acceptor calls from now on nor a session. */
static const char *const for_the_start[] = { "libnss_", "libcap.so", "libm.so", "libconfuse.so",
	"libjansson.so", NULL };

/* Little is left for a fork to copy. */
static void
slim(void)
{
	tzset();
	clock_local_prepare(clock_wall());
	proc_share_pages();
	proc_discard(for_the_start);
	environ_withhold();
}

/* ---- the loop ----------------------------------------------------------------------- */

static bool
somebody_waits(const struct listener *l)
{
	struct pollfd p = { .fd = l->fd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

/* They connected while these rules were in force. */
static void
serve_who_waits(struct master *m)
{
	for (size_t i = 0; i < m->listener_n; i++)
		for (int n = 0; n < LISTEN_BACKLOG && somebody_waits(&m->listeners[i]); n++)
			master_accept(m, &m->listeners[i]);
}

/* True while it goes on. */
static bool
obey(struct master *m, const struct handover *h)
{
	char order = 0;
	ssize_t n = recv(h->order, &order, 1, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n != 1)
		return false;
	m->accept_from_ms = order == ACCEPTOR_HOLD ? INT64_MAX : 0;
	if (order == ACCEPTOR_FINISH)
		serve_who_waits(m);
	return order != ACCEPTOR_FINISH;
}

static int64_t
tick(struct master *m, int64_t now, int64_t next)
{
	if (now < next)
		return next;
	clock_local_prepare(clock_wall());
	if (now >= m->rotate_ms) {
		m->rotate_ms = now + ROTATE_MS;
		for (size_t i = 0; i < m->tls_n; i++)
			if (m->tls[i].ctx)
				tls_ctx_rotate(m->tls[i].ctx);
	}
	return now + TICK_MS;
}

static void
loop(struct master *m, const struct handover *h)
{
	size_t n = m->listener_n + 1;
	struct pollfd *fds = mem_array(n, sizeof(*fds));
	int64_t next = 0;
	sigset_t mask;

	sigprocmask(SIG_BLOCK, NULL, &mask);
	sigdelset(&mask, SIGTERM);
	fds[0] = (struct pollfd){ .fd = h->order, .events = POLLIN };
	for (size_t i = 1; i < n; i++)
		fds[i] = (struct pollfd){ .fd = m->listeners[i - 1].fd, .events = POLLIN };
	while (!master_got_term) {
		int64_t now = clock_ms(), until = next = tick(m, now, next);
		bool accepting = now >= m->accept_from_ms;
		if (!accepting && m->accept_from_ms < until)
			until = m->accept_from_ms;
		struct timespec ts = { (until - now) / 1000, (until - now) % 1000 * 1000000 };
		int ready = ppoll(fds, accepting ? n : 1, &ts, &mask);
		if (ready > 0 && fds[0].revents && !obey(m, h))
			break;
		for (size_t i = 1; i < n && ready > 0 && accepting; i++)
			if (fds[i].revents)
				master_accept(m, &m->listeners[i - 1]);
	}
	mem_free(fds);
}

int
acceptor_main(int argc, char **argv)
{
	struct master m = { .kept = -1, .control = -1, .mailboxes = -1, .ask = -1,
		.sandbox = SANDBOX_NONE };
	struct handover h;
	char order = ACCEPTOR_READY;

	(void)prctl(PR_SET_NAME, ACCEPTOR_NAME);
	if (argc != 3 || strcmp(argv[1], "-c") != 0 || !handover_take(&m, &h)) {
		fputs(ACCEPTOR_NAME " is started by barid(8)\n", stderr);
		return EX_USAGE;
	}
	m.conf_path = argv[2];
	log_component(h.pop ? "pop3d" : "smtpd");
	catch_signals();
	prepare(&m, &h);
	signer_begin(m.signer);
	slim();
	sandbox_acceptor(&m, h.pop);
	log_ask_by(m.ask);
	m.rotate_ms = clock_ms() + ROTATE_MS;
	if (send(h.order, &order, 1, MSG_NOSIGNAL) == 1 && recv(h.order, &order, 1, 0) == 1 &&
	    order == ACCEPTOR_GO)
		loop(&m, &h);
	/* A leak checker could not look from here: the root directory has no /proc. */
	proc_child_exit(EX_OK);
}
