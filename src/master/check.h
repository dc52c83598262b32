/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MASTER_CHECK_H
#define MASTER_CHECK_H

/*
 * check -- what a configuration names, held against this host.  A start and
 * a reload want all of it; `barid -t` only looks, as whoever runs it.
 */

#include "conf/conf.h"
#include "lib/proc.h"

struct master;
struct signer;

struct check {
	const struct conf *conf;
	struct buf *error;	/* a line for each mistake */
	struct buf *note;	/* -t: what this user cannot know; else NULL */
	bool running;		/* -t: a barid with this run directory is there */
	bool mistake;		/* one of them is the configuration's, not the system's */
	const struct conf_listen *blamed;	/* plan.c: once for an address, not for each port */
	size_t blamed_at;
	struct signer *signer;	/* who is to get the keys that check_tls() reads; or NULL */
};

/* Instead of an errno: what nobody can know before the start. */
#define CHECK_UNKNOWN (-1)
/*
 * Complains about the option NAME, set at WHERE.  ERR is the errno that made
 * it, or 0: with -t and without root, what is forbidden is only noted.
 */
void check_blame(struct check *k, struct conf_place where, const char *name, int err,
    const char *fmt, ...) PRINTF(5, 6);
int check_shut(const char *path);	/* why the file cannot be opened now: an errno, or 0 */
/*
 * Has LOOK complain in a process of its own: what it reads, private keys, is
 * never in this one, nor in those that are forked from it.
 */
void check_apart(struct check *k, void (*look)(struct check *));
/* Of tls_server_ctx(): WRONG is the string that it found wrong. */
void check_blame_tls(struct check *k, const char *wrong, const char *reason);
int check_code(const struct check *k);	/* of sysexits(3), where there was a complaint */
/* M: for a reload, which cannot change it; else NULL. */
struct proc_user check_user(struct check *k, const struct master *m);
void check_users(struct check *k);	/* what auth.backends names; check_auth.c */
void check_programs(struct check *k);	/* accounts of routes to programs */
void check_aliases(struct check *k);
/*
 * Each line of those of sections rewrite and recipient.  What KEPT has and they, if
 * nothing is wrong, in a memory file of its own, >= master_fd_base(); KEPT -1: only looks.
 */
int check_tables(struct check *k, int kept);
void check_ca(struct check *k);
void check_dkim(struct check *k);	/* keys that mail is signed with; likewise */
void check_identities(struct check *k);	/* certificates that servers are shown; likewise */
void check_spf(struct check *k);
void check_log(struct check *k);
/* Adds to OUT what C says without effect (conf_doubts()), and what others could read of it. */
void check_doubts(const struct conf *c, struct buf *out);
/* barid -t: prints what it finds and returns the exit code.  Changes nothing. */
int master_check(const struct conf *c);

#endif
