/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_SCRAM_SERVER_H
#define MAIL_SCRAM_SERVER_H

/*
 * scram_server -- the messages of SCRAM (RFC 5802) as a server reads and
 * writes them.  No key is seen here: who has them says the parameters of a
 * user, and whether a proof is right.
 */

#include "lib/arena.h"
#include "lib/buf.h"

/* What ties an exchange to its TLS session; empty where there is none. */
struct sasl_bindings {
	struct str exporter;	/* RFC 9266 */
	struct str unique;	/* RFC 5929 3 */
	struct str end_point;	/* RFC 5929 4 */
};

struct scram_server {
	struct arena *arena;
	struct sasl_bindings bindings;
	const char *nonce;	/* ours */
	bool plus;		/* the mechanism is -PLUS */
	bool plus_offered;
	struct str header;	/* gs2-header, as it was said */
	struct str binding;	/* of it, what is meant */
	struct str bare;	/* client-first-message-bare */
	struct str client_nonce;
	struct str first;	/* server-first-message */
	struct str user, authzid;
	struct str proof;	/* base64 */
	struct str text;	/* AuthMessage */
};

/*
 * Decodes a saslname into A (RFC 5802 5.1): "=2C" is a comma, "=3D" an equals
 * sign, and no other "=" is.  False: it is none.
 */
bool scram_name_decode(struct arena *a, struct str s, struct str *out) MUST_USE;
/*
 * Reads a client-first-message: USER and AUTHZID are set.  -1: errno EBADMSG,
 * it is none; EPERM: it is one of a client whose TLS session is not ours, or
 * who was told other mechanisms than we offered.  Everything is copied.
 */
int scram_server_first(struct scram_server *s, struct str message) MUST_USE;
/* Adds the server-first-message with PARAMS, "s=...,i=...". */
void scram_server_ask(struct scram_server *s, struct str params, struct buf *out);
/* Reads a client-final-message: PROOF and TEXT are set.  -1 as above. */
int scram_server_final(struct scram_server *s, struct str message) MUST_USE;

#endif
