/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MASTER_ACCEPTORS_H
#define MASTER_ACCEPTORS_H

/* acceptors -- those who let clients in, for the master; and how they are started. */

#include "master.h"

/* acceptors.c: the master's side of them. */
/*
 * Starts new ones with what M has in force, and only when they are ready tells
 * the old ones to go: nobody who connects meanwhile is refused.  -1: the old ones
 * stay, it is tried again later (acceptors_tick()), and ERROR says why.
 */
int acceptors_replace(struct master *m, struct buf *error);
/* Whether who connects is to wait, while this process does what takes its time. */
void acceptors_hold(struct master *m, bool hold);
void acceptors_stop(struct master *m);	/* nobody is let in any more */
void acceptors_reaped(struct master *m, pid_t pid, int status);
void acceptors_again(struct master *m);	/* the same, logged; the log was opened again, say */
void acceptors_tick(struct master *m);
int64_t acceptors_next_ms(const struct master *m);	/* when that is due */

/* acceptor.c: the process; its exit code. */
int acceptor_main(int argc, char **argv);

/* handover.c: what an acceptor is started with, from a master to itself. */
int handover_start(const struct master *m, bool pop, int order, pid_t *pid);
struct handover {
	bool pop;
	int order;		/* the channel to the master */
	struct buf text;	/* until handover_settle() */
};
/* Fills M; what sessions are not to have is >= master_fd_base().  False: it makes no sense. */
bool handover_take(struct master *m, struct handover *h);
/*
 * With C, and its log open: the listeners have their sections, the log the
 * sockets of the master.  False: likewise.
 */
bool handover_settle(struct master *m, struct handover *h, const struct conf *c);

/* What they say to each other, one octet a packet. */

#define ACCEPTOR_READY 'r'	/* the acceptor; any longer packet is why it cannot be */
#define ACCEPTOR_GO 'g'		/* the master */
#define ACCEPTOR_HOLD 'h'	/* until GO: who connects waits */
#define ACCEPTOR_FINISH 'f'

#endif
