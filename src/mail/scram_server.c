/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * scram_server -- SCRAM's messages, from the server's side.
 *
 *	client-first	p=TYPE|n|y , [a=AUTHZID] , n=USER,r=NONCE[,...]
 *	server-first	r=NONCE+OURS,s=SALT,i=COUNT
 *	client-final	c=BINDING,r=NONCE+OURS[,...],p=PROOF
 *
 * Promises that what a proof is about (the AuthMessage) is what was said and
 * nothing else, and that a client which tied itself to TLS has our session at
 * its other end.  Attributes that are unknown are left alone, but one that
 * must be understood ("m=") is refused (RFC 5802 5.1).
 */

#include "mail/scram_server.h"

#include <errno.h>

#include "mail/text.h"

#define NONCE_MAX 1024
#define USER_MAX 1024

/* RFC 5802 7: printable, and no comma. */
static bool
is_nonce(struct str s)
{
	if (s.n == 0 || s.n > NONCE_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || s.p[i] == ',')
			return false;
	return true;
}

bool
scram_name_decode(struct arena *a, struct str s, struct str *out)
{
	struct buf b;
	bool ok = s.n <= USER_MAX && str_find(s, '\0') < 0;

	buf_init(&b, USER_MAX);
	while (ok && s.n > 0) {
		if (s.p[0] != '=') {
			buf_addc(&b, s.p[0]);
			s = str_skip(s, 1);
			continue;
		}
		ok = str_starts(s, STR("=2C")) || str_starts(s, STR("=3D"));
		buf_addc(&b, str_starts(s, STR("=2C")) ? ',' : '=');
		s = str_skip(s, 3);
	}
	*out = arena_str(a, buf_str(&b));
	buf_free(&b);
	return ok;
}

/* RFC 5802 6: whether the client's flag is one for us; -1 as in the header. */
static int
take_flag(struct scram_server *s, struct str flag)
{
	const struct sasl_bindings *b = &s->bindings;

	errno = EBADMSG;
	if (str_eq(flag, STR("n")))
		return s->plus ? -1 : 0;
	errno = EPERM;
	/* It could have, and believes that we cannot: who told it so? */
	if (str_eq(flag, STR("y")))
		return s->plus || s->plus_offered ? -1 : 0;
	if (str_eq(flag, STR("p=tls-exporter")))
		s->binding = b->exporter;
	else if (str_eq(flag, STR("p=tls-unique")))
		s->binding = b->unique;
	else if (str_eq(flag, STR("p=tls-server-end-point")))
		s->binding = b->end_point;
	else if (!str_starts(flag, STR("p=")))
		errno = EBADMSG;
	return s->plus && s->binding.n > 0 ? 0 : -1;
}

int
scram_server_first(struct scram_server *s, struct str message)
{
	struct str flag, authzid, rest, user, nonce;

	message = arena_str(s->arena, message);
	errno = EBADMSG;
	if (!str_cut(message, ',', &flag, &rest) ||
	    !str_cut(rest, ',', &authzid, &rest))
		return -1;
	s->bare = rest;
	s->header = str_head(message, message.n - rest.n);
	if (authzid.n > 0 && !str_starts(authzid, STR("a=")))
		return -1;
	if (!str_cut(rest, ',', &user, &rest) || !str_starts(user, STR("n=")))
		return -1;
	(void)str_cut(rest, ',', &nonce, &rest);
	s->client_nonce = str_skip(nonce, 2);
	if (!str_starts(nonce, STR("r=")) || !is_nonce(s->client_nonce) ||
	    !scram_name_decode(s->arena, str_skip(user, 2), &s->user) ||
	    !scram_name_decode(s->arena, str_skip(authzid, 2), &s->authzid))
		return -1;
	return take_flag(s, flag);
}

void
scram_server_ask(struct scram_server *s, struct str params, struct buf *out)
{
	s->first = str_c(arena_printf(s->arena, "r=" STR_FMT "%s," STR_FMT,
	    STR_ARG(s->client_nonce), s->nonce, STR_ARG(params)));
	buf_add(out, s->first);
}

/* RFC 5802 7: the header again, and behind it what ties us. */
static bool
is_bound(const struct scram_server *s, struct str value)
{
	struct buf plain, base64;
	bool same;

	buf_init(&plain, 8192);
	buf_init(&base64, 16384);
	buf_add(&plain, s->header);
	buf_add(&plain, s->binding);
	base64_add(&base64, buf_str(&plain));
	same = buf_ok(&plain) && buf_ok(&base64) &&
	    str_eq(value, buf_str(&base64));
	buf_free(&plain);
	buf_free(&base64);
	return same;
}

/* The proof stands last, and no other attribute can hold ",p=". */
static ptrdiff_t
find_proof(struct str message)
{
	ptrdiff_t comma = str_rfind(message, ',');

	return comma >= 0 && str_starts(str_skip(message, (size_t)comma + 1),
	    STR("p=")) ? comma : -1;
}

int
scram_server_final(struct scram_server *s, struct str message)
{
	struct str binding, nonce, without, rest;
	ptrdiff_t comma;

	message = arena_str(s->arena, message);
	comma = find_proof(message);
	errno = EBADMSG;
	if (comma < 0 || str_find(message, '\0') >= 0)
		return -1;
	without = str_head(message, (size_t)comma);
	s->proof = str_skip(message, (size_t)comma + 3);
	if (!str_cut(without, ',', &binding, &rest) ||
	    !str_starts(binding, STR("c=")))
		return -1;
	(void)str_cut(rest, ',', &nonce, &rest);
	if (!str_starts(nonce, STR("r=")) || s->proof.n == 0)
		return -1;
	errno = EPERM;
	nonce = str_skip(nonce, 2);
	if (!is_bound(s, str_skip(binding, 2)) ||
	    nonce.n != s->client_nonce.n + strlen(s->nonce) ||
	    !str_starts(nonce, s->client_nonce) ||
	    !str_ends(nonce, str_c(s->nonce)))
		return -1;
	s->text = str_c(arena_printf(s->arena,
	    STR_FMT "," STR_FMT "," STR_FMT, STR_ARG(s->bare),
	    STR_ARG(s->first), STR_ARG(without)));
	return 0;
}
