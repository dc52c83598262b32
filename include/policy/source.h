/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef POLICY_SOURCE_H
#define POLICY_SOURCE_H

/*
 * source -- the address that mail leaves from: pure functions.
 *
 * A source is said by a string: the name of a pool, addresses with commas
 * between, or nothing for the defaults of source.addresses.
 */

#include "net/addr.h"
#include "policy/route.h"

/*
 * The source of a message with the facts F that goes by the route R: what it
 * wishes itself, else the route's, else the address where it came in if that
 * is mappable, else the defaults.  Borrowed from F and C.
 */
struct str source_of(const struct conf *c, const struct conf_route *r,
    const struct mail_facts *f);

/* The addresses of a source, some of them the configuration's own. */
struct source_set {
	const struct ip_range *v;
	size_t n;	/* 0: the system chooses */
	struct ip_range own[CONF_OWN_SOURCES_MAX];
};
/* False: S names no pool, and is no list of addresses. */
bool source_set(const struct conf *c, struct str s, struct source_set *set) MUST_USE;
/* True if it has the address that S is. */
bool source_has(const struct source_set *set, struct str s);
/* How many of them can reach an address of FAMILY. */
size_t source_count(const struct source_set *set, int family);
/* The one of these whose turn it is. */
struct addr source_pick(const struct source_set *set, int family, size_t turn);

/*
 * The name to say in EHLO where mail leaves from LOCAL: that of the source-name,
 * else the server's own wish EHLO if there is one, else that of the listener
 * that has just this address, else the hostname.
 */
const char *source_ehlo(const struct conf *c, const struct addr *local, const char *ehlo);
/* What the configuration says of the address A, or NULL. */
const struct conf_source_name *source_name(const struct conf *c, const struct addr *a);
/* False: no address has a name of its own, so that LOCAL need not be known. */
bool source_is_named(const struct conf *c);

#endif
