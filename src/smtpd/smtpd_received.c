/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_received -- the trace field (RFC 5321 4.4, RFC 3848).
 *
 * Everything in it was checked before: the client's name is a domain or a
 * literal, the recipient came from path_parse().  It names the recipient
 * only if there is one, so that nobody learns of the others.
 */

#include "smtpd.h"

#include "lib/clock.h"
#include "mail/date.h"

/* A login name may hold anything; a comment of a header may not. */
static bool
is_plain(const char *name)
{
	for (; *name != '\0'; name++)
		if (!(*name >= 'a' && *name <= 'z') &&
		    !(*name >= 'A' && *name <= 'Z') &&
		    !(*name >= '0' && *name <= '9') &&
		    strchr("._-", *name) == NULL)
			return false;
	return true;
}

static void
from_add(const struct session *s, struct buf *b)
{
	const struct session_env *env = s->env;

	buf_adds(b, "Received: from ");
	buf_add(b, s->helo);
	if (addr_octets(&env->peer) != NULL && !s->local) {
		buf_addf(b, " (%s ", s->named);
		addr_add_literal(b, &env->peer);
		buf_addc(b, ')');
	} else if (!s->local && addr_family(&env->peer) == AF_UNSPEC) {
		buf_adds(b, " (unknown)");
	} else if (env->local_user != NULL && is_plain(env->local_user)) {
		buf_addf(b, " (local user %s)", env->local_user);
	} else {
		buf_adds(b, " (local)");
	}
	buf_adds(b, "\r\n");
}

void
received_add(const struct session *s, struct buf *b)
{
	const struct envelope *e = &s->txn.env;

	from_add(s, b);
	if (s->tls != NULL)
		buf_addf(b, "\t(using %s with cipher %s (%d/%d bits))\r\n",
		    tls_version(s->tls), tls_cipher(s->tls),
		    tls_bits(s->tls), tls_bits(s->tls));
	if (s->certificate != NULL)
		buf_addf(b, "\t(Client CN \"%s\", Issuer \"%s\" (%s))\r\n",
		    s->certificate->subject, s->certificate->issuer,
		    s->certificate->verified ? "verified OK" : "not verified");
	buf_addf(b, "\tby %s (barid) with %s id %s", s->env->hostname,
	    session_proto(s), e->id);
	if (e->rcpt_n == 1) {
		buf_adds(b, "\r\n\tfor <");
		path_add(b, &e->rcpts[0].path);
		buf_addc(b, '>');
	}
	buf_adds(b, ";\r\n\t");
	date_add(b, e->arrival_us / 1000000);
	buf_adds(b, "\r\n");
}
