/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CHECK_REFUSAL_H
#define CHECK_REFUSAL_H

/*
 * refusal -- what a check's finding does to mail, as the configuration says: pure
 * functions, for sessions and for who explains them.
 *
 * Who is checked at all, and who is exempt, is the caller's to know; so is that
 * mail for the postmaster is taken from everybody.
 */

#include "check/dkim.h"
#include "check/dmarc.h"
#include "check/scan.h"
#include "check/spf.h"
#include "conf/checks.h"
#include "ipc/msg_name.h"
#include "lib/arena.h"

/* CODE 0: the mail is taken, as far as this goes.  Texts are static or of an arena. */
struct refusal {
	int code;		/* 4xx or 5xx */
	const char *enhanced;
	const char *text;
};

/* RFC 8601 2.7.3, of a client at ADDRESS. */
struct refusal refusal_iprev(const struct conf_check_iprev *k, enum iprev result,
    const char *address, struct arena *a);

/* True if a client that calls itself HELO is asked about in DNS. */
bool helo_is_asked(const struct conf_check_helo *k, struct str helo);
/* OURS: HELO is a name of ours; EXISTS: what DNS has of it, UNKNOWN if nobody asked. */
struct refusal refusal_helo(const struct conf_check_helo *k, struct str helo, bool ours,
    enum exists exists);

/* True if DOMAIN, of MAIL FROM and not of ours, is asked about in DNS. */
bool sender_is_asked(const struct conf_check_sender *k, struct str domain);
/* The same of a sender; an empty domain is nobody's. */
struct refusal refusal_sender(const struct conf_check_sender *k, bool ours,
    const struct msg_exists_result *r);

/* HAS_SENDER: there is a domain in MAIL FROM, so that HELO is judged beside it. */
struct refusal refusal_spf(const struct conf_check_spf *k, const struct spf_result *r,
    bool has_sender, struct arena *a);

struct refusal refusal_dkim(const struct conf_check_dkim *k, const struct dkim_check *c);

/* Whether a trusted sealer vouches for a message; LATER: DNS does not say now whether he does. */
enum vouch { VOUCH_NONE, VOUCH_LATER, VOUCH_GOOD };
/* RFC 8617 7.2.1: of the chain V, whose last sealer is one of those that K trusts. */
enum vouch arc_vouches(const struct conf_check_arc *k, const struct arc_verdict *v);

/*
 * What SPF and the signatures C (NULL: nobody looked) show for a domain, or may show
 * later.  How many; their domains are of A and C.
 */
size_t proofs_of(const struct spf_result *spf, const struct dkim_check *c, struct arena *a,
    struct dmarc_proof p[DMARC_PROOFS_MAX]);

/* NO_AUTHOR: why nobody is the author, or NULL; VOUCH: of a seal that says that it passed. */
struct refusal refusal_dmarc(const struct conf_check_dmarc *k, const char *no_author,
    const struct dmarc_verdict *v, enum vouch vouch, struct arena *a);

/*
 * What a server of spam or viruses found; FOR_DESK: all recipients are postmasters or
 * abuse desks, who are to see what others complain of.
 */
struct refusal refusal_scan(const struct conf_check_scan *k, const struct msg_scan_result *r,
    bool for_desk, struct arena *a);

#endif
