/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * listener -- what a listener has of its own in the place of a global value.
 *
 * One table leads from the field of a listener to the global one.  A
 * listener that says nothing of it gets the global value when the file is
 * read, so that its own fields are always those in effect; an empty list that
 * stands there is one that was meant.
 */

#include "private.h"

#define OWN(f, g) \
	{ offsetof(struct conf_listen, f), offsetof(struct conf, g), \
		sizeof(((struct conf_listen *)0)->f) }

static const struct {
	size_t own, global, size;
} owns[] = {
	OWN(connect, access.connect),
	OWN(blocked, access.blocked),
	OWN(relay, access.relay),
	OWN(relay_certificates, access.relay_certificates),
	OWN(auth_required, access.auth_required),
	OWN(sender_login, access.sender_login),
	OWN(proxies, access.proxies),
	OWN(xclient, access.xclient),
	OWN(xforward, access.xforward),
	OWN(etrn, access.etrn),
	OWN(verify, access.verify),
	OWN(mechanisms, auth.mechanisms),
	OWN(without_tls, auth.without_tls),
	OWN(connections_per_address, limits.connections_per_address),
	OWN(message_size, limits.message_size),
	OWN(recipients, limits.recipients),
	OWN(errors, limits.errors),
	OWN(timeout, limits.timeout),
	OWN(greet_delay, limits.greet_delay),
	OWN(early_talkers, limits.early_talkers),
	OWN(tarpit_delay, limits.tarpit_delay),
	OWN(login_delay, pop3.login_delay),
	OWN(expire, pop3.expire),
	OWN(no_delete, pop3.no_delete),
};

void
conf_listener_inherit(const struct conf *c, struct conf_listen *l)
{
	for (size_t i = 0; i < ARRAY_LEN(owns); i++) {
		char *field = (char *)l + owns[i].own;

		if (conf_place_get(c, field) == NULL)
			memcpy(field, (const char *)c + owns[i].global,
			    owns[i].size);
	}
}

void
conf_at_listener(
    const struct conf *c, const struct conf_listen *l, struct conf *out)
{
	*out = *c;
	for (size_t i = 0; i < ARRAY_LEN(owns); i++)
		memcpy((char *)out + owns[i].global,
		    (const char *)l + owns[i].own, owns[i].size);
}
