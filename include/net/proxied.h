/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_PROXIED_H
#define NET_PROXIED_H

/*
 * proxied -- the header by which a proxy in front of us says who its client
 * is: version 1, a line of text, and version 2, binary (the PROXY protocol of
 * HAProxy).
 */

#include "net/addr.h"

/* Version 1: a line with its CRLF.  Version 2: the fixed part. */
#define PROXIED_V1_MAX 107
#define PROXIED_V2_FIXED 16
/* What may follow that, addresses and TLVs: more than proxies have to say. */
#define PROXIED_V2_MAX 4096

enum proxied_result {
	PROXIED_MORE,	/* octets are missing */
	PROXIED_DONE,
	PROXIED_BAD	/* this is no such header */
};

struct proxied {
	unsigned char in[PROXIED_V2_FIXED + PROXIED_V2_MAX];
	size_t n;
	/* When it is done: the client and where it connected to ... */
	bool known;		/* ... else the proxy does not say */
	struct addr client;
	struct addr target;
	bool own;		/* it is the proxy's own connection, say to look if we live */
};

void proxied_init(struct proxied *p);
/* Takes what belongs to the header from the start of BYTES, and says how many in *TAKEN. */
enum proxied_result proxied_input(struct proxied *p, struct str bytes, size_t *taken) MUST_USE;
/* True if BYTES are how a header begins. */
bool proxied_begins(struct str bytes);

#endif
