/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LIB_PROC_H
#define LIB_PROC_H

/*
 * proc -- what a process may do, and how it ends.
 *
 * Dropping privileges either succeeds as a whole or ends the process: no
 * caller can go on half confined.
 */

#include <sys/types.h>

#include "lib/str.h"

struct proc_user {
	uid_t uid;
	gid_t gid;
	bool found;
};

/* Looks NAME up; found is false if there is none. */
struct proc_user proc_user(const char *name);
/* Looks the group NAME up; -1 if there is none. */
int proc_group(const char *name, gid_t *gid) MUST_USE;
/* True if this process is root and can become somebody else. */
bool proc_is_root(void);

/*
 * Becomes U for good, with its root at CHROOT (NULL: none), no
 * supplementary groups, no new privileges, not dumpable, no core.  Without
 * root it stays the user that it is, does not chroot, and does the rest.
 * Any failure is fatal().
 */
void proc_confine(const struct proc_user *u, const char *chroot_dir);
/*
 * Caps of resources for a child: descriptors, processes, file size (0: as it
 * is); after proc_confine(), for root could also raise them.  A write past the
 * last is EFBIG, not a signal.
 */
void proc_limit(unsigned files, unsigned procs, uint64_t file_size);

/* Before that, for root: no limit to the processes of a user, where it is a low one. */
void proc_many(void);

/*
 * From here on this process starts no other and no thread, and has no more
 * than MEMORY octets of its own (but under a sanitizer).
 */
void proc_alone(uint64_t memory);
/* Each half of that. */
void proc_childless(void);
void proc_memory(uint64_t memory);

/*
 * Takes the shared libraries whose file names begin with one of NAMES (NULL
 * behind the last) out of this process: a call into one is its end, or that of a
 * child.  Of the others the tables go, by which their names are found.  Only if
 * all names were bound at the start (LD_BIND_NOW; else nothing is done), for a
 * process that loads no library from now on, asks for none (dl_iterate_phdr())
 * and ends by proc_child_exit().  Once, before environ_withhold().
 */
void proc_discard(const char *const *names);

/*
 * A fork for a process with one thread: handlers of pthread_atfork() do not run,
 * and the child is a child of this process's parent, which is told of its end.
 * Its pid is in *SHOWN before it runs, and in its *OWN: both may be memory that
 * is shared with others.
 */
pid_t proc_fork_sibling(_Atomic pid_t *shown, _Atomic pid_t *own) MUST_USE;
/* The flags of that call, and which of its arguments they are: for a filter. */
#define PROC_SIBLING_FLAGS (CLONE_PARENT | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD)
#ifdef __s390__
#define PROC_SIBLING_ARG 1
#else
#define PROC_SIBLING_ARG 0
#endif
/*
 * Makes what children would copy less: called when all libraries are loaded
 * that were linked, what is needed is on the heap, and there is one thread.
 * The protection of memory stays what it was.
 */
void proc_share_pages(void);

/* Raises the soft limit of descriptors to the hard one; returns it. */
unsigned proc_files_max(void);
/* Closes all descriptors from LOWEST on, but those in KEEP (sorted). */
void proc_close_from(int lowest, const int *keep, size_t keep_n);
/* Opens /dev/null where descriptor 0, 1 or 2 is closed. */
void proc_fix_stdio(void);

/*
 * Installs a handler that only sets *FLAG, and that interrupts a call that
 * waits; with NULL the signal is ignored.
 */
void proc_on_signal(int signo, volatile int *flag);
void proc_ignore(int signo);
/* Holds these three back, or lets them in, also those that came meanwhile. */
void proc_hold_signals(bool hold);
void proc_default(int signo);

/*
 * Starts PROGRAM with ARGV; INPUT (-1: ours) is its standard input, the
 * descriptors FDS[i] appear in it as 3+i and all others above 2 are closed;
 * the environment holds only PATH, TZ, LANG and what is in ENV
 * ("NAME=value", NULL-terminated).  The pid, or -1.
 *
 * It begins with SIGHUP and SIGUSR1 held back, which helpers are sent to go on
 * in another way, and SIGPIPE, which they ignore: else one would end of what
 * comes before it has handlers.
 */
pid_t proc_start(const char *program, char *const argv[], int input,
    const int *fds, size_t fd_n, char *const env[]) MUST_USE;
/*
 * The same for a program that is not ours: without FDS, as the leader of a
 * process group of its own, and no signal is held back.
 */
pid_t proc_start_group(const char *program, char *const argv[], int input,
    char *const env[]) MUST_USE;
/*
 * The path of a helper program: $BARID_LIBEXEC, else the directory that the
 * running program was installed beside (../libexec/barid), else the one
 * fixed at build.  In static storage.
 */
const char *proc_helper(const char *name);

/* The end of a forked child: flushes coverage counters, no exit handlers. */
void proc_child_exit(int code) NORETURN;

#endif
