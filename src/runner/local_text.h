/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RUNNER_LOCAL_TEXT_H
#define RUNNER_LOCAL_TEXT_H

/* local_text -- the text of a message as a mailbox can hold it. */

#include "queue/queue.h"

struct local_text {
	int fd;			/* where it is to be read, and from where */
	off_t at;
	uint64_t size;
	const char *why_not;	/* there is no such form: why, static; else NULL */
	bool own;		/* FD is not the spool's */
};

/* 0, and T says what there is, to be closed in any case; -1: errno. */
int local_text_open(const struct queue_file *f, struct local_text *t) MUST_USE;
/*
 * The same for somebody who may still read it when the message is dealt with:
 * one that stands in a tray is copied, since another one will stand there.
 */
int local_text_lend(const struct queue_file *f, struct local_text *t) MUST_USE;
/* Again is fine. */
void local_text_close(struct local_text *t);

#endif
