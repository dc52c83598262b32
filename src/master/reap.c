/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * reap -- who has ended: sessions, acceptors, helpers, children of control.
 *
 * All of them are the master's children, sessions too, though acceptors fork
 * them: so a slot of the scoreboard is given back, and a crash is known,
 * whatever has become of the acceptor.
 */

#include "acceptors.h"

#include <signal.h>
#include <sys/wait.h>

#include "lib/clock.h"
#include "lib/log.h"

static bool
is_crash(int status)
{
	if (!WIFSIGNALED(status))
		return false;
	switch (WTERMSIG(status)) {
	case SIGSEGV:
	case SIGABRT:
	case SIGBUS:
	case SIGILL:
	case SIGFPE:
	case SIGSYS:
		return true;
	default:
		return false;
	}
}

/* Somebody may be guessing: he gets fewer guesses, and each at another layout. */
static void
session_crashed(struct master *m, pid_t pid, int signo, const struct score_slot *slot)
{
	struct score_slot copy;
	struct buf network;

	score_look_at(m->score, slot, &copy);
	log_error(NULL, "a session child (pid %d, client [%s]) died of signal %d (%s)", (int)pid,
	    copy.client, signo, strsignal(signo));
	score_add(m->score, COUNT_CRASHES, 1);
	m->crashed = true;
	marks_add(m->own_marks, copy.address, clock_ms());
	if (marks_refused_ms(m->marks, copy.address, clock_ms()) == 0)
		return;
	buf_init(&network, 64);
	addr_add_key(&network, copy.address);
	log_warn(NULL, "sessions of %s keep crashing: it is refused for %d minutes",
	    buf_cstr(&network), MARKS_MS / 60000);
	buf_free(&network);
}

/* False: it was none. */
static bool
session_ended(struct master *m, pid_t pid, int status)
{
	struct score_slot *slot = score_find(m->score, pid);

	if (!slot)
		return false;

	if (is_crash(status))
		session_crashed(m, pid, WTERMSIG(status), slot);
	score_give(m->score, slot);
	return true;
}

void
master_reap(struct master *m)
{
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (session_ended(m, pid, status) || helpers_reaped(m, pid, status) ||
		    control_reaped(m, pid))
			continue;
		acceptors_reaped(m, pid, status);
		score_forget(m->score, pid);
	}
}
