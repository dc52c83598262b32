/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * proc_fork -- a fork that costs little: the system call, and nothing else.
 *
 * It runs no handlers and takes no locks.  There is one thread, so that nobody
 * can hold one, and what the library would write to say so are four pages more
 * for each child to copy.  What makes the fork itself cheaper is in proc_share.c
 * and proc_discard.c.
 */

#include "lib/proc.h"

#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

pid_t
proc_fork_sibling(_Atomic pid_t *shown, _Atomic pid_t *own)
{
	/* The third is where the parent's copy goes; the machines differ in the last two. */
#if PROC_SIBLING_ARG == 1
	return (pid_t)syscall(SYS_clone, 0, PROC_SIBLING_FLAGS, shown, own, own);
#else
	return (pid_t)syscall(SYS_clone, PROC_SIBLING_FLAGS, 0, shown, own, own);
#endif
}
