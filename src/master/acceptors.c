/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * acceptors -- the master's side of those who let clients in.
 *
 * They are as they were started: another configuration, other certificates or
 * sockets of the log, or a session that crashed (CONFORMANCE P-05: whoever comes
 * after it meets another memory layout) mean that new ones are started.  The
 * old ones go only when all the new ones are ready, after they have served
 * who was waiting, and the new ones begin when they have gone: listeners stay
 * open all the time, and nobody is served under old rules who comes after new
 * ones are in force.  Sessions notice nothing: they are the master's children.
 *
 * On its channel an acceptor says READY, or why it cannot be, and is told GO;
 * later, to HOLD while the master is busy, which would count sessions that have
 * ended against their clients; to finish what waits and end (FINISH), or sees
 * the end of the channel and ends at once, as it does when the master is killed.
 */

#include "acceptors.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"

/* They read some files and compile a filter; a machine under load takes its time. */
#define READY_MS 30000
#define FINISH_MS 5000
/* What ends every moment, session or acceptor, must not keep us starting others. */
#define PAUSE_MS 1000
#define LATER_MS 5000
/* Other certificates come into force by themselves (master_check_certificates()). */
#define UNFIT_MS 60000
#define REASON_MAX 16384

static bool
is_wanted(const struct master *m, bool pop)
{
	for (size_t i = 0; i < m->listener_n; i++)
		if (listener_is_of(m->listeners[i].conf, pop))
			return true;
	return false;
}

static void
forget(struct acceptor *a)
{
	if (a->order >= 0)
		close(a->order);
	*a = (struct acceptor){ .order = -1 };
}

static int
start(const struct master *m, bool pop, struct acceptor *a)
{
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	if ((a->order = fd_raise(pair[0])) < 0) {
		close(pair[1]);
		return -1;
	}
	r = handover_start(m, pop, pair[1], &a->pid);
	int err = errno;
	close(pair[1]);
	errno = err;
	return r;
}

/*
 * Waits until there is something to read, and meanwhile takes leave of sessions:
 * who has ended is counted against its client until then.
 */
static bool
await(struct master *m, int fd, int64_t until)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t ms;
	sigset_t none;

	sigemptyset(&none);
	while ((ms = notify_wait_ms(until)) > 0) {
		struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };
		if (ppoll(&p, 1, &ts, &none) > 0)
			return true;
		if (master_got_chld) {
			master_got_chld = 0;
			master_reap(m);
		}
	}
	return false;
}

/* Whether it is ready; else ERROR has why not. */
static bool
is_ready(struct master *m, const struct acceptor *a, struct buf *error)
{
	char said[REASON_MAX];
	ssize_t n = -1;

	if (await(m, a->order, clock_ms() + READY_MS))
		n = recv(a->order, said, sizeof(said), MSG_DONTWAIT);
	if (n == 1 && said[0] == ACCEPTOR_READY)
		return true;
	if (n > 1)
		buf_add(error, str_n(said, (size_t)n));
	else
		buf_adds(error, n < 0 ? ACCEPTOR_NAME " does not become ready\n"
				      : ACCEPTOR_NAME " ended at its start\n");
	return false;
}

/*
 * Whether those that were started may take over.  They have read certificates by
 * themselves, which could be others by now than those whose keys are with
 * barid-sign: written while they started, or refused before.  Nobody is served by
 * TLS with these, so that who is there stays; none at all would be worse.
 */
static bool
may_take_over(const struct master *m, const struct acceptor next[ACCEPTORS], struct buf *error)
{
	for (size_t i = 0; i < ACCEPTORS; i++)
		if (next[i].pid > 0 && m->acceptors[i].pid == 0)
			return true;
	if (master_certificates_fit(m))
		return true;
	buf_adds(error, "certificates or keys have changed since they were last in order\n");
	return false;
}

static bool
start_all(struct master *m, struct acceptor next[ACCEPTORS], struct buf *error)
{
	for (size_t i = 0; i < ACCEPTORS; i++) {
		if (is_wanted(m, i == 1) && start(m, i == 1, &next[i]) < 0) {
			buf_addf(error, "cannot start " ACCEPTOR_NAME ": %s\n", strerror(errno));
			return false;
		}
	}
	for (size_t i = 0; i < ACCEPTORS; i++)
		if (next[i].pid > 0 && !is_ready(m, &next[i], error))
			return false;
	return may_take_over(m, next, error);
}

static void
tell(const struct acceptor *a, char what)
{
	if (a->order >= 0 && send(a->order, &what, 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		log_debug(NULL, ACCEPTOR_NAME " %d is not there: %s", (int)a->pid, strerror(errno));
}

/* Waits until it has ended, or at least lets nobody in. */
static void
await_end(struct master *m, const struct acceptor *a)
{
	char byte;

	if (a->order < 0)
		return;
	if (!await(m, a->order, clock_ms() + FINISH_MS) ||
	    recv(a->order, &byte, 1, MSG_DONTWAIT) > 0)
		(void)kill(a->pid, SIGKILL);
	close(a->order);
}

/* NEXT in place of them; their end is expected from now on.  FINISH: who waits is served. */
static void
part(struct master *m, const struct acceptor next[ACCEPTORS], bool finish)
{
	struct acceptor old[ACCEPTORS];

	memcpy(old, m->acceptors, sizeof(old));
	memcpy(m->acceptors, next, sizeof(old));
	master_reap(m);
	for (size_t i = 0; i < ACCEPTORS; i++) {
		if (finish)
			tell(&old[i], ACCEPTOR_FINISH);
		else if (old[i].order >= 0)
			(void)shutdown(old[i].order, SHUT_WR);
	}
	for (size_t i = 0; i < ACCEPTORS; i++)
		await_end(m, &old[i]);
}

void
acceptors_hold(struct master *m, bool hold)
{
	for (size_t i = 0; i < ACCEPTORS; i++)
		tell(&m->acceptors[i], hold ? ACCEPTOR_HOLD : ACCEPTOR_GO);
}

int
acceptors_replace(struct master *m, struct buf *error)
{
	struct acceptor next[ACCEPTORS] = { { .order = -1 }, { .order = -1 } };

	m->acceptors_wanted = false;
	m->crashed = false;
	m->acceptors_ms = clock_ms() + PAUSE_MS;
	if (!start_all(m, next, error)) {
		for (size_t i = 0; i < ACCEPTORS; i++)
			forget(&next[i]);
		m->acceptors_wanted = true;
		m->acceptors_ms = clock_ms() + (master_certificates_fit(m) ? LATER_MS : UNFIT_MS);
		return -1;
	}
	part(m, next, true);
	acceptors_hold(m, false);
	return 0;
}

void
acceptors_stop(struct master *m)
{
	const struct acceptor none[ACCEPTORS] = { { .order = -1 }, { .order = -1 } };

	part(m, none, false);
}

/* Nobody is let in meanwhile: so at once, if the one before lived for a while. */
static void
start_soon(struct master *m)
{
	int64_t now = clock_ms();

	m->acceptors_wanted = true;
	m->acceptors_ms = now - m->acceptors_died_ms < PAUSE_MS ? now + PAUSE_MS : now;
	m->acceptors_died_ms = now;
}

void
acceptors_reaped(struct master *m, pid_t pid, int status)
{
	for (size_t i = 0; i < ACCEPTORS; i++) {
		struct acceptor *a = &m->acceptors[i];

		if (a->pid != pid)
			continue;
		if (WIFSIGNALED(status))
			log_error(NULL, ACCEPTOR_NAME " (pid %d) died of signal %d (%s); "
			    "started again", (int)pid, WTERMSIG(status),
			    strsignal(WTERMSIG(status)));
		else
			log_error(NULL, ACCEPTOR_NAME " (pid %d) ended with status %d; "
			    "started again", (int)pid, WEXITSTATUS(status));
		forget(a);
		start_soon(m);
	}
}

int64_t
acceptors_next_ms(const struct master *m)
{
	return (m->acceptors_wanted || m->crashed) && !m->stopping ? m->acceptors_ms : INT64_MAX;
}

/* WHY: the end of what is said. */
static void
again(struct master *m, const char *why)
{
	struct str line, rest;
	struct buf error;

	buf_init(&error, REASON_MAX);
	if (acceptors_replace(m, &error) == 0) {
		log_info(NULL, "acceptors were started anew%s", why);
	} else {
		str_cut(buf_str(&error), '\n', &line, &rest);
		log_error(NULL, "acceptors cannot be started anew%s: " STR_FMT, why, STR_ARG(line));
	}
	buf_free(&error);
}

void
acceptors_again(struct master *m)
{
	if (!m->stopping)
		again(m, "");
}

void
acceptors_tick(struct master *m)
{
	bool crashed = m->crashed;

	if (clock_ms() < acceptors_next_ms(m))
		return;
	/* What they read is to be what barid-sign has the keys of. */
	master_check_certificates(m);
	again(m, crashed ? " after a crashed session" : "");
	/* Until they were. */
	m->crashed = crashed && m->acceptors_wanted;
}
