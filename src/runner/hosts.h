/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RUNNER_HOSTS_H
#define RUNNER_HOSTS_H

/* hosts -- where the hosts of a destination are. */

#include "conf/conf.h"
#include "net/addr.h"

struct dest;
struct hosts;
struct runner;
struct self;

/* Addresses that one attempt tries: of MX hosts, of an upstream. */
#define HOP_MX_MAX 5
#define HOP_MAX 16

/* One address to be tried. */
struct hop {
	struct addr addr;
	char host[256];		/* its name: for log, SNI and certificate */
	const struct conf_server *server;	/* of an upstream, or NULL */
};

/* A host with its addresses, as hosts_order() takes it. */
#define HOST_ADDR_MAX 8
struct host {
	unsigned preference;
	char name[256];
	const struct conf_server *server;
	struct addr addr[HOST_ADDR_MAX];
	size_t addr_n;
};

/*
 * Pure: fills ORDER with the N indices of HOSTS, by preference, in random
 * order within one (RFC 5321 5.1).
 */
void hosts_order(const struct host *hosts, size_t n,
    uint32_t (*random)(uint32_t below), size_t *order);
/* Pure: the hops of the hosts in ORDER, at most MAX; no host takes all. */
size_t hosts_hops(const struct host *hosts, const size_t *order, size_t n,
    size_t max, struct hop hops[HOP_MAX]);

/* The addresses by which we would meet ourselves. */
struct self *self_new(const struct conf *c) MUST_USE;
void self_free(struct self *s);
bool self_is(const struct self *s, const struct addr *a);

/* bad.c: addresses that failed lately are tried last. */
void bad_add(struct runner *r, const struct addr *a);
void bad_del(struct runner *r, const struct addr *a);
void bad_clear(struct runner *r);
void bad_last(const struct runner *r, struct hop *hops, size_t n);

/* Starts to resolve D's name; ends in dest_resolved(), never from inside. */
void hosts_resolve(struct dest *d);
void hosts_free(struct hosts *h);	/* NULL is fine */
/* Still good at clock_ms() NOW. */
bool hosts_fresh(const struct hosts *h, int64_t now);
/* A fresh choice among them, hosts that failed lately last. */
size_t hosts_choose(const struct hosts *h, const struct dest *d,
    struct hop hops[HOP_MAX]);

#endif
