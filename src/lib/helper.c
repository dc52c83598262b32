/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * helper -- how a program begins that only barid(8) starts.
 */

#include "lib/helper.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/proc.h"

static bool
has_channels(int fd_n)
{
	for (int i = 0; i < fd_n; i++)
		if (fcntl(HELPER_FD + i, F_GETFD) < 0)
			return false;
	return true;
}

const char *
helper_begin(int argc, char **argv, const char *name, int fd_n)
{
	const char *path = NULL;
	bool good = true;
	int opt;

	opterr = 0;
	while ((opt = getopt(argc, argv, "c:i:n:l:")) != -1) {
		if (opt == 'c')
			path = optarg;
		good = good && opt != '?';
	}
	if (!good || path == NULL || !has_channels(fd_n)) {
		(void)fprintf(stderr, "barid-%s is started by barid(8)\n", name);
		exit(EX_USAGE);
	}
	proc_fix_stdio();
	log_component(name);
	return path;
}

void
helper_signals(struct helper_signals *got)
{
	sigset_t set;

	proc_on_signal(SIGTERM, &got->term);
	proc_on_signal(SIGCHLD, &got->chld);
	proc_on_signal(SIGUSR1, &got->usr1);
	proc_ignore(SIGPIPE);
	proc_ignore(SIGINT);
	proc_ignore(SIGHUP);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void
reap(struct helper_signals *got)
{
	int status;
	pid_t pid;

	got->chld = 0;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (WIFSIGNALED(status))
			log_error(NULL, "a worker (pid %d) died of signal %d (%s)",
			    (int)pid, WTERMSIG(status),
			    strsignal(WTERMSIG(status)));
}

void
helper_heed(struct helper_signals *got)
{
	if (got->chld)
		reap(got);
	if (got->usr1) {
		got->usr1 = 0;
		log_reopen();
	}
}
