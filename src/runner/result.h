/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RUNNER_RESULT_H
#define RUNNER_RESULT_H

/* result -- what became of an attempt, as it travels; and when the next is. */

#include "client/client.h"
#include "conf/conf.h"
#include "lib/arena.h"

/* When to try again, in ms since 1970; RANDOM gives a number below its argument. */
int64_t schedule_next(const struct conf_times *retry, int64_t arrival,
    int64_t now, uint32_t (*random)(uint32_t below));
/* The seconds over which N messages that are due at a start are spread. */
uint32_t schedule_spread(size_t n);
/* How many of the points in NOTICE have passed at AGE ms. */
unsigned schedule_delays(const struct conf_times *notice, int64_t age);


struct result {
	enum outcome outcome;
	bool remote;		/* REPLY is what a peer said */
	bool relayed_dsn;	/* the peer takes care of the success report */
	bool by_ends;		/* a relay that RFC 2852 wants to be reported */
	bool elsewhere;		/* another host, or connection, may be tried */
	bool too_many;		/* the host wants another transaction for it */
	bool discarded;		/* a route threw it away: nobody is told */
	size_t expanded;	/* so many recipients there are then, others for it; or 0 */
	char status[12];	/* enhanced code */
	struct str relay;	/* "host[ip]:port", "local", or empty */
	struct str host;	/* the peer's name, or empty */
	struct str reply;	/* "550 5.1.1 no", or our own words */
	struct str text;	/* the same as a sentence, for the log */
	struct str source;	/* the address that was chosen to leave from, or empty */
	struct str tls;		/* "TLSv1.3 TLS_AES_256_GCM_SHA384 may", or empty */
};

/* Milliseconds before the queue's turn, in it, connecting, transmitting. */
struct delays {
	int64_t before, queue, connect, transmit;
};

/* Our own words, which must outlive the result. */
struct result result_words(enum outcome o, const char *status,
    struct str words);
/* What a peer said, with strings in A; RELAY as in struct result. */
struct result result_reply(struct arena *a, struct str host, struct str relay,
    enum outcome o, enum client_step step, const struct reply *r);
struct result result_copy(struct arena *a, const struct result *r);
/* Seconds in the form of the log: "0.03", "12". */
void delay_add(struct buf *b, int64_t ms);

/* A result that is kept: why a destination is dead, a connection failed. */
struct cause {
	struct arena arena;
	struct result result;
};

void cause_init(struct cause *c);
void cause_set(struct cause *c, const struct result *r);
void cause_free(struct cause *c);

#endif
