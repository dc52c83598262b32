/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * accept -- a client comes, and a child is forked for it.
 *
 * In an acceptor (acceptor.c).  Every limit is checked before the fork: a
 * client that is refused costs an answer and no process.  Nothing is read from
 * a client before it.  When descriptors or processes run out it answers 421
 * where it can and pauses, so that it never spins.
 */

#include "door.h"
#include "lend.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "policy/blocklist.h"
#include "policy/recipient.h"

#define PAUSE_MS 100
/* Taken from one listener before the others have their turn. */
#define ACCEPT_BATCH 64
#define NOTICE_MS 1
#define NOTICE_TRIES 200

static int reserve_fd = -1;
static sigset_t only_term;
/* In a session: the socket on which it waits for a command, or -1. */
static SESSION_WRITES volatile int child_idle_fd = -1;

/* One descriptor is kept back, to refuse with when there are no others. */
void
accept_init(void)
{
	if (reserve_fd < 0 && (reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
		reserve_fd = fd_raise(reserve_fd);
}

void
refuse(struct score *score, const struct conf_listen *l, const char *hostname, int fd,
    const char *why)
{
	struct buf b;

	buf_init(&b, 512);
	if (l->service == SERVICE_POP3)
		buf_addf(&b, "-ERR [SYS/TEMP] %s\r\n", why);
	else
		buf_addf(&b, "421 4.7.0 %s Error: %s\r\n", hostname, why);
	/* Who expects TLS could not read it. */
	if (l->tls != LISTEN_TLS_IMPLICIT)
		(void)send(fd, b.p, b.n, MSG_NOSIGNAL | MSG_DONTWAIT);
	buf_free(&b);
	close(fd);
	score_add(score, COUNT_REFUSED, 1);
}

static const char *
hostname_of(const struct master *m, const struct listener *l)
{
	return l->conf->hostname[0] ? l->conf->hostname : m->conf->hostname;
}

static void
turn_away(const struct master *m, const struct listener *l, int fd, const char *why)
{
	refuse(m->score, l->conf, hostname_of(m, l), fd, why);
}

/* The same, and the log says so. */
static void
turn_away_logged(const struct master *m, const struct listener *l, int fd,
    const struct addr *peer, const char *why)
{
	struct buf name;

	buf_init(&name, 128);
	addr_add(&name, peer);
	log_warn(NULL, "refused a connection from unknown[%s]: %s", buf_cstr(&name), why);
	buf_free(&name);
	turn_away(m, l, fd, why);
}

/* What a client is counted by; 0: not by its address. */
static uint64_t
key_of(const struct listener *l, const struct addr *peer)
{
	return behind_trusted(l->conf, peer) ? 0 : addr_key(peer);
}

/* How many clients there is room for. */
static uint64_t
places(const struct master *m)
{
	const struct conf_limits *limits = &m->conf->limits;
	uint64_t out = score_get(m->score, COUNT_CONNECTIONS_OUT);
	uint64_t left = limits->connections > out ? limits->connections - out : 0;

	return left < limits->connections_in ? left : limits->connections_in;
}

/*
 * Whether it is crowded: from four fifths of the places on, until three are
 * taken.  Who comes then and is not known is hurried, so that nobody holds all
 * places by doing nothing (CONFORMANCE 4).
 */
static void
look_around(struct master *m)
{
	uint64_t fifths = (uint64_t)score_live(m->score) * 5;
	bool crowded = fifths >= places(m) * (m->crowded ? 3 : 4);

	if (crowded == m->crowded)
		return;
	m->crowded = crowded;
	if (crowded)
		log_warn(NULL, "four of five places for clients are taken: "
		    "who is unknown gets little time from now on");
	else
		log_info(NULL, "there are places for clients again");
}

/* Which limit this client would exceed, or NULL. */
static const char *
limit_hit(const struct master *m, const struct listener *l, uint64_t key)
{
	if (score_live(m->score) >= places(m))
		return "too many connections";
	if (key != 0 && score_live_from(m->score, key) >= l->conf->connections_per_address)
		return "too many connections from your address";
	return NULL;
}

/*
 * The same for those who are there.  Who has ended counts until the master takes
 * note of it, and this process may be faster: then it waits for that, a moment.
 */
static const char *
limit_stays_hit(const struct master *m, const struct listener *l, uint64_t key)
{
	const struct timespec moment = { 0, NOTICE_MS * 1000000 };
	const char *why = limit_hit(m, l, key);

	for (int i = 0; why && i < NOTICE_TRIES && score_any_ended(m->score); i++) {
		(void)nanosleep(&moment, NULL);
		why = limit_hit(m, l, key);
	}
	return why;
}

static void
serve(const struct master *m, const struct listener *l, int fd, const struct addr *peer,
    struct score_slot *slot)
{
	bool pop = l->conf->service == SERVICE_POP3;
	int runners[RUNNERS_MAX];
	size_t runner_n = m->helper_n - FIRST_RUNNER;
	struct conf conf;

	conf_at_listener(m->conf, l->conf, &conf);
	for (size_t i = 0; i < runner_n; i++)
		runners[i] = m->helpers[FIRST_RUNNER + i].client_end;
	struct session_env env = {
		.conf = &conf, .listen = l->conf, .tls = l->tls, .hostname = hostname_of(m, l),
		/* With root only barid-auth opens a mailbox. */
		.queue = pop ? NULL : m->queue,
		.mailboxes = pop && !m->sandbox.blind ? m->mailboxes : -1,
		.auth = m->helpers[PLACE_AUTH].client_end,
		.verify = m->helpers[PLACE_VERIFY].client_end,
		.check = m->helpers[PLACE_CHECK].client_end,
		.runners = runners, .runner_n = runner_n,
		.users = m->users, .score = m->score, .quotas = m->quotas, .slot = slot,
		.peer = *peer,
		.crowded = m->crowded,
		.confined = m->conf->sandbox != CONFINE_OFF,
		.stop = &master_got_term, .idle_fd = &child_idle_fd,
	};
	if (!env.tls)
		signer_withhold(m);
	if (addr_family(peer) != AF_UNIX)
		env.local = addr_local(fd);
	if (!behind_look(m, fd, &env))
		return;
	if (pop)
		pop3d_serve(&env, fd, fd);
	else
		smtpd_serve(&env, fd, fd);
}

/* Both calls are safe in a handler; between wait and check no signal is lost. */
static void
on_term(int signo UNUSED)
{
	master_got_term = 1;
	if (child_idle_fd >= 0)
		(void)shutdown(child_idle_fd, SHUT_RD);
}

void
accept_catch_term(void)
{
	const struct sigaction term = { .sa_handler = on_term };

	sigemptyset(&only_term);
	sigaddset(&only_term, SIGTERM);
	(void)sigaction(SIGTERM, &term, NULL);
}

/*
 * The others stay blocked as they were in the acceptor: the master passes on
 * what Ctrl-C means, which reaches the whole foreground group.
 */
static void
listen_to_term_only(void)
{
	sigprocmask(SIG_UNBLOCK, &only_term, NULL);
}

static void
child(const struct master *m, const struct listener *l, int fd, const struct addr *peer,
    struct score_slot *slot)
{
	mem_forked();
	listen_to_term_only();
	sandbox_session(m);
	serve(m, l, fd, peer, slot);
	atomic_store(&slot->state, SCORE_ENDED);
	proc_child_exit(0);
}

static void
pause_accepting(struct master *m, const char *what)
{
	log_warn(NULL, "cannot accept a connection: %s: %s", what, strerror(errno));
	m->accept_from_ms = clock_ms() + PAUSE_MS;
}

/* Out of descriptors: the one kept back takes the client, to say so. */
static void
refuse_with_reserve(struct master *m, const struct listener *l)
{
	int err = errno, fd;

	if (reserve_fd >= 0) {
		close(reserve_fd);
		reserve_fd = -1;
		if ((fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0)
			turn_away(m, l, fd, "out of descriptors");
		accept_init();
	}
	errno = err;
	pause_accepting(m, "accept");
}

static void
start_child(struct master *m, const struct listener *l, int fd, const struct addr *peer)
{
	/* What is written on the heap is copied for every child that lives. */
	char space[128];
	struct buf name;
	struct score_slot *slot;
	int tray, tray_fd = -1;
	pid_t pid;

	buf_init_in(&name, space, sizeof(space));
	addr_add(&name, peer);
	slot = score_take(m->score, l->conf->service, key_of(l, peer), buf_cstr(&name));
	if (!slot) {
		turn_away_logged(m, l, fd, peer, "too many connections for the scoreboard");
		return;
	}
	log_before_fork();
	/* What is not delivered at once needs a file of its own. */
	tray = m->conf->queue.deliver ? lend_find(m->lender, m->score, &tray_fd) : -1;
	/* The master's child, which is told of its end, and looks for its pid then. */
	pid = proc_fork_sibling(score_pid(m->score, slot), &slot->pid);
	if (pid == 0) {
		/* Of its own: the others stand where it closes all. */
		if (tray >= 0)
			queue_tray_use(m->queue, fcntl(tray_fd, F_DUPFD_CLOEXEC, 0),
			    (unsigned)tray);
		child(m, l, fd, peer, slot);
	}
	if (pid < 0) {
		score_give(m->score, slot);
		pause_accepting(m, "fork");
		turn_away(m, l, fd, "out of processes, come back later");
		return;
	}
	if (tray >= 0)
		lend_to(m->lender, tray, slot, pid);
	score_add(m->score, COUNT_CONNECTIONS, 1);
	close(fd);
}

const char *
shut_out(const struct master *m, const struct conf_listen *l, const struct addr *peer)
{
	struct block b;

	if (score_is_off(m->score, l->service))
		return "the service is not available now, come back later";
	if (access_listed(&l->blocked, peer) || !access_may_connect(&l->connect, peer))
		return "you may not connect here";
	if (blocklist_has(score_blocks(m->score), peer, &b))
		return b.by_hand ? "you are blocked here"
				 : "too many wrong passwords, come back later";
	if (marks_refused_ms(m->marks, addr_key(peer), clock_ms()) > 0)
		return "too many of your sessions have crashed, come back later";
	return NULL;
}

/* Why PEER may not come in, or NULL. */
static const char *
unwelcome(const struct master *m, const struct listener *l, const struct addr *peer)
{
	const char *why = NULL;

	/* A proxy is none of its clients: they are looked at when it has said who. */
	if (!access_listed(&l->conf->proxies, peer))
		why = shut_out(m, l->conf, peer);
	return why ? why : limit_stays_hit(m, l, key_of(l, peer));
}

static void
take(struct master *m, const struct listener *l, int fd, struct addr *peer)
{
	const char *why = unwelcome(m, l, peer);

	if (!why) {
		look_around(m);
		start_child(m, l, fd, peer);
		return;
	}
	turn_away_logged(m, l, fd, peer, why);
}

void
master_accept(struct master *m, struct listener *l)
{
	for (int i = 0; i < ACCEPT_BATCH && clock_ms() >= m->accept_from_ms; i++) {
		struct addr peer = { .len = sizeof(peer.ss) };
		int fd = accept4(l->fd, (struct sockaddr *)&peer.ss, &peer.len, SOCK_CLOEXEC);
		if (fd >= 0) {
			/* A socket for both families, as systemd makes them. */
			addr_unmap(&peer);
			take(m, l, fd, &peer);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE)
			refuse_with_reserve(m, l);
		else if (errno == ECONNABORTED || errno == EINTR)
			continue;
		else if (errno != EAGAIN)
			pause_accepting(m, "accept");
		return;
	}
}
