/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SPAWN_SPAWN_H
#define SPAWN_SPAWN_H

/* spawn -- what the files of barid-spawn share. */

#include "conf/conf.h"
#include "ipc/msg.h"
#include "lib/arena.h"
#include "mail/path.h"

/* ---- told.c: what a program is told of a message; pure ---------------------- */

/* A request that was looked through: what it says may be believed to be an address. */
struct told {
	const struct conf *conf;
	const struct conf_via *way;
	struct str id;
	uint64_t size;
	struct path sender;
	struct path *rcpts;
	size_t rcpt_n;
	struct str client, login;
};

/* False if M has what no runner asks for.  T borrows from M, and is in A. */
bool told_read(const struct conf *c, const struct msg_spawn *m, struct arena *a,
    struct told *t) MUST_USE;
/* The arguments, NULL-terminated, in A; or NULL, and why none, for the sender. */
char **told_args(const struct told *t, struct arena *a, const char **why) MUST_USE;
/* The environment, likewise; of the account NAME with the directory HOME. */
char **told_env(const struct told *t, const char *name, const char *home,
    struct arena *a) MUST_USE;
/* The lines that stand before the message. */
void told_head(const struct told *t, struct buf *b);

/* ---- feed.c: a message with the line ends of Unix; pure but for its file ---- */

struct feed {
	int fd;
	uint64_t at, end;	/* of what was not read yet */
	struct buf out;		/* what is to be written next, from SENT on */
	size_t sent;
	bool cr;		/* the last octet read was a CR */
};

/* SIZE octets from AT on in FD; HEAD goes before them. */
void feed_init(struct feed *f, int fd, uint64_t at, uint64_t size, struct str head);
/* Writes to TO what it takes now.  1: all is written; 0: there is more; -1: errno. */
int feed_write(struct feed *f, int to) MUST_USE;
void feed_free(struct feed *f);

/* ---- work.c ----------------------------------------------------------------- */

/*
 * In a child of its own: runs the program of M's route as the account that is
 * due to it, and answers on REPLY, which also brings the message.
 */
void work(const struct conf *c, const struct msg_spawn *m, int reply);

#endif
