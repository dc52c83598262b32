/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * access -- who may connect, and who may send to anybody.
 *
 * Both answers come from the configuration and the facts of the session
 * alone: where it came from, who logged in, which key it has shown.  Nothing
 * that a client says in the session (HELO, addresses) has a part in them: that
 * is what makes an open relay.
 */

#include "policy/recipient.h"

#include "policy/certified.h"

bool
access_listed(const struct conf_nets *nets, const struct addr *a)
{
	const void *octets = addr_octets(a);

	/* Who may come to a socket of this host is all one. */
	for (size_t i = 0; addr_family(a) == AF_UNIX && i < nets->n; i++)
		if (nets->v[i].family == AF_UNIX)
			return true;
	return octets != NULL && conf_nets_have(nets, addr_family(a), octets);
}

bool
access_may_relay(const struct conf *c, const struct client_facts *f)
{
	if (f->authenticated || certified_relays(c, f->certificate))
		return true;
	/*
	 * RFC 6409 4.3: a submission listener asks who somebody is, wherever
	 * the connection comes from.
	 */
	if (f->submission)
		return false;
	return access_listed(&c->access.relay, &f->peer);
}

bool
access_may_connect(const struct conf_nets *connect, const struct addr *peer)
{
	/* A unix socket is guarded by the file system. */
	if (addr_family(peer) == AF_UNIX)
		return true;
	return access_listed(connect, peer);
}
