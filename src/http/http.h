/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

/*
 * http -- what the files of barid-http share.
 *
 * main.c	requests, workers, what is kept
 * work.c	what a worker does: a policy, a token
 * refresh.c	which policies are fetched without being asked for
 * fetch.c	HTTPS: the only user of libcurl
 * public.c	which addresses are anybody's
 */

#include "conf/conf.h"
#include "ipc/msg.h"
#include "net/addr.h"

/* ---- fetch.c ------------------------------------------------------------ */

#define FETCH_ADDR_MAX 16

struct fetch {
	const char *url;	/* https:// */
	const char *post;	/* a form to be sent; NULL: GET */
	const char *type;	/* the content type that it must have; NULL: any */
	const char *ca;		/* trust anchors, as in net/tls.h */
	bool anywhere;		/* also to addresses that are not public */
	const struct conf_proxy *proxy;	/* NULL: none */
	size_t max;		/* octets of the answer */
	int64_t timeout_ms;	/* for all of it */
};

/* Splits URL: true, and its host (no brackets) in HOST. */
bool fetch_host(const char *url, struct buf *host) MUST_USE;
/*
 * Fetches F from one of the N addresses of its host; a port of theirs that
 * is not 0 goes before the URL's.  Without any, a proxy that may go anywhere
 * looks the name up.  True if the answer was 200: BODY has it.
 * *CODE is the answer's, or 0; else ERROR says why.
 */
bool fetch_run(const struct fetch *f, const struct addr *addr, size_t n,
    struct buf *body, long *code, struct buf *error) MUST_USE;

/* ---- public.c ------------------------------------------------------------ */

/* True if A may belong to somebody on the Internet (RFC 6890 and others). */
bool addr_is_public(const struct addr *a);

/* ---- work.c: in a worker, which may be lost -------------------------------- */

void work_sts(struct conf *c, const struct msg_sts *m,
    struct msg_sts_result *r, struct arena *a);
void work_token(struct conf *c, const struct conf_server *s,
    struct msg_token_result *r, struct arena *a);

#endif
