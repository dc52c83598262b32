/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef FAULT_SYS_FAULT_H
#define FAULT_SYS_FAULT_H

/*
 * sys_fault -- the system calls of lib/sys.h, of which the n-th fails or is
 * the last that the process makes.  Linked in place of sys_real.
 */

#include <stdbool.h>

enum fault_kind {
	FAULT_NONE,
	FAULT_ERROR,		/* the call does nothing and fails */
	FAULT_SHORT,		/* a write writes half, then fails */
	FAULT_STICKY,		/* this call and all later ones fail */
	FAULT_KILL_BEFORE,	/* the process ends before the call */
	FAULT_KILL_AMID,	/* it ends when a write has written half */
	FAULT_KILL_AFTER	/* it ends when the call is done */
};

struct fault {
	enum fault_kind kind;
	unsigned at;		/* the number of the call, from 1 */
	int error;		/* what it fails with */
	unsigned calls;		/* calls so far */
	bool hit;
	bool sync_failed;	/* what was hit is a sync */
	const char *kept;	/* no name is removed from a directory that ends so */
};
extern struct fault fault;
/*
 * Called before each call, and amid each write, if it is set: for tests that
 * step several through what they do.  No flush is made then.
 */
extern void (*fault_step)(void);
/* Told of each descriptor that is opened here, and before it is closed. */
extern void (*fault_fd)(int fd, bool is_open);

/* How a process ends that is killed. */
#define FAULT_KILLED 77

void fault_arm(enum fault_kind kind, unsigned at, int error);
void fault_disarm(void);

#endif
