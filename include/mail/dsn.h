/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_DSN_H
#define MAIL_DSN_H

/*
 * dsn -- delivery status notifications as messages (RFC 3461-3464, 6522, and
 * 6533 for what was sent with SMTPUTF8).
 *
 * Builds the whole report: header, a readable text, message/delivery-status
 * and the original (whole or its header).  Pure: no clock, no file.
 */

#include "lib/buf.h"
#include "mail/path.h"
#include "mail/reply.h"

/* RFC 3461 4.1 NOTIFY, as bits; 0: the sender did not say. */
enum { NOTIFY_NEVER = 1, NOTIFY_SUCCESS = 2, NOTIFY_FAILURE = 4, NOTIFY_DELAY = 8 };
/* RFC 3461 4.3 RET. */
enum dsn_ret { RET_UNSAID, RET_FULL, RET_HDRS };
/* RFC 3464 2.3.3. */
enum dsn_action { DSN_FAILED, DSN_DELAYED, DSN_DELIVERED, DSN_RELAYED, DSN_EXPANDED };

/* "NEVER", "SUCCESS,DELAY" ...: the bits, or 0 if it breaks the rules. */
unsigned notify_parse(struct str s);
void notify_add(struct buf *b, unsigned notify);

/* The last attempt at a host. */
struct dsn_try {
	int64_t time;
	struct str host;		/* "mx.example[192.0.2.1]:25", or empty */
	struct str reply;
};

/* A recipient that failed with a status of 4.x.x was given up. */
struct dsn_rcpt {
	enum dsn_action action;
	struct path rcpt;		/* Final-Recipient */
	struct str orcpt;		/* "rfc822;" + xtext as given, or empty */
	const char *status;		/* "5.1.1" */
	struct str remote_mta;		/* name of the host that replied, or empty */
	struct str diagnostic;		/* its reply "550 5.1.1 no such user", or our own words */
	bool smtp_diagnostic;		/* the diagnostic is a remote's SMTP reply */
	int64_t first_attempt;
	int64_t last_attempt;		/* 0: none */
	size_t attempts;		/* if it was given up, or is delayed */
	const struct dsn_try *tries;
	size_t try_n;
	int64_t retry_until;		/* delayed: when we give up */
};

struct dsn {
	struct str reporting_mta;	/* our host name */
	struct str queue_id;		/* of the original */
	struct str message_id;		/* of this report: "left@right" */
	struct str postmaster;		/* whom to ask */
	struct path to;			/* the original's reverse-path */
	struct str envid;		/* xtext as given, or empty */
	struct str received_from;	/* Received-From-MTA, or empty */
	struct str client;		/* who that was: "host[ip]:port", or empty */
	int64_t arrival;
	int64_t now;
	struct dsn_rcpt *rcpts;
	size_t rcpt_n;
	struct str original;		/* the whole message, or as much as is known */
	bool full;			/* return all of it; else its header */
	bool smtputf8;			/* the original was sent with SMTPUTF8 */
};

/* A report larger than this returns the header only. */
#define DSN_FULL_MAX 50000

/*
 * Adds the message, CRLF line ends, 7-bit if the original is.  True: it must
 * be sent with SMTPUTF8 itself, which is so only if its recipient needs that.
 */
bool dsn_add(struct buf *b, const struct dsn *d);

#endif
