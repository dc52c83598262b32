/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_LISTEN_H
#define NET_LISTEN_H

/* listen -- sockets that wait for clients. */

#include "net/addr.h"

#define LISTEN_BACKLOG 1024

/*
 * A listening, non-blocking, close-on-exec socket; IPv6 ones take IPv6
 * only.  A unix path that nobody listens on is replaced.  -1: errno.
 */
int listen_open(const struct addr *a) MUST_USE;

/*
 * Calls FN with every address that SPEC means: "*" (0.0.0.0 and, where the
 * host has IPv6, ::), an address, an interface ("eth0", "eth0-ipv4",
 * "eth0-ipv6").  The number of calls; -1 if SPEC is neither.
 */
int listen_expand(const char *spec, uint16_t port, void (*fn)(void *arg, const struct addr *a),
    void *arg) MUST_USE;

#endif
