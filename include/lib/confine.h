/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LIB_CONFINE_H
#define LIB_CONFINE_H

/*
 * confine -- which system calls a process may make, and which files it sees.
 *
 * What proc_confine() leaves to a process is cut down once more by the kernel
 * itself: seccomp for the calls, Landlock for the files.  Both are prepared
 * once, by whoever forks, so that a child only puts them on.  Nothing here is
 * undone, and what cannot be done ends the process.
 */

#include "lib/buf.h"

/* As an option: in this order are its words. */
enum confine_mode {
	CONFINE_OFF,
	CONFINE_LOG,	/* a call that is not allowed is made, and in the audit log */
	CONFINE_ENFORCE	/* it is the end of the process, and in our log */
};

enum confine_role {
	CONFINE_SESSION,	/* who serves one client: a list of what is allowed */
	CONFINE_ACCEPTOR,	/* who forks such: the same, and what that takes */
	/* Who has private keys, or reads what is hostile: not even a file can be opened. */
	CONFINE_SIGNER,
	CONFINE_HELPER		/* anything but what no helper has a use for */
};

/* ---- calls ------------------------------------------------------------------ */

struct confine;

/*
 * Makes the filter of ROLE; nothing is put on.  From then on SIGSYS says in
 * the log which call it was.  With CONFINE_OFF, and where a library was put in
 * from outside (LD_PRELOAD: nobody here knows what that one calls), the filter
 * is one that does nothing.  NULL with the reason in ERROR.
 */
struct confine *confine_new(enum confine_role role, enum confine_mode mode,
    struct buf *error) MUST_USE;
void confine_free(struct confine *c);	/* NULL is fine */
/* From here on.  After proc_confine(), which makes it possible.  Else fatal(). */
void confine_calls(const struct confine *c);
/* Both at once, for who forks nobody that needs more.  Else fatal(). */
void confine_now(enum confine_role role, enum confine_mode mode);
/* True if a library was put in from outside. */
bool confine_is_lenient(void);

/* ---- files ------------------------------------------------------------------ */

enum {
	CONFINE_READ = 1,	/* files and lists of files */
	CONFINE_FILL = 2,	/* files are made, written, renamed and removed */
	CONFINE_KNOW = 8,	/* files are read by who knows their names; none is listed */
	CONFINE_TAKE = 4	/* files are renamed into it; none goes, or changes */
};

struct confine_dir {
	int fd;
	unsigned may;
};

/*
 * A descriptor of a ruleset that allows what DIRS say below them, and nothing
 * anywhere else: no other file, no TCP, no signal to a process that is not
 * under it too.  -1, errno: ENOSYS, EOPNOTSUPP where the kernel has no Landlock
 * or an old one.
 */
int confine_rules(const struct confine_dir *dirs, size_t n) MUST_USE;
/* The same for who has servers to ask: TCP is as it was. */
int confine_rules_tcp(const struct confine_dir *dirs, size_t n) MUST_USE;
/* From here on, for this process and beside what held before; -1: nothing. */
void confine_files(int rules);

#endif
