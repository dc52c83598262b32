/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * signals -- those that the master is told by: noted here, acted on in its loop.
 */

#include "master.h"

#include <signal.h>

volatile int master_got_hup, master_got_term, master_got_chld, master_got_usr1;

void
master_catch_signals(void)
{
	sigset_t all;

	proc_on_signal(SIGHUP, &master_got_hup);
	proc_on_signal(SIGTERM, &master_got_term);
	proc_on_signal(SIGINT, &master_got_term);
	proc_on_signal(SIGCHLD, &master_got_chld);
	proc_on_signal(SIGUSR1, &master_got_usr1);
	proc_ignore(SIGPIPE);
	/* They are let in only while ppoll() waits: no signal falls between. */
	sigemptyset(&all);
	sigaddset(&all, SIGHUP);
	sigaddset(&all, SIGTERM);
	sigaddset(&all, SIGINT);
	sigaddset(&all, SIGCHLD);
	sigaddset(&all, SIGUSR1);
	sigprocmask(SIG_BLOCK, &all, NULL);
}
