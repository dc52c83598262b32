/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_ROUTE_H
#define CONF_ROUTE_H

/* route -- the part of the configuration that says where mail goes. */

#include "conf/types.h"

#define CONF_SERVERS_MAX 16	/* of an upstream: what one attempt can go through */

enum conf_client_tls { TLS_OFF, TLS_MAY, TLS_REQUIRED, TLS_VERIFIED, TLS_DANE };

struct conf_server {
	const char *name;	/* host name or address; others may have it, with another port */
	struct conf_place place;
	uint64_t port;
	const char *user;
	const char *password;
	int tls;		/* enum conf_client_tls */
	uint64_t weight;
	bool backup;
};

struct conf_upstream {
	const char *name;
	struct conf_place place;
	struct conf_server *servers;
	size_t server_n;
};

struct conf_route {
	const char *pattern;	/* domain, "*.domain", "*" */
	struct conf_place place;
	const char *via;	/* "mx", an upstream's name */
	int tls;		/* enum conf_client_tls, for mx */
};

#endif
