/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_SOCKS_H
#define NET_SOCKS_H

/*
 * socks -- the client's side of SOCKS 4a and SOCKS 5 (RFC 1928, RFC 1929),
 * and of CONNECT at an HTTP proxy (RFC 9110 9.3.6), as octets in and out:
 *
 *   socks_init -> { socks_output / socks_input } ... SOCKS_DONE
 *
 * The name of the server goes to the proxy, which looks it up.  Never more
 * is taken than belongs to the dialogue, so that what follows on the
 * connection is the server's.
 */

#include <stdint.h>

#include "lib/str.h"

#define SOCKS_NAME_MAX 255
/* The longest of what is sent at once: CONNECT with names at their most. */
#define SOCKS_OUT_MAX 1400
#define SOCKS_IN_MAX 262

#define SOCKS_HTTP 1

struct socks_proxy {
	int version;		/* 4, 5 or SOCKS_HTTP */
	const char *user;	/* "": none; of version 4 the user id */
	const char *password;	/* version 5 */
	const char *basic;	/* SOCKS_HTTP: both, as RFC 7617 2 says; "": none */
};

enum socks_result {
	SOCKS_MORE,	/* write what is to be written, then read */
	SOCKS_DONE,	/* connected: the server's octets follow */
	SOCKS_FAILED	/* socks_error() says why */
};

enum socks_state { SOCKS_METHOD, SOCKS_LOGIN, SOCKS_REPLY, SOCKS_TAIL,
	SOCKS_STATUS, SOCKS_REST, SOCKS_OVER };

struct socks {
	const struct socks_proxy *proxy;
	struct str host;
	uint16_t port;
	enum socks_state state;
	unsigned char out[SOCKS_OUT_MAX];
	size_t out_n, out_at;
	unsigned char in[SOCKS_IN_MAX];
	size_t in_n, want;
	size_t taken, matched;	/* of an HTTP header; of its end */
	char words[40];
	const char *error;
};

/*
 * To be led to HOST, a name or an address without brackets, at PORT; PROXY
 * and HOST must stay.  False if that cannot be said in this version.
 */
bool socks_init(struct socks *s, const struct socks_proxy *proxy, struct str host,
    uint16_t port) MUST_USE;
/* What is to be written; empty: nothing now.  SENT octets of it went. */
struct str socks_output(const struct socks *s);
void socks_sent(struct socks *s, size_t sent);
/* How many octets are to be read next: no more than these. */
size_t socks_want(const struct socks *s);
/* Takes at most socks_want() octets. */
enum socks_result socks_input(struct socks *s, struct str bytes) MUST_USE;
/* In words, static. */
const char *socks_error(const struct socks *s);

#endif
