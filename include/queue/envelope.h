/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef QUEUE_ENVELOPE_H
#define QUEUE_ENVELOPE_H

/*
 * envelope -- what is known of a message besides its text, and its form in
 * the spool (barid-spool(5), src/queue/README).
 */

#include "lib/arena.h"
#include "lib/buf.h"
#include "mail/dsn.h"
#include "mail/path.h"

/* A queue id: 13 hexadecimal digits of time, 6 of process; and the NUL. */
#define QUEUE_ID_LEN 19
#define QUEUE_ID_SIZE 20

/* The one-byte state of a recipient's line. */
enum rcpt_state {
	RCPT_QUEUED = 'Q',	/* to be attempted */
	RCPT_DONE = 'D',	/* delivered or relayed, and reported if asked for */
	RCPT_SENT = 'S',	/* delivered or relayed; a success report is owed */
	RCPT_FAILED = 'F',	/* failed for good; a report is owed */
	RCPT_BOUNCED = 'B'	/* failed for good, and reported or not to be reported */
};

struct envelope_rcpt {
	enum rcpt_state state;
	struct path path;
	unsigned notify;	/* NOTIFY_*; 0: unsaid */
	struct str orcpt;	/* "type;xtext" as given, or empty */
	struct str of;		/* xtext of the address that it was put in the place of, or empty */
	struct str part;	/* a program or file of the alias PATH (mail/alias.h), or empty */
	size_t state_at;	/* offset of the state byte in the file; set by the reader */
};

/* RFC 6152, RFC 3030. */
enum body_type { BODY_UNSAID, BODY_7BIT, BODY_8BITMIME, BODY_BINARYMIME };

/* RFC 8689: REQUIRETLS, and "TLS-Required: No" where that was not said. */
enum tls_wish { TLS_UNSAID, TLS_WISH_REQUIRED, TLS_WISH_NONE };

/* RFC 2852: what there is to do when the time to deliver by has come. */
enum by_mode { BY_UNSAID, BY_NOTIFY, BY_RETURN };

struct envelope_extra {
	struct str key, value;
};

struct envelope {
	char id[QUEUE_ID_SIZE];
	struct path from;
	int64_t arrival_us;
	struct str client;	/* "host[ip]:port" or "local user (uid)" */
	struct str helo;
	struct str proto;	/* RFC 3848: "ESMTPSA" */
	struct str user;	/* who was logged in, or empty */
	/* From who may send anywhere: a login, a relay network, this host; or a report of ours. */
	bool ours;
	struct str listener;	/* name of the listener, or empty */
	struct str local;	/* "ip:port" the client connected to */
	struct str tls;		/* "TLSv1.3 TLS_AES_256_GCM_SHA384", or empty */
	/* "verified" or "unverified", the fingerprint, and the common name; or empty */
	struct str certificate;
	struct str chain;	/* it and those that signed it, each in base64; or empty */
	enum body_type body;
	bool smtputf8;
	enum dsn_ret ret;
	struct str envid;	/* xtext as given, or empty */
	struct str report;	/* what kind of report it is (mail/report.h), or empty */
	struct str auth;	/* RFC 4954 5: xtext or "<>", as it may be passed on, or empty */
	enum tls_wish tls_wish;
	enum by_mode by_mode;
	bool by_trace;		/* each relay is to be reported */
	int64_t by_us;		/* deliver by then; of BY_RETURN the deadline too */
	unsigned delays;	/* delay reports sent so far (of queue.delay-notice) */
	/* Settings for this message alone; 0 or empty: nothing was said. */
	int64_t not_before_us;	/* no attempt before; its life begins then */
	int64_t deadline_us;	/* no attempt from then on, whatever its lifetime */
	unsigned max_attempts;
	struct str retry;	/* seconds between attempts: "180,180,600" */
	struct str source;	/* a pool, or addresses with commas between */
	struct str route;	/* where to, in the words of a route's via */
	struct str route_user, route_password;	/* a login there, which no other has */
	struct str key;		/* in drop/: of its text in the store (queue/store.h) */
	struct str dkim;	/* keys that it is signed with (queue/own_keys.h), or empty */
	int priority;		/* RFC 6710: the higher goes first */
	struct str checks;	/* what checks found (check/result.h), or empty */
	struct envelope_rcpt *rcpts;
	size_t rcpt_n;
	struct envelope_extra *extras;	/* keys that this version does not know, kept */
	size_t extra_n;
};

/* The envelope block may take this much; a reader refuses more. */
#define ENVELOPE_MAX (4u << 20)
#define ENVELOPE_RCPT_MAX 65536
#define ENVELOPE_EXTRA_MAX 256
#define ENVELOPE_DELAYS_MAX 99
#define ENVELOPE_ATTEMPTS_MAX 1000000
#define ENVELOPE_RETRY_MAX 64
#define ENVELOPE_PRIORITY_MAX 9	/* and as many below 0 */
#define ENVELOPE_WAIT_MAX (365 * 86400)	/* seconds, of one in retry */
/* An arena of this size holds every envelope that is no larger than that. */
#define ENVELOPE_ARENA (24u << 20)

/* True if S has the form of a queue id: safe in file names. */
bool queue_id_valid(struct str s);
/*
 * True if no report goes to the sender, but what fails is kept in dead/: one that
 * is null (RFC 5321 4.5.5), or that another server's Return-Path said (listener
 * "collect"), whom a report would only be backscatter for.
 */
bool envelope_tells_nobody(const struct envelope *e);
/* The waits of a retry line, in milliseconds; their number, 0 if it is none. */
size_t envelope_retry(struct str retry, int64_t ms[ENVELOPE_RETRY_MAX]);

/*
 * Adds the envelope block with its first line, in which the size of the
 * text and the checksum are still blank, and its closing blank line.  What
 * envelope_parse() would not take (a control character in a value, an address
 * that grew too long, no recipient) makes buf_ok() false.
 */
void envelope_format(struct buf *b, const struct envelope *e);
/* The same, filled up to SIZE octets: ENVELOPE_PAD_MIN more than it needs, or none. */
#define ENVELOPE_PAD_MIN 6
void envelope_format_to(struct buf *b, const struct envelope *e, size_t size);
/* Octets that N recipients take of a block. */
size_t envelope_rcpts_size(const struct envelope_rcpt *rcpts, size_t n);
/* Fills in what was blank in the block at BLOCK; CRC: of block and text. */
void envelope_seal(char *block, uint64_t size, uint32_t crc);
/*
 * The checksum of a block: of all behind the first line, state bytes taken
 * as 'Q' and the count of delay reports as 00.  Go on from it with the text.
 */
uint32_t envelope_sum(struct str block);
/* Octets of the block whose first line START holds; 0: it is none. */
size_t envelope_length(struct str start);
/*
 * Reads a block (first line to blank line, whose sum must be right) into E,
 * strings in A; SIZE and CRC are what the first line says.  NULL, or the
 * reason why it is none in static storage: bounded in size, count and time,
 * never fatal.
 */
const char *envelope_parse(struct str block, struct arena *a, struct envelope *e,
    uint64_t *size, uint32_t *crc) MUST_USE;

#endif
