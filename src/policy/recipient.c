/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * recipient -- what becomes of an address.
 *
 * The order of the questions: is it a postmaster, is its domain ours, is
 * there a mailbox (with or without what stands behind the subaddress sign),
 * and else which route fits.  An address is looked at as it was parsed: a
 * `%`, `!` or second `@` in a local part means nothing and routes nothing.
 *
 * Nothing here touches a file or a socket, so that the session, the runner
 * and `sendmail -bv` cannot disagree.
 */

#include "policy/recipient.h"

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
	struct str mark = str_c(c->recipients.subaddress);

	if (users == NULL)
		return false;
	if (userset_has(users, local, name) && mailbox_safe(name))
		return true;
	/* RFC 5233: detail behind the first mark that has a user before it. */
	if (mark.n == 0)
		return false;
	for (size_t i = 1; i + mark.n <= local.n; i++)
		if (str_starts(str_skip(local, i), mark) &&
		    userset_has(users, str_head(local, i), name) &&
		    mailbox_safe(name))
			return true;
	return false;
}

static struct target
local_target(const struct conf *c, const struct userset *users,
    const struct path *p)
{
	struct target t = { .kind = TARGET_MAILBOX, .path = *p,
		.why = "a mailbox of this host" };

	if (find_mailbox(c, users, p->local, t.mailbox))
		return t;
	return unknown("there is no such mailbox");
}

static struct target
remote_target(const struct conf *c, const struct path *p)
{
	struct target t = { .kind = TARGET_MX, .path = *p,
		.domain = p->domain };

	t.route = conf_route(c, p->domain);
	if (t.route == NULL) {
		if (c->route_n == 0) {
			t.why = "the MX hosts of the domain, as there are "
				"no routes";
			return t;
		}
		t.kind = TARGET_NO_ROUTE;
		t.why = "no route fits";
		return t;
	}
	t.place = t.route->place;
	if (strcmp(t.route->via, "mx") == 0) {
		t.why = "the MX hosts of the domain";
		return t;
	}
	t.upstream = conf_upstream(c, t.route->via);
	t.kind = t.upstream != NULL ? TARGET_UPSTREAM : TARGET_NO_ROUTE;
	t.why = t.upstream != NULL ? "a smarthost" :
				     "the route's upstream is missing";
	return t;
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

/*
 * RFC 5321 4.5.1: mail for the postmaster is always taken.  It goes to the
 * configured address; where that is nobody, into a mailbox of that name, so
 * that it is kept.
 */
static struct target
postmaster_target(const struct conf *c, const struct userset *users)
{
	struct path p = postmaster_path(c);
	struct target t;

	if (p.local.n > 0 && !is_ours(c, &p))
		t = remote_target(c, &p);
	else
		t = local_target(c, users, &p);
	if (t.kind == TARGET_UNKNOWN || t.kind == TARGET_NO_ROUTE) {
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

struct target
target_of(const struct conf *c, const struct userset *users,
    const struct path *p)
{
	if (path_is_null(p))
		return unknown("the null address receives nothing");
	if (!is_ours(c, p))
		return remote_target(c, p);
	if (str_ieq(p->local, postmaster))
		return postmaster_target(c, users);
	return local_target(c, users, p);
}

struct rcpt_verdict
rcpt_verdict(const struct conf *c, const struct userset *users,
    const struct client_facts *f, const struct path *p)
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
	t = target_of(c, users, p);
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
	case TARGET_MAILBOX:
	case TARGET_MX:
	case TARGET_UPSTREAM:
		break;
	}
	return (struct rcpt_verdict){ .code = 250, .enhanced = "2.1.5",
		.text = "Ok", .place = t.place };
}
