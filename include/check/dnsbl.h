/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CHECK_DNSBL_H
#define CHECK_DNSBL_H

/*
 * dnsbl -- what lists in DNS make of a client and of the domains that its mail
 * names (RFC 5782): which of their answers are entries, and what these come to.
 * Nothing is asked here; dnsbl_terms.h has what is asked for.
 */

#include "conf/conf.h"
#include "net/addr.h"

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

/*
 * True for an answer that speaks of who asks and not of the client: those of
 * 127.255.255.0/24, which say that the resolver is refused, and what is not in
 * 127.0.0.0/8 (RFC 5782 2.1), as of a domain that somebody else has bought.
 */
bool dnsbl_is_error(uint32_t answer);

/* What a zone has. */
struct dnsbl_entry {
	struct str zone;
	enum conf_dnsbl_of of;
	struct str listed;	/* "192.0.2.1", "bad.example.org" */
	uint32_t answer;	/* in host order; 0: there is nothing */
	struct str text;	/* of its TXT record; foreign */
};

/* True if E, of the zone of D, is what D is about, and an entry of it. */
bool dnsbl_counts(const struct conf_dnsbl *d, const struct dnsbl_entry *e);

/*
 * FOUND has one entry for each list of C.  E becomes that of each list that counts
 * it, unless that has one of the same kind, or of one that comes first.
 */
void dnsbl_note(const struct conf_dnsbls *c, const struct dnsbl_entry *e,
    struct dnsbl_entry *found);

struct dnsbl_verdict {
	int64_t score;		/* the sum of the weights */
	bool refused;		/* it reaches the threshold */
	const struct conf_dnsbl *by;	/* that counts most of those that have it; NULL: none */
	struct str text;	/* of the refusal, by BY; ASCII */
	/*
	 * For the log, behind the client: " is listed: ZONE*WEIGHT (127.0.0.2) ...", or
	 * ": sender bad.example is listed: ...", or both; or empty.
	 */
	struct str why;
};

/* What the entries FOUND, one for each list of C, come to.  What it views is in A. */
struct dnsbl_verdict dnsbl_judge(const struct conf_dnsbls *c, const struct addr *client,
    const struct dnsbl_entry *found, struct arena *a);

#endif
