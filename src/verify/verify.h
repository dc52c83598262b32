/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VERIFY_VERIFY_H
#define VERIFY_VERIFY_H

/* verify -- what the files of barid-verify share. */

#include "conf/conf.h"
#include "ipc/msg_verify.h"
#include "lib/arena.h"

struct line;

/* A question under way, in a process of its own. */
struct asking {
	const struct conf *conf;
	const struct conf_verify *whom;
	const struct msg_verify *about;
	int64_t deadline;		/* clock_ms */
	struct arena *a;		/* of what the answer views */
	struct line *line;		/* to the server of the line protocol */
	int spawn;			/* channel to barid-spawn; -1: not for this one */
};

/* Nobody can say now, and why: for the log. */
struct msg_verify_result cannot_say(const struct asking *q, const char *fmt, ...) PRINTF(2, 3);

/* program.c: a program; its end and what it writes are the answer. */
struct msg_verify_result ask_program(const struct asking *q);
/* What the end CODE of it, and its OUTPUT, mean. */
struct msg_verify_result program_meant(const struct asking *q, int code, struct str output);

/*
 * server.c: a server of the line protocol, and one of SMTP.  The connection to
 * the first is made when it is needed, and stays.
 */
struct line *line_new(void) MUST_USE;
void line_free(struct line *l);
/* Its descriptor, or -1; nothing is to be read there between questions. */
int line_fd(const struct line *l);
void line_drop(struct line *l);
struct msg_verify_result ask_server(const struct asking *q);
/* What a line of the protocol means. */
struct msg_verify_result server_meant(const struct asking *q, struct str line);
struct msg_verify_result ask_smtp(const struct asking *q);

/* account.c: accounts of this host. */
struct msg_verify_result ask_account(const struct asking *q);

/* room.c: whether a mailbox of ours has room.  True: R is known without counting. */
bool room_look(const struct conf *c, int base, const struct msg_verify *m,
    struct msg_verify_result *r);
/* The same, whatever it takes. */
struct msg_verify_result ask_room(const struct asking *q, int base);

#endif
