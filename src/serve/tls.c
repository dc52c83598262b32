/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tls -- the certificates and rules of TLS as a listener of the configuration
 * has them.  Which protocol it speaks is what ALPN is held against, and its name
 * is what tickets are bound to.
 */

#include "serve/tls.h"

#include "lib/mem.h"
#include "policy/certified.h"

/* The configuration was checked: there is a key for each certificate. */
static void
pairs_of(struct tls_pair *pairs, const struct conf_strs *certificates,
    const struct conf_strs *keys)
{
	for (size_t i = 0; i < certificates->n && i < keys->n && i < TLS_PAIRS_MAX; i++)
		pairs[i] = (struct tls_pair){ certificates->v[i], keys->v[i] };
}

static const char *
alpn_of(const struct conf_listen *l)
{
	return l->service == SERVICE_POP3 ? "pop3" :
	    l->service == SERVICE_ADMIN	  ? "http/1.1" :
					    "smtp";
}

struct tls_ctx *
serve_tls(const struct conf *c, const struct conf_listen *l, const struct tls_signer *signer,
    const char **wrong, struct buf *error)
{
	struct tls_name *names = mem_array(c->tls.name_n + 1, sizeof(*names));
	struct tls_server_conf t = {
		.min_version = c->tls.min_version, .ciphers = c->tls.ciphers,
		.alpn = alpn_of(l), .ask = certified_is_asked(c, l),
		.client_ca = c->tls.client_ca, .session_id = l->name,
		.names = names, .name_n = c->tls.name_n, .signer = signer, .wrong = wrong,
	};

	*wrong = NULL;
	pairs_of(t.pairs, &c->tls.certificate, &c->tls.key);
	for (size_t i = 0; i < c->tls.name_n; i++) {
		names[i].name = c->tls.names[i].name;
		pairs_of(names[i].pairs, &c->tls.names[i].certificate, &c->tls.names[i].key);
	}
	struct tls_ctx *ctx = tls_server_ctx(&t, error);
	mem_free(names);
	return ctx;
}
