/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_BACKEND_H
#define CONF_BACKEND_H

/*
 * backend -- what a URL of auth.backends means.  It is read here and nowhere
 * else: by the check of the configuration, and by barid-auth.
 */

#include "conf/types.h"
#include "lib/arena.h"
#include "lib/buf.h"

enum conf_backend_kind {
	BACKEND_FILE,
	BACKEND_PAM,
	BACKEND_USERS,
	BACKEND_LDAP,
	BACKEND_RADIUS,
	BACKEND_HTTP,
	BACKEND_OAUTH,
	BACKEND_EXEC,
	BACKEND_HARDCODED
};

/* In the order of libldap's numbers. */
enum conf_backend_scope { SCOPE_BASE, SCOPE_ONE, SCOPE_SUB };

struct conf_backend {
	enum conf_backend_kind kind;
	const char *show;	/* the URL without what is secret in it */
	const char *path;	/* FILE, EXEC */
	bool secrets;		/* FILE: one of E-MailRelay */
	const char *service;	/* PAM */
	const char *confdir;	/* PAM: NULL for /etc/pam.d */
	const char *url;	/* HTTP, OAUTH */
	/*
	 * USERS: patterns.  HARDCODED: a user, a password, a user ...
	 * LDAP: URLs of servers, with nothing behind the port.  RADIUS: a host,
	 * a port, a host ...
	 */
	struct conf_strs list;

	/* LDAP */
	const char *base;
	const char *attribute;	/* of a user's DN: ATTRIBUTE=USER,BASE */
	const char *filter;	/* that finds it instead, "%u" is the user; or NULL */
	enum conf_backend_scope scope;
	const char *bind_dn;	/* who looks; NULL: nobody in particular */
	const char *bind_password;
	bool starttls;
	const char *ca;		/* NULL: as tls.ca says */

	/* RADIUS; OAUTH: who asks, or "" */
	const char *identifier;
	const char *secret;

	/* OAUTH */
	const char *claim;	/* that names the user */
	const char *token_scope;	/* that a token must have; NULL: any */
	const char *audience;	/* that it must be for; NULL: any */
};

/*
 * Reads URL into B, whose strings are in A.  False: ERROR says what is wrong
 * and what was expected, without any password.
 */
bool conf_backend_parse(struct arena *a, struct str url, struct conf_backend *b,
    struct buf *error) MUST_USE;
/* Adds URL with asterisks for what is secret in it, whether it can be read or not. */
void conf_backend_show(struct buf *b, struct str url);

#endif
