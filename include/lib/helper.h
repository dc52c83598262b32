/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LIB_HELPER_H
#define LIB_HELPER_H

/*
 * helper -- how a program begins that only barid(8) starts: barid-auth,
 * barid-http, barid-sign, barid-spawn.
 *
 * It gets the configuration in force by -c, its number and the count of its
 * kind by -i and -n, which these do not use, its channels on descriptors from
 * HELPER_FD on, and by -l, which is its own to read, where its listeners are from.
 */

#define HELPER_FD 3

/* What has come since it was last looked at. */
struct helper_signals {
	volatile int term, chld, usr1;
};

/*
 * Reads the arguments, sees that FD_N descriptors are there, opens what is
 * closed of 0 to 2 and gives the log the component NAME.  Returns the path of
 * the configuration, of ARGV.  A person who starts it is told who does, and it
 * exits with EX_USAGE.
 */
const char *helper_begin(int argc, char **argv, const char *name, int fd_n);

/*
 * Notes SIGTERM, SIGCHLD and SIGUSR1 in GOT from here on.  They are held back
 * but while ppoll() lets them in.  What a terminal sends is the master's to
 * interpret.
 */
void helper_signals(struct helper_signals *got);

/*
 * Does what is the same for all after a SIGCHLD or SIGUSR1: takes leave of
 * workers that have ended (whom a signal ended is in the log), and opens the log
 * anew.
 */
void helper_heed(struct helper_signals *got);

#endif
