/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MASTER_SESSION_H
#define MASTER_SESSION_H

/*
 * session -- what a session child is given at its fork: everything is open,
 * parsed and looked up before, so that the child only speaks.
 */

#include "conf/conf.h"
#include "ipc/score.h"
#include "ipc/userset.h"
#include "net/addr.h"
#include "net/tls.h"
#include "queue/queue.h"

/* What a client that is unknown has where few places are left, if not less (CONFORMANCE 4). */
#define HURRIED_MS 10000

struct session_env {
	const struct conf *conf;
	const struct conf_listen *listen;
	const char *hostname;		/* of this listener */
	struct tls_ctx *tls;		/* NULL: no TLS here */
	struct queue *queue;		/* NULL for POP3 */
	int mailboxes;			/* descriptor of the mailboxes' directory; -1: barid-auth */
					/* opens the one that is logged in to */
	int auth;			/* channel to barid-auth, or -1 */
	int verify;			/* channel to barid-verify, or -1 */
	int check;			/* channel to barid-check, or -1 */
	const int *runners;		/* channels to the runners, by id */
	size_t runner_n;
	const struct userset *users;
	struct score *score;
	struct quotas *quotas;		/* NULL: there are none */
	struct score_slot *slot;	/* NULL in tests and with sendmail -bs */
	struct addr peer;
	struct addr local;
	bool crowded;			/* see HURRIED_MS */
	bool confined;			/* in a sandbox, which may be made narrower */
	bool to_drop;			/* sendmail -bs: messages go to drop/ */
	const char *local_user;		/* sendmail -bs: who it is, else NULL */
	volatile int *stop;		/* set by SIGTERM: 421 at the next command */
	/*
	 * Where a session notes its socket while it waits for a command, and
	 * -1 otherwise: SIGTERM ends such a wait at once, as an end of file,
	 * and leaves a text that is being received alone.  NULL in tests.
	 */
	volatile int *idle_fd;
};

/*
 * Speaks with the client on FD until the end.  Called in a confined child
 * (or a test); everything it opens is gone with the process.  RFD and WFD
 * are the same for a socket.
 */
void smtpd_serve(const struct session_env *env, int rfd, int wfd);
void pop3d_serve(const struct session_env *env, int rfd, int wfd);

#endif
