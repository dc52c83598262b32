/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

/*
 * http -- what the files of barid-http share.
 *
 * main.c	start, the loop, what is fetched without being asked for
 * serve.c	requests, and what came of them
 * worker.c	a process for each
 * work.c	what a worker does: a policy, a token
 * token_answer.c	what the server of a token says
 * refresh.c	which policies are fetched without being asked for
 */

#include <sys/types.h>

#include "conf/conf.h"
#include "ipc/msg.h"
#include "lib/helper.h"
#include "lib/proc.h"

#define CHANNEL_FD HELPER_FD
/* Beyond these, requests wait in the channel. */
#define WORKERS_MAX 32
#define WAITERS_MAX 128
#define ARENA_MAX ((size_t)1 << 20)

/* A worker and those who wait for it. */
struct work {
	pid_t pid;		/* 0: this place is free */
	int fd;			/* its answer comes here */
	char *key;
	char *id;		/* of a policy; NULL: it is a token */
	bool refreshes;		/* nobody asked for that policy; its id is empty */
	int waiters[WAITERS_MAX];
	size_t waiter_n;
};

struct http {
	struct conf *conf;
	struct proc_user user;
	int policies;		/* -1: nothing is kept */
	unsigned puts;
	struct keep *keep;
	struct work works[WORKERS_MAX];
	size_t work_n;
	struct refresh *refresh;
	size_t refresh_n;	/* such workers */
};

/* ---- worker.c ----------------------------------------------------------------- */

/* Who fetches KEY, a domain or what a token is called by, or NULL. */
struct work *worker_of(struct http *h, const char *key);
/* Starts a worker for PACKET, which WAITER waits for (-1: nobody).  NULL: errno. */
struct work *worker_start(struct http *h, const char *key, const char *id, struct str packet,
    int waiter) MUST_USE;
/* The server that M means, or NULL. */
const struct conf_server *token_server(const struct conf *c, const struct msg_token *m);

/* ---- serve.c ------------------------------------------------------------------- */

/* Answers PACKET by REPLY, at once or when a worker has ended. */
void serve_request(struct http *h, struct str packet, int reply);
/* W has an answer, or has ended without one. */
void serve_result(struct http *h, struct work *w);

/* ---- work.c: in a worker, which may be lost -------------------------------- */

void work_sts(struct conf *c, const struct msg_sts *m,
    struct msg_sts_result *r, struct arena *a);
void work_token(struct conf *c, const struct conf_server *s,
    struct msg_token_result *r, struct arena *a);

#endif
