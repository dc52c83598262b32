/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CHECK_DNSBL_H
#define CHECK_DNSBL_H

/*
 * dnsbl -- what lists of clients in DNS make of a client (RFC 5782): which
 * names are asked for, and what the answers come to.  Nothing is asked here.
 */

#include "conf/conf.h"
#include "net/addr.h"

/* Addresses of one answer that are looked at. */
#define DNSBL_ANSWERS_MAX 8
/* Of a TXT record, octets; the rest is left out. */
#define DNSBL_TEXT_MAX 200

/*
 * False for a client that no list knows: a socket of this host, the loopback,
 * a private, a link-local address.
 */
bool dnsbl_is_public(const struct addr *client);

/*
 * Adds the name that CLIENT has in ZONE: "1.2.0.192.ZONE", or its 32 nibbles
 * (RFC 5782 2.1, 2.4).  It is asked for an address of IPv4 in either case.
 */
void dnsbl_add_name(struct buf *b, const struct addr *client, const char *zone);

/* What a zone answers.  All zero: it does not have the client. */
struct dnsbl_answer {
	bool late;		/* nobody knows */
	uint32_t v[DNSBL_ANSWERS_MAX];	/* in host order */
	size_t n;
	struct str text;	/* of its TXT record; foreign */
};

/*
 * True for an answer that speaks of who asks and not of the client: those of
 * 127.255.255.0/24, which say that the resolver is refused, and what is not in
 * 127.0.0.0/8 (RFC 5782 2.1), as of a domain that somebody else has bought.
 */
bool dnsbl_is_error(uint32_t answer);

/* True if the answers of its zone make the client an entry of D. */
bool dnsbl_has(const struct conf_dnsbl *d, const struct dnsbl_answer *a);

struct dnsbl_verdict {
	int64_t score;		/* the sum of the weights */
	bool refused;		/* it reaches the threshold */
	const struct conf_dnsbl *by;	/* that counts most of those that have it; NULL: none */
	struct str text;	/* of the refusal, by BY; ASCII */
	struct str why;		/* "ZONE*WEIGHT (127.0.0.2) ...": for the log; or empty */
};

/*
 * ANSWERS has one for each list of C, of its zone.  What the verdict views is
 * in A.
 */
struct dnsbl_verdict dnsbl_judge(const struct conf_dnsbls *c, const struct addr *client,
    const struct dnsbl_answer *answers, struct arena *a);

#endif
