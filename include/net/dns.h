/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_DNS_H
#define NET_DNS_H

/*
 * dns -- lookups on the event loop: the only user of c-ares.
 *
 * An answer comes by callback, never from inside the call that asked.
 * Whatever is not a clear yes or no (SERVFAIL, REFUSED, time-out, a broken
 * packet) is DNS_TEMPORARY: it never makes a permanent failure.
 *
 * An answer is secure if the server says that it verified all of it by
 * DNSSEC (the AD bit, RFC 6840 5.7 and 5.8), also that there is nothing.
 * That is believed only where nobody on the way could have changed it: where
 * all servers are on the loopback.
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
	bool secure;
	const char *canonical;	/* the name that aliases led to; NULL: none did */
	bool overridden;	/* by dns_override() */
};

struct dns_addr_answer {
	enum dns_status status;
	const char *reason;
	const struct addr *addr;/* port 0, but by dns_override(); IPv6 first */
	size_t addr_n;
	uint32_t ttl;
	bool secure;		/* both kinds, where there are both */
	const char *canonical;
};

/* The strings of each record are put together (RFC 7208 3.3 and others). */
struct dns_txt_answer {
	enum dns_status status;
	const char *reason;
	const struct str *text;
	size_t text_n;
	uint32_t ttl;
	bool secure;
};

/* Of them names of no host are left out. */
struct dns_ptr_answer {
	enum dns_status status;
	const char *reason;
	const char *const *name;
	size_t name_n;
	uint32_t ttl;
	bool secure;
};

/* RFC 6698 2.1; DATA has at least one octet. */
struct dns_tlsa {
	uint8_t usage, selector, matching;
	struct str data;
};

struct dns_tlsa_answer {
	enum dns_status status;
	const char *reason;
	const struct dns_tlsa *tlsa;
	size_t tlsa_n;
	uint32_t ttl;
	bool secure;
};

/* RFC 2782; HOST is without the final dot, "" for "." (there is no such service). */
struct dns_srv {
	uint16_t priority, weight, port;
	const char *host;
};

struct dns_srv_answer {
	enum dns_status status;
	const char *reason;
	const struct dns_srv *srv;
	size_t srv_n;
	uint32_t ttl;
	bool secure;
};

struct dns_alias_answer {
	enum dns_status status;	/* DNS_OK: there is a CNAME */
	const char *reason;
	uint32_t ttl;
	bool secure;
};

struct dns_options {
	/* "address", "address:port", "[v6]:port"; none: those of resolv.conf. */
	const char *const *servers;
	size_t server_n;
	int64_t timeout_ms;	/* of a question, all attempts together */
	unsigned attempts;	/* at each server; 0: two */
	bool rotate;		/* the servers are asked in turn */
	int buffer;		/* octets that a socket keeps of answers; 0: the system's */
};

/* NULL, EINVAL: a server is none. */
struct dns *dns_new(struct loop *l, const struct dns_options *o) MUST_USE;
/* Callbacks that are due are made with DNS_TEMPORARY. */
void dns_free(struct dns *d);
/*
 * From now on NAME is its own only MX host, with these addresses, and
 * nobody is asked for either.
 */
#define DNS_OVERRIDE_MAX 32
void dns_override(struct dns *d, const char *name, const struct addr *addr, size_t n);
/* True if some answer can be secure: all servers are on the loopback. */
bool dns_is_trusted(const struct dns *d);

void dns_mx(struct dns *d, const char *name,
    void (*fn)(void *arg, const struct dns_mx_answer *a), void *arg);
/* A and AAAA together; CNAMEs are followed. */
void dns_addr(struct dns *d, const char *name,
    void (*fn)(void *arg, const struct dns_addr_answer *a), void *arg);
/*
 * The records of one kind that DNS has, and nothing else, for names that are
 * questions (RFC 5782, RFC 7208): of these four a name may hold any octets.
 */
void dns_addr4(struct dns *d, const char *name,
    void (*fn)(void *arg, const struct dns_addr_answer *a), void *arg);
void dns_addr6(struct dns *d, const char *name,
    void (*fn)(void *arg, const struct dns_addr_answer *a), void *arg);
void dns_ptr(struct dns *d, const char *name,
    void (*fn)(void *arg, const struct dns_ptr_answer *a), void *arg);
void dns_txt(struct dns *d, const char *name,
    void (*fn)(void *arg, const struct dns_txt_answer *a), void *arg);
/* Of _PORT._tcp.NAME (RFC 6698 3). */
void dns_tlsa(struct dns *d, const char *name, uint16_t port,
    void (*fn)(void *arg, const struct dns_tlsa_answer *a), void *arg);
void dns_srv(struct dns *d, const char *name,
    void (*fn)(void *arg, const struct dns_srv_answer *a), void *arg);
/* The CNAME of NAME itself: is at least that one secure (RFC 7672 2.1.3)? */
void dns_alias(struct dns *d, const char *name,
    void (*fn)(void *arg, const struct dns_alias_answer *a), void *arg);

#endif
