/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef POLICY_TLS_POLICY_H
#define POLICY_TLS_POLICY_H

/*
 * tls_policy -- what TLS with a host is to be: from the facts to what is
 * demanded, in one pure function.
 */

#include "conf/conf.h"
#include "mail/sts.h"
#include "net/dns.h"

/* What came of looking for a host's TLSA records. */
enum tlsa_state {
	TLSA_UNASKED,	/* not asked for: something before them is not secure */
	TLSA_ABSENT,	/* none, or none that is secure */
	TLSA_FAILED,	/* it is not known */
	TLSA_PRESENT	/* secure */
};

struct tls_facts {
	int level;			/* enum conf_client_tls, of the route or server */
	struct conf_place place;	/* which says so */
	enum tlsa_state tlsa;
	const struct dns_tlsa *records;
	size_t record_n;
	const struct sts_policy *sts;	/* of the domain; NULL: none */
	const char *host;		/* an MX host */
	bool requiretls;		/* RFC 8689: it must be known who the host is */
	bool trusted_name;		/* that it is this host DNSSEC says, or the configuration */
};

enum tls_demand {
	TLS_DEMAND_SKIP,	/* the host is not used */
	TLS_DEMAND_OFF,
	TLS_DEMAND_MAY,		/* TLS if it can be had */
	TLS_DEMAND_ANY,		/* TLS, with whatever certificate */
	TLS_DEMAND_NAME,	/* a verified one, for the name */
	TLS_DEMAND_DANE		/* one that a TLSA record fits */
};

/* Who demands it. */
enum tls_basis { TLS_BY_CONF, TLS_BY_TLSA, TLS_BY_STS };

struct tls_decision {
	enum tls_demand demand;
	enum tls_basis basis;
	struct conf_place place;
	bool tell;		/* TLS_DEMAND_MAY: say what enforcing would do */
	bool refused;		/* TLS_DEMAND_SKIP: for good, by RFC 8689 */
	const char *reason;	/* in words, static */
};

struct tls_decision tls_policy(const struct tls_facts *f);

/* True if mail can be held against R: RFC 6698 7, RFC 7672 3.1. */
bool tls_tlsa_usable(const struct dns_tlsa *r);

#endif
