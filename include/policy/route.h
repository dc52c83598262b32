/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef POLICY_ROUTE_H
#define POLICY_ROUTE_H

/* route -- which route a piece of mail takes: a pure function. */

#include "conf/conf.h"
#include "mail/path.h"

/* What is known of a message besides its recipient. */
struct mail_facts {
	struct path from;	/* both empty: the null reverse-path */
	struct str user;	/* who logged in, or empty */
	struct str listener;	/* the name of the listener, or empty */
	struct str local;	/* "ip:port" that the client connected to, or empty */
	struct str source;	/* a pool or address that this message wishes, or empty */
	const struct conf_via *way;	/* of this message instead of its route's, or NULL */
	struct arena *arena;	/* for what an address stands for; NULL: nobody asks */
};

/* True if one of PATTERNS fits LOCAL@DOMAIN, or if there are none. */
bool any_fits(const struct conf_patterns *patterns, struct str local, struct str domain);

/* The first route whose conditions all hold for mail to TO; NULL: none. */
const struct conf_route *route_of(const struct conf *c, const struct mail_facts *f,
    const struct path *to);

#endif
