/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

/*
 * http -- what the files of barid-http share.
 *
 * main.c	requests, workers, what is kept
 * work.c	what a worker does: a policy, a token
 * refresh.c	which policies are fetched without being asked for
 */

#include "conf/conf.h"
#include "ipc/msg.h"

/* ---- work.c: in a worker, which may be lost -------------------------------- */

void work_sts(struct conf *c, const struct msg_sts *m,
    struct msg_sts_result *r, struct arena *a);
void work_token(struct conf *c, const struct conf_server *s,
    struct msg_token_result *r, struct arena *a);

#endif
