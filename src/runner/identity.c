/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * identity -- the certificates that servers are shown.
 *
 * They are read before the privileges go.  One that cannot be read was
 * complained of when the configuration came into force; the server then
 * sees none, and says itself what it thinks of that.
 */

#include "identity.h"

#include "lib/log.h"
#include "lib/mem.h"
#include "runner.h"

struct identity {
	const struct conf_server *server;
	struct tls_identity *own;
};

static void
load_one(struct runner *r, const struct conf_server *s)
{
	struct identity *i = &r->identities[r->identity_n];
	struct buf error;

	buf_init(&error, 4096);
	i->server = s;
	i->own = tls_identity_load(s->certificate, s->key, &error);
	if (i->own != NULL)
		r->identity_n++;
	else
		log_error(NULL, "the certificate for %s cannot be used: %s",
		    s->name, buf_cstr(&error));
	buf_free(&error);
}

void
identity_load(struct runner *r)
{
	const struct conf *c = r->conf;

	for (size_t i = 0; i < c->upstream_n; i++) {
		const struct conf_upstream *u = &c->upstreams[i];

		for (size_t k = 0; k < u->server_n; k++) {
			if (u->servers[k].certificate[0] == '\0')
				continue;
			r->identities = mem_grow(r->identities,
			    r->identity_n + 1, sizeof(*r->identities));
			load_one(r, &u->servers[k]);
		}
	}
}

const struct tls_identity *
identity_of(const struct runner *r, const struct conf_server *s)
{
	for (size_t i = 0; i < r->identity_n; i++)
		if (r->identities[i].server == s)
			return r->identities[i].own;
	return NULL;
}

void
identities_free(struct runner *r)
{
	for (size_t i = 0; i < r->identity_n; i++)
		tls_identity_free(r->identities[i].own);
	mem_free(r->identities);
}
