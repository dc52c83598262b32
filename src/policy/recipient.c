/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * recipient -- what becomes of an address.
 *
 * The order of the questions: is its domain ours (and else which route fits),
 * is it a postmaster, does a section of the configuration fit it, is there a
 * mailbox (with or without what stands behind the subaddress sign), is there a
 * catch-all.  An address is looked at as it was parsed: a
 * `%`, `!` or second `@` in a local part means nothing and routes nothing.
 *
 * Nothing here touches a file or a socket, so that the session, the runner
 * and `sendmail -bv` cannot disagree.
 */

#include "policy/recipient.h"

#include "lib/clock.h"
#include "mail/alias.h"
#include "policy/source.h"
#include "policy/srs.h"

/* RFC 5321 4.5.1 */
static const struct str postmaster = { "postmaster", 10 };

static struct target
unknown(const char *why)
{
	return (struct target){ .kind = TARGET_UNKNOWN, .why = why };
}

/*
 * A name that may become one of a directory.  Whoever filled the set of
 * users checked this already; a mistake there must not reach the file
 * system (CONFORMANCE S-32).
 */
static bool
mailbox_safe(const char *name)
{
	return name[0] != '\0' && name[0] != '.' && name[0] != '-' &&
	    strchr(name, '/') == NULL;
}

/* Looks a local part up; NAME gets the mailbox. */
static bool
find_mailbox(const struct conf *c, const struct userset *users,
    struct str local, char name[65])
{
	struct str marks = str_c(c->recipients.subaddress);

	if (users == NULL)
		return false;
	if (userset_has(users, local, name) && mailbox_safe(name))
		return true;
	/* RFC 5233: detail behind the first mark that has a user before it. */
	for (size_t i = 1; i < local.n; i++)
		if (str_find(marks, local.p[i]) >= 0 &&
		    userset_has(users, str_head(local, i), name) &&
		    mailbox_safe(name))
			return true;
	return false;
}

/* The way that the message itself says, or that of its route. */
static void
take_way(struct target *t, const struct conf_via *way, bool own)
{
	t->way = way;
	t->upstream = way->upstream;
	switch (way->kind) {
	case VIA_MX:
		t->kind = TARGET_MX;
		t->domain = way->domain != NULL ? str_c(way->domain) : t->path.domain;
		t->port = way->port;
		t->why = way->domain != NULL ? "the MX hosts of another domain" :
					       "the MX hosts of the domain";
		break;
	case VIA_UPSTREAM:
		t->kind = TARGET_UPSTREAM;
		t->why = "a smarthost";
		break;
	case VIA_MAILDIR:
		t->kind = TARGET_MAILDIR;
		t->why = "a Maildir of this host";
		break;
	case VIA_PIPE:
		t->kind = TARGET_PIPE;
		t->why = "a program of this host";
		break;
	case VIA_DISCARD:
		t->kind = TARGET_DISCARD;
		t->why = "it is thrown away";
		break;
	case VIA_ERROR:
		t->kind = TARGET_ERROR;
		t->why = "it is refused";
		break;
	}
	if (own)
		t->why = "a way that the message itself has";
}

static struct target
remote_target(const struct conf *c, const struct mail_facts *f,
    const struct path *p)
{
	const struct conf_route *r = route_of(c, f, p);
	struct target t = { .kind = TARGET_NO_ROUTE, .path = *p,
		.domain = p->domain, .route = r, .tls = TLS_MAY,
		.source = source_of(c, r, f), .why = "no route fits" };

	if (r != NULL) {
		t.place = r->place;
		t.tls = r->tls;
		take_way(&t, &r->way, false);
		t.fallback = r->relay;
	}
	if (f->way != NULL)
		take_way(&t, f->way, true);
	return t;
}

/* ---- addresses of ours ---- */

/* What local_target() is asked for. */
struct ask {
	const struct conf *conf;
	const struct userset *users;
	const struct mail_facts *facts;
	bool at_last;		/* it is forwarded no more */
};

/* The line of the table of R that decides on LOCAL@DOMAIN, LAST or before; or NULL. */
static const struct conf_recipient *
row_of(const struct ask *q, const struct conf_recipient *r, struct str local,
    struct str domain, bool last)
{
	const struct conf_table_entry *e;
	const struct conf_recipient *row;
	struct str detail;

	if (r->rows == NULL || q->facts->arena == NULL)
		return NULL;
	e = conf_table_find(r->rows, local, domain, true, str_c(q->conf->recipients.subaddress),
	    &detail);
	row = e != NULL ? conf_row(q->conf, r, e, q->facts->arena) : NULL;
	return row != NULL && row->last == last &&
	    !(q->at_last && row->kind == RULE_FORWARD) ? row : NULL;
}

/* R, or the line of its table, if it decides on LOCAL@DOMAIN, LAST or before; or NULL. */
static const struct conf_recipient *
deciding(const struct ask *q, const struct conf_recipient *r, struct str local,
    struct str domain, bool last)
{
	const struct path *from = &q->facts->from;

	if (!pattern_fits(&r->to, local, domain) ||
	    !any_fits(&r->senders, from->local, from->domain))
		return NULL;
	if (r->kind == RULE_TABLE)
		return row_of(q, r, local, domain, last);
	return r->last == last && !(q->at_last && r->kind == RULE_FORWARD) ? r : NULL;
}

/* The first section that fits P, of those that are asked LAST or before. */
static const struct conf_recipient *
rule_of(const struct ask *q, const struct path *p, bool last)
{
	const struct conf_recipient *r = NULL;
	const struct conf *c = q->conf;
	struct str domain = p->domain;

	/* <postmaster> and what sendmail takes have none. */
	if (domain.n == 0)
		domain = str_c(c->domains.n > 0 ? c->domains.v[0] : c->hostname);
	for (size_t i = 0; i < c->rule_n && r == NULL; i++)
		r = deciding(q, &c->rules[i], p->local, domain, last);
	return r;
}

static bool
has_alias(void *arg, struct str name)
{
	const struct ask *q = arg;

	return userset_has_alias(q->users, name);
}

static bool
find_alias(const struct ask *q, const struct path *p)
{
	struct ask copy = *q;

	return q->users != NULL && q->conf->aliases.n > 0 &&
	    alias_any(str_c(q->conf->recipients.subaddress), p,
		has_alias, &copy);
}

static struct target
rule_target(const struct ask *q, const struct path *p,
    const struct conf_recipient *r)
{
	struct target t = { .path = *p, .domain = p->domain, .rule = r,
		.place = r->place, .tls = TLS_MAY,
		.source = source_of(q->conf, NULL, q->facts) };
	struct str name = str_c(r->mailbox);

	switch (r->kind) {
	case RULE_WAY:
		take_way(&t, &r->way, false);
		return t;
	case RULE_FORWARD:
		t.kind = TARGET_FORWARD;
		t.why = "it is forwarded";
		return t;
	case RULE_LIST:
		t.kind = TARGET_LIST;
		t.why = "a mailing list";
		return t;
	case RULE_MAILBOX:
		t.kind = TARGET_MAILBOX;
		t.why = "a mailbox that a section gives it";
		memcpy(t.mailbox, name.p, name.n);
		return t;
	case RULE_TABLE:
	case RULE_NONE:
		break;
	}
	return unknown("the section that fits it is wrong");
}

static struct target
local_target(const struct ask *q, const struct path *p)
{
	struct target t = { .kind = TARGET_MAILBOX, .path = *p,
		.why = "a mailbox of this host" };
	const struct conf_recipient *r;

	if (!q->at_last && find_alias(q, p))
		return (struct target){ .kind = TARGET_ALIAS, .path = *p,
			.why = "an alias" };
	r = rule_of(q, p, false);
	if (r != NULL)
		return rule_target(q, p, r);
	if (find_mailbox(q->conf, q->users, p->local, t.mailbox))
		return t;
	r = rule_of(q, p, true);
	if (r != NULL)
		return rule_target(q, p, r);
	return unknown("there is no such mailbox");
}

/* conf.postmaster as a path that borrows from it; no quotes are undone. */
static struct path
postmaster_path(const struct conf *c)
{
	struct str s = str_c(c->postmaster);
	ptrdiff_t at = str_rfind(s, '@');
	struct path p = { s, STR("") };

	if (at >= 0) {
		p.local = str_head(s, (size_t)at);
		p.domain = str_skip(s, (size_t)at + 1);
	}
	return p;
}

static bool
is_ours(const struct conf *c, const struct path *p)
{
	return p->domain.n == 0 || conf_is_local(c, p->domain);
}

/* True if mail to T gets to somebody, as far as anybody knows. */
static bool
is_taken(const struct target *t)
{
	return t->kind == TARGET_MAILBOX || t->kind == TARGET_MX ||
	    t->kind == TARGET_UPSTREAM || t->kind == TARGET_MAILDIR ||
	    t->kind == TARGET_PIPE || t->kind == TARGET_FORWARD ||
	    t->kind == TARGET_ALIAS || t->kind == TARGET_LIST;
}

/* A section that means the postmaster P, and not only all of a domain. */
static bool
find_own(const struct ask *q, const struct path *p, struct target *t)
{
	const struct conf_recipient *r = rule_of(q, p, false);

	if (r == NULL || r->all)
		return false;
	*t = rule_target(q, p, r);
	return is_taken(t);
}

static bool
is_same(const struct path *a, const struct path *b)
{
	return str_ieq(a->local, b->local) && str_ieq(a->domain, b->domain);
}

/*
 * RFC 5321 4.5.1: mail for the postmaster P is always taken.  It goes where a
 * section has it, or to the configured address; where that is nobody, into a
 * mailbox of that name, so that it is kept.
 */
static struct target
postmaster_target(const struct ask *q, const struct path *to)
{
	struct path p = postmaster_path(q->conf);
	struct target t;

	/* That of the host is found as any other address: aliases come first. */
	if (!is_same(to, &p) && find_own(q, to, &t))
		return t;
	if (p.local.n > 0 && !is_ours(q->conf, &p))
		t = remote_target(q->conf, q->facts, &p);
	else
		t = local_target(q, &p);
	if (!is_taken(&t)) {
		t = (struct target){ .kind = TARGET_MAILBOX,
			.path = { postmaster, STR("") },
			.why = "the postmaster's own mailbox" };
		memcpy(t.mailbox, postmaster.p, postmaster.n);
		return t;
	}
	if (t.kind == TARGET_MAILBOX)
		t.why = "the postmaster of this host";
	return t;
}

/*
 * An address that was made for forwarded mail (mail/srs.h): what comes to it is
 * a report, and goes back to whom it stands for.  Mail with a sender would make
 * a relay of it.
 */
static struct target
srs_target(const struct ask *q, const struct path *p)
{
	const struct conf *c = q->conf;
	struct srs s = srs_of(c);
	struct path to;

	if (q->facts->arena == NULL)
		return unknown("an address for reports");
	if (!path_is_null(&q->facts->from))
		return unknown("an address for reports alone");
	switch (srs_reverse(&s, p->local, clock_wall(),
		q->facts->arena, &to)) {
	case SRS_FINE:
		return remote_target(c, q->facts, &to);
	case SRS_EXPIRED:
		return unknown("the address for reports is too old");
	case SRS_NONE:
	case SRS_FORGED:
		break;
	}
	return unknown("the address for reports was not made here");
}

static struct target
find_target(const struct ask *q, const struct path *p)
{
	if (path_is_null(p))
		return unknown("the null address receives nothing");
	if (!is_ours(q->conf, p))
		return remote_target(q->conf, q->facts, p);
	if (str_ieq(p->local, postmaster))
		return postmaster_target(q, p);
	if (q->conf->srs.secrets.n > 0 && srs_looks_so(p->local) &&
	    str_ieq(p->domain, str_c(q->conf->srs.domain)))
		return srs_target(q, p);
	return local_target(q, p);
}

struct target
target_of(const struct conf *c, const struct userset *users,
    const struct mail_facts *f, const struct path *p)
{
	struct ask q = { c, users, f, false };

	return find_target(&q, p);
}

struct target
target_at_last(const struct conf *c, const struct userset *users,
    const struct mail_facts *f, const struct path *p)
{
	struct ask q = { c, users, f, true };

	return find_target(&q, p);
}

struct rcpt_verdict
rcpt_verdict(const struct conf *c, const struct userset *users,
    const struct client_facts *f, const struct mail_facts *m,
    const struct path *p)
{
	struct target t;

	if (!is_ours(c, p) && !access_may_relay(c, f)) {
		if (c->access.auth_required)
			return (struct rcpt_verdict){ .code = 530,
				.enhanced = "5.7.0",
				.text = "Authentication required" };
		return (struct rcpt_verdict){ .code = 554,
			.enhanced = "5.7.1", .text = "Relay access denied" };
	}
	t = target_of(c, users, m, p);
	switch (t.kind) {
	case TARGET_UNKNOWN:
		return (struct rcpt_verdict){ .code = 550,
			.enhanced = "5.1.1", .place = t.place,
			.text = "Recipient address rejected: User unknown" };
	case TARGET_NO_ROUTE:
		return (struct rcpt_verdict){ .code = 550,
			.enhanced = "5.4.4", .place = t.place,
			.text = "Recipient address rejected: "
				"there is no route to its domain" };
	case TARGET_ERROR:
		return (struct rcpt_verdict){ .code = t.way->code,
			.enhanced = t.way->enhanced, .place = t.place,
			.text = t.way->text };
	case TARGET_MAILBOX:
	case TARGET_MX:
	case TARGET_UPSTREAM:
	case TARGET_MAILDIR:
	case TARGET_PIPE:
	case TARGET_DISCARD:
	case TARGET_FORWARD:
	case TARGET_ALIAS:
	case TARGET_LIST:
		break;
	}
	return (struct rcpt_verdict){ .code = 250, .enhanced = "2.1.5",
		.text = "Ok", .place = t.place };
}
