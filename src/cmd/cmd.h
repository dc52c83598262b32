/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CMD_CMD_H
#define CMD_CMD_H

/*
 * cmd -- the private interface of the room: what sendmail, mailq and
 * baridctl share.
 */

#include <stdio.h>

#include "conf/conf.h"
#include "ipc/msg.h"
#include "queue/queue.h"
#include "report/listing.h"

struct aliases;
struct userset;

/* Loads the configuration; complains on standard error and exits with CODE if it is bad. */
struct conf *cmd_conf(const char *path, int code);

/* The path of NAME, "barid" or "baridctl"; good until the next call. */
const char *cmd_program(const char *name);

/* Sends a request to the running barid and waits.  -1: it is not running. */
int cmd_control(const struct conf *c, const struct msg_control *m, struct buf *answer,
    struct msg_control_result *r) MUST_USE;

/* The same for what may take WAIT_MS. */
int cmd_control_wait(const struct conf *c, const struct msg_control *m, int wait_ms,
    struct buf *answer, struct msg_control_result *r) MUST_USE;

/* True if a barid listens at the control socket. */
bool cmd_is_running(const struct conf *c);
/*
 * cmd_control() for CONTROL_LIST: writes what comes to OUT.  -1: errno, it is not
 * running or went away; else R has the end of it, and no text.
 */
int cmd_control_list(const struct conf *c, const struct msg_control *m, FILE *out,
    struct msg_control_result *r) MUST_USE;
/* The same for a text of N octets, the caller's, with a NUL behind it.  NULL: errno. */
char *cmd_control_text(const struct conf *c, const struct msg_control *m, size_t *n,
    struct msg_control_result *r) MUST_USE;

/* ---- list.c -------------------------------------------------------------------- */

/* The spool of C, read as whoever runs this may; NULL after a complaint. */
struct queue *cmd_queue(const struct conf *c) MUST_USE;
/* Reads the tables of addresses into C.  What who asks cannot read is said; the rest counts. */
void cmd_tables(struct conf *c);
/* Lists the queue, by the running barid if we may not read it.  Complains; an exit code. */
int cmd_list(struct conf *c, const struct listing_filter *f, enum listing_form form,
    FILE *out, uint64_t *count);
/* One message whole: envelope, attempts, and its text if BODY. */
int cmd_show(const struct conf *c, const char *id, bool body, bool json, FILE *out);

/* ---- inject.c ------------------------------------------------------------------ */

/* What the options of sendmail ask for. */
struct inject {
	const struct conf *conf;
	struct path from;
	bool has_from;
	const char *full_name;	/* -F */
	bool extract;		/* -t: recipients from the header */
	bool keep_dot;		/* -i: a lone dot does not end the message */
	bool verbose;		/* -v */
	unsigned notify;	/* -N */
	enum dsn_ret ret;	/* -R */
	const char *envid;	/* -V */
	enum body_type body;	/* -B */
	char **rcpts;
	int rcpt_n;
};

/* Reads a message from standard input and leaves it in drop/; an exit code of sysexits.h. */
int inject(const struct inject *in);
/* An address as a user types it, qualified with our domain.  NULL, or why not. */
const char *inject_address(const struct conf *c, struct str text, struct arena *a, struct path *p);

/* newaliases.c: checks the files of aliases; an exit code. */
int cmd_newaliases(const struct conf *c);
/* Who is an alias goes into USERS, beside USER, who has a mailbox ("" is nobody). */
void cmd_alias_names(struct userset *users, const struct aliases *aliases, struct str user);

/* ---- options.c ----------------------------------------------------------------- */

enum sendmail_mode { MODE_MESSAGE, MODE_SESSION, MODE_LIST, MODE_ALIASES, MODE_VERIFY,
	MODE_DAEMON, MODE_FOREGROUND, MODE_FLUSH };

struct sendmail_options {
	enum sendmail_mode mode;
	const char *conf;
	const char *from;	/* -f; NULL: unsaid */
	bool json;
	struct str flush_id, flush_domain;
	const char *flush_sender;	/* -qS; NULL: any */
	struct inject inject;
	int first;	/* of the recipients in argv */
};

/* Reads the options of sendmail(8) into O.  0, or EX_USAGE with the complaint made. */
int sendmail_parse(struct sendmail_options *o, int argc, char **argv);

/* ---- secret.c --------------------------------------------------------------------- */

/*
 * Reads a line from standard input into B; on a terminal it asks with PROMPT,
 * and shows nothing.  False: there is none, it is too long or has a NUL.
 */
bool cmd_read_secret(const char *prompt, struct buf *b) MUST_USE;

#endif
