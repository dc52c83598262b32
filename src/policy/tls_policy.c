/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * tls_policy -- what TLS with a host is to be.
 *
 * DANE goes before MTA-STS (RFC 8461 2): where TLSA records can be used they
 * decide, and where it is not known whether there are any the host is left
 * alone, since an attacker could have seen to that.  MTA-STS adds to DANE
 * only where DANE can not say who the host is.  Without either, "dane" is
 * "may".
 *
 * Mail that demands TLS itself (RFC 8689 4.2.1) goes only to a host of which
 * DNSSEC, MTA-STS or the configuration says that it is the right one, and that
 * shows it by its certificate.
 */

#include "policy/tls_policy.h"

bool
tls_tlsa_usable(const struct dns_tlsa *r)
{
	static const size_t digest_n[] = { 0, 32, 64 };

	if (r->usage != 2 && r->usage != 3)
		return false;
	if (r->selector > 1 || r->matching > 2)
		return false;
	return r->matching == 0 ? r->data.n > 0 :
				  r->data.n == digest_n[r->matching];
}

static bool
any_usable(const struct tls_facts *f)
{
	for (size_t i = 0; i < f->record_n; i++)
		if (tls_tlsa_usable(&f->records[i]))
			return true;
	return false;
}

static struct tls_decision
by_conf(const struct tls_facts *f, enum tls_demand demand, const char *reason)
{
	return (struct tls_decision){ .demand = demand, .basis = TLS_BY_CONF,
		.place = f->place, .reason = reason };
}

static struct tls_decision
by_tlsa(const struct tls_facts *f, enum tls_demand demand, const char *reason)
{
	return (struct tls_decision){ .demand = demand, .basis = TLS_BY_TLSA,
		.place = f->place, .reason = reason };
}

static struct tls_decision
by_sts(const struct tls_facts *f)
{
	bool named = sts_policy_has(f->sts, str_c(f->host));
	bool enforce = f->sts->mode == STS_ENFORCE;
	struct tls_decision d = { .basis = TLS_BY_STS, .place = f->place };

	d.demand = !enforce ? TLS_DEMAND_MAY :
	    named	    ? TLS_DEMAND_NAME :
			      TLS_DEMAND_SKIP;
	d.tell = !enforce;
	d.reason = named ? "the MTA-STS policy names the host" :
			   "the MTA-STS policy does not name the host";
	return d;
}

static struct tls_decision
by_dns(const struct tls_facts *f)
{
	bool sts = f->sts != NULL && f->sts->mode != STS_NONE;

	if (f->tlsa == TLSA_FAILED)
		return by_tlsa(f, TLS_DEMAND_SKIP,
		    "its TLSA records cannot be looked up");
	if (f->tlsa == TLSA_PRESENT && any_usable(f))
		return by_tlsa(f, TLS_DEMAND_DANE, "it has TLSA records");
	/* RFC 7672 2.2: the host has TLS, whatever the records mean. */
	if (f->tlsa == TLSA_PRESENT && (!sts || f->sts->mode != STS_ENFORCE))
		return by_tlsa(f, TLS_DEMAND_ANY,
		    "none of its TLSA records can be used");
	if (sts)
		return by_sts(f);
	return by_conf(f, TLS_DEMAND_MAY,
	    "there are neither TLSA records nor an MTA-STS policy");
}

static struct tls_decision
by_level(const struct tls_facts *f)
{
	switch (f->level) {
	case TLS_OFF:
		return by_conf(f, TLS_DEMAND_OFF, "TLS is off");
	case TLS_REQUIRED:
		return by_conf(f, TLS_DEMAND_ANY, "TLS is required");
	case TLS_VERIFIED:
		return by_conf(f, TLS_DEMAND_NAME,
		    "a verified certificate is required");
	case TLS_DANE:
		return by_dns(f);
	default:
		return by_conf(f, TLS_DEMAND_MAY, "TLS is used if it is offered");
	}
}

struct tls_decision
tls_policy(const struct tls_facts *f)
{
	struct tls_decision d = by_level(f);

	if (!f->requiretls || d.demand == TLS_DEMAND_SKIP ||
	    d.demand == TLS_DEMAND_NAME || d.demand == TLS_DEMAND_DANE)
		return d;
	d.tell = false;
	if (f->trusted_name) {
		d.demand = TLS_DEMAND_NAME;
		d.reason = "the message requires TLS with a host that is known";
		return d;
	}
	d.demand = TLS_DEMAND_SKIP;
	d.refused = true;
	d.reason = "the message requires TLS (REQUIRETLS), and neither DNSSEC "
	    "nor MTA-STS says that this is the host";
	return d;
}
