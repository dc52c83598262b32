/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RUNNER_LIST_H
#define RUNNER_LIST_H

/* list -- the message that a mailing list makes of one that came to it. */

#include "job.h"
#include "mail/limits.h"
#include "mailbox/members.h"

/* RFC 3848 has no word for it: as Postfix has none for its reports. */
#define LIST_PROTO "LIST"
/* A header as a session takes it, and what may have been put before it. */
#define LIST_HEADER_MAX (4 * (size_t)MAIL_HEADER_MAX)
/* Members of one message of a list: what is more is another one. */
#define LIST_CHUNK 5000
#define LIST_CHUNKS_MAX (MEMBERS_MAX / LIST_CHUNK)

struct list_copy {
	const struct job *job;
	size_t rcpt;		/* which recipient of it the list is */
	const struct conf_list *list;
	const struct members *members;
	bool from_list;		/* the author is not to stand in From */
	/* made: */
	char ids[LIST_CHUNKS_MAX][QUEUE_ID_SIZE];
	size_t n;
	size_t to;		/* members who get it */
};

/*
 * list_copy.c: writes what the members get, as messages of their own.  0: all
 * of it is durable; those that an attempt before this had written count.  -1:
 * errno; what was written will be found by the next.  Blocks on the disk.
 */
int list_copy(struct list_copy *c) MUST_USE;
/*
 * True if J is such a message, and that which came to the list is not done with
 * it yet, as far as the spool knows: what was sent of it could be made again.
 */
bool list_waits(const struct job *j);

#endif
