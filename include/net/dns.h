/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_DNS_H
#define NET_DNS_H

/*
 * dns -- lookups on the event loop: the only user of c-ares.
 *
 * An answer comes by callback, never from inside the call that asked.
 * Whatever is not a clear yes or no (SERVFAIL, REFUSED, time-out, a broken
 * packet) is DNS_TEMPORARY: it never makes a permanent failure.
 */

#include "lib/loop.h"
#include "lib/str.h"
#include "net/addr.h"

struct dns;

enum dns_status {
	DNS_OK,
	DNS_NO_NAME,	/* NXDOMAIN */
	DNS_NO_DATA,	/* the name exists, without such a record */
	DNS_TEMPORARY
};

struct dns_mx {
	uint16_t preference;
	const char *host;	/* without the final dot; "" for the null MX "." */
};

struct dns_mx_answer {
	enum dns_status status;
	const char *reason;	/* in words, where not DNS_OK */
	const struct dns_mx *mx;/* by preference; good during the callback */
	size_t mx_n;
	uint32_t ttl;
};

struct dns_addr_answer {
	enum dns_status status;
	const char *reason;
	const struct addr *addr;/* port 0; IPv6 first */
	size_t addr_n;
	uint32_t ttl;
};

/* SERVERS: "address", "address:port", "[v6]:port"; none: resolv.conf. */
struct dns *dns_new(struct loop *l, const char *const *servers, size_t server_n,
    int64_t timeout_ms) MUST_USE;
/* Callbacks that are due are made with DNS_TEMPORARY. */
void dns_free(struct dns *d);

void dns_mx(struct dns *d, const char *name,
    void (*fn)(void *arg, const struct dns_mx_answer *a), void *arg);
/* A and AAAA together; CNAMEs are followed. */
void dns_addr(struct dns *d, const char *name,
    void (*fn)(void *arg, const struct dns_addr_answer *a), void *arg);

#endif
