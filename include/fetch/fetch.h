/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef FETCH_FETCH_H
#define FETCH_FETCH_H

/*
 * fetch -- one request to a server of HTTP, by a process that has nothing else
 * to do: a worker of barid-http or of barid-auth.
 */

#include "conf/conf.h"
#include "net/addr.h"

#define FETCH_ADDR_MAX 16

struct fetch {
	const char *url;	/* https:// */
	const char *post;	/* a form to be sent; NULL: GET */
	const char *type;	/* the content type that it must have; NULL: any */
	const char *ca;		/* trust anchors, as in net/tls.h */
	const char *user;	/* and PASSWORD: RFC 7617; NULL: none */
	const char *password;
	bool clear;		/* http:// will do */
	bool anywhere;		/* also to addresses that are not public */
	bool any_code;		/* what the code of a whole answer means is the caller's */
	const struct conf_proxy *proxy;	/* NULL: none */
	size_t max;		/* octets of the answer */
	int64_t timeout_ms;	/* for all of it */
};

/* Splits URL: true, and its host (no brackets) in HOST. */
bool fetch_host(const char *url, struct buf *host) MUST_USE;
/*
 * Looks the host of F up as C says and fetches it, all in F's time.  True if
 * the answer was 200, or any with ANY_CODE: BODY has it.  *CODE is the answer's,
 * or 0; else ERROR says why.
 */
bool fetch_get(const struct conf *c, struct fetch *f, struct buf *body, long *code,
    struct buf *error) MUST_USE;
/*
 * Fetches F from one of the N addresses of its host; a port of theirs that
 * is not 0 goes before the URL's.  Without any, a proxy that may go anywhere
 * looks the name up.  The rest is as with fetch_get().
 */
bool fetch_run(const struct fetch *f, const struct addr *addr, size_t n,
    struct buf *body, long *code, struct buf *error) MUST_USE;

/* look.c */

/*
 * The addresses of HOST, at most FETCH_ADDR_MAX, in V: how many.  0: *LATER
 * says whether there may be some another time.
 */
size_t fetch_look_up(const struct conf *c, const char *host, struct addr *v, bool *later);

/* form.c */

/* Adds NAME=VALUE, with "&" before it if it is not the first (RFC 6749 Appendix B). */
void form_add(struct buf *b, const char *name, const char *value);
/* Adds VALUE as it stands in there. */
void form_add_value(struct buf *b, const char *value);

/* public.c */

/* True if A may belong to somebody on the Internet (RFC 6890 and others). */
bool addr_is_public(const struct addr *a);

#endif
