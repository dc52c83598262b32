/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef POLICY_RECIPIENT_H
#define POLICY_RECIPIENT_H

/*
 * recipient -- what becomes of an address: pure functions from the
 * configuration and the facts to a verdict and the line that made it.
 *
 * The session asks at RCPT, the runner at each attempt, and `sendmail -bv`
 * for people: all three get the same answer.
 */

#include "conf/conf.h"
#include "ipc/userset.h"
#include "mail/path.h"
#include "net/addr.h"
#include "policy/route.h"

enum target_kind {
	TARGET_MAILBOX,	/* a mailbox of ours */
	TARGET_MX,	/* the MX hosts of the domain */
	TARGET_UPSTREAM,/* a smarthost */
	TARGET_MAILDIR,	/* a Maildir that a route names */
	TARGET_PIPE,	/* a program that a route names */
	TARGET_DISCARD,	/* a route or a section throws it away */
	TARGET_ERROR,	/* a route or a section refuses it */
	TARGET_FORWARD,	/* a section gives it to other addresses: see expand.h */
	TARGET_ALIAS,	/* so does an alias */
	TARGET_LIST,	/* a mailing list: the section has it */
	TARGET_UNKNOWN,	/* a local domain without such a user: 550 5.1.1 */
	TARGET_NO_ROUTE	/* no route fits: 550 5.4.4 */
};

struct target {
	enum target_kind kind;
	struct path path;			/* for whom, as a peer is told: borrowed */
	char mailbox[65];			/* TARGET_MAILBOX */
	struct str domain;			/* TARGET_MX: whose they are */
	uint16_t port;				/* TARGET_MX: theirs; 0: smtp-port */
	const struct conf_upstream *upstream;	/* TARGET_UPSTREAM */
	const struct conf_upstream *fallback;	/* TARGET_MX: another way, or NULL */
	int tls;				/* TARGET_MX: enum conf_client_tls */
	struct str source;			/* what it leaves from, as in policy/source.h */
	const struct conf_via *way;		/* TARGET_MAILDIR, TARGET_PIPE, TARGET_ERROR */
	const struct conf_route *route;		/* the route that fitted, or NULL */
	const struct conf_recipient *rule;	/* the section that fitted, or NULL */
	struct conf_place place;		/* the line that decided */
	const char *why;			/* in words, static */
};

/*
 * Where mail to P goes, of which F is known.  <postmaster> and postmaster@ours
 * go to conf.postmaster.  What is borrowed is C's, F's or P's.
 */
struct target target_of(const struct conf *c, const struct userset *users,
    const struct mail_facts *f, const struct path *p);
/* The same of what an address was expanded to: it is not forwarded again. */
struct target target_at_last(const struct conf *c, const struct userset *users,
    const struct mail_facts *f, const struct path *p);

/* The facts of a session that decide whether it may relay. */
struct client_facts {
	struct addr peer;
	bool authenticated;
	bool submission;	/* came in by a submission listener */
	const struct tls_client *certificate;	/* NULL: it has shown none */
};

/* True if the client may send to anybody. */
bool access_may_relay(const struct conf *c, const struct client_facts *f);
/* True if PEER is in NETS; a unix socket is in no network. */
bool access_listed(const struct conf_nets *nets, const struct addr *peer);
/*
 * True if the client may connect at all where CONNECT is the list of those
 * who may; unix always, and nobody knows who (a proxy does not say) never.
 */
bool access_may_connect(const struct conf_nets *connect, const struct addr *peer);

struct rcpt_verdict {
	int code;		/* 250, 4xx, 5xx */
	const char *enhanced;
	const char *text;	/* static, or the configuration's */
	struct conf_place place;
};
/* The answer to RCPT TO, for a client F in a message of which M is known. */
struct rcpt_verdict rcpt_verdict(const struct conf *c, const struct userset *users,
    const struct client_facts *f, const struct mail_facts *m, const struct path *p);

#endif
