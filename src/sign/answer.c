/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * answer -- a request for a signature, and what is answered.
 *
 * Whoever asks may have been taken over: a request is taken whole or not at
 * all, and what may be signed decides net/tls_key.c.  No request is fatal.
 */

#include "sign.h"

#include "ipc/msg.h"

#define SIGNATURE_MAX 2048

static const struct tls_key *
find(const struct keys *k, struct str id)
{
	for (size_t i = 0; i < k->n; i++)
		if (tls_key_is(k->v[i], id))
			return k->v[i];
	return NULL;
}

bool
sign_answer(const struct keys *k, struct str packet, struct buf *b, const char **why)
{
	const struct tls_key *key;
	struct buf signature;
	struct msg_sign m;

	buf_reset(b);
	if (!msg_sign_get(packet, &m)) {
		*why = "the request is broken";
		return false;
	}
	if (!(key = find(k, m.key))) {
		*why = "the key is not one that is in force";
		return false;
	}
	buf_init(&signature, SIGNATURE_MAX);
	bool ok = tls_key_sign(key, m.scheme, m.content, &signature);
	if (ok)
		msg_sign_result_put(b, &(struct msg_sign_result){ buf_str(&signature) });
	else
		*why = "it is not what a TLS handshake has to be signed";
	buf_free(&signature);
	return ok && buf_ok(b);
}
