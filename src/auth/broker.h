/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef AUTH_BROKER_H
#define AUTH_BROKER_H

/* broker -- the questions that are under way: what broker.c and verdict.c share. */

#include "auth.h"
#include "cache.h"

/* Beyond these, questions wait in the channel. */
#define REQUESTS_MAX 512

enum step { STEP_NONE, STEP_QUEUED, STEP_ASKED, STEP_YES, STEP_NO, STEP_CANNOT };

struct request {
	uint64_t number;		/* 0: this place is free */
	int reply;
	struct buf packet;		/* for the workers */
	const struct msg_auth *m;	/* of it */
	struct arena arena;
	enum auth_proof proof;
	bool test;			/* all are asked, and what they say is the answer */
	bool keyed;
	unsigned char key[CACHE_KEY_SIZE];
	size_t next, end;		/* of the backends to ask the next one, and the end */
	int64_t begun_ms, hedge_ms;
	enum step steps[PLACES];
	int64_t queued_ms[PLACES];
	const char *why[PLACES];
	struct cache_version version[BACKENDS_MAX];
	unsigned place;			/* who said yes, or more */
	const char *app, *user;
	struct str said;
};

struct broker {
	struct auth *a;
	int channel, keeper;
	struct pool *pool;
	struct cache *cache;
	uint64_t number;
	size_t request_n;
	int64_t drain_ms;	/* until when, once we were told to end; 0: not yet */
	struct request requests[REQUESTS_MAX];
};

/* In the log: what R has come to, and what each place said; CACHED: nobody was asked. */
void verdict_log(const struct broker *b, const struct request *r, enum auth_verdict v,
    bool cached);
/* Answers R, with the mailbox BOX unless that is -1, and forgets it. */
void verdict_send(struct broker *b, struct request *r, enum auth_verdict v, int box);

#endif
