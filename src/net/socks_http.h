/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_SOCKS_HTTP_H
#define NET_SOCKS_HTTP_H

/* socks_http -- the states that an HTTP proxy has; of the room's own. */

#include "net/socks.h"

/* What is said, and what is awaited.  False: it has no words for the host. */
bool socks_http_ask(struct socks *s) MUST_USE;
/* Its status line, as far as the code; NULL: go on to the rest, else why not. */
const char *socks_http_status(struct socks *s) MUST_USE;
/*
 * How many octets there are of the rest at least, after those that came last;
 * 0: that was the end; -1: there is no end.
 */
int socks_http_rest(struct socks *s) MUST_USE;

#endif
