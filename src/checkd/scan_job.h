/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CHECKD_SCAN_JOB_H
#define CHECKD_SCAN_JOB_H

/* scan_job -- a message that is looked at: what scan.c and scan_conn.c share. */

#include "check/scan.h"
#include "checkd.h"

#define SCAN_ADDR_MAX 8

/* The connection to the server. */
struct scan_conn {
	struct addr addr[SCAN_ADDR_MAX];
	size_t addr_n, addr_i;
	bool asking;		/* DNS has a question of ours */
	bool connecting;
	bool head_sent, all_sent;
	int fd;
	struct loop_io *io;
	struct loop_timer *timer;	/* another address, or the same again */
	struct buf out;
	size_t out_at;		/* octets of it that were sent */
	uint64_t done;		/* octets of the text that are in it, or were */
	struct scan scan;
};

struct scan_job {
	struct checkd *d;
	const struct conf_check_scan *conf;
	struct arena arena;
	struct msg_scan about;	/* in the arena */
	int reply;
	struct loop_io *reply_io;
	int text;		/* -1: it is not here yet */
	int edited;		/* the text that comes back; -1: none does */
	struct loop_timer *timer;
	bool running, over;
	struct scan_job *next;	/* that waits, too */
	struct scan_conn conn;
};

/* ---- scan.c ------------------------------------------------------------------ */

/* The answer is in the connection's scan.  J is gone. */
void job_done(struct scan_job *j);
/* There is none, since WHY.  J is gone. */
void job_failed(struct scan_job *j, const char *why);
/* Nobody holds on to J any more, which is over. */
void scan_job_free(struct scan_job *j);

/* ---- scan_rspamd.c ----------------------------------------------------------- */

/*
 * The body of the scan of J is an answer of Rspamd: the verdict, and the edited text
 * where the configuration wants its changes.  False: it is no answer.
 */
bool rspamd_read(struct scan_job *j) MUST_USE;

/* ---- scan_conn.c ------------------------------------------------------------- */

/* Ends in job_done() or job_failed(), perhaps from within. */
void conn_start(struct scan_job *j);
/* True if nothing of it will call again: else scan_job_free() will be called. */
bool conn_close(struct scan_job *j) MUST_USE;

#endif
