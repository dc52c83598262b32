/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RUNNER_HOSTS_H
#define RUNNER_HOSTS_H

/* hosts -- where the hosts of a destination are. */

#include "conf/conf.h"
#include "lib/buf.h"
#include "net/addr.h"
#include "net/tls.h"
#include "policy/tls_policy.h"

struct dest;
struct group;
struct hosts;
struct runner;

/* Addresses that one attempt tries: of MX hosts, and of everything. */
#define HOP_MX_MAX 5
#define HOP_MAX (2 * CONF_SERVERS_MAX)

/* A host that TLSA records speak of; lives as long as its struct hosts. */
struct host_dane {
	const char *base;	/* whose they are: for SNI and certificate */
	const char *others[TLS_NAMES_MAX];
	const struct dns_tlsa *tlsa;
	size_t tlsa_n;
};

/* One address to be tried. */
struct hop {
	struct addr addr;	/* of the host, or of the proxy in front of it */
	char host[256];		/* its name: for log, SNI and certificate */
	const struct conf_server *server;	/* of an upstream, or NULL */
	bool fallback;		/* only when the ones before could not be reached */
	bool tried;
	/* The source address that a proxy has, which leads there; NULL: none. */
	const struct conf_source_name *from;
	struct tls_decision tls;
	const struct host_dane *dane;	/* with TLS_DEMAND_DANE */
};

/* A host with its addresses, as hosts_order() takes it. */
#define HOST_ADDR_MAX 8
struct host {
	unsigned preference;
	char name[256];
	const struct conf_server *server;
	bool fallback;
	struct addr addr[HOST_ADDR_MAX];
	size_t addr_n;
	bool secure;		/* the addresses, by DNSSEC */
	const char *canonical;	/* what NAME's aliases led to; NULL: none did */
	struct tls_decision tls;
	const struct host_dane *dane;
};

/* Which addresses of hosts are tried, and in which order. */
struct choice {
	size_t max;		/* so many in all */
	bool no_ipv4, no_ipv6;	/* none of these: no source fits them */
	int late;		/* family that fails lately: the host's last; or AF_UNSPEC */
};

/*
 * Pure: fills ORDER with the N indices of HOSTS, by preference, in random
 * order within one (RFC 5321 5.1).
 */
void hosts_order(const struct host *hosts, size_t n,
    uint32_t (*random)(uint32_t below), size_t *order);
/* Pure: the hops of the hosts in ORDER; no host takes all.  Their number. */
size_t hosts_hops(const struct host *hosts, const size_t *order, size_t n,
    const struct choice *choice, struct hop *hops);
/*
 * Pure: puts the first MAX of IN's N addresses into OUT, families in turn,
 * beginning with that of the first.  Their number.
 */
size_t hosts_mix(const struct addr *in, size_t n, struct addr *out,
    size_t max);

/*
 * Pure: adds what is the same for the same hosts in the same order of
 * preference: "a,b<c", whatever the numbers.
 */
void hosts_key(const struct host *hosts, size_t n, struct buf *b);

/*
 * family.c: families of addresses that this host reaches nothing by, as it
 * seems.  LOST: an address of FAMILY did not answer, another of the same host
 * did; a dead one is tried last for a while.
 */
struct family_memory {
	unsigned lost[2];
	int64_t until[2];
};
void family_lost(struct family_memory *m, int family, int64_t now);
void family_reached(struct family_memory *m, int family);
/* The family that is dead at NOW; AF_UNSPEC: none, or both. */
int family_late(const struct family_memory *m, int64_t now);

/* bad.c: addresses that failed lately are tried last. */
void bad_add(struct runner *r, const struct addr *a);
void bad_del(struct runner *r, const struct addr *a);
void bad_clear(struct runner *r);
bool bad_is(const struct runner *r, const struct addr *a);
void bad_last(const struct runner *r, struct hop *hops, size_t n);

/* hosts_tls.c: what TLS with the hosts is to be. */
struct tls_question {
	struct dest *dest;
	struct host *hosts;	/* TLS and DANE are filled in; no addresses: not to be used */
	size_t host_n;
	const char *domain;	/* of MX hosts, as DNS has it; NULL: it has no policy */
	const char *canonical;	/* what its aliases led to; NULL: none did */
	bool mx_secure;
	struct arena *arena;	/* of the hosts */
	uint32_t *ttl;
	void (*done)(void *arg);	/* also from inside */
	void *arg;
};
void hosts_tls(const struct tls_question *q);
/* Says so where DANE is wanted and cannot be. */
void hosts_tls_check(const struct runner *r);

/* Starts to resolve D's name; ends in dest_resolved(), never from inside. */
void hosts_resolve(struct dest *d);
/* Keeps H until another hosts_free(). */
struct hosts *hosts_hold(struct hosts *h) MUST_USE;
void hosts_free(struct hosts *h);	/* NULL is fine */
/* True if not all that the domain has are among them, for now. */
bool hosts_unsure(const struct hosts *h);
/* Good until then, on clock_ms(). */
int64_t hosts_expiry(const struct hosts *h);
/* The name of host I, or NULL behind the last. */
const char *hosts_name(const struct hosts *h, size_t i);
/* As hosts_key(). */
void hosts_add_key(const struct hosts *h, struct buf *b);
/* A fresh choice among the hosts of G, those that failed lately last. */
size_t hosts_choose(const struct group *g, struct hop hops[HOP_MAX]);

#endif
