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
/* The same options for FD, a listening socket that was handed over.  -1: errno. */
int listen_tune(int fd, int family) MUST_USE;
/* 0 if listen_open() would succeed, else -1 and its errno; nothing listens meanwhile. */
int listen_probe(const struct addr *a) MUST_USE;

/*
 * True if one of A and B takes what is meant for the other: all addresses
 * of a family, and one of them, on the same port.  Both cannot be opened.
 */
bool listen_overlaps(const struct addr *a, const struct addr *b);
/*
 * As listen_open(), beside the N sockets FDS, which listen where A overlaps
 * and are ours: the system takes both only if all say that they share.  They
 * stop to say so before it returns, but Linux may remember it: a process of
 * this same user could share the port from then on, no other.
 */
int listen_open_beside(const struct addr *a, const int *fds, size_t n) MUST_USE;

/*
 * Calls FN with every address that SPEC means: "*" (0.0.0.0 and, where the
 * host has IPv6, ::), an address, an interface ("eth0", "eth0-ipv4",
 * "eth0-ipv6").  The number of calls; -1 if SPEC is neither.
 */
int listen_expand(const char *spec, uint16_t port, void (*fn)(void *arg, const struct addr *a),
    void *arg) MUST_USE;

#endif
